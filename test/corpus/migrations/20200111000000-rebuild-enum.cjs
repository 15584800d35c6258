'use strict'

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up(queryInterface) {
    const { type, special } = (await queryInterface.describeTable('jobs')).queue
    if (type !== 'USER-DEFINED') throw new Error(type)
    const labels = special.concat('push').map((label) => queryInterface.sequelize.escape(label))
    await queryInterface.sequelize.query('ALTER TYPE enum_jobs_queue RENAME TO enum_jobs_queue_old')
    await queryInterface.sequelize.query(`CREATE TYPE enum_jobs_queue AS ENUM (${labels.join(', ')})`)
    await queryInterface.sequelize.query(
      "ALTER TABLE jobs ALTER queue DROP DEFAULT, ALTER queue TYPE enum_jobs_queue USING queue::text::enum_jobs_queue, ALTER queue SET DEFAULT 'push'",
    )
    await queryInterface.sequelize.query('DROP TYPE enum_jobs_queue_old')
  },

  async down(queryInterface, Sequelize) {
    await queryInterface.bulkDelete('jobs', { queue: 'push' })
    await queryInterface.sequelize.query(
      'ALTER TABLE jobs ALTER queue DROP DEFAULT, ALTER queue TYPE text; DROP TYPE enum_jobs_queue',
    )
    await queryInterface.changeColumn('jobs', 'queue', { type: Sequelize.ENUM('mail', 'sms') })
  },
}
