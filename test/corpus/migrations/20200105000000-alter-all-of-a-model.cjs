'use strict'

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up(queryInterface, Sequelize) {
    const { DataTypes } = Sequelize
    const Tag = queryInterface.sequelize.define(
      'Tag',
      {
        name: { type: DataTypes.STRING(50), primaryKey: true },
        colour: { type: DataTypes.STRING, defaultValue: 'red' },
        parent: {
          type: DataTypes.STRING(50),
          references: { model: 'Tags', key: 'name' },
          onDelete: 'SET NULL',
        },
      },
      { timestamps: false },
    )
    await Tag.sync({ alter: true })
    await Tag.sync({ alter: true })
    const keys = await queryInterface.getForeignKeyReferencesForTable('Tags')
    if (keys.length !== 1 || keys[0].columnName !== 'parent') throw new Error(JSON.stringify(keys))
  },

  async down(queryInterface) {
    await queryInterface.removeColumn('Tags', 'parent')
    await queryInterface.removeColumn('Tags', 'colour')
  },
}
