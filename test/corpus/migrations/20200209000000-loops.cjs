'use strict'

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up(queryInterface, Sequelize) {
    const { sequelize } = queryInterface
    await sequelize
      .getQueryInterface()
      .createTable('batches', { id: { type: Sequelize.INTEGER, primaryKey: true }, done: Sequelize.BOOLEAN })
    const ids = Array.from({ length: 250 }, (_, i) => i + 1)
    for (let at = 0; at < ids.length; at += 100)
      await queryInterface.bulkInsert(
        'batches',
        ids.slice(at, at + 100).map((id) => ({ id, done: false })),
      )
    await Promise.all(
      ids.slice(0, 20).map((id) => queryInterface.bulkUpdate('batches', { done: true }, { id })),
    )
    const [[{ count }]] = await sequelize.query('SELECT count(*)::int AS count FROM batches WHERE done')
    if (count !== 20) throw new Error(`count ${count}`)
  },

  async down(queryInterface) {
    await queryInterface.dropTable('batches', { force: true })
  },
}
