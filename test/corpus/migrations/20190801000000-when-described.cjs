'use strict'

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up(queryInterface, Sequelize) {
    const users = await queryInterface.describeTable('users')
    if (!users.phone) await queryInterface.addColumn('users', 'phone', Sequelize.STRING)
    if (users.decoy) throw new Error('the columns are those of another table')
    if (users.role.special.join() !== 'admin,member,owner,guest')
      throw new Error(`labels: ${users.role.special}`)
    if (
      users.name.comment !== 'shown in lists' ||
      users.name.allowNull ||
      users.name.defaultValue !== 'nobody'
    )
      throw new Error(JSON.stringify(users.name))
    if (!users.id.primaryKey || users.email.primaryKey || users.email.type !== 'CHARACTER VARYING(255)')
      throw new Error(JSON.stringify(users))
    for (const [name, column] of Object.entries(await queryInterface.describeTable('departments'))) {
      if (column.type === 'BIGINT' && !column.primaryKey) await queryInterface.addIndex('departments', [name])
    }
  },

  async down(queryInterface) {
    const departments = await queryInterface.describeTable({ tableName: 'departments' })
    if (departments.parent_id) await queryInterface.removeIndex('departments', ['parent_id'])
    if ((await queryInterface.describeTable('users')).phone)
      await queryInterface.removeColumn('users', 'phone')
  },
}
