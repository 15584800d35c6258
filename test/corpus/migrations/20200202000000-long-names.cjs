'use strict'

const TABLE = 'a_table_with_a_name_that_is_very_long_and_says_everything_there_is'
const COLUMN = 'a_column_with_a_name_that_is_nearly_as_long'

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up(queryInterface, Sequelize) {
    await queryInterface.createTable(TABLE.slice(0, 48), {
      id: { type: Sequelize.INTEGER, primaryKey: true, autoIncrement: true },
      [COLUMN]: { type: Sequelize.ENUM('a', 'b') },
    })
    await queryInterface.addIndex(TABLE.slice(0, 48), [COLUMN])
    await queryInterface.addColumn(TABLE.slice(0, 48), 'user', {
      type: Sequelize.INTEGER,
      references: { model: 'users', key: 'id' },
    })
  },

  async down(queryInterface) {
    await queryInterface.dropTable(TABLE.slice(0, 48))
    await queryInterface.dropEnum(`enum_${TABLE.slice(0, 48)}_${COLUMN}`)
  },
}
