'use strict'

// The users of a tenant, each with a role. This is sequelize-cli's form, as `sequelize migration:generate` writes
// it: such migrations run as they are.

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up(queryInterface, Sequelize) {
    await queryInterface.createTable('users', {
      id: { type: Sequelize.INTEGER, primaryKey: true, autoIncrement: true, autoIncrementIdentity: true },
      email: { type: Sequelize.STRING(256), unique: true },
      first_name: Sequelize.STRING(100),
      last_name: Sequelize.STRING(100),
      user_role_id: { type: Sequelize.INTEGER, references: { model: 'roles', key: 'id' } },
      created_at: { type: Sequelize.DATE, allowNull: false, defaultValue: Sequelize.fn('now') },
      updated_at: Sequelize.DATE,
    })
  },

  async down(queryInterface) {
    await queryInterface.dropTable('users')
  },
}
