/** A tenant's schema gets another name, and the tenant keeps all it has: rows, history, the requests that find it. */
import * as assert from 'uvu/assert'

import type { TenancyConfig } from '../lib/options.ts'
import type { TenantInput } from '../lib/tenant.ts'
import { catalogOf, rowsOf } from './support/catalog.ts'
import { testDatabase } from './support/database.ts'
import { failure, thrownBy } from './support/failure.ts'
import { suite } from './support/suite.ts'
import { createTable, newId, testTenancies } from './support/tenancies.ts'

const test = suite('rename')
const database = testDatabase(test)
const tenancyWith = testTenancies(test, database)

const TWO = { ...createTable('1_a', 'a'), ...createTable('2_b', 'b') }

async function tenant(config: TenancyConfig = {}) {
  const tenancy = await tenancyWith(TWO, config)
  const id = newId()
  await tenancy.provision({ id, host: `${id}.example.com` })
  return { tenancy, id, schema: `s_${id}` }
}

test('the schema, the registration and the ledger’s rows have the new name, and nothing else changes', async () => {
  const { tenancy, id, schema } = await tenant()
  await database.query(`INSERT INTO ${id}.a VALUES (7)`)
  const before = await catalogOf(database, id)
  assert.equal(await tenancy.rename({ tenant: id, schema }), { id, schema, from: id, warnings: [] })
  const renamed = before.map((line) => line.replaceAll(new RegExp(`\\b${id}\\b`, 'g'), schema))
  assert.equal(await catalogOf(database, schema), renamed.toSorted()) // prettier-ignore
  assert.equal(await rowsOf(database, `${schema}.a`), ['{"id": 7}'])
  assert.equal(await tenancy.find({ host: `${id}.example.com` }), { id, schema, host: `${id}.example.com` })
  const runs = await database.query('SELECT migration FROM umzug_tenants.run WHERE schema = $1 ORDER BY id', [
    schema,
  ])
  assert.equal(runs, [{ migration: '1_a.sql' }, { migration: '2_b.sql' }])
  assert.is((await tenancy.status({ tenants: [id] }))[0]?.state, 'ok')
  assert.equal((await tenancy.down({ tenant: id })).reverted, ['2_b.sql'])
})

test('what this process remembers is forgotten', async () => {
  const { tenancy, id, schema } = await tenant()
  await tenancy.run(id, () => undefined)
  await tenancy.rename({ tenant: id, schema })
  await tenancy.run(id, (current) => assert.is(current.schema, schema))
  await failure('TENANT_UNKNOWN', () => tenancy.find({ schema: id }))
})

test('a name that is taken, reserved or against the rules is refused', async () => {
  const { tenancy, id } = await tenant()
  const { id: other } = await tenant()
  const bare = newId()
  await database.query(`CREATE SCHEMA ${bare}`)
  const error = await failure('SCHEMA_EXISTS', () => tenancy.rename({ tenant: id, schema: bare }))
  assert.is(error.title, `Schema "${bare}" exists already.`)
  await failure('SCHEMA_EXISTS', () => tenancy.rename({ tenant: id, schema: other }))
  await failure('SCHEMA_EXISTS', () => tenancy.rename({ tenant: id, schema: id }))
  for (const schema of ['public', 'shared', 'umzug_tenants', 'pg_x'])
    await failure('TENANT_NAME_RESERVED', () => tenancy.rename({ tenant: id, schema }))
  await failure('TENANT_NAME_INVALID', () => tenancy.rename({ tenant: id, schema: 'A b' }))
  await failure('TENANT_UNKNOWN', () => tenancy.rename({ tenant: 'nobody', schema: 'x' }))
  assert.is((await tenancy.find({ id })).schema, id)
})

test('the name of a registered tenant whose schema is missing is refused', async () => {
  const { tenancy, id } = await tenant()
  const { id: lost } = await tenant()
  await database.query(`DROP SCHEMA ${lost} CASCADE`)
  await failure('TENANT_CONFLICT', () => tenancy.rename({ tenant: id, schema: lost }))
  await failure('SCHEMA_MISSING', () => tenancy.rename({ tenant: lost, schema: newId() }))
  assert.is((await tenancy.status({ tenant: id })).state, 'ok')
})

test('a tenant that another process has renamed meanwhile is not renamed by its old name', async () => {
  const { tenancy, id, schema } = await tenant()
  const others = await tenancyWith(TWO)
  await tenancy.find({ id })
  await others.rename({ tenant: id, schema })
  await others.provision({ id: newId(), schema: id })
  assert.is((await tenancy.rename({ tenant: id, schema: `x_${id}` })).from, schema)
  assert.is((await others.status({ verify: true })).find((status) => status.schema === id)?.state, 'ok')
})

test('two that rename at once: one wins, the other is refused', async () => {
  const { tenancy, id } = await tenant()
  const names = [newId(), newId()]
  const outcomes = await Promise.allSettled(names.map((schema) => tenancy.rename({ tenant: id, schema })))
  const won = outcomes.filter(({ status }) => status === 'fulfilled')
  tenancy.invalidate()
  const { schema } = await tenancy.find({ id })
  assert.ok(won.length >= 1 && names.includes(schema))
  assert.is((await tenancy.status({ tenant: id })).state, 'ok')
})

test('history of a schema that is gone does not become the tenant’s', async () => {
  const { tenancy, id, schema } = await tenant()
  await database.query(
    `INSERT INTO umzug_tenants.run (tenant, schema, migration, direction, duration_ms, hash)
     VALUES ('gone', $1, '1_a.sql', 'up', 1, 'other')`,
    [schema],
  )
  await tenancy.rename({ tenant: id, schema })
  assert.equal((await tenancy.up({ tenant: id })).applied, [])
})

test('texts that go on naming the old schema are told', async () => {
  const { tenancy, id, schema } = await tenant()
  const name = new URL(database.url).pathname.slice(1)
  await database.query(
    `CREATE FUNCTION ${id}.a_count() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM ${id}.a';
     CREATE FUNCTION ${id}.fixed() RETURNS bigint LANGUAGE sql SET search_path = ${id}, public AS 'SELECT 1';
     CREATE FUNCTION ${id}.other() RETURNS text LANGUAGE sql AS $$SELECT 'x${id}.a, ${id}'$$;
     CREATE FUNCTION ${id}.parsed() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM ${id}.a; END;
     ALTER DATABASE ${name} SET search_path = ${id}`,
  )
  const expected = [
    `function ${id}.a_count names it in its body`,
    `function ${id}.fixed has it in search_path=${id}, public`,
    `a setting of the database has it in search_path=${id}`,
  ]
  const preview = await tenancy.rename({ tenant: id, schema, dryRun: true })
  assert.equal(preview, { id, schema, from: id, warnings: expected })
  assert.is((await tenancy.find({ id })).schema, id)
  assert.equal((await tenancy.rename({ tenant: id, schema })).warnings, expected)
  await database.query(`ALTER DATABASE ${name} RESET search_path`)
  assert.is((await database.query(`SELECT ${schema}.parsed()`)).length, 1)
})

/** An application's registry in memory. */
function source(rename?: (renamed: TenantInput, schema: string) => Promise<unknown>) {
  const tenants = new Map<string, TenantInput>()
  return {
    tenants,
    list: () => tenants.values(),
    find: ({ id, schema }: { id?: string; schema?: string }) =>
      [...tenants.values()].find((each) => each.id === id || (each.schema ?? each.id) === schema),
    add: async (added: TenantInput) => Promise.resolve(tenants.set(added.id, added)),
    ...(rename === undefined ? {} : { rename }),
  }
}

test('a registry of the application is told, and one that cannot be is named', async () => {
  const without = source()
  const { tenancy, id, schema } = await tenant({ tenants: without })
  const error = await failure('REGISTRY_READ_ONLY', () => tenancy.rename({ tenant: id, schema }))
  assert.is(error.title, `The registry cannot give tenant "${id}" another schema.`)
  assert.equal(error.fix, ['give tenants a function rename(tenant, schema) in the configuration'])
  assert.is((await tenancy.status({ tenant: id })).state, 'ok')

  const told = source(async (renamed, to) =>
    Promise.resolve(told.tenants.set(renamed.id, { ...renamed, schema: to })),
  )
  const mine = await tenant({ tenants: told })
  await mine.tenancy.rename({ tenant: mine.id, schema: mine.schema })
  assert.is((await mine.tenancy.find({ id: mine.id })).schema, mine.schema)
  assert.is((await mine.tenancy.status({ tenants: [mine.id] }))[0]?.state, 'ok')
})

test('a registry that fails leaves the schema as it was', async () => {
  const { tenancy, id, schema } = await tenant({
    tenants: source(() => Promise.reject(new Error('no connection'))),
  })
  const error = await thrownBy(() => tenancy.rename({ tenant: id, schema }))
  assert.match(String(error), 'no connection')
  assert.is((await tenancy.status({ tenant: id })).state, 'ok')
  assert.equal(await catalogOf(database, schema), [])
})

test('the event tells of it once', async () => {
  const { tenancy, id, schema } = await tenant()
  const events: unknown[] = []
  tenancy.on('tenant:renamed', (event) => events.push(event))
  await tenancy.rename({ tenant: id, schema })
  assert.equal(events, [{ tenant: id, schema, from: id }])
})

test.run()
