'use strict'

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up(queryInterface, Sequelize) {
    const { Op, literal } = Sequelize
    await queryInterface.addConstraint('products', { type: 'unique', fields: ['code', 'day'] })
    await queryInterface.addConstraint('products', {
      type: 'unique',
      fields: ['mac'],
      name: 'products_mac_uk',
      deferrable: Sequelize.Deferrable.INITIALLY_DEFERRED,
    })
    await queryInterface.addConstraint('products', {
      type: 'check',
      fields: ['price'],
      where: { price: { [Op.gte]: 0 } },
    })
    await queryInterface.addConstraint('products', {
      type: 'CHECK',
      fields: ['code'],
      name: 'products_code_ck',
      where: { [Op.or]: [{ code: { [Op.in]: ['abc', 'xyz'] } }, { code: null }] },
    })
    await queryInterface.addConstraint('products', {
      type: 'check',
      fields: ['small'],
      name: 'products_small_ck',
      where: literal('small % 7 = 0'),
    })
    await queryInterface.addColumn('products', 'category_id', Sequelize.BIGINT)
    await queryInterface.addConstraint('products', {
      type: 'foreign key',
      fields: ['category_id'],
      references: { table: 'categories', field: 'id' },
      onDelete: 'cascade',
      onUpdate: 'cascade',
    })
    await queryInterface.addColumn('products', 'seat_team', Sequelize.UUID)
    await queryInterface.addColumn('products', 'seat', Sequelize.SMALLINT)
    await queryInterface.addConstraint('products', {
      type: 'foreign key',
      name: 'products_seat_fk',
      fields: ['seat_team', 'seat'],
      references: { table: 'memberships', fields: ['team_id', 'seat'] },
      deferrable: Sequelize.Deferrable.INITIALLY_IMMEDIATE,
    })
    await queryInterface.createTable('keyless', { a: Sequelize.INTEGER, b: Sequelize.INTEGER })
    await queryInterface.addConstraint('keyless', { type: 'primary key', fields: ['a', 'b'] })
  },

  async down(queryInterface) {
    await queryInterface.dropTable('keyless')
    await queryInterface.removeConstraint('products', 'products_seat_fk')
    await queryInterface.removeColumn('products', 'seat')
    await queryInterface.removeColumn('products', 'seat_team')
    await queryInterface.removeConstraint('products', 'products_category_id_categories_fk')
    await queryInterface.removeColumn('products', 'category_id')
    for (const name of [
      'products_code_day_uk',
      'products_mac_uk',
      'products_price_ck',
      'products_code_ck',
      'products_small_ck',
    ]) {
      await queryInterface.removeConstraint('products', name)
    }
  },
}
