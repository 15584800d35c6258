'use strict'

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up(queryInterface, Sequelize) {
    await queryInterface.addColumn('users', 'team_id', {
      type: Sequelize.UUID,
      references: { model: 'teams', key: 'id' },
      onDelete: 'SET NULL',
      onUpdate: 'CASCADE',
      comment: 'the team of today',
    })
    await queryInterface.addIndex('users', ['team_id'])
  },

  async down(queryInterface) {
    await queryInterface.removeIndex('users', ['team_id'])
    await queryInterface.removeColumn('users', 'team_id')
  },
}
