'use strict'

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up(queryInterface) {
    await queryInterface.addIndex('users', ['phone'], { concurrently: true, name: 'users_phone' })
    await queryInterface.addIndex('users', { fields: ['email', 'phone'], concurrently: true, unique: true })
  },

  async down(queryInterface) {
    await queryInterface.removeIndex('users', 'users_phone', { concurrently: true })
    await queryInterface.removeIndex('users', ['email', 'phone'], { concurrently: true })
  },
}
