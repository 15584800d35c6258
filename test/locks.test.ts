import pg from 'pg'
import * as assert from 'uvu/assert'

import { lockKey } from '../lib/migrations/lock.ts'
import type { Tenancy } from '../lib/tenancy.ts'
import { testDatabase } from './support/database.ts'
import { failure } from './support/failure.ts'
import { suite } from './support/suite.ts'
import { newId, testTenancies } from './support/tenancies.ts'

const test = suite('locks')
const database = testDatabase(test)
const makeTenancy = testTenancies(test, database)

let tenancy: Tenancy

test.before(async () => {
  tenancy = await makeTenancy()
})

/** Holds the lock of `schema` as a process of its own, while `fn` runs. */
async function holding(schema: string, fn: (holder: pg.Client, pid: number) => Promise<void>): Promise<void> {
  const holder = new pg.Client({ connectionString: database.url, application_name: 'deployer' })
  holder.on('error', () => undefined) // it may be ended
  await holder.connect()
  try {
    const { rows } = await holder.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
    const key = String(lockKey(new URL(database.url).pathname.slice(1), schema))
    await holder.query('SELECT pg_advisory_lock($1::bigint)', [key])
    await fn(holder, rows[0]?.pid ?? 0)
  } finally {
    await holder.end()
  }
}

test('without a run there is no lock', async () => {
  await tenancy.provision({ id: newId() })
  assert.equal(await tenancy.locks(), [])
})

test('a holder is named with its process, and those that nobody has registered are not', async () => {
  const [id, other] = [newId(), newId()]
  await tenancy.provision({ id, schema: `s_${id}` })
  await holding(other, () =>
    holding(`s_${id}`, async (_holder, pid) => {
      const [lock, ...others] = await tenancy.locks()
      assert.equal(others, [])
      assert.equal(
        [lock?.id, lock?.schema, lock?.state, lock?.pid, lock?.application, lock?.activity],
        [id, `s_${id}`, 'held', pid, 'deployer', 'idle'],
      )
      assert.ok(lock?.since instanceof Date)
      assert.match(lock?.statement ?? '', 'pg_advisory_lock')
      assert.equal(lock?.blockedBy, [])
    }),
  )
})

test('the lock of the shared schema is one of them', async () => {
  await holding('shared', async () => {
    assert.equal(
      (await tenancy.locks()).map(({ id }) => id),
      ['shared'],
    )
  })
})

test('who blocks a holder, and who waits for one, is told', async () => {
  const id = newId()
  await tenancy.provision({ id })
  await database.query(`CREATE TABLE ${id}.busy ()`)
  await holding(id, async (holder, pid) => {
    await holding(`none of ours ${id}`, async (blocker, blockerPid) => {
      await blocker.query(`BEGIN; LOCK TABLE ${id}.busy`)
      const blocked = holder.query(`ALTER TABLE ${id}.busy ADD COLUMN x integer`)
      const waiter = new pg.Client({ connectionString: database.url })
      await waiter.connect()
      const key = String(lockKey(new URL(database.url).pathname.slice(1), id))
      const waiting = waiter.query('SELECT pg_advisory_lock($1::bigint)', [key])
      const locks = await until(
        () => tenancy.locks(),
        (found) => found.length === 2 && found.every(({ blockedBy }) => blockedBy.length > 0),
      )
      const [held, waits] = locks
      assert.equal([held?.state, held?.pid, held?.blockedBy], ['held', pid, [blockerPid]])
      assert.match(held?.statement ?? '', 'ALTER TABLE')
      assert.equal([waits?.state, waits?.blockedBy], ['waiting', [pid]])
      await blocker.query('ROLLBACK')
      await blocked
      await holder.query('SELECT pg_advisory_unlock_all()')
      await waiting
      await waiter.end()
    })
  })
})

test('a holder is ended by its process, and anybody else is left alone', async () => {
  const id = newId()
  await tenancy.provision({ id })
  await holding(id, async (_holder, pid) => {
    const lock = await tenancy.endLockHolder({ pid })
    assert.equal([lock.id, lock.pid], [id, pid])
    await until(
      () => tenancy.locks(),
      (found) => found.length === 0,
    )
  })
  await holding('of nobody', async (stranger, pid) => {
    const { title, fix } = await failure('LOCK_NOT_HELD', () => tenancy.endLockHolder({ pid }))
    assert.is(title, `Process ${pid} neither holds nor waits for a migration lock.`)
    assert.equal(fix, ['see who does: umzug-tenants locks'])
    await stranger.query('SELECT 1')
  })
})

/** The first answer of `ask` that is `enough`. */
async function until<T>(ask: () => Promise<T>, enough: (answer: T) => boolean): Promise<T> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const answer = await ask()
    if (enough(answer)) return answer
  }
  throw new Error('it never was')
}

test.run()
