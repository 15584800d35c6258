import * as assert from 'uvu/assert'

import {
  addToLedger,
  ensureLedger,
  findInLedger,
  findRivals,
  readLedger,
  recordFailure,
  recordProgress,
  removeFromLedger,
} from '../lib/ledger.ts'
import { withSession, type MigrationSession } from '../lib/migrations/session.ts'
import { catalogOf, rowsOf } from './support/catalog.ts'
import { testDatabase } from './support/database.ts'
import { suite } from './support/suite.ts'
import { createTable, newId, testTenancies } from './support/tenancies.ts'

const test = suite('ledger')
const database = testDatabase(test)

const open = <T>(fn: (session: MigrationSession) => Promise<T>) =>
  withSession({ connection: database.url, lockTimeoutMs: 1000, statementTimeoutMs: 0 }, fn)

const ensure = (session: MigrationSession) => ensureLedger(session, (fn) => session.transaction(fn))

const a = { id: 'a', schema: 's_a', host: 'a.example.com' }

test('before the ledger exists it reads as empty, and reading creates nothing', async () => {
  const before = await catalogOf(database)
  await open(async (session) => {
    assert.equal(await readLedger(session), [])
    assert.is(await findInLedger(session, 'id', 'a'), undefined)
  })
  assert.equal(await catalogOf(database), before)
})

test('many sessions create it at once, and all succeed', async () => {
  await Promise.all(Array.from({ length: 12 }, () => open(ensure)))
  const tables = await database.query(
    "SELECT tablename FROM pg_tables WHERE schemaname = 'umzug_tenants' ORDER BY 1",
  )
  assert.equal(tables, [{ tablename: 'run' }, { tablename: 'tenant' }])
})

test('creating it again changes nothing', async () => {
  await open(ensure)
  const before = await catalogOf(database)
  await open(ensure)
  assert.equal(await catalogOf(database), before)
})

test('an entry is found by id, schema and host', async () => {
  await open(async (session) => {
    await ensure(session)
    await addToLedger(session, a)
    for (const [column, value] of [
      ['id', 'a'],
      ['schema', 's_a'],
      ['host', 'a.example.com'],
    ] as const) {
      // prettier-ignore
      const entry = await findInLedger(session, column, value)
      assert.equal(entry, { ...a, state: 'created', head: null, fingerprint: null, error: null })
    }
    assert.is(await findInLedger(session, 'id', 's_a'), undefined)
    await removeFromLedger(session, a)
  })
})

test('what is there already stays as it is', async () => {
  await open(async (session) => {
    await ensure(session)
    await addToLedger(session, a)
    await addToLedger(session, { id: 'a', schema: 'other' })
    await addToLedger(session, { id: 'other', schema: 's_a' })
    await addToLedger(session, { id: 'A', schema: 'S_A' })
    assert.equal((await readLedger(session)).map(({ id, schema }) => [id, schema]), [['a', 's_a']]) // prettier-ignore
    await removeFromLedger(session, a)
  })
})

test('rivals share an id or schema in any letter case, or a host', async () => {
  await open(async (session) => {
    await ensure(session)
    await addToLedger(session, a)
    const isRival = async (tenant: { id: string; schema: string; host?: string }) =>
      (await findRivals(session, tenant)).length === 1
    assert.ok(await isRival({ id: 'A', schema: 'x' }))
    assert.ok(await isRival({ id: 'x', schema: 'S_a' }))
    assert.ok(await isRival({ id: 'x', schema: 'x', host: 'a.example.com' }))
    assert.not(await isRival({ id: 'x', schema: 'x' }))
    await removeFromLedger(session, a)
  })
})

test('progress and failure follow each other in one row; runs add up', async () => {
  await open(async (session) => {
    await ensure(session)
    await addToLedger(session, a)
    const migrations = [{ name: '1.sql', durationMs: 3.6 }, { name: '2.sql', durationMs: 0 }] // prettier-ignore
    await recordProgress(session, a, { head: '2.sql', fingerprint: 'f', direction: 'up', migrations })
    const error = { code: 'LOCK_HELD', title: 'x', fix: [] } as const
    await recordFailure(session, a, error)
    const failed = await findInLedger(session, 'id', 'a')
    assert.equal(failed, { ...a, state: 'failed', head: '2.sql', fingerprint: 'f', error })
    await recordProgress(session, a, { head: undefined, fingerprint: 'g', direction: 'down', migrations: [] })
    const migrated = await findInLedger(session, 'id', 'a')
    assert.equal(migrated, { ...a, state: 'migrated', head: null, fingerprint: 'g', error: null })
    assert.equal(
      await session.query('SELECT migration, direction, duration_ms FROM umzug_tenants.run ORDER BY id'),
      [
        { migration: '1.sql', direction: 'up', duration_ms: 4 },
        { migration: '2.sql', direction: 'up', duration_ms: 0 },
      ],
    )
    await removeFromLedger(session, a)
    assert.equal(await session.query('SELECT FROM umzug_tenants.run'), [])
  })
})

test.run()

const tenants = suite('ledger of tenancies')
const other = testDatabase(tenants)
const tenancyWith = testTenancies(tenants, other)

tenants('a tenancy on an empty database lists no tenants, finds none, and creates nothing', async () => {
  const tenancy = await tenancyWith()
  const before = await catalogOf(other)
  assert.equal(await tenancy.list(), [])
  assert.equal(await tenancy.status(), [])
  assert.equal((await tenancy.up({ all: true })).tenants, [])
  await tenancy.find({ id: 'a' }).catch(() => undefined)
  assert.equal(await catalogOf(other), before)
})

tenants('the row of a run commits with the run, or not at all', async () => {
  const id = newId()
  const tenancy = await tenancyWith({ ...createTable('1_a', 'a'), '2.sql': 'SELECT 1/0' })
  await tenancy.provision({ id, up: false })
  await tenancy.up({ tenant: id }).catch(() => undefined)
  assert.equal(await rowsOf(other, 'umzug_tenants.run'), [])
  await tenancy.up({ tenant: id, step: 1 })
  assert.is((await rowsOf(other, 'umzug_tenants.run')).length, 1)
})

tenants('what another tool has brought to head gets its ledger row by the next up', async () => {
  const id = newId()
  const tenancy = await tenancyWith(createTable('1_a', 'a'))
  await tenancy.provision({ id, up: false })
  await other.query(
    `CREATE TABLE ${id}."SequelizeMeta" (name varchar(255) PRIMARY KEY); INSERT INTO ${id}."SequelizeMeta" VALUES ('1_a.sql')`,
  )
  assert.equal((await tenancy.up({ tenant: id })).applied, [])
  assert.equal(await other.query('SELECT state, head FROM umzug_tenants.tenant WHERE id = $1', [id]), [
    { state: 'migrated', head: '1_a.sql' },
  ])
})

tenants.run()
