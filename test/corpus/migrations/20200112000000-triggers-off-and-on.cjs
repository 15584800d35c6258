'use strict'

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up(queryInterface) {
    await queryInterface.sequelize.query('ALTER TABLE users DISABLE TRIGGER users_are_touched')
    await queryInterface.sequelize.query("UPDATE users SET updated_at = '2001-01-01' WHERE email LIKE 'ann%'")
    await queryInterface.sequelize.query('ALTER TABLE users ENABLE ALWAYS TRIGGER users_are_touched')
    await queryInterface.sequelize.query("UPDATE users SET phone = '1' WHERE email LIKE 'bob%'")
  },

  async down(queryInterface) {
    await queryInterface.sequelize.query('ALTER TABLE users ENABLE TRIGGER users_are_touched')
  },
}
