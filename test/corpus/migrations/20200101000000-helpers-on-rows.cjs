'use strict'

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up(queryInterface, Sequelize) {
    const { Op } = Sequelize
    await queryInterface.createTable('counters', {
      id: { type: Sequelize.INTEGER, primaryKey: true },
      n: { type: Sequelize.INTEGER, defaultValue: 0 },
      meta: Sequelize.JSONB,
    })
    await queryInterface.bulkInsert(
      'counters',
      [1, 2, 3, 4].map((id) => ({ id, n: id * 10, meta: JSON.stringify({ of: id }) })),
    )
    await queryInterface.bulkUpdate(
      'counters',
      { n: Sequelize.literal('n + 1') },
      { id: { [Op.in]: [1, 2] } },
    )
    await queryInterface.bulkDelete('counters', { id: { [Op.gt]: 3 } })
    const rows = await queryInterface.select(null, 'counters', {
      where: { n: { [Op.lt]: 25 } },
      order: [['id', 'DESC']],
    })
    if (rows.map(({ id }) => id).join() !== '2,1') throw new Error(JSON.stringify(rows))
    const sum = await queryInterface.rawSelect(
      'counters',
      { attributes: [[Sequelize.fn('sum', Sequelize.col('n')), 'total']], dataType: new Sequelize.INTEGER() },
      'total',
    )
    if (sum !== 62) throw new Error(`sum ${JSON.stringify(sum)}`)
    await queryInterface.increment(null, 'counters', { id: 3 }, { n: 5 }, {}, {})
    await queryInterface.decrement(null, 'counters', { id: 1 }, { n: 1 }, {}, {})
    for (const { id, meta } of await queryInterface.select(null, 'counters', {})) {
      await queryInterface.bulkUpdate('counters', { meta: JSON.stringify({ ...meta, seen: true }) }, { id })
    }
  },

  async down(queryInterface) {
    await queryInterface.bulkDelete('counters', {}, { truncate: true })
    await queryInterface.dropTable('counters')
  },
}
