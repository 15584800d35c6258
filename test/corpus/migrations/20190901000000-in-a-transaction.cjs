'use strict'

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up(queryInterface, Sequelize) {
    await queryInterface.sequelize.transaction(async (transaction) => {
      await queryInterface.createTable(
        'invoices',
        {
          id: { type: Sequelize.INTEGER, primaryKey: true, autoIncrement: true },
          state: { type: Sequelize.ENUM('open', 'paid'), allowNull: false },
        },
        { transaction },
      )
      await Promise.all([
        queryInterface.addColumn(
          'invoices',
          'total',
          { type: Sequelize.INTEGER, defaultValue: 0 },
          { transaction },
        ),
        queryInterface.addColumn(
          'invoices',
          'user_id',
          { type: Sequelize.INTEGER, references: { model: 'users', key: 'id' } },
          { transaction },
        ),
      ])
      await queryInterface.addIndex('invoices', ['state', 'total'], { transaction })
      await queryInterface.bulkInsert('invoices', [{ state: 'open', total: 5 }], { transaction })
    })
  },

  async down(queryInterface) {
    await queryInterface.sequelize.transaction(async (transaction) => {
      await queryInterface.dropTable('invoices', { transaction })
      await queryInterface.sequelize.query('DROP TYPE enum_invoices_state', { transaction })
    })
  },
}
