import { setTimeout as sleep } from 'node:timers/promises'

import pg from 'pg'
import * as assert from 'uvu/assert'

import type { SessionOptions } from '../../lib/migrations/connection.ts'
import { withSession, type MigrationSession } from '../../lib/migrations/session.ts'
import { testDatabase } from '../support/database.ts'
import { failure, thrownBy } from '../support/failure.ts'
import { suite } from '../support/suite.ts'

const a = { id: 'a', schema: 'a' }
const b = { id: 'b', schema: 'b' }

/** Other suites' databases have locks of their own on this server. */
const HERE = '(SELECT oid FROM pg_database WHERE datname = current_database())'

const test = suite('migrations/session')
const database = testDatabase(test)

const open = <T>(fn: (session: MigrationSession) => Promise<T>, options: Partial<SessionOptions> = {}) =>
  withSession({ connection: database.url, lockTimeoutMs: 1000, statementTimeoutMs: 0, ...options }, fn)

const inA = { tenant: { id: 'a', schema: 'a' }, schema: 'a', searchPath: ['shared'] }

const connections = () =>
  database.query(
    "SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'umzug-tenants'",
  )

test.before(() =>
  database.query('CREATE SCHEMA a; CREATE SCHEMA shared; CREATE TABLE shared.s AS SELECT 1 AS one'),
)

test('a session is one connection, whatever goes through it', async () => {
  const pids = await open(async (session) => {
    const [own] = await session.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
    const through = await Promise.all(
      [1, 2, 3].map(() => session.sequelize.query('SELECT pg_backend_pid() AS pid', { plain: true })),
    )
    assert.is((await connections()).length, 1)
    return [own?.pid, ...through.map((row) => row?.['pid'])]
  })
  assert.is(new Set(pids).size, 1)
})

test('a session is closed after its block, after an error too', async () => {
  await open(async () => undefined)
  assert.match(String(await thrownBy(() => open(() => Promise.reject(new Error('mine'))))), 'mine')
  for (let tries = 0; (await connections()).length > 0; tries++) {
    assert.ok(tries < 50, 'the connection stays open')
    await sleep(20)
  }
})

test('the session carries its limits and its name', async () => {
  const rows = await open(
    (session) =>
      session.query(
        `SELECT current_setting('lock_timeout') AS lock, current_setting('statement_timeout') AS statement,
                current_setting('application_name') AS name`,
      ),
    { lockTimeoutMs: 250, statementTimeoutMs: 4000 },
  )
  assert.equal(rows, [{ lock: '250ms', statement: '4s', name: 'umzug-tenants' }])
})

test('bare names mean nothing outside a target, and the target’s schema inside', async () => {
  await open(async (session) => {
    const error = await thrownBy(() => session.query('SELECT * FROM s'))
    assert.match(String(error), 'relation "s" does not exist')
    await session.within(inA, async () => {
      assert.equal(await session.query('SELECT current_schema() AS schema, one FROM s'), [
        { schema: 'a', one: 1 },
      ])
    })
    assert.match(
      String(
        await thrownBy(() => session.query('CREATE TABLE x ()').then(() => session.query('SELECT FROM a.x'))),
      ),
      'a.x',
    )
  })
})

test('the rows of a text of many statements are those of the last one that has any', async () => {
  const rows = await open((session) => session.query('SELECT 1 AS a; SELECT 2 AS a; CREATE TEMP TABLE t ()'))
  assert.equal(rows, [{ a: 2 }])
})

test('a transaction commits what succeeds and rolls back what throws', async () => {
  await open(async (session) => {
    await session.within(inA, async () => {
      await session.transaction(() => session.query('CREATE TABLE kept ()'))
      const error = new Error('mine')
      const thrown = await thrownBy(() =>
        session.transaction(async () => {
          await session.query('CREATE TABLE undone ()')
          throw error
        }),
      )
      assert.is(thrown, error)
    })
  })
  const rows = await database.query("SELECT tablename FROM pg_tables WHERE schemaname = 'a'")
  assert.equal(rows, [{ tablename: 'kept' }])
})

test('a transaction inside a transaction is the same one', async () => {
  await open(async (session) => {
    const thrown = thrownBy(() =>
      session.within(inA, () =>
        session.transaction(async () => {
          await session.transaction(() => session.query('CREATE TABLE inner_undone ()'))
          throw new Error('undo')
        }),
      ),
    )
    assert.match(String(await thrown), 'undo')
  })
  assert.equal(await database.query("SELECT FROM pg_tables WHERE tablename = 'inner_undone'"), [])
})

test('after a failed transaction the session goes on', async () => {
  await open(async (session) => {
    await thrownBy(() => session.transaction(() => session.query('SELECT 1/0')))
    assert.equal(await session.query('SELECT 1 AS a'), [{ a: 1 }])
  })
})

test('a lock is held for its block and free after it, after an error too', async () => {
  const locks = () =>
    database.query(`SELECT FROM pg_locks WHERE locktype = 'advisory' AND database = ${HERE}`)
  await open(async (session) => {
    await session.withLock(a, 0, async () => assert.is((await locks()).length, 1))
    assert.is((await locks()).length, 0)
    await thrownBy(() => session.withLock(a, 0, () => Promise.reject(new Error('mine'))))
    assert.is((await locks()).length, 0)
  })
})

test('locks of two schemas do not meet', async () => {
  await open((first) =>
    first.withLock(a, 0, () => open((second) => second.withLock(b, 0, async () => undefined))),
  )
})

test('a lock is waited for', async () => {
  const order: string[] = []
  await open((first) =>
    open(async (second) => {
      const waiting = await first.withLock(a, 0, async () => {
        const waits = second.withLock(a, 5000, async () => order.push('second'))
        await sleep(60)
        order.push('first')
        return { waits }
      })
      await waiting.waits
    }),
  )
  assert.equal(order, ['first', 'second'])
})

test('O38 LOCK_HELD after waitMs names the holder’s pid, since when, its statement, and how to end it', async () => {
  await open((holder) =>
    holder.withLock(a, 0, async () => {
      const [{ pid } = { pid: 0 }] = await holder.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
      const startedAt = performance.now()
      const error = await failure('LOCK_HELD', () =>
        open((second) => second.withLock(a, 120, async () => assert.unreachable())),
      )
      assert.ok(performance.now() - startedAt >= 115)
      assert.is(error.title, 'Another runner holds the lock of schema "a" after 120 ms.')
      assert.match(
        error.detail ?? '',
        new RegExp(
          `^held by pid ${pid} \\(umzug-tenants, idle for \\d+ s, last statement: SELECT pg_backend_pid`,
        ),
      )
      assert.equal(error.fix, [
        'wait for it: run again, or raise lock.waitMs',
        `or end it: SELECT pg_terminate_backend(${pid})`,
      ])
      assert.is(error.retryAfterSeconds, 5)
      assert.is(error.tenant, 'a')
    }),
  )
})

test('a waiter holds no snapshot: CREATE INDEX CONCURRENTLY of the holder goes on', async () => {
  await database.query('CREATE TABLE a.indexed (id integer)')
  await open((holder) =>
    open(async (waiter) => {
      await holder.withLock(a, 0, async () => {
        const waits = thrownBy(() => waiter.withLock(a, 400, async () => undefined))
        await holder.query('CREATE INDEX CONCURRENTLY ON a.indexed (id)')
        assert.match(String(await waits), 'holds the lock')
      })
    }),
  )
})

test('the lock of a runner whose connection died is free', async () => {
  await open(async (holder) => {
    const thrown = await thrownBy(() =>
      holder.withLock(a, 0, () => holder.query('SELECT pg_terminate_backend(pg_backend_pid())')),
    )
    assert.match(String(thrown), /terminat/)
  })
  await open((next) => next.withLock(a, 2000, async () => undefined))
})

test('the application’s beforeConnect gives the password of each session', async () => {
  const { hostname, port, username, password, pathname } = new URL(database.url)
  const rows = await open((session) => session.query('SELECT 1 AS a'), {
    connection: {
      dialect: 'postgres', host: hostname, port: Number(port), username: decodeURIComponent(username), database: pathname.slice(1), password: 'wrong',
    }, // prettier-ignore
    beforeConnect: async (config) => void Object.assign(config, { password: decodeURIComponent(password) }),
  })
  assert.equal(rows, [{ a: 1 }])
})

test('O23 a connection that is not one server process is refused with where migrations must go', async () => {
  const { prototype } = pg.Client
  const query = Reflect.get(prototype, 'query') as (
    ...args: unknown[]
  ) => Promise<{ rows: { pid?: number }[] }>
  // What a transaction pooler does: another backend answers than the one that greeted.
  Reflect.set(prototype, 'query', async function (this: pg.Client, ...args: unknown[]) {
    const result = await query.apply(this, args)
    for (const row of result?.rows ?? []) if (row.pid !== undefined) row.pid++
    return result
  })
  const error = await failure('POOLER_DETECTED', () => open(async () => undefined)).finally(() => {
    Reflect.set(prototype, 'query', query)
  })
  assert.is(error.title, 'A transaction pooler stands between this process and PostgreSQL.')
  assert.match(error.message, 'set migrationUrl (MIGRATION_DATABASE_URL) to a direct connection')
})

test.run()
