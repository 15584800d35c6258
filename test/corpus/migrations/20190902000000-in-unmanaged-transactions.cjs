'use strict'

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up(queryInterface, Sequelize) {
    const committed = await queryInterface.sequelize.transaction()
    try {
      await queryInterface.addColumn('invoices', 'note', Sequelize.TEXT, { transaction: committed })
      await committed.commit()
    } catch (error) {
      await committed.rollback()
      throw error
    }
    const rolledBack = await queryInterface.sequelize.transaction()
    await queryInterface.addColumn('invoices', 'never', Sequelize.TEXT, { transaction: rolledBack })
    await rolledBack.rollback()
    await queryInterface.sequelize
      .transaction(async (transaction) => {
        await queryInterface.createTable('undone', { id: Sequelize.INTEGER }, { transaction })
        throw new Error('undo')
      })
      .catch((error) => {
        if (error.message !== 'undo') throw error
      })
  },

  async down(queryInterface) {
    await queryInterface.removeColumn('invoices', 'note')
  },
}
