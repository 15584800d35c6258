import { QueryTypes, Sequelize } from 'sequelize'
import * as assert from 'uvu/assert'

import { createTenancy } from '../lib/tenancy.ts'
import { testDatabase } from './support/database.ts'
import { failure } from './support/failure.ts'
import { suite } from './support/suite.ts'
import { createTable, newId, testTenancies } from './support/tenancies.ts'

const test = suite('database')
const database = testDatabase(test)
const tenancyWith = testTenancies(test, database)

const sequelizeWith = (options = {}) =>
  new Sequelize(database.url, { dialect: 'postgres', logging: false, ...options })

test('a tenancy opens nothing before its first use', async () => {
  const tenancy = createTenancy({ url: database.url })
  const rows = await database.query(
    "SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name <> 'test'",
  )
  assert.equal(rows, [])
  await tenancy.close()
})

test('without any database the first use says how to name one', async () => {
  const saved = process.env['DATABASE_URL']
  delete process.env['DATABASE_URL']
  const error = await failure('CONFIG_INVALID', () => createTenancy({}).find({ id: 'a' })).finally(() => {
    if (saved !== undefined) process.env['DATABASE_URL'] = saved
  })
  assert.is(error.title, 'No database is configured.')
  assert.equal(error.fix, [
    'set DATABASE_URL=postgres://user:password@host/database',
    'or give url or sequelize in the configuration',
  ])
})

test('the application’s Sequelize stays open when the tenancy closes', async () => {
  const sequelize = sequelizeWith()
  const tenancy = await tenancyWith({}, { sequelize })
  await tenancy.list()
  await tenancy.close()
  await tenancy.close()
  const rows = await tenancy.runShared(() => sequelize.query('SELECT 1 AS one', { type: QueryTypes.SELECT }))
  assert.equal(rows, [{ one: 1 }])
  await sequelize.close()
})

test('a function that gives the Sequelize is called once, at the first use', async () => {
  let calls = 0
  const sequelize = sequelizeWith()
  const tenancy = await tenancyWith({}, { sequelize: async () => (calls++, sequelize) }) // prettier-ignore
  assert.is(calls, 0)
  await Promise.all([tenancy.list(), tenancy.list(), tenancy.find({ id: 'x' }).catch(() => undefined)])
  assert.is(calls, 1)
  await tenancy.close()
  await sequelize.close()
})

test('one Sequelize cannot belong to two tenancies', async () => {
  const sequelize = sequelizeWith()
  await tenancyWith({}, { sequelize })
  const error = await failure('CONFIG_INVALID', () => createTenancy({ sequelize }))
  assert.is(error.title, 'This Sequelize belongs to another tenancy already.')
  assert.equal(error.fix, [
    'create one tenancy and share it: a connection can obey one context only',
    'if there is but one, the package may be installed twice: npm ls umzug-tenants',
  ])
  await sequelize.close()
})

test('O26 a Sequelize that prepends a search path of its own is refused', async () => {
  const sequelize = sequelizeWith({ dialectOptions: { prependSearchPath: true } })
  const error = await failure('CONFIG_INVALID', () => createTenancy({ sequelize }))
  assert.is(error.title, 'dialectOptions.prependSearchPath sets a search path of its own.')
  assert.equal(error.fix, ['remove prependSearchPath and searchPath from the options of Sequelize'])
  await sequelize.close()
})

test('sessions open the database of the Sequelize, with its password hook', async () => {
  const { hostname, port, username, password, pathname } = new URL(database.url)
  const sequelize = new Sequelize(pathname.slice(1), decodeURIComponent(username), 'wrong', {
    dialect: 'postgres', host: hostname, port: Number(port), logging: false,
  }) // prettier-ignore
  sequelize.addHook(
    'beforeConnect',
    (config) => void Object.assign(config, { password: decodeURIComponent(password) }),
  )
  const tenancy = await tenancyWith(createTable('1_a', 'a'), { sequelize })
  const id = newId()
  assert.is((await tenancy.provision({ id })).applied.length, 1)
  await tenancy.close()
  await sequelize.close()
})

test('a registry query in a tenant’s flow, inside its transaction, runs outside both', async () => {
  const sequelize = sequelizeWith()
  const tenancy = await tenancyWith(createTable('1_a', 'a'), { sequelize })
  const id = newId()
  await tenancy.provision({ id })
  await tenancy.run(id, () =>
    sequelize.transaction(async (transaction) => {
      await sequelize.query('SELECT FROM a', { transaction })
      tenancy.invalidate()
      assert.is((await tenancy.find({ id })).schema, id)
      await sequelize.query('SELECT FROM a', { transaction })
    }),
  )
  await tenancy.close()
  await sequelize.close()
})

test.run()
