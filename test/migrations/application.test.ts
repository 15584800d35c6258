/** The application's own Sequelize and models in a migration: they mean the run. */
import { DataTypes, Sequelize } from 'sequelize'
import * as assert from 'uvu/assert'

import { testDatabase } from '../support/database.ts'
import { suite } from '../support/suite.ts'
import { newId, testTenancies } from '../support/tenancies.ts'

const test = suite('migrations/application')
const database = testDatabase(test)
const tenancyWith = testTenancies(test, database)

const MIGRATIONS = {
  '1.cjs': `exports.up = (q, S) => q.createTable('users', {
    id: { type: S.INTEGER, primaryKey: true, autoIncrement: true }, name: S.TEXT })`,
  '2.cjs': `exports.up = async () => {
    const { User, sequelize } = globalThis.applicationOfTest
    await User.create({ name: 'first' })
    await sequelize.transaction(async (transaction) => {
      await User.create({ name: 'second' }, { transaction })
    })
    await sequelize.getQueryInterface().addColumn('users', 'upper', 'text')
    await sequelize.query('UPDATE users SET upper = upper(name)')
    for (const user of await User.findAll()) await user.update({ name: user.name + '!' })
  }`,
}

const open: Sequelize[] = []
test.after(() => Promise.all(open.map((sequelize) => sequelize.close())))

async function application(migrations: Readonly<Record<string, string>> = MIGRATIONS) {
  const sequelize = new Sequelize(database.url, { dialect: 'postgres', logging: false, pool: { max: 1 } })
  open.push(sequelize)
  const User = sequelize.define('User', { name: DataTypes.TEXT }, { tableName: 'users', timestamps: false })
  Object.assign(globalThis, { applicationOfTest: { User, sequelize } })
  return { tenancy: await tenancyWith(migrations, { sequelize }), User }
}

const NAMES = [
  { name: 'first!', upper: 'FIRST' },
  { name: 'second!', upper: 'SECOND' },
]

test('models, transactions and helpers of the application work on the run’s connection, for tenants at once', async () => {
  const { tenancy } = await application()
  const ids = [newId(), newId(), newId()]
  for (const id of ids) await tenancy.provision({ id, up: false })
  await Promise.all(ids.map((id) => tenancy.up({ tenant: id })))
  for (const id of ids)
    assert.equal(await database.query(`SELECT name, upper FROM ${id}.users ORDER BY id`), NAMES)
})

test('what they have written is rolled back with the migration', async () => {
  const { tenancy } = await application({
    ...MIGRATIONS,
    '3.cjs': "exports.up = () => Promise.reject(new Error('no'))",
  })
  const id = newId()
  await tenancy.provision({ id, up: false })
  await tenancy.up({ tenant: id }).catch(() => undefined)
  assert.equal(
    await database.query('SELECT relname FROM pg_class WHERE relnamespace = $1::regnamespace', [id]),
    [],
  )
})

test('in the scope of another tenant they mean the one that is migrated', async () => {
  const { tenancy, User } = await application()
  const [admin, id] = [newId(), newId()]
  await tenancy.provision({ id: admin })
  await tenancy.run(admin, async () => {
    await tenancy.provision({ id })
    assert.is(await User.count(), 2)
  })
  assert.equal(await database.query(`SELECT name, upper FROM ${id}.users ORDER BY id`), NAMES)
})

test.run()
