/** What happens in a tenant: the first request, isolation, transactions, pages, and every refusal. */
import * as assert from 'uvu/assert'

import { testDatabase } from '../support/database.ts'
import { exampleApp } from '../support/example-app.ts'
import type { Answer } from '../support/http.ts'
import { suite } from '../support/suite.ts'

const test = suite('example app: people')
const database = testDatabase(test)
const app = exampleApp(test, database)

/** A tenant that stays empty: for requests that must not write. */
let empty: string

test.before(async () => {
  empty = await app.createTenant()
})

interface Page<Item> {
  readonly items: readonly Item[]
  readonly page: number
  readonly pageSize: number
  readonly total: number
}

interface Refused {
  readonly error: { readonly code: string; readonly title?: string }
}

interface RoleDocument {
  readonly id: number
  readonly roleName: string
  readonly permissions: readonly { readonly id: number; readonly name: string }[]
}

const get = async <Item>(path: string, host: string) => {
  const answer = await app.send('GET', path, { host })
  assert.is(answer.status, 200, answer.text)
  return answer.json<Page<Item>>()
}

const post = (path: string, host: string, body: unknown) => app.send('POST', path, { host, body })

const create = async (path: string, host: string, body: unknown) => {
  const answer = await post(path, host, body)
  assert.is(answer.status, 201, answer.text)
  return answer.json<{ id: number }>()
}

function refused(answer: Answer, status: number, code: string): void {
  assert.is(answer.status, status, answer.text)
  assert.is(answer.json<Refused>().error.code, code)
}

// ------------------------------------------------------------------------------------------ the first request

test('a tenant that was created and not upgraded is upgraded by its first request', async () => {
  const name = await app.createTenant()
  assert.is((await app.tenancy.status({ tenant: name })).executed, 0)
  const page = await get('/users', name)
  assert.equal(page, { items: [], page: 1, pageSize: 20, total: 0 })
  assert.is((await app.tenancy.status({ tenant: name })).state, 'ok')
})

test('twenty first requests at once upgrade a tenant once', async () => {
  const name = await app.createTenant()
  let upgrades = 0
  const stop = app.tenancy.on('tenant:migrated', ({ tenant }) => {
    if (tenant === name) upgrades++
  })
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => app.send('GET', '/roles', { host: name })),
  )
  stop()
  assert.ok(answers.every(({ status }) => status === 200))
  assert.is(upgrades, 1)
})

test('an unknown host is 404, and nothing is written', async () => {
  const state = () =>
    database.query(`SELECT (SELECT count(*) FROM shared.tenants) AS tenants,
                           (SELECT count(*) FROM umzug_tenants.tenant) AS ledger,
                           (SELECT count(*) FROM pg_namespace) AS schemas`)
  const before = await state()
  for (const path of ['/users', '/roles', '/permissions'])
    refused(await app.send('GET', path, { host: 'nobody' }), 404, 'TENANT_UNKNOWN')
  refused(await post('/users', 'nobody', { email: 'x@example.com' }), 404, 'TENANT_UNKNOWN')
  assert.equal(await state(), before)
})

test('a request that names no tenant is 400', async () => {
  refused(await app.send('GET', '/users'), 400, 'TENANT_REQUIRED')
})

// -------------------------------------------------------------------------------------------------- isolation

test('users, roles and permissions of two tenants are apart', async () => {
  const [a, b] = [await app.createTenant(), await app.createTenant()]
  for (const [path, body] of [
    ['/users', { email: 'ada@example.com' }],
    ['/roles', { roleName: 'admin' }],
    ['/permissions', { name: 'users.read' }],
  ] as const) {
    assert.is((await create(path, a, body)).id, 1)
    assert.is((await get(path, a)).total, 1)
    assert.is((await get(path, b)).total, 0, path)
    assert.is((await create(path, b, body)).id, 1, 'each tenant counts for itself')
  }
})

test('two tenants at once each get their own', async () => {
  const tenants = await Promise.all([app.createTenant(), app.createTenant(), app.createTenant()])
  await Promise.all(
    Array.from({ length: 60 }, (_, index) => {
      const tenant = tenants[index % 3] ?? ''
      return create('/users', tenant, { email: `${index}@${tenant}.example` })
    }),
  )
  for (const tenant of tenants) {
    const { items, total } = await get<{ email: string }>('/users?pageSize=100', tenant)
    assert.is(total, 20)
    assert.ok(items.every(({ email }) => email.endsWith(`@${tenant}.example`)))
  }
})

test('a role of another tenant is no role', async () => {
  const [a, b] = [await app.createTenant(), await app.createTenant()]
  const { id } = await create('/roles', a, { roleName: 'admin' })
  refused(await post('/users', b, { email: 'ada@example.com', userRoleId: id }), 422, 'ROLE_UNKNOWN')
})

// ------------------------------------------------------------------------------------------- users and roles

test('a user is stored as it was sent, with its role', async () => {
  const name = await app.createTenant()
  const role = await create('/roles', name, { roleName: 'admin' })
  const body = { email: 'ada@example.com', firstName: 'Ada', lastName: 'Lovelace', userRoleId: role.id }
  await create('/users', name, body)
  const [row] = await database.query<Record<string, unknown>>(`SELECT * FROM ${name}.users`)
  assert.equal(
    { ...row, created_at: undefined, updated_at: undefined },
    {
      id: 1,
      email: 'ada@example.com',
      first_name: 'Ada',
      last_name: 'Lovelace',
      user_role_id: role.id,
      created_at: undefined,
      updated_at: undefined,
    },
  )
  const { items } = await get<Record<string, unknown>>('/users', name)
  assert.is(items[0]?.['firstName'], 'Ada')
})

test('an e-mail address is taken once in a tenant', async () => {
  const name = await app.createTenant()
  await create('/users', name, { email: 'ada@example.com' })
  const answer = await post('/users', name, { email: 'ada@example.com' })
  refused(answer, 409, 'CONFLICT')
  assert.is(answer.json<Refused>().error.title, 'Taken already: email.')
})

test('a role has the permissions that are given to it', async () => {
  const name = await app.createTenant()
  const read = await create('/permissions', name, { name: 'users.read', title: 'See the users' })
  const write = await create('/permissions', name, { name: 'users.write' })
  const role = await create('/roles', name, { roleName: 'admin', permissionIds: [read.id] })

  for (const _again of [1, 2]) {
    const answer = await app.send('PUT', `/roles/${role.id}/permissions/${write.id}`, { host: name })
    assert.is(answer.status, 200)
    const { permissions } = answer.json<RoleDocument>()
    assert.equal(permissions.map((permission) => permission.name).toSorted(), ['users.read', 'users.write'])
  }
  await create('/roles', name, { roleName: 'guest' })
  const { items, total } = await get<RoleDocument>('/roles', name)
  assert.is(total, 2, 'a role counts once however many permissions it has')
  assert.equal(
    items.map(({ roleName, permissions }) => [roleName, permissions.length]),
    [
      ['admin', 2],
      ['guest', 0],
    ],
  )
})

test('a permission gets a UUID from the table', async () => {
  const name = await app.createTenant()
  await create('/permissions', name, { name: 'x', accountId: 7 })
  const { items } = await get<{ uuid: string; accountId: number }>('/permissions', name)
  assert.match(items[0]?.uuid ?? '', /^[\da-f]{8}-/)
  assert.is(items[0]?.accountId, 7)
})

test('attaching what does not exist is refused', async () => {
  const name = await app.createTenant()
  const role = await create('/roles', name, { roleName: 'admin' })
  const put = (path: string) => app.send('PUT', path, { host: name })
  refused(await put('/roles/999/permissions/1'), 404, 'ROLE_UNKNOWN')
  refused(await put(`/roles/${role.id}/permissions/999`), 422, 'PERMISSION_UNKNOWN')
  refused(await put('/roles/x/permissions/1'), 422, 'VALIDATION_FAILED')
})

test('a write that fails half way is rolled back, the transaction having been passed to no query', async () => {
  const name = await app.createTenant()
  const answer = await post('/roles', name, { roleName: 'admin', permissionIds: [1] })
  refused(answer, 422, 'PERMISSION_UNKNOWN')
  assert.is((await get('/roles', name)).total, 0)
  const { id } = await create('/roles', name, { roleName: 'guest' })
  assert.is(id, 2, 'the first role was inserted, and taken back')
})

test('every query inside a transaction is in it', async () => {
  const { tenancy, models } = app
  const name = await app.createTenant()
  const ids = await tenancy.run(name, () =>
    models.sequelize.transaction(async () => {
      const ask = () => models.sequelize.query('SELECT txid_current() AS id, current_schema() AS schema')
      return [await ask(), await ask()].map(([rows]) => rows)
    }),
  )
  assert.equal(ids[0], ids[1])
})

// -------------------------------------------------------------------------------------------------- paging

test('lists come in pages, by id', async () => {
  const name = await app.createTenant()
  for (let n = 1; n <= 5; n++) await create('/permissions', name, { name: `p${n}` })
  const pages = []
  for (const page of [1, 2, 3, 4]) {
    const { items, ...rest } = await get<{ name: string }>(`/permissions?page=${page}&pageSize=2`, name)
    assert.equal(rest, { page, pageSize: 2, total: 5 })
    pages.push(items.map((item) => item.name))
  }
  assert.equal(pages, [['p1', 'p2'], ['p3', 'p4'], ['p5'], []])
})

test('roles with many permissions do not shorten the page', async () => {
  const name = await app.createTenant()
  const ids = []
  for (let n = 1; n <= 3; n++) ids.push((await create('/permissions', name, { name: `p${n}` })).id)
  for (let n = 1; n <= 3; n++) await create('/roles', name, { roleName: `r${n}`, permissionIds: ids })
  const { items, total } = await get<RoleDocument>('/roles?pageSize=2', name)
  assert.is(total, 3)
  assert.equal(
    items.map(({ roleName, permissions }) => [roleName, permissions.length]),
    [
      ['r1', 3],
      ['r2', 3],
    ],
  )
})

// prettier-ignore
const WRONG_PAGES = ['page=0', 'page=-1', 'page=x', 'page=1.5', 'page=1e3', 'page=', 'page=1&page=2', 'page=99999999999999999999',
  'pageSize=0', 'pageSize=101']

for (const query of WRONG_PAGES) {
  test(`?${query} is 422`, async () => {
    for (const path of ['/users', '/roles', '/permissions'])
      refused(await app.send('GET', `${path}?${query}`, { host: empty }), 422, 'VALIDATION_FAILED')
  })
}

test('a page holds up to 100', async () => {
  assert.is((await get('/users?pageSize=100', empty)).pageSize, 100)
})

// -------------------------------------------------------------------------------------------------- errors

const EMAIL_FORM = 'email must be a text of at most 256 characters.'
const NAME_FORM = 'firstName must be a text of at most 100 characters.'
const ROLE_FORM = 'userRoleId must be a whole number from 1 to 2147483647.'
const email = 'ada@example.com'

// prettier-ignore
const WRONG_USERS: readonly (readonly [what: string, body: unknown, title: string])[] = [
  ['no e-mail address', {}, 'email is required.'],
  ['an empty e-mail address', { email: '' }, 'email is required.'],
  ['an e-mail address that is none', { email: 'ada' }, 'email must be an e-mail address.'],
  ['a number for a text', { email: 5 }, EMAIL_FORM],
  ['an object for a text', { email: { $gt: '' } }, EMAIL_FORM],
  ['too long a name', { email, firstName: 'x'.repeat(101) }, NAME_FORM],
  ['a NUL, which PostgreSQL cannot store,', { email, firstName: 'a\0b' }, NAME_FORM],
  ['a role that is no number', { email, userRoleId: 'x' }, ROLE_FORM],
  ['a role beyond an integer', { email, userRoleId: 2 ** 31 }, ROLE_FORM],
  ['a role that does not exist', { email, userRoleId: 9 }, 'There is no role with this id.'],
  ['an array for a body', [], 'The body must be a JSON object, sent as application/json.'],
]

for (const [what, body, title] of WRONG_USERS) {
  test(`a user with ${what} is 422 and says why`, async () => {
    const answer = await post('/users', empty, body)
    assert.is(answer.status, 422, answer.text)
    assert.is(answer.json<Refused>().error.title, title)
    assert.is((await get('/users', empty)).total, 0)
  })
}

test('a role needs a name, and its permissions are an array of ids', async () => {
  refused(await post('/roles', empty, {}), 422, 'VALIDATION_FAILED')
  refused(await post('/roles', empty, { roleName: 'x', permissionIds: 1 }), 422, 'VALIDATION_FAILED')
  refused(await post('/roles', empty, { roleName: 'x', permissionIds: ['x'] }), 422, 'VALIDATION_FAILED')
  refused(await post('/permissions', empty, {}), 422, 'VALIDATION_FAILED')
})

test('a body that is not sent as JSON is 422', async () => {
  const headers = { 'content-type': 'text/plain' }
  refused(await app.send('POST', '/users', { host: empty, headers, body: {} }), 422, 'VALIDATION_FAILED')
})

test('malformed JSON is 400, and a body too large 413', async () => {
  // A string is sent as it is between its quotes: strict JSON parsing takes objects and arrays only.
  refused(await post('/users', empty, 'malformed'), 400, 'BAD_REQUEST')
  refused(await post('/users', empty, { email: 'x'.repeat(200_000) }), 413, 'PAYLOAD_TOO_LARGE')
})

test('whatever else fails is 500 with a code, logged, and tells nothing of the database', async () => {
  const name = await app.createTenant()
  await get('/users', name)
  await database.query(`DROP TABLE ${name}.users`)
  assert.equal(app.logged, [])
  const answer = await app.send('GET', '/users', { host: name })
  assert.is(answer.status, 500)
  assert.equal(answer.json(), { error: { code: 'INTERNAL_ERROR' } })
  assert.match(String(app.logged.pop()), 'relation "users" does not exist')
})

test('a tenant whose upgrade fails is 503, with a code and when to come back', async () => {
  const name = await app.createTenant()
  await database.query(`CREATE TABLE ${name}.roles (in_the_way integer)`)
  const answer = await app.send('GET', '/roles', { host: name })
  refused(answer, 503, 'TENANT_UNAVAILABLE')
  assert.ok(Number(answer.headers['retry-after']) > 0)
  assert.not.match(answer.text, 'in_the_way')
  refused(await app.send('POST', `/tenants/${name}/upgrade`), 503, 'MIGRATION_FAILED')
  assert.match(String(app.logged.pop()), `failed on tenant "${name}"`)
})

test.run()
