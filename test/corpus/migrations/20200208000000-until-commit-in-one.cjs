'use strict'

/** One transaction, as most who set something for its time have it: the next migration must not see it. */
module.exports = {
  up: (queryInterface) =>
    queryInterface.sequelize.transaction(async (transaction) => {
      const { sequelize } = queryInterface
      await sequelize.query("SELECT set_config('corpus.user', 'another', true)", { transaction })
      await sequelize.query('CREATE TEMP TABLE scratch ON COMMIT DROP AS SELECT 3 AS id', { transaction })
      await sequelize.query('INSERT INTO audits SELECT id FROM scratch', { transaction })
      await sequelize.query('INSERT INTO audit_lines ("auditId") SELECT id FROM scratch', { transaction })
    }),

  down: (queryInterface) =>
    queryInterface.sequelize.transaction(async (transaction) => {
      await queryInterface.bulkDelete('audit_lines', { auditId: 3 }, { transaction })
      await queryInterface.bulkDelete('audits', { id: 3 }, { transaction })
    }),
}
