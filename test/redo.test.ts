/** The last migration is reverted and applied again: what fails on the way back leaves what was there, where it can. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import * as assert from 'uvu/assert'

import type { TenancyConfig } from '../lib/options.ts'
import { createTenancy, type Tenancy } from '../lib/tenancy.ts'
import { rowsOf } from './support/catalog.ts'
import { testDatabase } from './support/database.ts'
import { failure } from './support/failure.ts'
import { temporaryFolders, type Files } from './support/folder.ts'
import { suite } from './support/suite.ts'
import { createTable, newId } from './support/tenancies.ts'

const test = suite('redo')
const database = testDatabase(test)
const newFolder = temporaryFolders(test)
const open: Tenancy[] = []
test.after(() => Promise.all(open.map((tenancy) => tenancy.close())))

const TWO = { ...createTable('1_a', 'a'), ...createTable('2_b', 'b') }

/** A tenant at head, whose files can be changed. */
async function tenant(files: Files = TWO, config: TenancyConfig = {}) {
  const baseDir = await newFolder(
    Object.fromEntries(Object.entries(files).map(([name, text]) => [`migrations/${name}`, text])),
  )
  const tenancy = createTenancy({ url: database.url, ...config }, { baseDir })
  open.push(tenancy)
  const id = newId()
  await tenancy.provision({ id })
  return {
    tenancy,
    id,
    write: (name: string, text: string) => writeFile(join(baseDir, 'migrations', name), text),
  }
}

async function runsOf(id: string): Promise<readonly string[]> {
  const rows = await database.query<{ run: string }>(
    `SELECT direction || ' ' || migration AS run FROM umzug_tenants.run WHERE schema = $1 ORDER BY id`,
    [id],
  )
  return rows.map(({ run }) => run)
}

test('the last migration is reverted and applied as it is now', async () => {
  const { tenancy, id, write } = await tenant()
  await write('2_b.sql', 'CREATE TABLE b (id bigint, note text)')
  const { durationMs, ...report } = await tenancy.redo({ tenant: id })
  assert.equal(report, { id, schema: id, reverted: ['2_b.sql'], applied: ['2_b.sql'] })
  assert.ok(durationMs >= 0)
  await database.query(`INSERT INTO ${id}.b (note) VALUES ('x')`)
  assert.equal((await runsOf(id)).slice(2), ['down 2_b.sql', 'up 2_b.sql'])
  assert.equal((await tenancy.up({ tenant: id })).applied, [], 'its content now is the known one')
})

test('step and to say how many', async () => {
  const { tenancy, id } = await tenant({ ...TWO, ...createTable('3_c', 'c') })
  assert.equal((await tenancy.redo({ tenant: id, step: 2 })).applied, ['2_b.sql', '3_c.sql'])
  assert.equal((await tenancy.redo({ tenant: id, to: '1' })).reverted, ['3_c.sql', '2_b.sql', '1_a.sql'])
  assert.equal((await tenancy.redo({ tenant: id, to: 0 })).applied.length, 3)
})

test('what was pending before stays pending', async () => {
  const { tenancy, id, write } = await tenant()
  await write('3_c.sql', 'CREATE TABLE c ()')
  assert.equal((await tenancy.redo({ tenant: id })).applied, ['2_b.sql'])
  assert.equal((await tenancy.status({ tenant: id })).pending, ['3_c.sql'])
})

test('both ways are one transaction: a failure leaves the migration applied, and its rows', async () => {
  const { tenancy, id, write } = await tenant()
  await database.query(`INSERT INTO ${id}.b VALUES (1)`)
  await write('2_b.sql', 'CREATE TABLE b (id integer); SELECT 1/0')
  const migrated: unknown[] = []
  tenancy.on('tenant:migrated', (event) => migrated.push(event))
  const error = await failure('MIGRATION_FAILED', () => tenancy.redo({ tenant: id }))
  assert.equal([error.migration, error.sqlstate], ['2_b.sql', '22012'])
  assert.not.match(error.message, 'stays reverted')
  assert.equal(await rowsOf(database, `${id}.b`), ['{"id": 1}'])
  assert.equal(await runsOf(id), ['up 1_a.sql', 'up 2_b.sql'])
  assert.equal([migrated, (await tenancy.status({ tenant: id })).state], [[], 'ok'])
})

test('the events of both ways come after the commit', async () => {
  const { tenancy, id } = await tenant()
  const committed: unknown[] = []
  tenancy.on('tenant:migrated', async ({ direction }) =>
    committed.push(`${direction} ${(await runsOf(id)).length}`),
  )
  await tenancy.redo({ tenant: id })
  for (let left = 100; committed.length < 2 && left > 0; left--) await new Promise((resolve) => setTimeout(resolve, 20)) // prettier-ignore
  assert.equal(new Set(committed), new Set(['down 4', 'up 4']))
})

const TWO_RUNS: readonly [string, Files, TenancyConfig][] = [
  ['a transaction for each migration', TWO, { transaction: 'migration' }],
  [
    'a migration outside a transaction',
    { ...TWO, '2_b.sql': '-- transaction: false\nCREATE TABLE b (id integer)' },
    {},
  ],
  [
    'an index that is built concurrently',
    { ...TWO, '2_b.sql': 'CREATE INDEX CONCURRENTLY i ON a (id)', '2_b.down.sql': 'DROP INDEX i' },
    {},
  ],
]

for (const [what, files, config] of TWO_RUNS) {
  test(`with ${what} they are two runs, and a failure of the second says what stays reverted`, async () => {
    const { tenancy, id, write } = await tenant(files, config)
    assert.equal((await tenancy.redo({ tenant: id })).applied, ['2_b.sql'])
    await write('2_b.sql', `${files['2_b.sql']?.startsWith('--') ? '-- transaction: false\n' : ''}SELECT 1/0`)
    const way = what.includes('concurrently') ? { '2_b.down.sql': 'DROP INDEX CONCURRENTLY i' } : {}
    for (const [name, text] of Object.entries(way)) await write(name, text)
    const error = await failure('MIGRATION_FAILED', () => tenancy.redo({ tenant: id }))
    assert.match(error.detail ?? '', '2_b.sql stays reverted: reverting it was committed')
    assert.equal(error.fix, [
      `correct the migration or the data, then: umzug-tenants up --tenant ${id}`,
      `it is pending until then: umzug-tenants status --tenant ${id}`,
    ])
    assert.equal((await tenancy.status({ tenant: id })).pending, ['2_b.sql'])
  })
}

test('a migration without a way back is refused before anything is done', async () => {
  const { tenancy, id } = await tenant({ ...createTable('1_a', 'a'), '2_b.sql': 'CREATE TABLE b ()' })
  await failure('MIGRATION_IRREVERSIBLE', () => tenancy.redo({ tenant: id }))
  assert.is((await tenancy.status({ tenant: id })).state, 'ok')
})

test('nothing executed is nothing to do', async () => {
  const { tenancy, id } = await tenant({})
  const { durationMs: _, ...report } = await tenancy.redo({ tenant: id })
  assert.equal(report, { id, schema: id, reverted: [], applied: [] })
})

test('many tenants each have a run of their own, and one that fails stops no other', async () => {
  const { tenancy, id } = await tenant()
  const other = newId()
  await tenancy.provision({ id: other })
  await database.query(`DROP TABLE ${id}.b`)
  const report = await tenancy.redo({ tenants: [id, other] })
  assert.equal([report.succeeded, report.failed], [1, 1])
  assert.equal(report.tenants.map(({ reverted, applied }) => [reverted, applied]), [[[], []], [['2_b.sql'], ['2_b.sql']]]) // prettier-ignore
  assert.is(report.tenants[0]?.error?.sqlstate, '42P01')
})

test('one of many that fails half way is reported with what was committed of both ways', async () => {
  const { tenancy, id, write } = await tenant(TWO, { transaction: 'migration' })
  await write('2_b.sql', 'CREATE TABLE b (); SELECT 1/0')
  const both = await tenancy.redo({ tenants: [id], step: 2 })
  assert.equal(
    both.tenants.map(({ reverted, applied, error }) => [reverted, applied, error?.migration]),
    [[['2_b.sql', '1_a.sql'], ['1_a.sql'], '2_b.sql']],
  )
  await tenancy.stamp({ tenant: id, to: 'head' })
  await write('1_a.down.sql', 'SELECT 1/0')
  await database.query(`CREATE TABLE ${id}.b ()`)
  const down = await tenancy.redo({ tenants: [id], step: 2 })
  assert.equal(
    down.tenants.map(({ reverted, applied, error }) => [reverted, applied, error?.migration]),
    [[['2_b.sql'], [], '1_a.sql']],
  )
  assert.is(down.failed, 1)
})

test('both ways are operations that observers see', async () => {
  const { tenancy, id } = await tenant()
  const seen: string[] = []
  tenancy.observe(async (operation, fn) => {
    if (operation.name === 'run') seen.push(operation.direction)
    return fn()
  })
  await tenancy.redo({ tenant: id })
  assert.equal(seen, ['down', 'up'])
})

test('a lock that is lost on a way back of several is waited for, and the migrations before it are not run twice', async () => {
  const { tenancy, id, write } = await tenant(TWO, { timeouts: { lockMs: 50 } })
  await write('2_b.sql', 'CREATE TABLE b (id integer); ALTER TABLE busy ADD c integer')
  await database.query(`CREATE TABLE ${id}.busy ()`)
  const busy = database.query(`BEGIN; LOCK TABLE ${id}.busy; SELECT pg_sleep(0.3); COMMIT`)
  assert.equal((await tenancy.redo({ tenant: id, step: 2 })).applied, ['1_a.sql', '2_b.sql'])
  await busy
  assert.equal((await runsOf(id)).slice(2), ['down 2_b.sql', 'down 1_a.sql', 'up 1_a.sql', 'up 2_b.sql'])
})

test('what lasts until the end of a transaction does not reach the migration that follows', async () => {
  const { tenancy, id } = await tenant({
    '1_a.mjs': `export const up = ({ context }) => context.sql("CREATE TABLE a AS SELECT coalesce(current_setting('test.trace', true), '') AS trace")
      export const down = async ({ context }) => {
        await context.sql("SELECT set_config('test.trace', 'left', true)")
        await context.sql('DROP TABLE a')
      }`,
    ...createTable('2_b', 'b'),
  })
  const { reverted, applied } = await tenancy.redo({ tenant: id, step: 2 })
  assert.equal([reverted, applied], [['2_b.sql', '1_a.mjs'], ['1_a.mjs', '2_b.sql']]) // prettier-ignore
  assert.equal(await database.query(`SELECT trace FROM ${id}.a`), [{ trace: '' }])
})

test('a fleet is redone with limits: after a failure no tenant is begun, and those left are named', async () => {
  const { tenancy, id, write } = await tenant()
  const others = [newId(), newId()]
  for (const other of others) await tenancy.provision({ id: other })
  await write('2_b.sql', 'SELECT 1/0')
  const { tenants, ...counts } = await tenancy.redo({
    tenants: [id, ...others],
    concurrency: 1,
    failFast: true,
  })
  assert.equal(counts, { succeeded: 0, unchanged: 0, failed: 1, notRun: 2, remaining: others })
  assert.equal(
    tenants.map((report) => [report.id, report.error?.sqlstate]),
    [[id, '22012']],
  )
  assert.is((await tenancy.status({ tenant: id })).executed, 2, 'it stands where it stood')
})

test('a redo that is stopped before it begins does nothing', async () => {
  const { tenancy, id } = await tenant()
  await failure('RUN_NOT_BEGUN', () => tenancy.redo({ tenant: id, signal: AbortSignal.abort() }))
  const { notRun, remaining } = await tenancy.stamp({ tenants: [id], to: 0, signal: AbortSignal.abort() })
  assert.equal([notRun, remaining], [1, [id]])
  assert.is((await tenancy.status({ tenant: id })).executed, 2)
})

test.run()
