'use strict'

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up(queryInterface, Sequelize) {
    await queryInterface.addColumn('orders', 'remark', {
      type: Sequelize.TEXT,
      comment: 'COMMENT of the customer; not ours',
    })
    await queryInterface.changeColumn('orders', 'state', { type: Sequelize.TEXT, comment: 'free text' })
    await queryInterface.sequelize.query(
      "COMMENT ON TABLE orders IS 'what was ordered'; COMMENT ON SEQUENCE order_numbers IS 'in fives'; COMMENT ON FUNCTION add_tax(integer, numeric) IS 'of the year'; COMMENT ON TRIGGER users_are_touched ON users IS 'on each write'",
    )
    await queryInterface.createTable(
      'remarks',
      {
        id: { type: Sequelize.INTEGER, primaryKey: true, comment: 'its number' },
        text: { type: Sequelize.STRING, comment: 'PRIMARY KEY of thought' },
      },
      { comment: "everybody's" },
    )
    if ((await queryInterface.describeTable('orders')).state.comment !== 'free text')
      throw new Error('comment')
  },

  async down(queryInterface) {
    await queryInterface.dropTable('remarks')
    await queryInterface.sequelize.query('COMMENT ON TRIGGER users_are_touched ON users IS NULL')
    await queryInterface.removeColumn('orders', 'remark')
  },
}
