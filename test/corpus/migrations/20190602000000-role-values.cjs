'use strict'

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up(queryInterface) {
    await queryInterface.sequelize.query(
      `ALTER TYPE "enum_users_role" ADD VALUE IF NOT EXISTS 'owner' BEFORE 'admin'`,
    )
    await queryInterface.sequelize.query(`ALTER TYPE enum_users_role ADD VALUE 'guest'`)
  },

  async down(queryInterface) {
    await queryInterface.sequelize.query('ALTER TABLE users ALTER role DROP DEFAULT')
    await queryInterface.sequelize.query('ALTER TYPE enum_users_role RENAME TO enum_users_role_old')
    await queryInterface.sequelize.query("CREATE TYPE enum_users_role AS ENUM ('admin', 'member')")
    await queryInterface.sequelize.query(
      'ALTER TABLE users ALTER role TYPE enum_users_role USING role::text::enum_users_role',
    )
    await queryInterface.sequelize.query("ALTER TABLE users ALTER role SET DEFAULT 'member'")
    await queryInterface.sequelize.query('DROP TYPE enum_users_role_old')
  },
}
