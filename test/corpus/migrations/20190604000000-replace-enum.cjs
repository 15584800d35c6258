'use strict'

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up(queryInterface, Sequelize) {
    await queryInterface.changeColumn('users', 'state', { type: Sequelize.TEXT })
    await queryInterface.sequelize.query('DROP TYPE IF EXISTS "enum_users_state";')
    await queryInterface.sequelize.query("UPDATE users SET state = 'active'")
    await queryInterface.changeColumn('users', 'state', {
      type: Sequelize.ENUM('active', 'blocked'),
      allowNull: false,
    })
    await queryInterface.sequelize.query(`ALTER TABLE users ALTER state SET DEFAULT 'active'`)
  },

  async down(queryInterface, Sequelize) {
    await queryInterface.changeColumn('users', 'state', { type: Sequelize.TEXT })
    await queryInterface.dropEnum('enum_users_state')
    await queryInterface.sequelize.query('UPDATE users SET state = NULL')
    await queryInterface.changeColumn('users', 'state', { type: Sequelize.ENUM('new', 'active') })
  },
}
