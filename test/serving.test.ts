/** Tenants that are served while other processes change them; the other process is another tenancy. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { Sequelize } from 'sequelize'
import * as assert from 'uvu/assert'

import type { TenancyEvents } from '../lib/events.ts'
import type { TenancyConfig } from '../lib/options.ts'
import { createTenancy, type Tenancy } from '../lib/tenancy.ts'
import { startChild } from './support/child.ts'
import { testDatabase } from './support/database.ts'
import { failure, thrownBy } from './support/failure.ts'
import { temporaryFolders, type Files } from './support/folder.ts'
import { suite } from './support/suite.ts'
import { createTable, newId, testTenancies } from './support/tenancies.ts'

const test = suite('serving')
const database = testDatabase(test)
const tenancyWith = testTenancies(test, database)
const folder = temporaryFolders(test)

/** Neither looks again nor listens. */
const quiet = { recheckMs: 0 }
const two = { ...createTable('1_a', 'a'), ...createTable('2_b', 'b') }
const nothing = () => undefined

/** Resolves when `holds` does; what never happens fails the test. */
async function until(what: string, holds: () => unknown): Promise<void> {
  for (let attempt = 0; attempt < 1000; attempt++) {
    if (await holds()) return
    await sleep(10)
  }
  throw new Error(`it never happened: ${what}`)
}

/** A tenancy that serves a tenant, and another one that changes it. */
async function served(files: Files, config: TenancyConfig) {
  const id = newId()
  const tenancy = await tenancyWith(files, config)
  const other = await tenancyWith(files, { lazy: quiet })
  await other.provision({ id })
  await tenancy.run(id, nothing)
  assert.ok(tenancy.readyTenant({ id }))
  return { id, tenancy, other }
}

/** Resolves when a tenancy hears what is told, if it is one that listens. */
async function heard({ listen = false }: { listen?: boolean }): Promise<void> {
  if (!listen) return
  await until('a connection listens', async () => {
    const rows = await database.query(
      "SELECT FROM pg_stat_activity WHERE datname = current_database() AND query = 'LISTEN umzug_tenants'",
    )
    return rows.length > 0
  })
}

/** Runs `fn` with an application's Sequelize whose migrations are `files`. */
async function withApplication(
  files: Files,
  config: TenancyConfig & { pool?: { max: number } },
  fn: (tenancy: Tenancy, sequelize: Sequelize) => Promise<void>,
): Promise<void> {
  const { pool = {}, ...rest } = config
  const sequelize = new Sequelize(database.url, { logging: false, pool })
  const tenancy = createTenancy({ sequelize, lazy: quiet, ...rest }, { baseDir: await folder(files) })
  try {
    await fn(tenancy, sequelize)
  } finally {
    await tenancy.close()
    await sequelize.close()
  }
}

const ONE: Files = { 'migrations/1_a.sql': 'CREATE TABLE a ()' }

for (const [way, lazy] of Object.entries({
  'by looking again': { recheckMs: 50 },
  'by listening': { recheckMs: 0, listen: true },
})) {
  test(`a tenant that another process has taken back is noticed ${way}, and upgraded by its next request`, async () => {
    const { id, tenancy, other } = await served(two, { lazy })
    await heard(lazy)
    await other.down({ tenant: id })
    await until('it is not served', () => tenancy.readyTenant({ id }) === undefined)
    await tenancy.run(id, nothing)
    assert.is((await other.status({ tenant: id })).state, 'ok')
    await tenancy.close()
  })

  test(`a tenant that another process has dropped is noticed ${way}, and unknown then`, async () => {
    const { id, tenancy, other } = await served(two, { lazy })
    await heard(lazy)
    await other.drop({ tenant: id, confirm: id })
    await until('it is not served', () => tenancy.readyTenant({ id }) === undefined)
    await failure('TENANT_UNKNOWN', () => tenancy.run(id, nothing))
    await tenancy.close()
  })

  test(`a tenant that another process has moved to another schema is noticed ${way}`, async () => {
    const { id, tenancy } = await served(two, { lazy })
    await heard(lazy)
    await database.query(
      `ALTER SCHEMA ${id} RENAME TO ${id}_moved;
       UPDATE umzug_tenants.tenant SET schema = '${id}_moved' WHERE id = '${id}';
       SELECT pg_notify('umzug_tenants', '${id}')`,
    )
    await until('its new schema is known', async () => (await tenancy.find({ id })).schema === `${id}_moved`)
    assert.is(await tenancy.run(id, ({ schema }) => schema), `${id}_moved`)
    await tenancy.close()
  })

  test(`O61 a failure is forgotten when another process has upgraded the tenant: noticed ${way}`, async () => {
    const id = newId()
    const broken = await tenancyWith({ '1_a.sql': 'SELECT nonsense' }, { lazy })
    const mended = await tenancyWith({ '1_a.sql': 'CREATE TABLE a ()' }, { lazy: quiet })
    await mended.provision({ id, up: false })
    await failure('TENANT_UNAVAILABLE', () => broken.run(id, nothing))
    await heard(lazy)
    await mended.up({ tenant: id })
    await until('it is served', () =>
      broken.run(id, nothing).then(
        () => true,
        () => false,
      ),
    )
    await broken.close()
  })
}

test('O61 the failure that a process has written itself does not end its pause', async () => {
  const id = newId()
  const tenancy = await tenancyWith(
    { '1_a.sql': 'SELECT nonsense' },
    { lazy: { recheckMs: 20, listen: true } },
  )
  let runs = 0
  tenancy.on('tenant:failed', () => runs++)
  await tenancy.provision({ id, up: false })
  for (let access = 0; access < 15; access++) {
    await failure('TENANT_UNAVAILABLE', () => tenancy.run(id, nothing))
    await sleep(20)
  }
  assert.is(runs, 1)
  await tenancy.close()
})

test('O61 a broken migration that is mended on disk is run by the next request', async () => {
  const id = newId()
  const baseDir = await folder({ 'migrations/1_a.sql': 'SELECT nonsense' })
  const tenancy = createTenancy({ url: database.url, lazy: quiet }, { baseDir })
  try {
    await tenancy.provision({ id, up: false })
    await failure('TENANT_UNAVAILABLE', () => tenancy.run(id, nothing))
    await writeFile(join(baseDir, 'migrations/1_a.sql'), 'CREATE TABLE a ()')
    await until('it is served', () =>
      tenancy.run(id, nothing).then(
        () => true,
        () => false,
      ),
    )
  } finally {
    await tenancy.close()
  }
})

test('a tenant that another process has upgraded further is served all the time', async () => {
  const { id, tenancy } = await served(two, { lazy: { recheckMs: 0, listen: true } })
  await heard({ listen: true })
  const seen: string[] = []
  tenancy.on('tenant:ahead', ({ head }) => seen.push(`ahead ${head}`))
  tenancy.on('tenant:stale', () => seen.push('stale'))
  const newer = await tenancyWith({ ...two, ...createTable('3_c', 'c') })
  await newer.up({ tenant: id })
  await until('it is told of', () => seen.length > 0)
  assert.ok(tenancy.readyTenant({ id }))
  assert.equal(seen, ['ahead 3_c.sql'])
  await tenancy.close()
})

test('O64 a database newer than the code is served, and told of once for each head', async () => {
  const id = newId()
  const newer = await tenancyWith({ ...two, ...createTable('3_c', 'c') })
  await newer.provision({ id })
  const tenancy = await tenancyWith(two, { lazy: quiet })
  const ahead: TenancyEvents['tenant:ahead'][] = []
  tenancy.on('tenant:ahead', (event) => ahead.push(event))
  for (let access = 0; access < 3; access++) {
    tenancy.invalidate()
    assert.is(await tenancy.run(id, () => 'served'), 'served')
  }
  assert.equal(ahead, [{ tenant: id, schema: id, head: '3_c.sql', unknown: ['3_c.sql'] }])
  const newest = await tenancyWith({ ...two, ...createTable('3_c', 'c'), ...createTable('4_d', 'd') })
  await newest.up({ tenant: id })
  tenancy.invalidate()
  await tenancy.run(id, nothing)
  assert.is(ahead.length, 2)
})

test('hasMigration tells of the current tenant, of another, and of what only a newer release has', async () => {
  const [old, young] = [newId(), newId()]
  const newer = await tenancyWith({ ...two, ...createTable('3_c', 'c') })
  const tenancy = await tenancyWith(two, { lazy: quiet })
  await tenancy.provision({ id: old })
  await newer.provision({ id: young })
  assert.is(await tenancy.run(old, () => tenancy.hasMigration('3_c')), false)
  assert.is(await tenancy.run(young, () => tenancy.hasMigration('3_c')), true)
  for (const called of ['3_c.sql', '3_c', '3', '2_b.ts'])
    assert.is(await tenancy.hasMigration(called, { tenant: young }), true, called)
  assert.is(await tenancy.hasMigration('4', { tenant: young }), false)
  await failure('TENANT_CONTEXT_MISSING', () => tenancy.hasMigration('3_c'))
  await failure('TENANT_UNKNOWN', () => tenancy.hasMigration('3_c', { tenant: 'nobody' }))
})

test('hasMigration remembers, until its process changes the tenant', async () => {
  const id = newId()
  const tenancy = await tenancyWith(two, { lazy: quiet })
  await tenancy.provision({ id })
  assert.is(await tenancy.hasMigration('2_b', { tenant: id }), true)
  await database.query(`DELETE FROM ${id}."SequelizeMeta" WHERE name = '2_b.sql'; DROP TABLE ${id}.b`)
  assert.is(await tenancy.hasMigration('2_b', { tenant: id }), true)
  await tenancy.down({ tenant: id })
  assert.is(await tenancy.hasMigration('1_a', { tenant: id }), false)
})

for (const [what, file, text] of [
  ['says heavy in its text', '2_b.sql', '-- heavy: true\nCREATE TABLE b ()'],
  [
    'exports heavy',
    '2_b.mjs',
    "export const heavy = true; export const up = ({ context }) => context.sql('CREATE TABLE b ()')",
  ],
  [
    'says that it runs outside a transaction',
    '2_b.sql',
    '-- a note\n-- transaction: false\nCREATE TABLE b ()',
  ],
  ['turns out to need no transaction', '2_b.sql', 'CREATE INDEX CONCURRENTLY i ON a (id)'],
] as const) {
  test(`a migration that ${what} is run by no request; a fleet's run lets the tenant in`, async () => {
    const id = newId()
    const tenancy = await tenancyWith({ ...createTable('1_a', 'a'), [file]: text }, { lazy: quiet })
    const failed: unknown[] = []
    tenancy.on('tenant:failed', (event) => failed.push(event))
    await tenancy.provision({ id, up: false })
    for (let access = 0; access < 2; access++) {
      const error = await failure('TENANT_PENDING', () => tenancy.run(id, nothing))
      assert.equal([error.migration, error.retryAfterSeconds], [file, 30])
      assert.is(error.fix[0], `run it: umzug-tenants up --tenant ${id}`)
    }
    assert.equal(failed, [])
    assert.is((await tenancy.status({ tenant: id })).state, 'pending')
    await tenancy.up({ tenants: [id] })
    assert.is(await tenancy.run(id, () => 'served'), 'served')
  })
}

test('O29 a tenant whose schema is gone is not served after its next query; others are', async () => {
  await withApplication(ONE, {}, async (tenancy, sequelize) => {
    const [gone, other] = [newId(), newId()]
    const read = (id: string) => tenancy.run(id, () => sequelize.query('SELECT * FROM a'))
    for (const id of [gone, other]) {
      await tenancy.provision({ id })
      await read(id)
    }
    await database.query(`DROP SCHEMA ${gone} CASCADE`)
    await thrownBy(() => read(gone))
    await until('it is not served', () => tenancy.readyTenant({ id: gone }) === undefined)
    const error = await failure('TENANT_UNAVAILABLE', () => tenancy.run(gone, nothing))
    assert.match(error.message, 'tenants create')
    assert.ok(tenancy.readyTenant({ id: other }))
  })
})

test('a query that misses a table makes the version table be read, which knows what another tool has reverted', async () => {
  await withApplication(ONE, {}, async (tenancy, sequelize) => {
    const id = newId()
    await tenancy.provision({ id })
    await tenancy.run(id, nothing)
    await database.query(`DROP TABLE ${id}.a; DELETE FROM ${id}."SequelizeMeta"`)
    await thrownBy(() => tenancy.run(id, () => sequelize.query('SELECT * FROM a')))
    await until('it is not served', () => tenancy.readyTenant({ id }) === undefined)
  })
})

test('a table that the code misspells makes its tenant looked at once, and it is served on', async () => {
  await withApplication(ONE, {}, async (tenancy, sequelize) => {
    const id = newId()
    await tenancy.provision({ id })
    await tenancy.run(id, nothing)
    let queries = 0
    sequelize.addHook('beforeQuery', () => void queries++)
    for (let count = 0; count < 20; count++)
      await thrownBy(() => tenancy.run(id, () => sequelize.query('SELECT * FROM mistake')))
    await sleep(200)
    assert.ok(queries > 20 && queries < 30, `${queries} queries`)
    assert.ok(tenancy.readyTenant({ id }))
  })
})

test('a listening connection that is ended is told of and opened again', async () => {
  const { tenancy, id, other } = await served(two, { lazy: { recheckMs: 0, listen: true } })
  await heard({ listen: true })
  const lost: TenancyEvents['listen:lost'][] = []
  tenancy.on('listen:lost', (event) => lost.push(event))
  await database.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'LISTEN umzug_tenants' AND datname = current_database()",
  )
  await until('it is told of', () => lost.length === 1)
  await heard({ listen: true })
  await other.down({ tenant: id })
  await until('it is not served', () => tenancy.readyTenant({ id }) === undefined)
  await tenancy.close()
})

test('a process that has served tenants ends by itself, listening and with its checks due', async () => {
  const id = newId()
  const { outcome } = await startChild(
    `import { createTenancy } from 'lib/index.js'
     import { Sequelize } from 'sequelize'
     const [, url, baseDir, id] = process.argv
     const sequelize = new Sequelize(url, { logging: false })
     const tenancy = createTenancy({ sequelize, lazy: { listen: true, recheckMs: 60000 } }, { baseDir })
     await tenancy.provision({ id })
     await tenancy.run(id, () => undefined)
     await new Promise((resolve) => setTimeout(resolve, 300))
     await sequelize.close()
     console.log('done')`,
    database.url,
    await folder(ONE),
    id,
  )
  assert.equal(await outcome, { exitCode: 0, stdout: 'done\n', stderr: '' })
})

test('O58 two hundred first calls in one process run the migration once', async () => {
  const id = newId()
  const tenancy = await tenancyWith(createTable('1_a', 'a'), { lazy: quiet })
  await tenancy.provision({ id, up: false })
  await Promise.all(Array.from({ length: 200 }, () => tenancy.run(id, nothing)))
  const rows = await database.query(`SELECT FROM umzug_tenants.run WHERE schema = '${id}'`)
  assert.is(rows.length, 1)
})

test('O60 while upgrades run, a pool of two serves another tenant, and one upgrade runs at once', async () => {
  const files = { 'migrations/1_a.sql': 'CREATE TABLE a (); SELECT pg_sleep(0.4)' }
  const config = { pool: { max: 2 }, lazy: { ...quiet, concurrency: 8 } }
  await withApplication(files, config, async (tenancy, sequelize) => {
    const other = newId()
    const slow = Array.from({ length: 4 }, newId)
    await tenancy.provision({ id: other })
    for (const id of slow) await tenancy.provision({ id, up: false })
    const waiting = Promise.all(slow.flatMap((id) => [tenancy.run(id, () => id), tenancy.run(id, () => id)]))
    let most = 0
    let count = 0
    for (let isDone = false; !isDone; count++) {
      await tenancy.run(other, () => sequelize.query('SELECT 1'))
      const rows = await database.query(
        "SELECT FROM pg_stat_activity WHERE query LIKE '%pg_sleep(0.4)%' AND state = 'active' AND pid <> pg_backend_pid() AND datname = current_database()",
      )
      most = Math.max(most, rows.length)
      isDone = await Promise.race([waiting.then(() => true), sleep(1, false)])
    }
    assert.ok(count > 3)
    assert.is(most, 1, 'one less than the pool has connections')
    assert.is((await waiting).length, 8)
  })
})

test.run()
