import * as assert from 'uvu/assert'

import type { TenantSource } from '../lib/registry.ts'
import type { Tenant, TenantInput } from '../lib/tenant.ts'
import { testDatabase } from './support/database.ts'
import { failure, thrownBy } from './support/failure.ts'
import { suite } from './support/suite.ts'
import { createTable, newId, testTenancies } from './support/tenancies.ts'

const test = suite('registry')
const database = testDatabase(test)
const tenancyWith = testTenancies(test, database)

/** A registry of the application, in memory. */
function sourceOf(known: TenantInput[]): TenantSource & { readonly known: TenantInput[] } {
  return {
    known,
    list: () => known,
    find: ({ id, schema, host }) =>
      known.find(
        (each) => each.id === id || (each.schema ?? each.id) === schema || (host && each.host === host),
      ),
  }
}

function writable(known: TenantInput[] = []) {
  const source = sourceOf(known)
  return {
    ...source,
    async add(tenant: Tenant) {
      known.push(tenant)
    },
    async remove({ id }: Tenant) {
      known.splice(known.findIndex((each) => each.id === id), 1) // prettier-ignore
    },
  }
}

test('the table finds by id, schema and host, and lists by id', async () => {
  const tenancy = await tenancyWith()
  await tenancy.provision({ id: 'zoe', schema: 'z', host: 'zoe.example.com' })
  await tenancy.provision({ id: 'ann' })
  const zoe = { id: 'zoe', schema: 'z', host: 'zoe.example.com' }
  assert.equal(await tenancy.find({ id: 'zoe' }), zoe)
  assert.equal(await tenancy.find({ schema: 'z' }), zoe)
  assert.equal(await tenancy.find({ host: 'ZOE.example.com:80' }), zoe)
  assert.equal(await tenancy.list(), [{ id: 'ann', schema: 'ann' }, zoe])
})

test('a row of the table with a bad schema name is refused, whoever wrote it', async () => {
  const tenancy = await tenancyWith()
  await tenancy.provision({ id: 'base' })
  await database.query("INSERT INTO umzug_tenants.tenant (id, schema) VALUES ('evil', 'pg_catalog')")
  await failure('TENANT_NAME_RESERVED', () => tenancy.find({ id: 'evil' }))
  await failure('TENANT_NAME_RESERVED', () => tenancy.list())
  await database.query("DELETE FROM umzug_tenants.tenant WHERE id = 'evil'")
})

test('an unknown tenant is an error that says how to see and register tenants', async () => {
  const error = await failure('TENANT_UNKNOWN', async () => (await tenancyWith()).find({ id: 'nobody' }))
  assert.is(error.title, 'No tenant "nobody" is registered.')
  assert.equal(error.fix, [
    'see the registered ones: umzug-tenants tenants list',
    'or register it: umzug-tenants tenants create ID',
  ])
})

test('the application’s registry is asked by one key at a time', async () => {
  const asked: unknown[] = []
  const tenants = { list: () => [], find: (query: object) => void asked.push(query) }
  const tenancy = await tenancyWith({}, { tenants })
  await failure('TENANT_UNKNOWN', () => tenancy.find({ id: 'x' }))
  await failure('TENANT_UNKNOWN', () => tenancy.find({ host: 'X.example.com:80' }))
  await failure('TENANT_UNKNOWN', () => tenancy.find({ schema: 'x' }))
  await failure('TENANT_UNKNOWN', () => tenancy.find({ id: '../x' }))
  await failure('TENANT_UNKNOWN', () => tenancy.find({ host: 'a b' }))
  assert.equal(asked, [{ id: 'x' }, { host: 'x.example.com' }, { schema: 'x' }])
})

test('the application’s list may be an array, a promise or a stream', async () => {
  async function* stream(): AsyncGenerator<TenantInput> {
    yield { id: 'b' }
    yield { id: 'a', host: null }
  }
  for (const list of [
    () => [{ id: 'b' }, { id: 'a' }],
    async () => new Set([{ id: 'b' }, { id: 'a' }]),
    stream,
  ]) {
    const tenancy = await tenancyWith({}, { tenants: { list, find: () => null } })
    assert.equal(await tenancy.list(), [{ id: 'a', schema: 'a' }, { id: 'b', schema: 'b' }]) // prettier-ignore
  }
})

for (const schema of [
  'public',
  'pg_catalog',
  'shared',
  'umzug_tenants',
  'a b',
  'a"; DROP SCHEMA public; --',
  '',
]) {
  test(`O03 O07 an answer of the application with schema ${JSON.stringify(schema)} is refused`, async () => {
    const tenancy = await tenancyWith({}, { tenants: sourceOf([{ id: 'a', schema }]) })
    const code = ['a b', '', 'a"; DROP SCHEMA public; --'].includes(schema) ? 'TENANT_NAME_INVALID' : 'TENANT_NAME_RESERVED' // prettier-ignore
    await failure(code, () => tenancy.find({ id: 'a' }))
    await failure(code, () => tenancy.list())
    await failure(code, () => tenancy.up({ tenant: 'a' }))
    await failure(code, () => tenancy.run('a', () => assert.unreachable()))
  })
}

test('an error of the application’s registry passes as it is', async () => {
  const error = new Error('mine')
  const tenants = { list: () => [], find: () => Promise.reject(error) }
  const tenancy = await tenancyWith({}, { tenants })
  assert.is(await thrownBy(() => tenancy.find({ id: 'a' })), error)
})

test('a registry without add provisions whom it knows', async () => {
  const id = newId()
  const tenancy = await tenancyWith(createTable('1_a', 'a'), { tenants: sourceOf([{ id }]) })
  assert.equal(await tenancy.provision({ id }), { id, schema: id, created: true, applied: ['1_a.sql'] })
  assert.is((await tenancy.status({ tenant: id })).state, 'ok')
})

test('a registry without add refuses whom it does not know, before anything is created', async () => {
  const id = newId()
  const tenancy = await tenancyWith({}, { tenants: sourceOf([]) })
  const error = await failure('REGISTRY_READ_ONLY', () => tenancy.provision({ id }))
  assert.is(error.title, `The registry does not know tenant "${id}" and cannot add it.`)
  assert.match(error.message, 'add the tenant to your registry first, or give tenants an add function')
  assert.equal(await database.query('SELECT FROM pg_namespace WHERE nspname = $1', [id]), [])
})

test('a registry with add is told of the tenant, and with remove of its end', async () => {
  const id = newId()
  const tenants = writable()
  const tenancy = await tenancyWith({}, { tenants })
  await tenancy.provision({ id, host: 'X.example.com' })
  assert.equal(tenants.known, [{ id, schema: id, host: 'x.example.com' }])
  assert.is((await tenancy.provision({ id })).created, false)
  await tenancy.drop({ tenant: id, confirm: id })
  assert.equal(tenants.known, [])
  await failure('TENANT_UNKNOWN', () => tenancy.find({ id }))
})

test('a registry with add refuses a second tenant of the same schema or host', async () => {
  const id = newId()
  const tenants = writable([{ id, schema: `s_${id}`, host: 'taken.example.com' }])
  const tenancy = await tenancyWith({}, { tenants })
  for (const [key, rival] of [
    ['schema', { id: 'rival', schema: `s_${id}` }],
    ['host', { id: 'rival', schema: 'rival', host: 'Taken.example.com' }],
  ] as const) {
    const error = await failure('TENANT_CONFLICT', () => tenancy.provision(rival))
    assert.is(error.title, `Tenant "${rival.id}" would share its ${key} with "${id}".`)
  }
  const error = await failure('TENANT_CONFLICT', () => tenancy.provision({ id }))
  assert.is(error.title, `Tenant "${id}" is registered already, with another schema or host.`)
  assert.is(tenants.known.length, 1)
})

test('a tenant whose schema the application has changed is migrated in the new one', async () => {
  const id = newId()
  const known: TenantInput[] = [{ id }]
  const tenancy = await tenancyWith(createTable('1_a', 'a'), { tenants: sourceOf(known) })
  await tenancy.provision({ id })
  known.splice(0, 1, { id, schema: `${id}_v2` })
  tenancy.invalidate()
  await database.query(`CREATE SCHEMA ${id}_v2`)
  assert.equal((await tenancy.up({ tenant: id })).applied, ['1_a.sql'])
  assert.is((await tenancy.status({ tenant: id })).state, 'ok')
})

test.run()
