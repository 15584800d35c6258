/** Drift in a fleet: tenants at other revisions, tenants that cannot be read, runs that are cut short. */
import * as assert from 'uvu/assert'

import type { DriftReport } from '../lib/drift.ts'
import type { Tenancy } from '../lib/tenancy.ts'
import { catalogOf } from './support/catalog.ts'
import { testDatabase } from './support/database.ts'
import type { Files } from './support/folder.ts'
import { inWords } from './support/schemas.ts'
import { suite } from './support/suite.ts'
import { createTable, newId, testTenancies } from './support/tenancies.ts'

const test = suite('drift')
const database = testDatabase(test)
const tenancyWith = testTenancies(test, database)

const MIGRATIONS: Files = {
  ...createTable('1_users', 'users'),
  '2_name.mjs': `export const up = ({ context }) => context.addColumn('users', 'name', { type: 'text' })
                 export const down = ({ context }) => context.removeColumn('users', 'name')`,
  ...createTable('3_items', 'items'),
}

/** A tenancy of which nothing is left of earlier tests; `steps` says how far each tenant was upgraded. */
async function fleet(
  steps: Readonly<Record<string, number>>,
  files = MIGRATIONS,
  config = {},
): Promise<{ tenancy: Tenancy; ids: readonly string[] }> {
  for (const { schema } of await database.query<{ schema: string }>(
    `SELECT quote_ident(nspname) AS schema FROM pg_namespace WHERE nspname ~ '^(t\\d+|umzug_tenants)$'`,
  ))
    await database.query(`DROP SCHEMA ${schema} CASCADE`)
  const tenancy = await tenancyWith(files, { searchPath: [], ...config })
  const ids: string[] = []
  for (const step of Object.values(steps)) {
    const id = newId()
    ids.push(id)
    await tenancy.provision({ id, up: false })
    if (step > 0) await tenancy.up({ tenant: id, step })
  }
  return { tenancy, ids }
}

const statesOf = ({ tenants }: DriftReport) => tenants.map(({ state }) => state)

test('a tenant at an earlier revision is compared with what the specimen was there', async () => {
  const { tenancy, ids } = await fleet({ specimen: 3, same: 1, drifted: 2, empty: 0 })
  const [specimen = '', , drifted = ''] = ids
  await database.query(`ALTER TABLE ${drifted}.users ALTER name TYPE varchar(9)`)
  const before = await catalogOf(database)
  const report = await tenancy.drift({ specimen })
  assert.equal(statesOf(report), ['same', 'drifted', 'same'])
  assert.equal(
    inWords(report.tenants[1]?.differences ?? []).map((words) => words.split(' ').slice(0, 3).join(' ')),
    ['alter column users'],
  )
  assert.is(report.replayProblem, undefined)
  assert.equal(await catalogOf(database), before, 'nothing of the scratch schema stays')
})

test('a tenant that is ahead of the specimen is compared too', async () => {
  const { tenancy, ids } = await fleet({ specimen: 1, ahead: 3, drifted: 3 })
  const [specimen = '', , drifted = ''] = ids
  await database.query(`DROP TABLE ${drifted}.items`)
  assert.equal(statesOf(await tenancy.drift({ specimen })), ['same', 'drifted'])
})

test('an index that is built concurrently stands in no way of that', async () => {
  const files = {
    ...MIGRATIONS,
    '4_index.mjs': `export const transaction = false
      export const up = ({ context }) => context.addIndex('users', ['name'], { name: 'by_name', concurrently: true })
      export const down = ({ context }) => context.removeIndex('users', 'by_name')`,
  }
  const { tenancy, ids } = await fleet({ specimen: 4, behind: 1 }, files)
  const report = await tenancy.drift({ specimen: ids[0] })
  assert.equal([statesOf(report), report.replayProblem], [['same'], undefined])
})

test('where the migrations do not lead to the specimen, it is behind, and the report says why', async () => {
  const { tenancy, ids } = await fleet({ specimen: 3, behind: 1, same: 3 })
  const [specimen = '', , same = ''] = ids
  for (const schema of [specimen, same]) await database.query(`CREATE TABLE ${schema}.by_hand (a integer)`)
  const report = await tenancy.drift({ specimen })
  assert.equal(statesOf(report), ['behind', 'same'])
  assert.match(report.replayProblem ?? '', 'do not lead to what the specimen is')
})

test('where a migration cannot be run again, it is behind, and the report names the migration', async () => {
  const files = {
    ...MIGRATIONS,
    '2_name.mjs': `let runs = 0
      export async function up({ context }) {
        if (runs++ > 0) throw new Error('only once')
        await context.addColumn('users', 'name', { type: 'text' })
      }`,
  }
  const { tenancy, ids } = await fleet({ specimen: 3, behind: 1 }, files)
  const report = await tenancy.drift({ specimen: ids[0] })
  assert.equal(statesOf(report), ['behind'])
  assert.match(report.replayProblem ?? '', /2_name\.mjs fails: only once/)
})

test('migrations are not run again when all tenants stand where the specimen does', async () => {
  const { tenancy, ids } = await fleet({ specimen: 3, same: 3 })
  await database.query(`CREATE TABLE ${ids[0]}.by_hand (a integer)`)
  const report = await tenancy.drift({ specimen: ids[0] })
  assert.equal([statesOf(report), report.replayProblem], [['drifted'], undefined])
})

test('a tenant whose schema is missing, or cannot be read, is told so, and the others are compared', async () => {
  const { tenancy, ids } = await fleet({ specimen: 3, missing: 3, unreadable: 3, drifted: 3 })
  const [specimen = '', missing = '', unreadable = '', drifted = ''] = ids
  await database.query(`DROP SCHEMA ${missing} CASCADE`)
  await database.query(`ALTER TABLE ${unreadable}."SequelizeMeta" RENAME name TO gone`)
  await database.query(`DROP TABLE ${drifted}.items`)
  const report = await tenancy.drift({ specimen })
  assert.equal(statesOf(report), ['missing', 'failed', 'drifted'])
  assert.match(report.tenants[1]?.error?.detail ?? '', 'column "name" does not exist')
})

test('without a schema of the specimen there is nothing to compare with', async () => {
  const { tenancy, ids } = await fleet({ specimen: 3, other: 3 })
  await database.query(`DROP SCHEMA ${ids[0]} CASCADE`)
  const error = await tenancy.drift({ specimen: ids[0] }).catch((caught: unknown) => caught)
  assert.is((error as { code?: string }).code, 'SCHEMA_MISSING')
})

test('a run that is stopped names who was not looked at', async () => {
  const { tenancy, ids } = await fleet({ specimen: 3, a: 3, b: 3 })
  const report = await tenancy.drift({ specimen: ids[0], signal: AbortSignal.abort() })
  assert.equal(report.tenants, [])
  assert.is(report.notRun, 2)
  assert.equal(report.remaining, ids.slice(1))
})

test('several connections read the fleet at once', async () => {
  const { tenancy, ids } = await fleet({ specimen: 3, a: 3, b: 3, c: 3 })
  // Whoever reads is made to wait for its history: two connections wait at once.
  const [specimen = '', ...others] = ids
  for (const id of others) await slowDown(id)
  let most = 0
  const watching = setInterval(() => {
    void database
      .query(`SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()`)
      .then(({ length }) => (most = Math.max(most, length)))
  }, 20)
  const report = await tenancy.drift({ specimen, concurrency: 2 })
  clearInterval(watching)
  assert.is(report.tenants.length, 3)
  assert.is(most, 2)
})

/** Makes reading the version table of `schema` take a while. */
async function slowDown(schema: string): Promise<void> {
  await database.query(`
    ALTER TABLE ${schema}."SequelizeMeta" RENAME TO meta;
    CREATE FUNCTION ${schema}.slow() RETURNS boolean LANGUAGE sql VOLATILE AS 'SELECT pg_sleep(0.3) IS NOT NULL';
    CREATE VIEW ${schema}."SequelizeMeta" AS SELECT name FROM ${schema}.meta WHERE ${schema}.slow()`)
}

test('tables that are left out, and comments that are ignored, are no drift', async () => {
  const autogenerate = { exclude: ['custom_*'], ignore: ['comments' as const] }
  const { tenancy, ids } = await fleet({ specimen: 3, other: 3 }, MIGRATIONS, { autogenerate })
  const [specimen = '', other = ''] = ids
  await database.query(`
    CREATE TYPE ${other}.mood AS ENUM ('good');
    CREATE TABLE ${other}.custom_fields (a ${other}.mood);
    CREATE TRIGGER same BEFORE UPDATE ON ${other}.custom_fields
      FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
    COMMENT ON TABLE ${other}.users IS 'people'`)
  assert.equal(statesOf(await tenancy.drift({ specimen })), ['same'])
  await database.query(`ALTER TABLE ${other}.users ADD by_hand integer`)
  assert.equal(statesOf(await tenancy.drift({ specimen })), ['drifted'])
})

test.run()
