'use strict'

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up(queryInterface, Sequelize) {
    await queryInterface.createTable(
      'memberships',
      {
        user_id: {
          type: Sequelize.INTEGER,
          primaryKey: true,
          references: { model: 'users', key: 'id' },
          onDelete: 'CASCADE',
        },
        team_id: {
          type: Sequelize.UUID,
          primaryKey: true,
          references: { model: { tableName: 'teams' }, key: 'id' },
          onDelete: 'RESTRICT',
        },
        seat: { type: Sequelize.SMALLINT, allowNull: false },
        badge: Sequelize.STRING(16),
      },
      {
        uniqueKeys: {
          one_seat: { fields: ['team_id', 'seat'] },
          one_badge: { fields: ['badge'], customIndex: true },
        },
      },
    )
  },

  async down(queryInterface) {
    await queryInterface.dropTable('memberships')
  },
}
