/** `transaction: 'fleet'`: all tenants of a run move, or none. */
import { setTimeout as sleep } from 'node:timers/promises'

import * as assert from 'uvu/assert'

import type { TenancyConfig } from '../lib/options.ts'
import { settingFor } from '../lib/lock-table.ts'
import type { Tenancy } from '../lib/tenancy.ts'
import { rowsOf } from './support/catalog.ts'
import { testDatabase } from './support/database.ts'
import { failure } from './support/failure.ts'
import type { Files } from './support/folder.ts'
import { suite } from './support/suite.ts'
import { createTable, newId, testTenancies } from './support/tenancies.ts'

const test = suite('fleet-transaction')
const database = testDatabase(test)
const tenancyWith = testTenancies(test, database)

/** Fails on the tenant that has a table `bad`. */
const FAILS_ON_BAD = `DO $$ BEGIN
  IF to_regclass('bad') IS NOT NULL THEN RAISE EXCEPTION 'no luck'; END IF; END $$`

async function fleet(files: Files, count = 3, config: TenancyConfig = {}) {
  const tenancy = await tenancyWith(files, { transaction: 'fleet', lock: { waitMs: 50 }, ...config })
  const ids = Array.from({ length: count }, newId)
  for (const id of ids) await tenancy.provision({ id, up: false })
  return { tenancy, ids, tenants: { tenants: ids } }
}

const tablesOf = async (ids: readonly string[]) =>
  (
    await database.query<{ name: string }>(
      `SELECT schemaname || '.' || tablename AS name FROM pg_tables
        WHERE schemaname = ANY ($1) AND tablename <> 'SequelizeMeta' ORDER BY 1`,
      [ids],
    )
  ).map(({ name }) => name)

const statesOf = async (tenancy: Tenancy, ids: readonly string[]) =>
  (await tenancy.status({ tenants: ids })).map(({ state }) => state)

test('all tenants move in one transaction, and what became of them is told after the commit', async () => {
  const { tenancy, ids, tenants } = await fleet({
    ...createTable('1_a', 'a'),
    '2_x.sql': 'CREATE TABLE x AS SELECT pg_current_xact_id()::text AS id',
  })
  const seen: unknown[] = []
  tenancy.on('tenant:migrated', async ({ tenant }) =>
    seen.push([tenant, (await tablesOf([ids[2] ?? ''])).length]),
  )
  const report = await tenancy.up(tenants)
  assert.equal([report.succeeded, report.failed, report.notRun], [3, 0, 0])
  assert.equal(
    report.tenants.map(({ id, applied }) => [id, applied]),
    ids.map((id) => [id, ['1_a.sql', '2_x.sql']]),
  )
  const transactions = await Promise.all(ids.map((id) => rowsOf(database, `${id}.x`)))
  assert.is(new Set(transactions.flat()).size, 1)
  await sleep(50)
  assert.equal(new Set(seen.map(String)), new Set(ids.map((id) => `${id},2`)))
  assert.equal(await statesOf(tenancy, ids), ['ok', 'ok', 'ok'])
})

test('down is one transaction, too', async () => {
  const { tenancy, ids, tenants } = await fleet({
    ...createTable('1_a', 'a'),
    ...createTable('2_b', 'b'),
    '2_b.down.sql': `DROP TABLE b; ${FAILS_ON_BAD}`,
  })
  await tenancy.up(tenants)
  await database.query(`CREATE TABLE ${ids[2]}.bad ()`)
  const report = await tenancy.down(tenants)
  assert.equal([report.succeeded, report.failed, report.remaining], [0, 1, ids.slice(0, 2)])
  assert.is((await tablesOf(ids)).filter((name) => name.endsWith('.b')).length, 3)
  await database.query(`DROP TABLE ${ids[2]}.bad`)
  assert.is((await tenancy.down(tenants)).succeeded, 3)
  assert.equal(
    await tablesOf(ids),
    ids.map((id) => `${id}.a`),
  )
})

test('one tenant that fails takes all of them back, and is the one that has failed', async () => {
  const { tenancy, ids, tenants } = await fleet(
    { ...createTable('1_a', 'a'), '2_check.sql': FAILS_ON_BAD },
    4,
  )
  const [first = '', second = '', third = '', fourth = ''] = ids
  await tenancy.up({ tenant: fourth })
  await database.query(`CREATE TABLE ${third}.bad ()`)
  const told: unknown[] = []
  tenancy.on('tenant:migrated', ({ tenant }) => told.push(tenant))
  tenancy.on('tenant:failed', ({ tenant, error }) => told.push([tenant, error.code]))
  const report = await tenancy.up(tenants)
  assert.equal([report.succeeded, report.unchanged, report.failed, report.notRun], [0, 1, 1, 2])
  assert.equal(report.remaining, [first, second])
  const [failed] = report.tenants
  assert.equal([failed?.id, failed?.applied, failed?.error?.migration], [third, [], '2_check.sql'])
  assert.match(
    failed?.error?.detail ?? '',
    /^no luck\neverything was rolled back: the 3 tenants are one transaction/,
  )
  assert.equal(failed?.error?.fix, [
    `correct the migration or the data, then: umzug-tenants up --tenant ${third}`,
  ])
  assert.equal(told, [[third, 'MIGRATION_FAILED']])
  assert.equal(await tablesOf([first, second, third]), [`${third}.bad`])
  assert.equal(await statesOf(tenancy, ids), ['pending', 'pending', 'failed', 'ok'])
  assert.equal(
    await database.query('SELECT 1 FROM umzug_tenants.run WHERE schema = ANY ($1)', [[first, third]]),
    [],
  )
})

test('a constraint that is checked at the commit is the failure of the tenant whose rows it is about', async () => {
  const { tenancy, ids, tenants } = await fleet({
    '1_a.sql': `CREATE TABLE a (id integer PRIMARY KEY);
      CREATE TABLE b (id integer REFERENCES a DEFERRABLE INITIALLY DEFERRED);`,
    '2_b.sql': `DO $$ BEGIN IF to_regclass('bad') IS NOT NULL THEN INSERT INTO b VALUES (1); END IF; END $$`,
  })
  const [first = ''] = ids
  await database.query(`CREATE TABLE ${first}.bad ()`)
  const report = await tenancy.up(tenants)
  assert.equal(
    report.tenants.map(({ id, error }) => [id, error?.code]),
    [[first, 'MIGRATION_FAILED']],
  )
  assert.equal(await tablesOf(ids), [`${first}.bad`])
})

test('a migration whose file wants no transaction is refused by name before anything has run', async () => {
  const { tenancy, ids, tenants } = await fleet({
    ...createTable('1_a', 'a'),
    '2_index.mjs': `export const transaction = false
      export const up = ({ context }) => context.sql('CREATE INDEX CONCURRENTLY ON a (id)')`,
  })
  const begun: unknown[] = []
  tenancy.on('migration:start', ({ migration }) => begun.push(migration))
  for (const call of [() => tenancy.up(tenants), () => tenancy.plan(tenants), () => tenancy.sql(tenants)]) {
    const error = await failure('FLEET_TRANSACTION_REFUSED', call)
    assert.is(error.title, 'Migration "2_index.mjs" cannot be in one transaction with a whole fleet.')
    assert.match(error.fix.join('\n'), "set transaction: 'tenant'")
  }
  assert.equal([begun, await tablesOf(ids)], [[], []])
  assert.equal((await tenancy.up({ tenants: ids.slice(0, 1) })).succeeded, 1, 'one tenant is no fleet')
})

test('a migration that turns out to want no transaction is refused by name, and nothing stays', async () => {
  const { tenancy, ids, tenants } = await fleet({
    ...createTable('1_a', 'a'),
    '2_index.sql': 'CREATE INDEX CONCURRENTLY ON a (id)',
  })
  const error = await failure('FLEET_TRANSACTION_REFUSED', () => tenancy.up(tenants))
  assert.equal([error.migration, await tablesOf(ids)], ['2_index.sql', []])
  assert.equal(await statesOf(tenancy, ids), ['pending', 'pending', 'pending'])
  assert.is((await failure('FLEET_TRANSACTION_REFUSED', () => tenancy.sql(tenants))).migration, '2_index.sql')
})

test('what one tenant’s run would refuse stands in the way of all before anything has run', async () => {
  const { tenancy, ids, tenants } = await fleet(createTable('1_a', 'a'))
  const [, , third = ''] = ids
  await database.query(`DROP SCHEMA ${third}`)
  const report = await tenancy.up(tenants)
  const [failed] = report.tenants
  assert.equal([failed?.id, failed?.error?.code, report.notRun], [third, 'SCHEMA_MISSING', 2])
  assert.match(failed?.error?.detail ?? '', 'nothing was run: the 3 tenants are one transaction')
})

test('all locks are taken before the first tenant runs, and held until the commit', async () => {
  const held = `SELECT count(*)::integer AS held FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()`
  const { tenancy, ids, tenants } = await fleet({ '1_a.sql': `CREATE TABLE a AS ${held}` })
  await tenancy.up(tenants)
  for (const id of ids) assert.equal(await rowsOf(database, `${id}.a`), ['{"held": 3}'])
  assert.equal(await tenancy.locks(), [])
})

test('a tenant that another runner holds keeps all from beginning', async () => {
  const { tenancy, ids, tenants } = await fleet({ '1_a.sql': 'CREATE TABLE a (); SELECT pg_sleep(0.5)' })
  const [, second = ''] = ids
  const running = tenancy.up({ tenant: second })
  await sleep(250)
  const report = await tenancy.up(tenants)
  assert.equal(
    report.tenants.map(({ id, error }) => [id, error?.code]),
    [[second, 'LOCK_HELD']],
  )
  await running
  assert.equal(await tablesOf(ids), [`${second}.a`])
})

test('a run that is stopped between two tenants leaves nothing, and none of them has run', async () => {
  const { tenancy, ids, tenants } = await fleet(createTable('1_a', 'a'))
  const stop = new AbortController()
  tenancy.on('migration:success', () => stop.abort())
  const report = await tenancy.up({ ...tenants, signal: stop.signal })
  assert.equal([report.tenants, report.notRun, report.remaining], [[], 3, ids])
  assert.equal(await tablesOf(ids), [])
})

test('a run that is cancelled fails where it was, and leaves nothing', async () => {
  const { tenancy, ids, tenants } = await fleet({ '1_a.sql': 'CREATE TABLE a (); SELECT pg_sleep(30)' })
  const cancel = new AbortController()
  tenancy.on('migration:start', () => void setTimeout(() => cancel.abort(), 100))
  const report = await tenancy.up({ ...tenants, cancelSignal: cancel.signal })
  assert.equal(
    report.tenants.map(({ id, error }) => [id, error?.code]),
    [[ids[0], 'RUN_CANCELLED']],
  )
  assert.equal([report.notRun, await tablesOf(ids)], [2, []])
})

test('a lock that is lost is waited for again, without running the tenants before once more', async () => {
  const { tenancy, ids, tenants } = await fleet(
    {
      ...createTable('1_a', 'a'),
      ...createTable('2_b', 'b'),
      '3_lock.sql': 'SELECT 1; ALTER TABLE IF EXISTS busy ADD c integer',
    },
    3,
    { timeouts: { lockMs: 50 } },
  )
  const [, second = ''] = ids
  await database.query(`CREATE TABLE ${second}.busy ()`)
  const begun: string[] = []
  tenancy.on('migration:start', ({ tenant, migration }) => begun.push(`${tenant} ${migration}`))
  const busy = database.query(`BEGIN; LOCK TABLE ${second}.busy; SELECT pg_sleep(0.4); COMMIT`)
  assert.is((await tenancy.up(tenants)).succeeded, 3)
  await busy
  const [first = '', , third = ''] = ids
  const times = (id: string) => begun.filter((each) => each === `${id} 1_a.sql`).length
  assert.equal([times(first), times(third)], [1, 1])
  assert.ok(times(second) > 1)
})

test('the guard does not take what another tenant’s run has changed for a change of this one', async () => {
  const { tenancy, ids, tenants } = await fleet({
    '1_a.sql':
      "CREATE TABLE a (id integer); CREATE TYPE t AS ENUM ('x'); CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    '2_a.sql': 'DROP FUNCTION f; DROP TYPE t; ALTER TABLE a ADD b integer',
  })
  assert.is((await tenancy.up(tenants)).succeeded, 3)
  const [first = '', second = ''] = ids
  const meddling = await fleet(
    { '1_a.sql': `CREATE TABLE a (id integer); ALTER TABLE ${first}.a ADD c integer` },
    2,
  )
  const report = await meddling.tenancy.up({ tenants: [...meddling.ids] })
  assert.equal(report.tenants[0]?.error?.code, 'OUTSIDE_SCHEMA')
  assert.match(report.tenants[0]?.error?.detail ?? '', `relation ${first}.a`)
  assert.ok(second)
})

test('what a migration sets for its transaction does not reach the next tenant', async () => {
  const { tenancy, ids, tenants } = await fleet({
    '1_a.sql': "CREATE TABLE a AS SELECT current_setting('work_mem') AS work_mem",
    '2_set.sql': "SET LOCAL work_mem = '123MB'",
  })
  await tenancy.up(tenants)
  const settings = await Promise.all(ids.map((id) => rowsOf(database, `${id}.a`)))
  assert.is(new Set(settings.flat()).size, 1)
})

test('more tenants than the server’s lock table holds are refused with the setting that it needs', async () => {
  const tables = Array.from(
    { length: 100 },
    (_, index) => `CREATE TABLE t${index} (id integer PRIMARY KEY, t text);`,
  )
  const { tenancy, ids, tenants } = await fleet({ '1_many.sql': tables.join('\n') }, 30)
  const error = await failure('FLEET_TRANSACTION_REFUSED', () => tenancy.up(tenants))
  assert.is(error.title, "The server's lock table has no room for 30 tenants in one transaction.")
  assert.match(error.detail ?? '', /^it needs \d{4,} locks, about \d{3} for each tenant/)
  assert.match(error.fix[0] ?? '', /^set max_locks_per_transaction = \d{2,4} and restart the server$/)
  assert.match(error.fix[1] ?? '', "transaction: 'tenant'")
  assert.equal(await tablesOf(ids), [])
})

for (const [locks, own, others, setting] of [
  [4000, 100, 20, undefined],
  [5000, 100, 20, undefined],
  [5000, 101, 20, 65],
  [5121, 0, 0, 65],
  [10_000, 120, 120, 128],
] as const) {
  test(`${locks} locks beside ${own} and ${others} in a table of 6400 need ${setting ?? 'no other setting'}`, () => {
    assert.is(settingFor(locks, { capacity: 6400, transactions: 100, own, others }), setting)
  })
}

test('a request upgrades its tenant alone', async () => {
  const { tenancy, ids } = await fleet(createTable('1_a', 'a'))
  const [first = ''] = ids
  await tenancy.run(first, () => undefined)
  assert.equal(await tablesOf(ids), [`${first}.a`])
})

test('the script is one transaction around all tenants, between their locks', async () => {
  const { tenancy, ids, tenants } = await fleet(createTable('1_a', 'a'), 2)
  const script = await tenancy.sql(tenants)
  const words = [
    ...script.matchAll(
      /^(BEGIN|COMMIT|SET LOCAL search_path TO "?\w+"?|SELECT pg_catalog.pg_advisory_\w+|CREATE TABLE a)/gm,
    ),
  ]
  const [first = '', second = ''] = ids.map((id) => `SET LOCAL search_path TO "${id}"`)
  const lock = 'SELECT pg_catalog.pg_advisory_lock'
  const unlock = 'SELECT pg_catalog.pg_advisory_unlock'
  assert.equal(
    words.map(([word]) => word),
    [lock, lock, 'BEGIN', first, 'CREATE TABLE a', second, 'CREATE TABLE a', 'COMMIT', unlock, unlock],
  )
  assert.equal(await tablesOf(ids), [])
  await database.query(script.replace(/^\\set .*$/m, ''))
  assert.equal(await statesOf(tenancy, ids), ['ok', 'ok'])
  assert.is((await tenancy.up({ ...tenants, verify: true })).unchanged, 2)
})

test.run()
