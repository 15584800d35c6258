'use strict'

/** What lasts for a transaction of the migration's own, and no longer. */
module.exports = {
  async up(queryInterface, Sequelize) {
    const { sequelize } = queryInterface
    await queryInterface.createTable('audits', { id: { type: Sequelize.INTEGER, primaryKey: true } })
    await queryInterface.createTable('audit_lines', {
      id: { type: Sequelize.INTEGER, primaryKey: true, autoIncrement: true },
      auditId: {
        type: Sequelize.INTEGER,
        references: { model: 'audits', key: 'id', deferrable: Sequelize.Deferrable.INITIALLY_DEFERRED },
      },
      note: Sequelize.TEXT,
    })
    for (const id of [1, 2]) {
      await sequelize.transaction(async (transaction) => {
        await sequelize.query("SELECT set_config('corpus.user', 'migration', true)", { transaction })
        await sequelize.query('SET LOCAL session_replication_role = replica', { transaction })
        await sequelize.query(`CREATE TEMP TABLE audits ON COMMIT DROP AS SELECT ${id} AS id`, {
          transaction,
        })
        await sequelize.query('INSERT INTO audit_lines ("auditId") SELECT id FROM audits', { transaction })
      })
    }
    await sequelize.query('UPDATE audit_lines SET "auditId" = NULL')
    await sequelize.query(
      "INSERT INTO audit_lines (note) VALUES (current_setting('session_replication_role')), (current_setting('corpus.user', true))",
    )
  },

  async down(queryInterface) {
    await queryInterface.dropTable('audit_lines')
    await queryInterface.dropTable('audits')
  },
}
