'use strict'

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up(queryInterface) {
    await queryInterface.renameTable('categories', 'departments')
    await queryInterface.sequelize.query('ALTER SEQUENCE categories_id_seq RENAME TO departments_id_seq')
    await queryInterface.sequelize.query('ALTER TYPE enum_users_state RENAME TO enum_users_status')
    await queryInterface.renameTable('keyless', 'pairs')
  },

  async down(queryInterface) {
    await queryInterface.renameTable('pairs', 'keyless')
    await queryInterface.sequelize.query('ALTER TYPE enum_users_status RENAME TO enum_users_state')
    await queryInterface.sequelize.query('ALTER SEQUENCE departments_id_seq RENAME TO categories_id_seq')
    await queryInterface.renameTable('departments', 'categories')
  },
}
