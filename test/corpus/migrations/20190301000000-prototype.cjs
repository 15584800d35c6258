'use strict'

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up(queryInterface, Sequelize) {
    await queryInterface.createTable('owners', {
      id: { type: Sequelize.INTEGER, primaryKey: true },
      kind: Sequelize.ENUM('person', 'firm'),
    })
    await queryInterface.createTable('things', {
      id: { type: Sequelize.INTEGER, primaryKey: true, autoIncrement: true },
      owner: { type: Sequelize.INTEGER, references: { model: 'owners', key: 'id' } },
      colour: Sequelize.ENUM('red', 'green'),
      twin: { type: Sequelize.INTEGER, references: { model: 'things', key: 'id' } },
    })
    await queryInterface.bulkInsert('owners', [{ id: 1, kind: 'firm' }])
  },

  async down(queryInterface) {
    await queryInterface.dropTable('things')
    await queryInterface.dropTable('owners')
    await queryInterface.dropAllEnums()
  },
}
