import * as assert from 'uvu/assert'

import { catalogOf, rowsOf } from './support/catalog.ts'
import { testDatabase } from './support/database.ts'
import { failure } from './support/failure.ts'
import { suite } from './support/suite.ts'
import { createTable, newId, testTenancies } from './support/tenancies.ts'

const test = suite('provision')
const database = testDatabase(test)
const tenancyWith = testTenancies(test, database)

const TWO = { ...createTable('1_a', 'a'), ...createTable('2_b', 'b') }

const schemaExists = async (schema: string) =>
  (await database.query('SELECT FROM pg_namespace WHERE nspname = $1', [schema])).length === 1

test('a tenant is registered, its schema created, and upgraded', async () => {
  const tenancy = await tenancyWith(TWO)
  const id = newId()
  const report = await tenancy.provision({ id, host: `${id}.example.com` })
  assert.equal(report, {
    id,
    schema: id,
    host: `${id}.example.com`,
    created: true,
    applied: ['1_a.sql', '2_b.sql'],
  })
  assert.equal(await tenancy.find({ id }), { id, schema: id, host: `${id}.example.com` })
})

test('again it changes nothing', async () => {
  const tenancy = await tenancyWith(TWO)
  const id = newId()
  await tenancy.provision({ id })
  const before = [await catalogOf(database), await rowsOf(database, 'umzug_tenants.run')]
  assert.equal(await tenancy.provision({ id }), { id, schema: id, created: false, applied: [] })
  assert.equal([await catalogOf(database), await rowsOf(database, 'umzug_tenants.run')], before)
})

test('with up: false the schema stays empty', async () => {
  const tenancy = await tenancyWith(TWO)
  const id = newId()
  assert.equal((await tenancy.provision({ id, up: false })).applied, [])
  assert.equal(await catalogOf(database, id), [`schema ${id}`])
  assert.equal((await tenancy.provision({ id })).applied, ['1_a.sql', '2_b.sql'])
})

test('a schema that is there and empty is taken', async () => {
  const id = newId()
  await database.query(`CREATE SCHEMA ${id}`)
  assert.is((await (await tenancyWith(TWO)).provision({ id })).created, true)
})

for (const [what, statement, named] of [
  ['a table', 'CREATE TABLE SCHEMA.existing ()', '"existing"'],
  ['an ENUM', "CREATE TYPE SCHEMA.mood AS ENUM ('x')", '"mood"'],
  ['a domain', 'CREATE DOMAIN SCHEMA.positive AS integer CHECK (value > 0)', '"positive"'],
  ['a function', 'CREATE FUNCTION SCHEMA.f() RETURNS integer LANGUAGE sql AS $$SELECT 1$$', '"f"'],
] as const) {
  test(`a schema of nobody that holds ${what} is refused, and stays as it is`, async () => {
    const id = newId()
    await database.query(`CREATE SCHEMA ${id}; ${statement.replace('SCHEMA', id)}`)
    const before = await catalogOf(database, id)
    const error = await failure('SCHEMA_NOT_EMPTY', async () => (await tenancyWith(TWO)).provision({ id }))
    assert.is(error.title, `Schema "${id}" exists already and is not empty.`)
    assert.is(error.detail, `it holds ${named}`)
    assert.equal(error.fix, ['choose another schema: what is in this one belongs to no registered tenant'])
    assert.equal(await catalogOf(database, id), before)
    assert.equal(await database.query('SELECT FROM umzug_tenants.tenant WHERE id = $1', [id]), [])
  })
}

test('another tenant’s schema or host is refused, and nothing is created', async () => {
  const tenancy = await tenancyWith()
  const [id, rival] = [newId(), newId()]
  await tenancy.provision({ id, schema: `s_${id}`, host: `${id}.example.com` })
  for (const [key, request] of [
    ['schema', { id: rival, schema: `s_${id}` }],
    ['host', { id: rival, host: `${id.toUpperCase()}.Example.com` }],
    ['id', { id, schema: rival }],
    ['id', { id: id.toUpperCase(), schema: rival }],
  ] as const) {
    const error = await failure('TENANT_CONFLICT', () => tenancy.provision(request))
    assert.is(
      error.title,
      request.id === id
        ? `Tenant "${id}" is registered already, with another schema or host.`
        : `Tenant "${request.id}" would share its ${key} with "${id}".`,
    )
    assert.match(error.detail ?? '', `"${id}" has schema "s_${id}" and host "${id}.example.com"`)
    assert.match(
      error.message,
      'choose another id, schema or host; or repeat the call with the registered values',
    )
  }
  assert.not(await schemaExists(rival))
  await failure('TENANT_UNKNOWN', () => tenancy.find({ id: rival }))
})

test('a failed migration leaves the tenant registered and its schema empty; the next call completes it', async () => {
  const id = newId()
  const broken = await tenancyWith({ ...TWO, '3.sql': 'SELECT 1/0' })
  await failure('MIGRATION_FAILED', () => broken.provision({ id }))
  assert.equal(await catalogOf(database, id), [`schema ${id}`])
  const mended = await tenancyWith(TWO)
  assert.equal(await mended.provision({ id }), {
    id,
    schema: id,
    created: false,
    applied: ['1_a.sql', '2_b.sql'],
  })
})

test('the event tells of a new tenant once', async () => {
  const tenancy = await tenancyWith(TWO)
  const id = newId()
  const seen: unknown[] = []
  tenancy.on('tenant:provisioned', (event) => seen.push(event))
  await tenancy.provision({ id })
  await tenancy.provision({ id })
  assert.equal(seen, [{ tenant: id, schema: id }])
})

test('a tenant that was just unknown is known after provision', async () => {
  const tenancy = await tenancyWith()
  const id = newId()
  await failure('TENANT_UNKNOWN', () => tenancy.find({ id }))
  await tenancy.provision({ id })
  assert.is((await tenancy.find({ id })).schema, id)
})

test('drop needs the tenant’s id as confirmation', async () => {
  const tenancy = await tenancyWith(TWO)
  const id = newId()
  await tenancy.provision({ id })
  for (const confirm of ['', 'yes', id.toUpperCase()]) {
    const error = await failure('CONFIRMATION_REQUIRED', () => tenancy.drop({ tenant: id, confirm }))
    assert.is(error.title, `Dropping tenant "${id}" was not confirmed.`)
    assert.equal(error.fix, [`pass confirm: '${id}'; on the command line --yes`])
  }
  assert.ok(await schemaExists(id))
})

test('drop removes schema, registration and runs, and tells of it', async () => {
  const tenancy = await tenancyWith(TWO)
  const [id, other] = [newId(), newId()]
  await tenancy.provision({ id })
  await tenancy.provision({ id: other })
  const seen: unknown[] = []
  tenancy.on('tenant:dropped', (event) => seen.push(event))
  assert.equal(await tenancy.drop({ tenant: id, confirm: id }), { id, schema: id })
  assert.not(await schemaExists(id))
  await failure('TENANT_UNKNOWN', () => tenancy.find({ id }))
  assert.equal(await database.query('SELECT FROM umzug_tenants.run WHERE schema = $1', [id]), [])
  assert.is((await database.query('SELECT FROM umzug_tenants.run WHERE schema = $1', [other])).length, 2)
  assert.is((await tenancy.status({ tenant: other })).state, 'ok')
  assert.equal(seen, [{ tenant: id, schema: id }])
})

test('after drop the same tenant can be provisioned anew, and is upgraded', async () => {
  const tenancy = await tenancyWith(TWO)
  const id = newId()
  await tenancy.provision({ id })
  await tenancy.run(id, () => undefined)
  await tenancy.drop({ tenant: id, confirm: id })
  assert.equal((await tenancy.provision({ id })).applied, ['1_a.sql', '2_b.sql'])
})

test('a tenant whose schema is gone already can be dropped', async () => {
  const tenancy = await tenancyWith()
  const id = newId()
  await tenancy.provision({ id })
  await database.query(`DROP SCHEMA ${id}`)
  await tenancy.drop({ tenant: id, confirm: id })
  await failure('TENANT_UNKNOWN', () => tenancy.find({ id }))
})

test.run()
