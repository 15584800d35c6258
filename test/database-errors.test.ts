import { createServer } from 'node:net'
import { once } from 'node:events'

import * as assert from 'uvu/assert'

import { databaseError, explainingDatabaseErrors } from '../lib/database-errors.ts'
import type { ErrorCode } from '../lib/errors.ts'
import { createTenancy } from '../lib/tenancy.ts'
import { testDatabase } from './support/database.ts'
import { failure, thrownBy } from './support/failure.ts'
import { suite } from './support/suite.ts'
import { newId } from './support/tenancies.ts'

const test = suite('database-errors')
const database = testDatabase(test)

/** Everything that can be the first to meet a server that cannot be used. */
async function assertEverywhere(
  url: string,
  code: ErrorCode,
  check: (message: string) => void,
): Promise<void> {
  const tenancy = createTenancy({ url })
  try {
    for (const call of [
      () => tenancy.find({ id: 'a' }),
      () => tenancy.list(),
      () => tenancy.status(),
      () => tenancy.provision({ id: 'a' }),
      () => tenancy.up({ tenant: 'a' }),
      () => tenancy.up({ all: true }),
      () => tenancy.up({ shared: true }),
      () => tenancy.plan({ shared: true }),
      () => tenancy.status({ shared: true }),
      () => tenancy.umzug('a').pending(),
      () => tenancy.run('a', () => undefined),
    ]) {
      const error = await failure(code, call)
      check(error.message)
      assert.not.match(JSON.stringify(error), 'canary')
      assert.not.match(error.message, 'canary')
    }
  } finally {
    await tenancy.close()
  }
}

const changed = (values: Partial<URL>) => Object.assign(new URL(database.url), values).href

test('O51 a port where nobody listens is unreachable, wherever it is met first', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  const port = typeof address === 'object' && address !== null ? String(address.port) : '1'
  await assertEverywhere(
    changed({ port, hostname: '127.0.0.1', password: 'canary' }),
    'DATABASE_UNREACHABLE',
    (message) => {
      assert.match(message, 'PostgreSQL cannot be reached.')
      assert.match(message, 'ECONNREFUSED')
      assert.match(message, 'start the server, or correct host and port in url, DATABASE_URL or migrationUrl')
    },
  )
})

test('O51 a host of no address is unreachable', async () => {
  const tenancy = createTenancy({ url: changed({ hostname: 'no-such-host.invalid' }) })
  await failure('DATABASE_UNREACHABLE', () => tenancy.list())
  await tenancy.close()
})

test('O51 a wrong password is refused with where to correct it, and is not shown', async () => {
  await assertEverywhere(changed({ password: 'canary' }), 'DATABASE_REFUSED', (message) => {
    assert.match(message, 'PostgreSQL refused the password.')
    assert.match(message, 'correct user and password in url, DATABASE_URL or migrationUrl')
  })
})

test('O51 a database that does not exist is refused with how to create it', async () => {
  await assertEverywhere(changed({ pathname: '/no_such_database' }), 'DATABASE_REFUSED', (message) => {
    assert.match(message, 'The database does not exist.')
    assert.match(message, 'database "no_such_database" does not exist')
    assert.match(message, 'create it with CREATE DATABASE, or correct its name in the URL')
  })
})

test('a role without the privilege is told which is missing and where to set another', async () => {
  const role = `weak_${newId()}`
  await database.query(`CREATE ROLE ${role} LOGIN PASSWORD 'weak'`)
  const tenancy = createTenancy({ url: changed({ username: role, password: 'weak' }) })
  const error = await failure('PRIVILEGE_MISSING', () => tenancy.provision({ id: 'a' }))
  assert.is(error.sqlstate, '42501')
  assert.match(error.message, 'permission denied for database')
  assert.match(
    error.message,
    'set migrationUrl to a role that may CREATE in the database and owns the tenant schemas',
  )
  await tenancy.close()
  await database.query(`DROP ROLE ${role}`)
})

for (const [sqlstate, title] of [
  ['28000', 'PostgreSQL refused the role.'],
  ['53300', 'PostgreSQL has no connection slots left.'],
  ['53100', 'The disk of the server is full.'],
  ['57P01', 'The server ended the connection.'],
  ['57P03', 'PostgreSQL is starting up or shutting down.'],
  ['25006', 'The server is read-only, probably a standby.'],
] as const) {
  test(`O51 SQLSTATE ${sqlstate} is refused: ${title}`, () => {
    const original = Object.assign(new Error('the server’s words'), { code: sqlstate })
    const error = databaseError(new Error('wrapped', { cause: original }), { tenant: 'a' })
    assert.equal([error?.code, error?.title, error?.tenant], ['DATABASE_REFUSED', title, 'a'])
    assert.is(error?.retryAfterSeconds, 5)
    assert.ok((error?.fix.length ?? 0) > 0)
  })
}

for (const code of [
  'ECONNREFUSED',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'ETIMEDOUT',
  'ECONNRESET',
  'EAI_AGAIN',
  'EPIPE',
]) {
  test(`${code} is unreachable, also inside what Sequelize and Node wrap around it`, () => {
    const inner = Object.assign(new Error(`connect ${code}`), { code })
    const wrapped = Object.assign(new Error('x'), { original: new AggregateError([inner], '') })
    for (const error of [inner, wrapped]) assert.is(databaseError(error)?.code, 'DATABASE_UNREACHABLE')
  })
}

test('every other error stays what it is', async () => {
  for (const error of [
    new Error('mine'),
    Object.assign(new Error('x'), { code: '23505' }),
    'text',
    undefined,
  ]) {
    assert.is(databaseError(error), undefined)
    assert.is(await thrownBy(() => explainingDatabaseErrors(() => Promise.reject(error))), error)
  }
})

test.run()
