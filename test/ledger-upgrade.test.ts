/** A ledger that an earlier build has made is upgraded in place, by whoever comes first. */
import * as assert from 'uvu/assert'

import { ensureLedger, readRuns } from '../lib/ledger.ts'
import { withSession, type MigrationSession } from '../lib/migrations/session.ts'
import { catalogOf, rowsOf } from './support/catalog.ts'
import { testDatabase, type TestDatabase } from './support/database.ts'
import { EARLIER_LEDGER } from './support/earlier-ledger.ts'
import { suite } from './support/suite.ts'
import { createTable, newId, testTenancies } from './support/tenancies.ts'

const test = suite('ledger upgrade')
const database = testDatabase(test)
const fresh = testDatabase(test)
const tenancyWith = testTenancies(test, database)

/** Gives `database` a ledger of an earlier build, in which `schema` has 1_a. */
async function makeEarlier(schema: string): Promise<void> {
  await database.query(`
    DROP SCHEMA IF EXISTS umzug_tenants CASCADE; ${EARLIER_LEDGER}
    CREATE SCHEMA ${schema}; CREATE TABLE ${schema}.a (id integer);
    CREATE TABLE ${schema}."SequelizeMeta" (name varchar(255) PRIMARY KEY);
    INSERT INTO ${schema}."SequelizeMeta" VALUES ('1_a.sql');
    INSERT INTO umzug_tenants.tenant (id, schema, state, head) VALUES ('${schema}', '${schema}', 'migrated', '1_a.sql');
    INSERT INTO umzug_tenants.run (tenant, schema, migration, direction, duration_ms)
      VALUES ('${schema}', '${schema}', '1_a.sql', 'up', 3)`)
}

const open = <T>(on: TestDatabase, fn: (session: MigrationSession) => Promise<T>) =>
  withSession({ connection: on.url, lockTimeoutMs: 300, statementTimeoutMs: 0 }, fn)

const ensure = (session: MigrationSession) => ensureLedger(session, (fn) => session.transaction(fn))

/** Columns by table, whatever their order. */
async function columnsOf(on: TestDatabase): Promise<unknown> {
  return on.query(
    `SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns
      WHERE table_schema = 'umzug_tenants' ORDER BY 1, 2`,
  )
}

test('an upgraded ledger has the columns of a new one, and every row', async () => {
  const id = newId()
  await makeEarlier(id)
  await open(database, ensure)
  await open(fresh, ensure)
  assert.equal(await columnsOf(database), await columnsOf(fresh))
  const [row = ''] = await rowsOf(database, 'umzug_tenants.run')
  assert.match(row, /"migration": "1_a\.sql".*"duration_ms": 3/)
  const before = await catalogOf(database)
  await open(database, ensure)
  assert.equal(await catalogOf(database), before)
})

test('what an earlier build has applied has no known content; the next migration has', async () => {
  const id = newId()
  await makeEarlier(id)
  const tenancy = await tenancyWith({ ...createTable('1_a', 'changed'), ...createTable('2_b', 'b') })
  assert.equal((await tenancy.up({ tenant: id })).applied, ['2_b.sql'])
  const runs = await database.query(
    'SELECT migration, hash IS NULL AS unknown FROM umzug_tenants.run ORDER BY id',
  )
  assert.equal(runs, [
    { migration: '1_a.sql', unknown: true },
    { migration: '2_b.sql', unknown: false },
  ])
})

test('reading an earlier ledger changes nothing', async () => {
  const id = newId()
  await makeEarlier(id)
  const tenancy = await tenancyWith({ ...createTable('1_a', 'a'), ...createTable('2_b', 'b') })
  const before = await catalogOf(database)
  assert.is((await tenancy.status({ tenant: id })).state, 'pending')
  assert.is((await tenancy.status()).length, 1)
  assert.equal((await tenancy.plan({ tenant: id })).migrations, ['2_b.sql'])
  assert.equal(await open(database, (session) => readRuns(session, id)), [])
  assert.equal(await catalogOf(database), before)
})

test('a ledger that is read for a while is upgraded when the reader is done', async () => {
  await makeEarlier(newId())
  await open(database, async (reader) => {
    const reading = reader.transaction(async () => {
      await reader.query('SELECT count(*) FROM umzug_tenants.run')
      await new Promise((resolve) => setTimeout(resolve, 700))
    })
    await new Promise((resolve) => setTimeout(resolve, 100))
    await Promise.all([reading, open(database, ensure), open(database, ensure)])
  })
  assert.is((await database.query("SELECT FROM pg_attribute WHERE attrelid = 'umzug_tenants.run'::regclass AND attname = 'hash'")).length, 1) // prettier-ignore
})

test.run()
