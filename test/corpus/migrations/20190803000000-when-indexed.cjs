'use strict'

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up(queryInterface) {
    const indexes = await queryInterface.showIndex('products')
    for (const { name, primary, unique, fields } of indexes) {
      if (!primary && unique && fields.some(({ attribute }) => attribute === 'token'))
        await queryInterface.removeIndex('products', name)
    }
    const names = indexes.map(({ name }) => name)
    if (!names.includes('products_dear') || names.includes('users_email_key'))
      throw new Error(`indexes: ${names}`)
  },

  async down(queryInterface) {
    await queryInterface.addIndex('products', ['token'], { unique: true, name: 'products_token_key' })
  },
}
