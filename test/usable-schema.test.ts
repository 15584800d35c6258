/** PostgreSQL passes over a schema of the path that is missing or not usable; here that is an error that names it. */
import { QueryTypes, Sequelize } from 'sequelize'
import * as assert from 'uvu/assert'

import { TenantContext } from '../lib/context.ts'
import { bindSearchPath } from '../lib/search-path.ts'
import type { Tenant } from '../lib/tenant.ts'
import { testDatabase } from './support/database.ts'
import { failure } from './support/failure.ts'
import { suite } from './support/suite.ts'

const test = suite('usable schema')
const database = testDatabase(test)

const context = new TenantContext({ searchPath: ['shared'], onMissing: 'error' })
let sequelize: Sequelize
let count = 0

test.before(async () => {
  await database.query('CREATE SCHEMA shared')
  await database.query("CREATE TABLE shared.users AS SELECT 1 AS id, 'shared' AS owner")
  await database.query("CREATE PROCEDURE shared.nothing() LANGUAGE sql AS ''")
  await database.query(`CREATE ROLE unprivileged_${process.pid} LOGIN PASSWORD 'p'`)
  await database.query(`GRANT USAGE ON SCHEMA shared TO unprivileged_${process.pid}`)
  await database.query(`GRANT SELECT ON shared.users TO unprivileged_${process.pid}`)
  sequelize = open()
})

test.after(async () => {
  await sequelize.close()
  await database.query(`DROP OWNED BY unprivileged_${process.pid}; `)
  await database.query(`DROP ROLE unprivileged_${process.pid}`)
})

function open(url = database.url): Sequelize {
  const opened = new Sequelize(url, { logging: false, pool: { max: 1 } })
  bindSearchPath(opened, context)
  return opened
}

async function newTenant(): Promise<Tenant> {
  const schema = `t${count++}`
  await database.query(`CREATE SCHEMA ${schema}`)
  await database.query(`CREATE TABLE ${schema}.users AS SELECT 1 AS id, '${schema}' AS owner`)
  return { id: schema, schema }
}

const owner = async (options: object = {}, from = sequelize) =>
  (await from.query<{ owner: string }>('SELECT owner FROM users', { type: QueryTypes.SELECT, ...options }))[0]
    ?.owner

const missing: Tenant = { id: 'gone', schema: 'gone' }

for (const [what, use] of [
  ['a query without values', () => owner()],
  [
    'a query with values',
    () => sequelize.query('SELECT owner FROM users WHERE id = $1', { bind: [1], type: QueryTypes.SELECT }),
  ],
  ['a query in a transaction', () => sequelize.transaction((transaction) => owner({ transaction }))],
  [
    'a query with values in a transaction',
    () =>
      sequelize.transaction((transaction) =>
        sequelize.query('SELECT owner FROM users WHERE id = $1', { bind: [1], transaction }),
      ),
  ],
  ['DDL', () => sequelize.query('CREATE TABLE made_elsewhere ()')],
  ['a statement that runs alone', () => sequelize.query('CALL nothing()')],
] as const) {
  test(`a missing schema is an error that names it, for ${what}`, async () => {
    const error = await context.run(missing, () => failure('SCHEMA_MISSING', use))
    assert.is(error.title, 'Schema "gone" does not exist.')
    assert.is(error.tenant, 'gone')
    assert.is(error.sqlstate, '3F000')
    assert.equal(error.fix, [
      'create it: umzug-tenants tenants create gone',
      'or restore it, or remove the registration',
    ])
    assert.equal(await database.query("SELECT to_regclass('shared.made_elsewhere') AS t"), [{ t: null }])
    const tenant = await newTenant()
    assert.is(await context.run(tenant, () => owner()), tenant.id)
  })
}

test('O29 a schema that is dropped while it is used is an error as soon as it is looked for again', async () => {
  const tenant = await newTenant()
  const other = await newTenant()
  await context.run(tenant, async () => {
    assert.is(await owner(), tenant.id)
    await database.query(`DROP SCHEMA ${tenant.schema} CASCADE`)
    expire()
    await failure('SCHEMA_MISSING', () => owner())
    await failure('SCHEMA_MISSING', () => owner())
  })
  assert.is(await context.run(other, () => owner()), other.id)
})

test('O29 a table that is not found makes the next statement look for the schema', async () => {
  const tenant = await newTenant()
  await database.query(`CREATE TABLE ${tenant.schema}.own ()`)
  await context.run(tenant, async () => {
    await sequelize.query('SELECT FROM own')
    await database.query(`DROP SCHEMA ${tenant.schema} CASCADE`)
    await sequelize
      .query('SELECT FROM own')
      .catch((error: unknown) => assert.match(String(error), 'does not exist'))
    await failure('SCHEMA_MISSING', () => owner())
  })
})

test('a schema that is created again is used again', async () => {
  const tenant = await newTenant()
  await context.run(tenant, async () => {
    await database.query(`ALTER SCHEMA ${tenant.schema} RENAME TO away`)
    await failure('SCHEMA_MISSING', () => owner())
    await database.query(`ALTER SCHEMA away RENAME TO ${tenant.schema}`)
    assert.is(await owner(), tenant.id)
  })
})

test('a schema without USAGE is an error that names it and the GRANT', async () => {
  const tenant = await newTenant()
  const url = new URL(database.url)
  url.username = `unprivileged_${process.pid}`
  url.password = 'p'
  const unprivileged = open(url.href)
  try {
    const error = await context.run(tenant, () => failure('PRIVILEGE_MISSING', () => owner({}, unprivileged)))
    assert.is(error.title, `The role may not use schema "${tenant.schema}".`)
    assert.is(error.sqlstate, '42501')
    assert.equal(error.fix, [
      `as the schema's owner: GRANT USAGE ON SCHEMA "${tenant.schema}" TO the role of the application`,
    ])
    await database.query(`GRANT USAGE ON SCHEMA ${tenant.schema} TO unprivileged_${process.pid}`)
    await database.query(`GRANT SELECT ON ${tenant.schema}.users TO unprivileged_${process.pid}`)
    assert.is(await context.run(tenant, () => owner({}, unprivileged)), tenant.id)
  } finally {
    await unprivileged.close()
  }
})

test('the look for the schema leaves SET TRANSACTION its place before the first query', async () => {
  const tenant = await newTenant()
  const level = await context.run(tenant, () =>
    sequelize.transaction(async (transaction) => {
      await sequelize.query('SET LOCAL work_mem TO 1024', { transaction })
      await sequelize.query('SHOW work_mem', { transaction })
      await sequelize.query('SET TRANSACTION ISOLATION LEVEL SERIALIZABLE', { transaction })
      assert.is(await owner({ transaction }), tenant.id)
      return sequelize.query('SHOW transaction_isolation', { transaction, type: QueryTypes.SELECT })
    }),
  )
  assert.equal(level, [{ transaction_isolation: 'serializable' }])
})

test('an error keeps its position in the text the caller wrote when the schema is looked for', async () => {
  const tenant = await newTenant()
  const text = 'SELECT owner, nope FROM users'
  const error: unknown = await context.run(tenant, () =>
    sequelize.query(text).catch((thrown: unknown) => thrown),
  )
  const { original } = error as { original: { position: string } } // Sequelize's DatabaseError
  assert.is(Number(original.position), text.indexOf('nope') + 1)
})

/** As if the time for which a schema is believed to be there were over. */
function expire(): void {
  const { usable } = context.scope()
  if (usable !== undefined) usable.until = 0
}

test.run()
