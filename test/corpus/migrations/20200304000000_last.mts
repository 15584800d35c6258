import type { Migration } from '../../../lib/index.ts'

/** As the product's own template writes it. */
export const up: Migration = async ({ context }) => {
  const { queryInterface, sequelize } = context
  await queryInterface.createTable('last', { id: { type: 'serial', primaryKey: true } })
  await sequelize.query('INSERT INTO last DEFAULT VALUES')
}

export const down: Migration = async ({ context }) => {
  await context.queryInterface.dropTable('last')
}
