'use strict'

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up(queryInterface, Sequelize) {
    await queryInterface.renameTable('batches', 'lots')
    await queryInterface.createTable('batches', {
      code: { type: Sequelize.STRING(8), primaryKey: true },
      lot: { type: Sequelize.INTEGER, references: { model: 'lots', key: 'id' } },
    })
    await queryInterface.sequelize.query('INSERT INTO batches SELECT id::text, id FROM lots WHERE id < 4')
    await queryInterface.removeConstraint('batches', 'batches_lot_fkey')
    await queryInterface.addConstraint('batches', {
      type: 'FOREIGN KEY',
      fields: ['lot'],
      references: { table: 'lots', field: 'id' },
      onDelete: 'restrict',
    })
  },

  async down(queryInterface) {
    await queryInterface.dropTable('batches')
    await queryInterface.renameTable('lots', 'batches')
  },
}
