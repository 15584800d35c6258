'use strict'

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up(queryInterface) {
    const constraints = await queryInterface.showConstraint('products')
    const checks = constraints.filter(
      ({ constraintType, constraintName }) => constraintType === 'CHECK' && constraintName.endsWith('_ck'),
    )
    if (checks.length !== 3) throw new Error(`checks: ${checks.map(({ constraintName }) => constraintName)}`)
    await queryInterface.removeConstraint('products', 'products_small_ck')
    const keys = await queryInterface.getForeignKeysForTables(['products', 'memberships', 'teams'])
    if (keys.products.length !== 2 || keys.memberships.length !== 2 || keys.teams.length !== 0)
      throw new Error(JSON.stringify(keys))
    for (const {
      columnName,
      constraintName,
      referencedTableName,
    } of await queryInterface.getForeignKeyReferencesForTable('memberships')) {
      await queryInterface.removeConstraint('memberships', constraintName)
      await queryInterface.addConstraint('memberships', {
        type: 'foreign key',
        fields: [columnName],
        name: `fk_${columnName}`,
        references: { table: referencedTableName, field: 'id' },
        onDelete: 'CASCADE',
      })
    }
  },

  async down(queryInterface, Sequelize) {
    await queryInterface.removeConstraint('memberships', 'fk_member_id')
    await queryInterface.removeConstraint('memberships', 'fk_team_id')
    await queryInterface.addConstraint('memberships', {
      type: 'foreign key',
      fields: ['member_id'],
      name: 'memberships_user_id_fkey',
      references: { table: 'users', field: 'id' },
      onDelete: 'CASCADE',
    })
    await queryInterface.addConstraint('memberships', {
      type: 'foreign key',
      fields: ['team_id'],
      name: 'memberships_team_id_fkey',
      references: { table: 'teams', field: 'id' },
      onDelete: 'RESTRICT',
    })
    await queryInterface.addConstraint('products', {
      type: 'check',
      fields: ['small'],
      name: 'products_small_ck',
      where: Sequelize.literal('small % 7 = 0'),
    })
  },
}
