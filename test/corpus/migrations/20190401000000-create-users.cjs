'use strict'

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up(queryInterface, Sequelize) {
    await queryInterface.createTable(
      'users',
      {
        id: { type: Sequelize.INTEGER, primaryKey: true, autoIncrement: true },
        email: {
          type: Sequelize.STRING,
          allowNull: false,
          unique: true,
          comment: 'what people sign in with',
        },
        name: { type: Sequelize.STRING(120), comment: "a person's name" },
        role: { type: Sequelize.ENUM('admin', 'member'), allowNull: false, defaultValue: 'member' },
        state: Sequelize.ENUM({ values: ['new', 'active'] }),
        active: { type: Sequelize.BOOLEAN, allowNull: false, defaultValue: true },
        created_at: { type: Sequelize.DATE, allowNull: false, defaultValue: Sequelize.fn('now') },
        updated_at: {
          type: Sequelize.DATE,
          allowNull: false,
          defaultValue: Sequelize.literal('CURRENT_TIMESTAMP'),
        },
      },
      { comment: 'everybody who can sign in' },
    )
  },

  async down(queryInterface) {
    await queryInterface.dropTable('users')
    await queryInterface.sequelize.query(
      'DROP TYPE "enum_users_role"; DROP TYPE IF EXISTS "enum_users_state"',
    )
  },
}
