/**
 * Roles, permissions, and which role has which permission. This is Umzug's form, with Sequelize's query
 * interface. No name of a schema appears: every tenant gets the tables in its own.
 */
import type { Migration } from 'umzug-tenants'

export const up: Migration = async ({ context }) => {
  const { DataTypes, fn } = context.Sequelize
  const id = { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true, autoIncrementIdentity: true }

  await context.createTable('roles', {
    id,
    role_name: DataTypes.STRING(100),
    role_description: DataTypes.STRING(100),
  })
  await context.createTable('permissions', {
    id,
    uuid: { type: DataTypes.UUID, unique: true, defaultValue: fn('gen_random_uuid') },
    account_id: DataTypes.INTEGER,
    name: DataTypes.STRING(100),
    title: DataTypes.STRING(100),
    description: DataTypes.STRING(100),
  })
  await context.createTable('roles_permissions_link', {
    role_id: { type: DataTypes.INTEGER, primaryKey: true, references: { model: 'roles', key: 'id' } },
    permission_id: {
      type: DataTypes.INTEGER,
      primaryKey: true,
      references: { model: 'permissions', key: 'id' },
    },
  })
}

export const down: Migration = async ({ context }) => {
  await context.dropTable('roles_permissions_link')
  await context.dropTable('permissions')
  await context.dropTable('roles')
}
