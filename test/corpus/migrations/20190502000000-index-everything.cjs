'use strict'

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up(queryInterface, Sequelize) {
    const { Op, fn, col, literal } = Sequelize
    await queryInterface.addIndex('products', ['code', 'price'])
    await queryInterface.addIndex('products', { fields: ['token'], unique: true, name: 'products_token_key' })
    await queryInterface.addIndex('products', ['search'], { using: 'GIN', name: 'products_search' })
    await queryInterface.addIndex('products', ['code'], { using: 'hash', name: 'products_code_hash' })
    await queryInterface.addIndex('products', ['text'], { operator: 'text_pattern_ops' })
    await queryInterface.addIndex(
      'products',
      [{ name: 'text', operator: 'text_pattern_ops', collate: 'C', order: 'DESC' }, 'id'],
      { name: 'products_text_c' },
    )
    await queryInterface.addIndex('products', [fn('lower', col('text'))], {
      name: 'products_lower',
      type: 'UNIQUE',
      where: { text: { [Op.ne]: null } },
    })
    await queryInterface.addIndex(
      'products',
      [literal("(data ->> 'a')"), { attribute: 'id', order: 'DESC NULLS LAST' }],
      { name: 'products_json' },
    )
    await queryInterface.addIndex('products', ['price'], {
      name: 'products_dear',
      where: { price: { [Op.gt]: 100 }, code: { [Op.in]: ['abc', 'xyz'] } },
    })
    await queryInterface.addIndex(
      'products',
      ['created'].map(() => 'at'),
      { using: 'BRIN' },
    )
    await queryInterface.addIndex('teams', {
      fields: [{ name: 'settings', operator: 'jsonb_path_ops' }],
      using: 'gin',
      name: 'teams_settings',
    })
    await queryInterface.addIndex('users', ['name'], { prefix: 'People' })
  },

  async down(queryInterface) {
    await queryInterface.removeIndex('users', 'people_name')
    await queryInterface.removeIndex('teams', 'teams_settings')
    for (const name of [
      'products_token_key',
      'products_search',
      'products_code_hash',
      'products_text_c',
      'products_lower',
      'products_json',
      'products_dear',
    ]) {
      await queryInterface.removeIndex('products', name)
    }
    await queryInterface.removeIndex('products', ['code', 'price'])
    await queryInterface.removeIndex('products', ['text'])
    await queryInterface.removeIndex('products', ['at'])
  },
}
