/** Migrations outside a transaction: killed half way, failing half way, leaving an INVALID index. */
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'

import * as assert from 'uvu/assert'

import type { Tenancy } from '../../lib/tenancy.ts'
import { startChild } from '../support/child.ts'
import { testDatabase } from '../support/database.ts'
import { failure } from '../support/failure.ts'
import { temporaryFolders } from '../support/folder.ts'
import { suite } from '../support/suite.ts'
import { createTable, newId, testTenancies } from '../support/tenancies.ts'

const test = suite('migrations/outside')
const database = testDatabase(test)
const tenancyWith = testTenancies(test, database)
const folder = temporaryFolders(test)

const SLOW = {
  ...createTable('1_a', 'a'),
  '2_b.sql': '-- transaction: false\nCREATE TABLE b (); SELECT pg_sleep(30)',
  ...createTable('3_c', 'c'),
}

/** Tenants whose runner was killed in the middle of 2_b, one for each test that needs one. */
const interrupted = Array.from({ length: 4 }, newId)

test.before(async () => {
  const tenancy = await tenancyWith(SLOW)
  for (const id of interrupted) await tenancy.provision({ id, up: false })
  const baseDir = await folder(
    Object.fromEntries(Object.entries(SLOW).map(([name, text]) => [`migrations/${name}`, text])),
  )
  const { process: child } = await startChild(
    `import { createTenancy } from 'lib/tenancy.js'
     const [, url, baseDir, ...tenants] = process.argv
     await createTenancy({ url }, { baseDir }).up({ tenants, concurrency: tenants.length })`,
    database.url,
    baseDir,
    ...interrupted,
  )
  await untilAllSleep()
  child.kill('SIGKILL')
  await once(child, 'exit')
})

async function interruptedTenant() {
  const id = interrupted.pop()
  if (id === undefined) throw new Error('more tests want an interrupted tenant than there are')
  const mended = { '2_b.sql': '-- transaction: false\nCREATE TABLE b ()' }
  return { tenancy: await tenancyWith({ ...SLOW, ...mended }), id }
}

async function untilAllSleep(): Promise<void> {
  const asleep = () =>
    database.query(
      "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'",
    )
  while ((await asleep()).length < interrupted.length) await sleep(20)
}

async function tablesOf(schema: string): Promise<string[]> {
  const rows = await database.query<{ name: string }>(
    `SELECT tablename AS name FROM pg_tables WHERE schemaname = $1 AND tablename <> 'SequelizeMeta' ORDER BY 1`,
    [schema],
  )
  return rows.map(({ name }) => name)
}

/** Names and validity of the indexes that a test is about. */
function indexesOf(schema: string): Promise<unknown[]> {
  return database.query(
    `SELECT c.relname AS name, i.indisvalid AS valid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
      WHERE c.relnamespace = $1::regnamespace AND c.relname !~ 'pkey$' ORDER BY 1`,
    [schema],
  )
}

test('O37 after a process was killed half way, up says what was interrupted and how to go on', async () => {
  const { tenancy, id } = await interruptedTenant()
  const error = await failure('MIGRATION_INTERRUPTED', () => tenancy.up({ tenant: id }))
  assert.is(error.title, `Migration "2_b.sql" was interrupted on tenant "${id}".`)
  assert.equal(error.fix, [
    `undo what it has done, then: umzug-tenants repair --tenant ${id} --mark-rolled-back (INVALID indexes are dropped for you)`,
    `or finish it by hand, then: umzug-tenants repair --tenant ${id} --mark-applied`,
  ])
  assert.equal(await tablesOf(id), ['a', 'b'])
  assert.is((await tenancy.status({ tenant: id })).executed, 1)
})

test('O37 repaired as rolled back, the migration runs again', async () => {
  const { tenancy, id } = await interruptedTenant()
  await database.query(`DROP TABLE ${id}.b`)
  assert.equal(await tenancy.repair({ tenant: id, as: 'rolled-back' }), {
    id,
    schema: id,
    migration: '2_b.sql',
    as: 'rolled-back',
  })
  assert.equal((await tenancy.up({ tenant: id })).applied, ['2_b.sql', '3_c.sql'])
})

test('O37 repaired as applied, the migration is recorded and the next ones run', async () => {
  const { tenancy, id } = await interruptedTenant()
  await tenancy.repair({ tenant: id, as: 'applied' })
  assert.equal((await tenancy.up({ tenant: id })).applied, ['3_c.sql'])
  assert.is((await tenancy.status({ tenant: id })).state, 'ok')
})

test('repair without anything interrupted changes nothing', async () => {
  const id = newId()
  const tenancy = await tenancyWith(createTable('1_a', 'a'))
  await tenancy.provision({ id })
  assert.is((await tenancy.repair({ tenant: id, as: 'rolled-back' })).migration, null)
  assert.is((await tenancy.repair({ tenant: id, as: 'applied' })).migration, null)
  assert.is((await tenancy.status({ tenant: id })).state, 'ok')
})

test('other tenants are not affected by an interrupted one', async () => {
  const { tenancy } = await interruptedTenant()
  const other = newId()
  assert.equal((await tenancy.provision({ id: other })).applied, ['1_a.sql', '2_b.sql', '3_c.sql'])
})

test('a mark that was left after the version was recorded is taken away', async () => {
  const id = newId()
  const tenancy = await tenancyWith({ '1_a.sql': '-- transaction: false\nCREATE TABLE a ()' })
  await tenancy.provision({ id })
  await database.query(`UPDATE umzug_tenants.tenant SET running = '1_a.sql' WHERE id = $1`, [id])
  assert.equal((await tenancy.up({ tenant: id })).applied, [])
  assert.equal(await database.query('SELECT running FROM umzug_tenants.tenant WHERE id = $1', [id]), [
    { running: null },
  ])
})

/** A table with two equal rows, and a unique index over them. */
async function duplicateRows(index: string): Promise<{ tenancy: Tenancy; id: string }> {
  const id = newId()
  const tenancy = await tenancyWith({
    '1_a.sql': 'CREATE TABLE a (n integer); INSERT INTO a VALUES (1), (1)',
    '2_index.sql': index,
  })
  await tenancy.provision({ id, up: false })
  return { tenancy, id }
}

test('O41 a failed CREATE INDEX CONCURRENTLY names the INVALID index it leaves, and the next run builds it', async () => {
  const { tenancy, id } = await duplicateRows(
    '-- transaction: false\nCREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS one ON a (n)',
  )
  const error = await failure('MIGRATION_FAILED', () => tenancy.up({ tenant: id }))
  assert.equal([error.sqlstate, error.migration], ['23505', '2_index.sql'])
  assert.match(error.detail ?? '', 'it has left "one" INVALID')
  assert.equal(await indexesOf(id), [{ name: 'one', valid: false }])
  await database.query(`TRUNCATE ${id}.a`)
  assert.equal((await tenancy.up({ tenant: id })).applied, ['2_index.sql'])
  assert.equal(await indexesOf(id), [{ name: 'one', valid: true }])
})

test('O41 an index that IF NOT EXISTS found INVALID is an error that names the statement which mends it', async () => {
  const { tenancy, id } = await duplicateRows(
    '-- transaction: false\nCREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS one ON a (n)',
  )
  await tenancy.up({ tenant: id, to: '1_a.sql' })
  await database.query(`CREATE UNIQUE INDEX CONCURRENTLY one ON ${id}.a (n)`).catch(() => undefined)
  await database.query(`TRUNCATE ${id}.a`)
  const error = await failure('INDEX_INVALID', () => tenancy.up({ tenant: id }))
  assert.is(error.title, 'Migration "2_index.sql" has left "one" INVALID.')
  assert.equal(error.fix, [
    'run up again: the index is dropped and built anew',
    `or mend it: REINDEX INDEX CONCURRENTLY "${id}"."one"`,
  ])
  assert.equal((await tenancy.up({ tenant: id })).applied, ['2_index.sql'])
  assert.equal(await indexesOf(id), [{ name: 'one', valid: true }])
})

test('the INVALID index of a partitioned table is there by right', async () => {
  const id = newId()
  const tenancy = await tenancyWith({
    '1.sql': `-- transaction: false
      CREATE TABLE p (n integer) PARTITION BY RANGE (n);
      CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
      CREATE INDEX whole ON ONLY p (n);`,
  })
  assert.equal((await tenancy.provision({ id })).applied, ['1.sql'])
})

test.run()
