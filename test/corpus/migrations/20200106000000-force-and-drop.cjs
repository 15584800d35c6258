'use strict'

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up(queryInterface, Sequelize) {
    const { DataTypes } = Sequelize
    const { sequelize } = queryInterface
    sequelize.modelManager.models = []
    const Draft = sequelize.define(
      'Draft',
      { kind: DataTypes.ENUM('a', 'b'), kinds: DataTypes.ARRAY(DataTypes.ENUM('a')) },
      { timestamps: false },
    )
    await Draft.sync({ force: true })
    await Draft.create({ kind: 'a' })
    const Again = sequelize.define(
      'Draft',
      { kind: DataTypes.ENUM('c'), more: DataTypes.TEXT },
      { timestamps: false },
    )
    await Again.sync({ force: true })
    await Again.create({ kind: 'c' })
    const Gone = sequelize.define('Gone', { kind: DataTypes.ENUM('a', 'b') }, { timestamps: false })
    await Gone.sync()
    await Gone.drop({})
  },

  async down(queryInterface) {
    await queryInterface.dropTable('Drafts')
    for (const { enum_name: name } of await queryInterface.pgListEnums())
      if (name.startsWith('enum_Drafts')) await queryInterface.dropEnum(name)
  },
}
