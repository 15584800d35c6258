'use strict'

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up(queryInterface, Sequelize) {
    const tables = await queryInterface.showAllTables()
    if (tables.includes('users') && !tables.includes('audits'))
      await queryInterface.createTable('audits', { id: { type: Sequelize.INTEGER, primaryKey: true } })
    if (await queryInterface.tableExists('users'))
      await queryInterface.addColumn('audits', 'user_id', {
        type: Sequelize.INTEGER,
        references: { model: 'users' },
      })
    if (await queryInterface.tableExists('categories')) throw new Error('categories was renamed')
    if (tables.includes('categories') || tables.includes('things'))
      throw new Error(`tables: ${tables.join()}`)
    await queryInterface.dropTable('categories')
    await queryInterface.dropTable('things', { cascade: true })
    await queryInterface.removeIndex('users', 'things_pkey')
    await queryInterface.dropEnum('enum_things_colour')
  },

  async down(queryInterface) {
    if (await queryInterface.tableExists('audits')) await queryInterface.dropTable('audits')
  },
}
