'use strict'

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up(queryInterface, Sequelize) {
    await queryInterface.bulkUpdate('users', { role: 'owner' }, { email: 'ann@example.com' })
    await queryInterface.changeColumn('users', 'role', {
      type: Sequelize.ENUM('owner', 'admin', 'member', 'guest'),
      allowNull: false,
      defaultValue: 'guest',
    })
  },

  async down(queryInterface, Sequelize) {
    await queryInterface.changeColumn('users', 'role', {
      type: Sequelize.ENUM('owner', 'admin', 'member', 'guest'),
      allowNull: false,
      defaultValue: 'member',
    })
    await queryInterface.bulkUpdate('users', { role: 'admin' }, { role: 'owner' })
  },
}
