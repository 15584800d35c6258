'use strict'

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up(queryInterface, Sequelize) {
    await queryInterface.createTable('Order Items', {
      userId: { type: Sequelize.INTEGER, primaryKey: true },
      order: { type: Sequelize.ENUM("it's", 'a,b', 'c"d'), allowNull: false },
      'two words': Sequelize.STRING,
      from: { type: Sequelize.DATE, field: 'valid_from' },
    })
    await queryInterface.addIndex('Order Items', ['userId', 'two words'])
    await queryInterface.addConstraint('Order Items', { type: 'unique', fields: ['two words', 'order'] })
    await queryInterface.addColumn('Order Items', 'group', {
      type: Sequelize.ENUM('x', 'y'),
      defaultValue: 'x',
      comment: `it's "quoted"`,
    })
    await queryInterface.renameColumn('Order Items', 'two words', 'Three Words')
    await queryInterface.bulkInsert('Order Items', [
      { userId: 1, order: "it's" },
      { userId: 2, order: 'a,b' },
    ])
    if ((await queryInterface.describeTable('Order Items')).group.comment !== `it's "quoted"`)
      throw new Error('comment')
  },

  async down(queryInterface) {
    await queryInterface.dropTable('Order Items')
    await queryInterface.dropEnum('enum_Order Items_order')
    await queryInterface.dropEnum('enum_Order Items_group')
  },
}
