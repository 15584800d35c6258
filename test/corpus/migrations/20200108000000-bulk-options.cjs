'use strict'

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up(queryInterface, Sequelize) {
    await queryInterface.createTable('settings', {
      key: { type: Sequelize.STRING, primaryKey: true },
      value: Sequelize.JSONB,
      hits: { type: Sequelize.INTEGER, defaultValue: 0 },
    })
    await queryInterface.bulkInsert('settings', [
      { key: 'a', value: '1' },
      { key: 'b', value: '{"x": null}' },
    ])
    await queryInterface.bulkInsert(
      'settings',
      [
        { key: 'a', value: '2' },
        { key: 'c', value: '3' },
      ],
      { ignoreDuplicates: true },
    )
    await queryInterface.bulkInsert('settings', [{ key: 'b', value: '[4]', hits: 4 }], {
      upsertKeys: ['key'],
      updateOnDuplicate: ['value', 'hits'],
    })
    await queryInterface.bulkUpdate(
      'settings',
      { value: { deep: [1, 'two', { three: "3's" }] } },
      { key: 'c' },
      {},
      { value: { type: new Sequelize.JSONB() } },
    )
    const changed = await queryInterface.bulkDelete(
      'settings',
      Sequelize.where(Sequelize.col('hits'), Sequelize.Op.gt, 100),
    )
    if (changed === undefined) throw new Error('bulkDelete answers')
  },

  async down(queryInterface) {
    await queryInterface.dropTable('settings')
  },
}
