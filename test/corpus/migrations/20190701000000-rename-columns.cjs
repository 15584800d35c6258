'use strict'

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up(queryInterface) {
    await queryInterface.renameColumn('users', 'active', 'is_active')
    await queryInterface.renameColumn('products', 'part', 'portion')
    await queryInterface.renameColumn('users', 'state', 'status')
    await queryInterface.renameColumn('memberships', 'user_id', 'member_id')
  },

  async down(queryInterface) {
    await queryInterface.renameColumn('memberships', 'member_id', 'user_id')
    await queryInterface.renameColumn('users', 'status', 'state')
    await queryInterface.renameColumn('products', 'portion', 'part')
    await queryInterface.renameColumn('users', 'is_active', 'active')
  },
}
