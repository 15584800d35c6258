/** Models of sequelize-typescript, their decorators called as the compiler calls them. */
import * as st from 'sequelize-typescript'
import { DataTypes } from 'sequelize'
import * as assert from 'uvu/assert'

import { compareModels, type Compared } from '../../lib/autogenerate/autogenerate.ts'
import { TenantContext } from '../../lib/context.ts'
import { bindSearchPath } from '../../lib/search-path.ts'
import { testDatabase } from '../support/database.ts'
import { suite } from '../support/suite.ts'
import type { Define } from './support/case.ts'
import { EVERYTHING, workbench, type Workbench } from './support/workbench.ts'

const test = suite('autogenerate/sequelize-typescript')
const database = testDatabase(test)
const open = workbench(test, database)

const { Column, DataType, Table } = st

/** Two models with what decorators can say, and their join table. */
function decorated(): st.ModelCtor[] {
  class User extends st.Model {}
  class Team extends st.Model {}
  class Membership extends st.Model {}

  Table({ tableName: 'users', paranoid: true, comment: 'people' })(User)
  Column({ type: DataType.STRING(50), allowNull: false, unique: true })(User.prototype, 'email')
  Column({ type: DataType.ENUM('admin', 'guest'), defaultValue: 'guest' })(User.prototype, 'role')
  Column({ type: DataType.ARRAY(DataType.TEXT), defaultValue: [] })(User.prototype, 'tags')
  Column({ type: DataType.VIRTUAL })(User.prototype, 'label')
  Column({ type: DataType.STRING, field: 'nick_name', comment: 'how friends say' })(
    User.prototype,
    'nickName',
  )
  st.ForeignKey(() => User)(User.prototype, 'bossId')
  Column({ type: DataType.INTEGER })(User.prototype, 'bossId')
  st.Index({ name: 'users_boss', where: { deletedAt: null } })(User.prototype, 'bossId')
  st.BelongsTo(() => User)(User.prototype, 'boss')

  Table({ tableName: 'teams', underscored: true })(Team)
  Column({ type: DataType.UUID, primaryKey: true, defaultValue: DataType.UUIDV4 })(Team.prototype, 'id')
  Column({ type: DataType.DECIMAL(8, 2), defaultValue: 0 })(Team.prototype, 'monthlyBudget')
  st.BelongsToMany(
    () => User,
    () => Membership,
  )(Team.prototype, 'users')

  Table({ tableName: 'memberships', timestamps: false })(Membership)
  st.ForeignKey(() => User)(Membership.prototype, 'userId')
  Column({ type: DataType.INTEGER })(Membership.prototype, 'userId')
  st.ForeignKey(() => Team)(Membership.prototype, 'teamId')
  Column({ type: DataType.UUID })(Membership.prototype, 'teamId')
  return [User, Team, Membership]
}

/** The same in plain Sequelize. */
const plain: Define = (sequelize) => {
  const User = sequelize.define(
    'User',
    {
      email: { type: DataTypes.STRING(50), allowNull: false, unique: true },
      role: { type: DataTypes.ENUM('admin', 'guest'), defaultValue: 'guest' },
      tags: { type: DataTypes.ARRAY(DataTypes.TEXT), defaultValue: [] },
      nickName: { type: DataTypes.STRING, field: 'nick_name', comment: 'how friends say' },
      bossId: DataTypes.INTEGER,
    },
    {
      tableName: 'users',
      paranoid: true,
      comment: 'people',
      indexes: [{ name: 'users_boss', fields: ['bossId'], where: { deletedAt: null } }],
    },
  )
  const Team = sequelize.define(
    'Team',
    {
      id: { type: DataTypes.UUID, primaryKey: true },
      monthlyBudget: { type: DataTypes.DECIMAL(8, 2), defaultValue: 0 },
    },
    { tableName: 'teams', underscored: true },
  )
  User.belongsTo(User, { as: 'boss', foreignKey: 'bossId' })
  const Membership = sequelize.define(
    'Membership',
    { userId: DataTypes.INTEGER, teamId: DataTypes.UUID },
    { tableName: 'memberships', timestamps: false },
  )
  Team.belongsToMany(User, { through: Membership, foreignKey: 'teamId', otherKey: 'userId' })
}

async function compare(bench: Workbench, schema: string, models: st.ModelCtor[]): Promise<Compared> {
  const sequelize = new st.Sequelize(database.url, { dialect: 'postgres', logging: false, models })
  const context = new TenantContext({ searchPath: [], onMissing: 'error' })
  bindSearchPath(sequelize, context)
  return compareModels(bench.place, { sequelize, context }, schema, EVERYTHING)
}

test('they are what plain models of the same are', async () => {
  const bench = await open()
  const schema = await bench.make(plain)
  const { problems, differences } = await compare(bench, schema, decorated())
  assert.equal(problems, [])
  assert.equal(differences, [])
  await bench.drop(schema)
})

test('a column that a decorator adds becomes a migration, after which nothing is different', async () => {
  const bench = await open()
  const schema = await bench.make(plain)
  const added = () => {
    const models = decorated()
    const [User] = models
    if (User !== undefined) Column({ type: DataType.DATE })(User.prototype, 'seenAt')
    return models
  }
  const compared = await compare(bench, schema, added())
  assert.equal(
    compared.differences.map(({ kind }) => kind),
    ['add column'],
  )
  await bench.run(schema, await bench.generate(compared), 'up')
  assert.equal((await compare(bench, schema, added())).differences, [])
  await bench.drop(schema)
})

test.run()
