/** What happens without a tenant: registering, upgrading and seeding tenants, the shared tables, errors of the application. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import * as assert from 'uvu/assert'

import { createApp } from '../../example-app/app.ts'
import { tenancyConfig } from '../../example-app/config.ts'
import { connect } from '../../example-app/database.ts'
import { createTenancy } from '../../lib/index.ts'
import { testDatabase } from '../support/database.ts'
import { exampleApp } from '../support/example-app.ts'
import { request, type Answer } from '../support/http.ts'
import { suite } from '../support/suite.ts'

const test = suite('example app: tenants')
const database = testDatabase(test)
const app = exampleApp(test, database)

const MIGRATIONS = [
  '20260105090000_create_roles_and_permissions.ts',
  '20260105091000_create_users.cjs',
  '20260112090000_index_foreign_keys.sql',
]

interface Refused {
  readonly error: { readonly code: string; readonly title?: string }
}

const codeOf = (answer: Answer) => answer.json<Refused>().error.code

const tablesOf = (schema: string) =>
  database.query('SELECT tablename FROM pg_tables WHERE schemaname = $1', [schema])

const registered = () => database.query<{ name: string }>('SELECT name FROM shared.tenants ORDER BY name')

test('start-up has migrated the shared schema', async () => {
  const columns = await database.query(
    `SELECT table_name || '.' || column_name AS column, data_type AS type, is_nullable AS nullable
       FROM information_schema.columns WHERE table_schema = 'shared' AND table_name <> 'SequelizeMeta'
      ORDER BY table_name, ordinal_position`,
  )
  assert.equal(
    columns.map(({ column, type, nullable }) => `${column} ${type}${nullable === 'NO' ? ' not null' : ''}`),
    [
      'shared_users.id integer not null',
      'shared_users.email character varying not null',
      'shared_users.tenant_id integer not null',
      'shared_users.is_active boolean not null',
      'shared_users.created_at timestamp with time zone not null',
      'shared_users.updated_at timestamp with time zone',
      'tenants.name character varying not null',
      'tenants.schema character varying not null',
      'tenants.host character varying',
      'tenants.id integer not null',
    ],
  )
  assert.equal(await database.query('SELECT name FROM shared."SequelizeMeta"'), [
    { name: 'd6ba8c13303e_create_tenants_and_shared_users.ts' },
  ])
})

test('GET /health needs no tenant', async () => {
  const answer = await app.send('GET', '/health')
  assert.is(answer.status, 200)
  assert.equal(Object.keys(answer.json()), ['status', 'head', 'tenants', 'behind', 'failing'])
})

test('GET /health without a database is 503', async () => {
  const models = connect('postgres://nobody@127.0.0.1:1/nothing')
  const tenancy = createTenancy(tenancyConfig(() => models))
  const logged: unknown[] = []
  const server = createServer(createApp(tenancy, models, (error) => logged.push(error)))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo // a TCP server's address
  const answer = await request({ port, path: '/health' })
  await new Promise((resolve) => server.close(resolve))
  await models.sequelize.close()
  assert.is(answer.status, 503)
  assert.equal(answer.json(), { status: 'unknown', error: { code: 'DATABASE_UNREACHABLE' } })
  assert.is(logged.length, 0)
})

test('GET /create registers a tenant and creates its schema, empty', async () => {
  const answer = await app.send('GET', '/create?name=acme&schema=acme_data&host=Acme.example.com')
  assert.is(answer.status, 201)
  assert.equal(answer.json(), { tenant: { id: 'acme', schema: 'acme_data', host: 'acme.example.com' } })
  assert.equal(await tablesOf('acme_data'), [])
  assert.is((await app.tenancy.status({ tenant: 'acme' })).state, 'pending')
})

test('GET /create again is 200 and changes nothing', async () => {
  const before = await registered()
  const answer = await app.send('GET', '/create?name=acme&schema=acme_data&host=acme.example.com')
  assert.is(answer.status, 200)
  assert.equal(answer.json(), { tenant: { id: 'acme', schema: 'acme_data', host: 'acme.example.com' } })
  assert.equal(await registered(), before)
})

test('a host is optional', async () => {
  const answer = await app.send('GET', '/create?name=hostless')
  assert.equal(answer.json(), { tenant: { id: 'hostless', schema: 'hostless', host: null } })
})

for (const [what, query] of [
  ['name with another schema', 'name=acme&schema=other'],
  ['schema', 'name=other&schema=acme_data'],
  ['host', 'name=other&schema=other&host=acme.example.com'],
] as const) {
  test(`the ${what} of another tenant is 409`, async () => {
    const before = await registered()
    const answer = await app.send('GET', `/create?${query}`)
    assert.is(answer.status, 409)
    assert.is(codeOf(answer), 'TENANT_CONFLICT')
    assert.equal(await registered(), before)
    assert.equal(await database.query("SELECT FROM pg_namespace WHERE nspname = 'other'"), [])
  })
}

for (const [query, code] of [
  ['', 'VALIDATION_FAILED'],
  ['name=', 'VALIDATION_FAILED'],
  ['name=x&name=y', 'VALIDATION_FAILED'],
  ['name=%22%3B--', 'TENANT_NAME_INVALID'],
  ['name=x&schema=Not-A-Schema', 'TENANT_NAME_INVALID'],
  ['name=x&schema=pg_x', 'TENANT_NAME_RESERVED'],
  ['name=x&schema=shared', 'TENANT_NAME_RESERVED'],
  ['name=x&host=no%20host', 'TENANT_NAME_INVALID'],
  [`name=${'x'.repeat(64)}`, 'TENANT_NAME_INVALID'],
] as const) {
  test(`GET /create?${query.slice(0, 40)} is 422 with a reason`, async () => {
    const before = await registered()
    const answer = await app.send('GET', `/create?${query}`)
    assert.is(answer.status, 422)
    assert.is(codeOf(answer), code)
    assert.ok(answer.json<Refused>().error.title)
    assert.equal(await registered(), before)
  })
}

test('GET /upgrade applies the migrations of the tenant with this schema, once', async () => {
  await app.send('GET', '/create?name=upgraded&schema=upgraded_data')
  const first = await app.send('GET', '/upgrade?schema=upgraded_data')
  assert.is(first.status, 200)
  assert.equal(first.json(), { applied: MIGRATIONS })
  const second = await app.send('GET', '/upgrade?schema=upgraded_data')
  assert.is(second.status, 200)
  assert.equal(second.json(), { applied: [] })
})

test('upgrading or seeding an unknown tenant is 404', async () => {
  for (const [method, path] of [
    ['GET', '/upgrade?schema=nobody'],
    ['GET', '/upgrade?schema=%22'],
    ['POST', '/tenants/nobody/upgrade'],
    ['POST', '/tenants/nobody/seed'],
  ] as const) {
    const answer = await app.send(method, path)
    assert.is(answer.status, 404, path)
    assert.is(codeOf(answer), 'TENANT_UNKNOWN', path)
  }
  assert.is((await app.send('GET', '/upgrade')).status, 422)
})

test('POST /tenants and its upgrade do the same', async () => {
  const body = { name: 'posted', schema: 'posted', host: 'posted.example.com' }
  const created = await app.send('POST', '/tenants', { body })
  assert.is(created.status, 201)
  assert.equal(created.json(), { tenant: { id: 'posted', schema: 'posted', host: 'posted.example.com' } })
  assert.is((await app.send('POST', '/tenants', { body })).status, 200)
  const upgraded = await app.send('POST', '/tenants/posted/upgrade')
  assert.equal(upgraded.json(), { applied: MIGRATIONS })
})

test('a tenant is seeded once', async () => {
  const name = await app.createTenant()
  await app.send('POST', `/tenants/${name}/upgrade`)
  const first = await app.send('POST', `/tenants/${name}/seed`)
  assert.is(first.status, 200)
  assert.equal(first.json(), { applied: ['20260105100000_default_roles.ts'] })
  assert.equal((await app.send('POST', `/tenants/${name}/seed`)).json(), { applied: [] })
  const { total } = (await app.send('GET', '/roles', { host: name })).json<{ total: number }>()
  assert.is(total, 2)
})

test('ten requests that create one tenant at once create it once', async () => {
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => app.send('GET', '/create?name=rush&schema=rush&host=rush')),
  )
  assert.is(answers.filter(({ status }) => status === 201).length, 1)
  assert.is(answers.filter(({ status }) => status === 200).length, 9)
})

test('GET /tenants lists the registry in pages', async () => {
  const names = (await registered()).map(({ name }) => name)
  const all = (await app.send('GET', '/tenants?pageSize=100')).json<{
    items: { id: string }[]
    total: number
  }>()
  assert.equal(all.items.map(({ id }) => id).toSorted(), names.toSorted())
  assert.is(all.total, names.length)
  const page = (await app.send('GET', '/tenants?page=2&pageSize=1')).json<{ items: unknown[] }>()
  assert.equal(page.items, [all.items[1]])
})

test('a tenant that is dropped is forgotten by the registry, and its shared users with it', async () => {
  const name = await app.createTenant()
  const email = 'gone@example.com'
  assert.is((await app.send('POST', '/shared-users', { body: { email, tenant: name } })).status, 201)
  await app.tenancy.drop({ tenant: name, confirm: name })
  assert.is((await app.send('GET', '/users', { host: name })).status, 404)
  assert.equal(await database.query('SELECT FROM shared.shared_users WHERE email = $1', [email]), [])
})

test('shared users belong to the application as a whole', async () => {
  const body = { email: 'ada@example.com', tenant: 'acme' }
  const created = await app.send('POST', '/shared-users', { body })
  assert.is(created.status, 201)
  assert.is(created.json<{ isActive: boolean }>().isActive, false)
  assert.is(codeOf(await app.send('POST', '/shared-users', { body })), 'CONFLICT')
  const stranger = await app.send('POST', '/shared-users', { body: { ...body, tenant: 'nobody' } })
  assert.is(stranger.status, 422)
  const { items } = (await app.send('GET', '/shared-users')).json<{ items: { email: string }[] }>()
  assert.equal(
    items.map(({ email }) => email),
    ['ada@example.com'],
  )
})

test('an unknown address is 404', async () => {
  for (const host of ['127.0.0.1', 'nobody', 'acme.example.com']) {
    const answer = await app.send('GET', '/nothing/here', { host })
    assert.is(answer.status, 404)
    assert.is(codeOf(answer), 'NOT_FOUND')
  }
})

test('a path that is no URL is 400', async () => {
  const answer = await app.send('POST', '/tenants/%ff/upgrade')
  assert.is(answer.status, 400)
  assert.is(codeOf(answer), 'BAD_REQUEST')
})

test('nothing of this was a fault of the application', () => assert.equal(app.logged, []))

test.run()
