/**
 * The tables as Sequelize sees them. A tenant's models name no schema: the current tenant decides. The shared ones
 * name theirs, so that no tenant's table can stand before them.
 *
 * They say of a tenant's tables all that the migrations make: `umzug-tenants check` finds no difference, and
 * `umzug-tenants autogenerate` writes the migration for what is changed here.
 */
import {
  DataTypes,
  fn,
  type CreationOptional,
  type InferAttributes,
  type InferCreationAttributes,
  type Model,
  type NonAttribute,
  type Sequelize,
} from 'sequelize'

/** A row of `shared.tenants`. */
export interface TenantRecord extends Model<
  InferAttributes<TenantRecord>,
  InferCreationAttributes<TenantRecord>
> {
  id: CreationOptional<number>
  name: string
  schema: string
  host: string | null
}

/** A person the application as a whole knows, and the tenant he or she belongs to. */
export interface SharedUser extends Model<InferAttributes<SharedUser>, InferCreationAttributes<SharedUser>> {
  id: CreationOptional<number>
  email: string
  tenantId: number
  isActive: CreationOptional<boolean>
  createdAt: CreationOptional<Date>
  updatedAt: CreationOptional<Date | null>
}

export interface User extends Model<InferAttributes<User>, InferCreationAttributes<User>> {
  id: CreationOptional<number>
  email: string
  firstName: string | null
  lastName: string | null
  userRoleId: number | null
  createdAt: CreationOptional<Date>
  updatedAt: CreationOptional<Date | null>
}

export interface Role extends Model<InferAttributes<Role>, InferCreationAttributes<Role>> {
  id: CreationOptional<number>
  roleName: string
  roleDescription: string | null
  permissions?: NonAttribute<Permission[]>
}

export interface Permission extends Model<InferAttributes<Permission>, InferCreationAttributes<Permission>> {
  id: CreationOptional<number>
  uuid: CreationOptional<string>
  accountId: number | null
  name: string
  title: string | null
  description: string | null
}

/** Which role has which permission. */
export interface RolePermission extends Model<
  InferAttributes<RolePermission>,
  InferCreationAttributes<RolePermission>
> {
  roleId: number
  permissionId: number
}

export type Models = ReturnType<typeof defineModels>

/** Defines the models on `sequelize`. */
export function defineModels(sequelize: Sequelize) {
  const { BOOLEAN, INTEGER, STRING, UUID } = DataTypes
  const id = { type: INTEGER, primaryKey: true, autoIncrement: true, autoIncrementIdentity: true }
  const email = {
    type: STRING(256),
    unique: true,
    validate: { isEmail: { msg: 'email must be an e-mail address.' } },
  }

  const TenantRecord = sequelize.define<TenantRecord>(
    'Tenant',
    {
      id: INTEGER, // the server's number for foreign keys; the key of a tenant is its name
      name: { type: STRING(128), primaryKey: true },
      schema: STRING(63),
      host: STRING(253),
    },
    { schema: 'shared', tableName: 'tenants', timestamps: false },
  )
  const SharedUser = sequelize.define<SharedUser>(
    'SharedUser',
    {
      id,
      email: { ...email, allowNull: false },
      tenantId: INTEGER,
      isActive: { type: BOOLEAN, defaultValue: false },
      createdAt: DataTypes.DATE,
      updatedAt: DataTypes.DATE,
    },
    { schema: 'shared', tableName: 'shared_users', underscored: true },
  )

  const User = sequelize.define<User>(
    'User',
    {
      id,
      email,
      firstName: STRING(100),
      lastName: STRING(100),
      userRoleId: { type: INTEGER, references: { model: 'roles', key: 'id' } },
      createdAt: { type: DataTypes.DATE, allowNull: false, defaultValue: fn('now') },
      updatedAt: DataTypes.DATE,
    },
    { tableName: 'users', underscored: true, indexes: [{ fields: ['user_role_id'] }] },
  )
  const Role = sequelize.define<Role>(
    'Role',
    { id, roleName: STRING(100), roleDescription: STRING(100) },
    { tableName: 'roles', underscored: true, timestamps: false },
  )
  const Permission = sequelize.define<Permission>(
    'Permission',
    {
      id,
      uuid: { type: UUID, unique: true, defaultValue: fn('gen_random_uuid') },
      accountId: INTEGER,
      name: STRING(100),
      title: STRING(100),
      description: STRING(100),
    },
    { tableName: 'permissions', underscored: true, timestamps: false },
  )
  const RolePermission = sequelize.define<RolePermission>(
    'RolePermission',
    { roleId: { type: INTEGER, primaryKey: true }, permissionId: { type: INTEGER, primaryKey: true } },
    {
      tableName: 'roles_permissions_link',
      underscored: true,
      timestamps: false,
      indexes: [{ fields: ['permission_id'] }],
    },
  )
  Role.belongsToMany(Permission, {
    as: 'permissions',
    through: { model: RolePermission, unique: false }, // its primary key says so
    foreignKey: 'roleId',
    otherKey: 'permissionId',
    // A role or a permission that is in use stays.
    onDelete: 'NO ACTION',
    onUpdate: 'NO ACTION',
  })

  return { sequelize, TenantRecord, SharedUser, User, Role, Permission, RolePermission }
}
