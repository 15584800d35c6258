'use strict'

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up(queryInterface, Sequelize) {
    const { DataTypes } = Sequelize
    const { sequelize } = queryInterface
    sequelize.modelManager.models = []
    const Hen = sequelize.define('Hen', { name: DataTypes.STRING }, { timestamps: false })
    const Egg = sequelize.define(
      'Egg',
      { size: DataTypes.ENUM('s', 'm') },
      { timestamps: false, indexes: [{ fields: ['size'] }] },
    )
    Hen.belongsTo(Egg, { as: 'origin' })
    Egg.belongsTo(Hen)
    await sequelize.sync()
    const egg = await Egg.create({ size: 's' })
    await Hen.create({ name: 'Berta', originId: egg.id })
    sequelize.modelManager.models = []
    const Goat = sequelize.define('Goat', { horns: DataTypes.INTEGER }, { timestamps: false })
    const Kid = sequelize.define('Kid', {}, { timestamps: false })
    Kid.belongsTo(Goat)
    await sequelize.sync({ force: true })
    await sequelize.drop({})
    await sequelize.sync({ alter: true })
    await Goat.create({ horns: 2 })
  },

  async down(queryInterface) {
    await queryInterface.sequelize.query('ALTER TABLE "Hens" DROP CONSTRAINT "Hens_originId_fkey"')
    for (const table of ['Kids', 'Goats', 'Eggs', 'Hens']) await queryInterface.dropTable(table)
    await queryInterface.dropEnum('enum_Eggs_size')
  },
}
