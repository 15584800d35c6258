/** Runs that are told to end early: what is done, what is not, and that the next run does the rest. */
import { setTimeout as sleep } from 'node:timers/promises'

import pg from 'pg'
import * as assert from 'uvu/assert'

import type { Tenancy } from '../lib/tenancy.ts'
import { testDatabase } from './support/database.ts'
import { failure } from './support/failure.ts'
import { suite } from './support/suite.ts'
import { createTable, newId, testTenancies } from './support/tenancies.ts'

const test = suite('interruption')
const database = testDatabase(test)
const tenancyWith = testTenancies(test, database)

async function newTenants(tenancy: Tenancy, count: number): Promise<string[]> {
  const ids = Array.from({ length: count }, newId)
  for (const id of ids) await tenancy.provision({ id, up: false })
  return ids
}

/** A signal that is aborted when the first migration begins, and a moment has passed. */
function soonAfterBegin(tenancy: Tenancy, ms: number): AbortSignal {
  const controller = new AbortController()
  tenancy.on('migration:start', () => void setTimeout(() => controller.abort(), ms))
  return controller.signal
}

const SLOW = { '1_a.sql': 'CREATE TABLE a ()', '2_b.sql': 'SELECT pg_sleep(30)' }

test('a fleet that was cut short is finished by running it again', async () => {
  const tenancy = await tenancyWith({ '1_a.sql': 'CREATE TABLE a (); SELECT pg_sleep(0.2)' })
  const ids = await newTenants(tenancy, 6)
  const first = await tenancy.up({ tenants: ids, concurrency: 2, signal: soonAfterBegin(tenancy, 50) })
  assert.equal([first.succeeded, first.notRun, first.remaining], [2, 4, ids.slice(2)])
  assert.equal(first.tenants.map(({ id }) => id), ids.slice(0, 2)) // prettier-ignore
  const second = await tenancy.up({ tenants: ids })
  assert.equal([second.succeeded, second.unchanged, second.notRun, 'remaining' in second], [4, 2, 0, false])
})

test('after too many failures the others are not run, and run later', async () => {
  const tenancy = await tenancyWith(createTable('1_a', 'a'))
  const ids = await newTenants(tenancy, 5)
  for (const id of ids.slice(1, 3)) await database.query(`CREATE TABLE ${id}.a ()`)
  const fast = await tenancy.up({ tenants: ids, concurrency: 1, failFast: true })
  assert.equal([fast.succeeded, fast.failed, fast.notRun], [1, 1, 3])
  const two = await tenancy.up({ tenants: ids, concurrency: 1, maxFailures: 2 })
  assert.equal([two.succeeded, two.unchanged, two.failed, two.notRun], [0, 1, 2, 2])
  const all = await tenancy.up({ tenants: ids })
  assert.equal([all.succeeded, all.unchanged, all.failed, all.notRun], [2, 1, 2, 0])
})

test('a limit of failures that is no whole number above 0 is refused', async () => {
  const tenancy = await tenancyWith()
  for (const maxFailures of [0, -1, 1.5, NaN]) {
    const error = await failure('USAGE', () => tenancy.up({ all: true, maxFailures }))
    assert.is(error.title, `maxFailures must be a whole number above 0, not ${maxFailures}.`)
  }
})

test('a run on one tenant that is stopped before it begins does nothing, and says so', async () => {
  const tenancy = await tenancyWith(createTable('1_a', 'a'))
  const [id = ''] = await newTenants(tenancy, 1)
  const signal = AbortSignal.abort()
  const runs = [
    () => tenancy.up({ tenant: id, signal }),
    () => tenancy.up({ tenant: id, cancelSignal: signal }),
    () => tenancy.down({ tenant: id, signal }),
    () => tenancy.seed({ tenant: id, signal }),
  ]
  for (const run of runs) {
    const error = await failure('RUN_NOT_BEGUN', run)
    assert.is(
      error.message,
      `The run on "${id}" was stopped before it began.\n  fix: run it again: nothing was done`,
    )
  }
  assert.is((await tenancy.status({ tenant: id })).executed, 0)
})

test('a run on one tenant that has begun goes on when it is only stopped', async () => {
  const tenancy = await tenancyWith({ '1_a.sql': 'SELECT pg_sleep(0.3)', '2_b.sql': 'CREATE TABLE b ()' })
  const [id = ''] = await newTenants(tenancy, 1)
  const { applied } = await tenancy.up({ tenant: id, signal: soonAfterBegin(tenancy, 50) })
  assert.equal(applied, ['1_a.sql', '2_b.sql'])
})

test('a run that is cancelled is rolled back as a whole, and says how to go on', async () => {
  const tenancy = await tenancyWith(SLOW)
  const [id = ''] = await newTenants(tenancy, 1)
  const startedAt = performance.now()
  const error = await failure('RUN_CANCELLED', () =>
    tenancy.up({ tenant: id, cancelSignal: soonAfterBegin(tenancy, 300) }),
  )
  assert.ok(performance.now() - startedAt < 10_000)
  assert.equal([error.tenant, error.migration], [id, '2_b.sql'])
  assert.is(
    error.message,
    `The run on tenant "${id}" was cancelled before its end.\n  what was not committed was rolled back; committed before that: nothing\n  fix: run it again: umzug-tenants up --tenant ${id}`,
  )
  assert.equal(await database.query(`SELECT to_regclass('${id}.a') AS a`), [{ a: null }])
  assert.is((await tenancy.status({ tenant: id })).executed, 0)
})

test('what was committed before a cancellation stays, and is reported', async () => {
  const tenancy = await tenancyWith(SLOW, { transaction: 'migration' })
  const [id = ''] = await newTenants(tenancy, 1)
  const { tenants, failed } = await tenancy.up({ tenants: [id], cancelSignal: soonAfterBegin(tenancy, 300) })
  assert.equal([failed, tenants[0]?.applied, tenants[0]?.error?.code], [1, ['1_a.sql'], 'RUN_CANCELLED'])
  assert.match(tenants[0]?.error?.detail ?? '', 'committed before that: 1_a.sql')
})

test('a migration cannot catch its way out of a cancellation', async () => {
  const tenancy = await tenancyWith({
    '1_a.mjs': `export const up = async ({ context }) => {
      for (let n = 0; n < 40; n++) {
        await context.sql('SELECT pg_sleep(20)').catch(() => undefined)
        await context.sql('CREATE TABLE t' + n + ' ()').catch(() => undefined)
      }
    }`,
  })
  const [id = ''] = await newTenants(tenancy, 1)
  await failure('RUN_CANCELLED', () => tenancy.up({ tenant: id, cancelSignal: soonAfterBegin(tenancy, 200) }))
  assert.equal(
    await database.query(`SELECT 1 FROM pg_tables WHERE schemaname = $1 AND tablename LIKE 't%'`, [id]),
    [],
  )
})

/** An index that is built, and waits for the transactions that could see the table without it. */
const waitingForSnapshot = () =>
  database.query(
    `SELECT FROM pg_stat_progress_create_index p JOIN pg_stat_activity USING (pid)
      WHERE p.datname = current_database() AND wait_event_type = 'Lock'`,
  )

test('outside a transaction a cancelled CREATE INDEX CONCURRENTLY is built anew by the next run', async () => {
  const tenancy = await tenancyWith({
    '1_a.sql': 'CREATE TABLE a (id integer); INSERT INTO a SELECT generate_series(1, 10)',
    '2_b.sql': '-- transaction: false\nCREATE INDEX CONCURRENTLY a_id ON a (id)',
  })
  const [id = ''] = await newTenants(tenancy, 1)
  await tenancy.up({ tenant: id, step: 1 })
  const controller = new AbortController()
  const reader = new pg.Client({ connectionString: database.url })
  await reader.connect()
  try {
    // An open snapshot that the index waits for.
    await reader.query(`BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM ${id}.a`)
    const run = failure('RUN_CANCELLED', () => tenancy.up({ tenant: id, cancelSignal: controller.signal }))
    while ((await waitingForSnapshot()).length === 0) await sleep(20)
    controller.abort()
    await run
  } finally {
    await reader.end()
  }
  assert.equal(
    await database.query(`SELECT indisvalid FROM pg_index WHERE indexrelid = '${id}.a_id'::regclass`),
    [{ indisvalid: false }],
  )
  const { applied } = await tenancy.up({ tenant: id })
  assert.equal(applied, ['2_b.sql'])
  assert.equal(
    await database.query(`SELECT indisvalid FROM pg_index WHERE indexrelid = '${id}.a_id'::regclass`),
    [{ indisvalid: true }],
  )
})

test('seed files are run on a fleet, each once', async () => {
  const tenancy = await tenancyWith({
    ...createTable('1_a', 'a'),
    'seeders/1_rows.sql': 'INSERT INTO a VALUES (1)',
  })
  const ids = Array.from({ length: 3 }, newId)
  for (const id of ids) await tenancy.provision({ id })
  const first = await tenancy.seed({ tenants: ids, concurrency: 2 })
  assert.equal([first.succeeded, first.tenants[2]?.applied], [3, ['1_rows.sql']])
  const again = await tenancy.seed({ tenants: ids })
  assert.equal([again.unchanged, again.failed], [3, 0])
})

test.run()
