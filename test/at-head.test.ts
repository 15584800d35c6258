/** Which tenants a fleet's run leaves out, and which it must never leave out. */
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import pg from 'pg'
import * as assert from 'uvu/assert'

import { lockKey } from '../lib/migrations/lock.ts'
import { createTenancy, type Tenancy } from '../lib/tenancy.ts'
import { testDatabase } from './support/database.ts'
import { temporaryFolders } from './support/folder.ts'
import { suite } from './support/suite.ts'
import { createTable, newId } from './support/tenancies.ts'

const test = suite('at-head')
const database = testDatabase(test)
const folder = temporaryFolders(test)

const TWO = { ...createTable('1_a', 'a'), ...createTable('2_b', 'b') }

/** A tenancy with `count` tenants at head, and the folder of its migrations. */
async function fleetOf<T>(
  count: number,
  fn: (fleet: { tenancy: Tenancy; ids: string[]; dir: string }) => Promise<T>,
): Promise<T> {
  const files = Object.fromEntries(Object.entries(TWO).map(([name, text]) => [`migrations/${name}`, text]))
  const baseDir = await folder(files)
  const tenancy = createTenancy({ url: database.url, lock: { waitMs: 0 } }, { baseDir })
  try {
    const ids = Array.from({ length: count }, newId)
    for (const id of ids) await tenancy.provision({ id })
    return await fn({ tenancy, ids, dir: join(baseDir, 'migrations') })
  } finally {
    await tenancy.close()
  }
}

/** What `up` says of them. */
async function upgrade(tenancy: Tenancy, ids: readonly string[]) {
  const { tenants, unchanged, failed } = await tenancy.up({ tenants: ids })
  return { errors: tenants.map(({ error }) => error?.code), unchanged, failed }
}

test('a fleet at head is unchanged without a run: not a single lock is asked for', async () => {
  await fleetOf(5, async ({ tenancy, ids }) => {
    const holder = new pg.Client({ connectionString: database.url })
    await holder.connect()
    try {
      const name = new URL(database.url).pathname.slice(1)
      for (const id of ids) await holder.query('SELECT pg_advisory_lock($1)', [String(lockKey(name, id))])
      const { tenants, unchanged } = await tenancy.up({ tenants: ids })
      assert.is(unchanged, 5)
      assert.equal(
        tenants,
        ids.map((id) => ({ id, schema: id, durationMs: 0, applied: [] })),
      )
      const { failed } = await tenancy.up({ tenants: ids, verify: true })
      assert.is(failed, 5)
    } finally {
      await holder.end()
    }
  })
})

test('a changed file is refused on every tenant that it was applied to, though all are at head', async () => {
  await fleetOf(3, async ({ tenancy, ids, dir }) => {
    await writeFile(join(dir, '1_a.sql'), 'CREATE TABLE a (id bigint PRIMARY KEY)')
    assert.equal(await upgrade(tenancy, ids), {
      errors: ['MIGRATION_CHANGED', 'MIGRATION_CHANGED', 'MIGRATION_CHANGED'],
      unchanged: 0,
      failed: 3,
    })
    // What was let through once is the known content, and costs no run any more.
    await tenancy.up({ tenants: ids, allow: { changed: true } })
    assert.is((await upgrade(tenancy, ids)).unchanged, 3)
  })
})

test('a file that was changed and applied anew is no change', async () => {
  await fleetOf(1, async ({ tenancy, ids, dir }) => {
    await tenancy.down({ tenants: ids, to: 0 })
    await writeFile(join(dir, '1_a.sql'), 'CREATE TABLE a (id bigint PRIMARY KEY)')
    await tenancy.up({ tenants: ids })
    assert.equal(await upgrade(tenancy, ids), { errors: [undefined], unchanged: 1, failed: 0 })
  })
})

test('a missing file, a missing schema and an interrupted migration are seen at head', async () => {
  await fleetOf(3, async ({ tenancy, ids, dir }) => {
    const [gone = '', marked = ''] = ids
    await database.query(`DROP SCHEMA ${gone} CASCADE`)
    await database.query(`UPDATE umzug_tenants.tenant SET running = 'x.sql' WHERE id = $1`, [marked])
    assert.equal((await upgrade(tenancy, ids)).errors, ['SCHEMA_MISSING', 'MIGRATION_INTERRUPTED', undefined])
    await rm(join(dir, '1_a.sql'))
    assert.is((await upgrade(tenancy, ids)).errors[2], 'MIGRATION_MISSING')
  })
})

test('a tenant behind, and one whose last run failed, are run', async () => {
  await fleetOf(3, async ({ tenancy, ids }) => {
    const [behind = '', failed = ''] = ids
    await tenancy.down({ tenant: behind })
    await database.query(`UPDATE umzug_tenants.tenant SET state = 'failed' WHERE id = $1`, [failed])
    const { tenants } = await tenancy.up({ tenants: ids })
    assert.equal(tenants[0]?.applied, ['2_b.sql'])
    assert.ok((tenants[1]?.durationMs ?? 0) > 0)
    const [row] = await database.query('SELECT state FROM umzug_tenants.tenant WHERE id = $1', [failed])
    assert.equal(row, { state: 'migrated' })
  })
})

test('what another tool has reverted is seen with verify, since the ledger cannot know it', async () => {
  await fleetOf(1, async ({ tenancy, ids }) => {
    await database.query(
      `DROP TABLE ${ids[0]}.b; DELETE FROM ${ids[0]}."SequelizeMeta" WHERE name = '2_b.sql'`,
    )
    assert.is((await tenancy.up({ tenants: ids })).unchanged, 1)
    const { tenants } = await tenancy.up({ tenants: ids, verify: true })
    assert.equal(tenants[0]?.applied, ['2_b.sql'])
  })
})

test('with a target or a number of steps every tenant is asked', async () => {
  await fleetOf(1, async ({ tenancy, ids }) => {
    const { tenants } = await tenancy.up({ tenants: ids, to: 'nope' })
    assert.is(tenants[0]?.error?.code, 'MIGRATION_UNKNOWN')
  })
})

test('a plan of a fleet says what each would run or refuse, and down what would be reverted', async () => {
  await fleetOf(3, async ({ tenancy, ids }) => {
    const [behind = '', gone = ''] = ids
    await tenancy.down({ tenant: behind, to: 0 })
    await database.query(`DROP SCHEMA ${gone} CASCADE`)
    const plans = await tenancy.plan({ tenants: ids })
    assert.equal(
      plans.map(({ migrations, error }) => error?.code ?? migrations),
      [['1_a.sql', '2_b.sql'], 'SCHEMA_MISSING', []],
    )
    const down = await tenancy.plan({ tenants: ids, direction: 'down', to: 0 })
    assert.equal(
      down.map(({ migrations, error }) => error?.code ?? migrations),
      [[], 'SCHEMA_MISSING', ['2_b.sql', '1_a.sql']],
    )
    assert.equal((await tenancy.plan({ tenant: ids[2] ?? '', direction: 'down' })).migrations, ['2_b.sql'])
  })
})

test.run()
