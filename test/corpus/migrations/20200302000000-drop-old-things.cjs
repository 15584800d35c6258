'use strict'

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up(queryInterface, Sequelize) {
    await queryInterface.dropTable('lots', { cascade: true })
    await queryInterface.dropTable('no_such_table')
    await queryInterface.removeIndex('users', 'no_such_index')
    await queryInterface.dropEnum('no_such_enum')
    await queryInterface.removeConstraint('users', 'no_such_constraint').catch((error) => {
      if (
        error.name !== 'SequelizeUnknownConstraintError' ||
        error.constraint !== 'no_such_constraint' ||
        error.table !== 'users'
      )
        throw error
    })
    await queryInterface.addColumn('no_such_table', 'a', Sequelize.TEXT).catch((error) => {
      if (error.name !== 'SequelizeDatabaseError' || error.original.code !== '42P01') throw error
    })
    await queryInterface.describeTable('no_such_table').catch((error) => {
      if (!error.message.startsWith('No description found for "no_such_table" table')) throw error
    })
    await queryInterface.bulkInsert('users', [{ email: 'ann@example.com' }]).catch((error) => {
      if (error.name !== 'SequelizeUniqueConstraintError' || error.fields.email !== 'ann@example.com')
        throw error
    })
    await queryInterface
      .bulkInsert('memberships', [
        { member_id: 99, team_id: '00000000-0000-0000-0000-0000000000ff', seat: 9 },
      ])
      .catch((error) => {
        if (error.name !== 'SequelizeForeignKeyConstraintError' || error.table !== 'memberships') throw error
      })
  },

  async down(queryInterface, Sequelize) {
    await queryInterface.createTable('lots', { id: { type: Sequelize.INTEGER, primaryKey: true } })
  },
}
