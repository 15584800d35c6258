'use strict'

exports.addTimestamps = async (queryInterface, Sequelize, table) => {
  for (const column of ['created_at', 'updated_at']) {
    await queryInterface.addColumn(table, column, {
      type: Sequelize.DATE,
      allowNull: false,
      defaultValue: Sequelize.literal('now()'),
    })
  }
}

exports.removeTimestamps = async (queryInterface, table) => {
  for (const column of ['updated_at', 'created_at']) await queryInterface.removeColumn(table, column)
}
