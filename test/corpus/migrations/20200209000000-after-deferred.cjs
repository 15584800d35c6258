'use strict'

/** Rows of a deferred constraint, and then the table is altered: without a transaction nothing is pending. */
module.exports = {
  async up(queryInterface, Sequelize) {
    await queryInterface.addColumn('audit_lines', 'first', Sequelize.TEXT)
    await queryInterface.bulkInsert('audit_lines', [{ id: 100, auditId: 3 }])
    await queryInterface.addColumn('audit_lines', 'second', Sequelize.TEXT)
    await queryInterface.sequelize.query(
      "UPDATE audit_lines SET first = current_setting('corpus.user', true), second = to_regclass('scratch')::text WHERE id = 100",
    )
  },

  async down(queryInterface) {
    await queryInterface.removeColumn('audit_lines', 'second')
    await queryInterface.removeColumn('audit_lines', 'first')
  },
}
