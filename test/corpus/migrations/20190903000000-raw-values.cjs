'use strict'

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up(queryInterface, Sequelize) {
    const { sequelize } = queryInterface
    await sequelize.query('UPDATE invoices SET note = :note, total = :total WHERE state IN (:states)', {
      replacements: { note: "it's :here", total: 6, states: ['open', 'paid'] },
    })
    await sequelize.query('INSERT INTO invoices (state, total, note) VALUES (?, ?, ?)', {
      replacements: ['paid', 7, null],
    })
    await sequelize.query('INSERT INTO invoices (state, total, note) VALUES ($1, $2, $3)', {
      bind: ['paid', 8, '$1'],
    })
    await sequelize.query('UPDATE invoices SET total = $total WHERE note = $note', {
      bind: { total: 9, note: '$1' },
      type: sequelize.QueryTypes.UPDATE,
    })
    const rows = await sequelize.query('SELECT id, total FROM invoices ORDER BY id', {
      type: Sequelize.QueryTypes.SELECT,
    })
    if (rows.map(({ total }) => total).join() !== '6,7,9') throw new Error(JSON.stringify(rows))
    const [, { rowCount }] = await sequelize.query('SELECT FROM invoices')
    if (rowCount !== 3) throw new Error(`rowCount ${rowCount}`)
  },

  async down(queryInterface, Sequelize) {
    await queryInterface.bulkDelete('invoices', { id: { [Sequelize.Op.gt]: 1 } })
  },
}
