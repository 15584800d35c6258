/** Every way to fail: its exit code, its document, and that nothing of the failed work is left. */
import pg from 'pg'
import * as assert from 'uvu/assert'

import type { FleetReport } from '../../lib/cli/outcomes.ts'
import type { Plan } from '../../lib/cli/report.ts'
import type { ErrorDocument } from '../../lib/errors.ts'
import { lockKey } from '../../lib/migrations/lock.ts'
import { projectsInThisProcess, tableMigration, type CliProject } from '../support/cli.ts'
import { testDatabase } from '../support/database.ts'
import type { Files } from '../support/folder.ts'
import { suite } from '../support/suite.ts'

const test = suite('cli/failures')
const database = testDatabase(test)
const newProject = projectsInThisProcess(test, database)

interface Failure {
  readonly error: ErrorDocument
}

let project: CliProject

test.before(async () => {
  project = await newProject(tableMigration('001_users', 'users'))
  await Promise.all(['a', 'b', 'c'].map((id) => project.cli(['tenants', 'create', id])))
})

const exists = async (table: string) =>
  (await database.query('SELECT 1 FROM pg_class WHERE oid = to_regclass($1)', [table])).length > 0

test('a migration that fails half way exits 1, names tenant, file and SQLSTATE, and leaves nothing', async () => {
  const broken = await newProject({
    ...tableMigration('001_users', 'users'),
    'migrations/002_half.sql': 'CREATE TABLE half (id integer); INSERT INTO nowhere VALUES (1);',
  })
  const { code, document, stderr } = await broken.json<FleetReport>(['up', '--tenant', 'a'])
  assert.equal([code, stderr], [1, ''])
  const [outcome] = document.tenants
  const { code: error, tenant, migration, sqlstate } = outcome?.error ?? {}
  assert.equal([error, tenant, migration, sqlstate], ['MIGRATION_FAILED', 'a', '002_half.sql', '42P01'])
  assert.equal([outcome?.id, outcome?.applied, document.failed, document.succeeded], ['a', [], 1, 0])
  assert.equal([await exists('a.users'), await exists('a.half')], [false, false])

  const human = await broken.cli(['up', '--tenant', 'a'])
  assert.is(human.code, 1)
  assert.not.match(human.stdout, '✔')
  for (const part of ['MIGRATION_FAILED', '"a"', '002_half.sql', '42P01', 'fix: '])
    assert.match(human.stderr, part)

  const status = await broken.cli(['status', '--check', '--tenant', 'a'])
  assert.equal([status.code, /failed/.test(status.stdout)], [3, true])
})

test('a right that a migration lacks exits 7 for one tenant, and is one of the failures of a fleet', async () => {
  const poor = await newProject({
    'migrations/001_poor.sql':
      'CREATE TABLE poor (); SET LOCAL ROLE pg_monitor; SELECT rolpassword FROM pg_authid',
  })
  const { code, document } = await poor.json<FleetReport>(['up', '--tenant', 'a'])
  const { error } = document.tenants[0] ?? {}
  assert.equal(
    [code, error?.code, error?.migration, error?.sqlstate],
    [7, 'PRIVILEGE_MISSING', '001_poor.sql', '42501'],
  )
  assert.is(error?.title, 'Migration "001_poor.sql" failed on tenant "a" (42501).')
  assert.equal(error?.fix, [
    'grant the role what it lacks, or set migrationUrl to one that has it (umzug-tenants doctor looks), then: umzug-tenants up --tenant a',
  ])
  assert.is(await exists('a.poor'), false)
  assert.is((await poor.cli(['up', '--tenant', 'a,b'])).code, 4)
})

test('a fleet goes on after a failure, exits 4, and says how to run only the failed ones again', async () => {
  const files = {
    'migrations/001_users.mjs': `export const up = ({ context }) => {
      if (context.schema === 'b') throw new Error('b has no room')
      return context.sql('CREATE TABLE users (id integer)')
    }`,
  }
  const partly = await newProject(files)
  const human = await partly.cli(['up', '--tenant', 'a,b'])
  assert.is(human.code, 4)
  assert.match(human.stdout, '1 of 2 tenants up to date · 1 migration')
  assert.match(human.stderr, '✖ 1 of 2 tenants failed, 1 done')
  assert.match(human.stderr, /b +001_users\.mjs +MIGRATION_FAILED b has no room/)
  assert.match(human.stderr, 'umzug-tenants up --tenant b')
  const json = await partly.json<FleetReport>(['up', '--all'])
  assert.is(json.code, 4)
  assert.equal(
    json.document.tenants.map(({ id, applied, error }) => [id, applied?.length, error?.code]),
    [
      ['a', 0, undefined],
      ['b', 0, 'MIGRATION_FAILED'],
      ['c', 1, undefined],
    ],
  )
  const { succeeded, unchanged, failed, notRun } = json.document
  assert.equal({ succeeded, unchanged, failed, notRun }, { succeeded: 1, unchanged: 1, failed: 1, notRun: 0 })
})

test('a failing shared schema is reported like a tenant, and exits 1', async () => {
  const broken = await newProject({ 'migrations/shared/1.sql': 'SELECT 1/0;' })
  const { code, document } = await broken.json<FleetReport>(['up', '--shared'])
  assert.equal([code, document.tenants[0]?.id, document.tenants[0]?.error?.sqlstate], [1, 'shared', '22012'])
})

test('a lock that another runner holds exits 5 and names its holder', async () => {
  const holder = new pg.Client({ connectionString: database.url, application_name: 'holder' })
  await holder.connect()
  try {
    const name = new URL(database.url).pathname.slice(1)
    for (const schema of ['c', 'shared']) {
      await holder.query('SELECT pg_advisory_lock($1)', [String(lockKey(name, schema))])
    }
    const [one, shared, drop] = await Promise.all([
      project.json<FleetReport>(['up', '--tenant', 'c']),
      project.json<FleetReport>(['up', '--shared']),
      project.json<Failure>(['tenants', 'drop', 'c', '--yes']),
    ])
    assert.equal([one.code, shared.code, drop.code], [5, 5, 5])
    assert.is(one.document.tenants[0]?.error?.code, 'LOCK_HELD')
    assert.match(one.document.tenants[0]?.error?.detail ?? '', 'holder')
    assert.is(drop.document.error.code, 'LOCK_HELD')
  } finally {
    await holder.end()
  }
})

test('a server that is not there, and one that refuses, exit 6', async () => {
  const nobody = await connecting('postgres://u:canary@127.0.0.1:9/db')
  const refusing = await connecting(withDatabase('no_such_database'))
  const [down, up, refused] = await Promise.all([
    nobody.json<Failure>(['status']),
    nobody.json<Failure>(['up', '--tenant', 'a']),
    refusing.json<Failure>(['up', '--all']),
  ])
  assert.equal([down.code, down.document.error.code], [6, 'DATABASE_UNREACHABLE'])
  assert.equal([up.code, up.document.error.code], [6, 'DATABASE_UNREACHABLE'])
  assert.equal([refused.code, refused.document.error.code], [6, 'DATABASE_REFUSED'])
})

/** A project that connects to `url`. */
const connecting = (url: string, files: Files = {}, config = '') =>
  newProject({
    'umzug-tenants.config.mjs': `export default { url: ${JSON.stringify(url)}, ${config} }`,
    ...files,
  })

function withDatabase(name: string): string {
  const url = new URL(database.url)
  url.pathname = name
  return url.href
}

test('a role without the privilege to create a schema exits 7', async () => {
  await database.query(`CREATE ROLE cli_guest LOGIN PASSWORD 'guest'`)
  try {
    const url = new URL(database.url)
    Object.assign(url, { username: 'cli_guest', password: 'guest' })
    const common = await connecting(
      url.href,
      { 'migrations/shared/1.sql': 'SELECT 1;' },
      `sharedSchema: 'common'`,
    )
    const [create, shared] = await Promise.all([
      common.json<Failure>(['tenants', 'create', 'guest']),
      common.json<FleetReport>(['up', '--shared']),
    ])
    assert.equal([create.code, create.document.error.code], [7, 'PRIVILEGE_MISSING'])
    assert.equal([shared.code, shared.document.tenants[0]?.error?.code], [7, 'PRIVILEGE_MISSING'])
  } finally {
    await database.query('DROP ROLE cli_guest')
  }
})

test('files that are duplicated, cannot be loaded, or have no way back exit 8', async () => {
  const [duplicate, unloadable, irreversible] = await Promise.all([
    newProject({ 'migrations/001_a.sql': '', 'migrations/001_a.mjs': 'export const up = () => {}' }),
    newProject({ 'migrations/001_a.mjs': 'export const up = (' }),
    newProject({ 'migrations/001_users.sql': '' }),
  ])
  const two = await duplicate.json<Failure>(['up', '--tenant', 'a'])
  assert.equal([two.code, two.document.error.code], [8, 'MIGRATION_DUPLICATE'])
  await unloadable.cli(['tenants', 'create', 'fresh'])
  const broken = await unloadable.json<FleetReport>(['up', '--tenant', 'fresh'])
  assert.equal([broken.code, broken.document.tenants[0]?.error?.code], [8, 'MIGRATION_INVALID'])
  await project.cli(['up', '--tenant', 'a'])
  const oneWay = await irreversible.json<FleetReport>(['down', '--tenant', 'a', '--yes'])
  assert.equal([oneWay.code, oneWay.document.tenants[0]?.error?.code], [8, 'MIGRATION_IRREVERSIBLE'])
})

test('a migration nobody knows exits 2', async () => {
  const { code, document } = await project.json<FleetReport>(['up', '--tenant', 'b', '--to', 'nope'])
  assert.equal([code, document.tenants[0]?.error?.code], [2, 'MIGRATION_UNKNOWN'])
})

test('unknown tenants and refused names exit 9, whatever the command', async () => {
  const results = await Promise.all(
    [
      ['up', '--tenant', 'nobody'],
      ['up', '-x', 'tenant=all'],
      ['up', '--tenant', 'a,nobody'],
      ['up', '--tenant', 'nobody', '--dry-run'],
      ['down', '--tenant', 'nobody', '--yes'],
      ['status', '--tenant', 'nobody'],
      ['seed', 'up', '--tenant', 'nobody'],
      ['tenants', 'drop', 'nobody', '--yes'],
      ['tenants', 'create', 'public'],
      ['tenants', 'create', 'x', '--schema', 'a"; DROP SCHEMA a CASCADE; --'],
      ['tenants', 'create', 'other', '--schema', 'a'],
    ].map(async (args) => [args.join(' '), await project.json<Failure>(args)] as const),
  )
  for (const [command, { code, document }] of results) assert.is(code, 9, command + JSON.stringify(document))
  assert.ok(await exists('umzug_tenants.tenant'))
})

test('a tenant whose schema is gone is missing, which up and status --check say', async () => {
  await database.query('DROP SCHEMA c CASCADE')
  const [up, status] = await Promise.all([
    project.json<FleetReport>(['up', '--tenant', 'c']),
    project.cli(['status', '--check', '--tenant', 'c']),
  ])
  assert.equal([up.code, up.document.tenants[0]?.error?.code], [9, 'SCHEMA_MISSING'])
  assert.equal([status.code, /missing/.test(status.stdout)], [3, true])
})

test('what destroys needs --yes where nobody can be asked: exit 10, and nothing happens', async () => {
  const results = await Promise.all(
    [
      ['down', '--tenant', 'a'],
      ['down', '--all'],
      ['downgrade', 'base', '--tenant', 'a'],
      ['db:migrate:undo:all', '--tenant', 'a'],
      ['tenants', 'drop', 'a'],
    ].map((args) => project.json<Failure>(args)),
  )
  for (const { code, document } of results) {
    assert.equal([code, document.error.code], [10, 'CONFIRMATION_REQUIRED'])
    assert.match(document.error.fix.join(), '--yes')
  }
  assert.ok(await exists('a.users'))
})

test('a failure that nobody foresaw exits 1 and says what it was', async () => {
  const registry = `tenants: { list() { throw new Error('the registry is on fire') }, find: () => null }`
  const broken = await connecting(database.url, {}, registry)
  const { code, document } = await broken.json<Failure>(['tenants', 'list'])
  assert.equal(
    [code, document.error.code, document.error.detail],
    [1, 'UNEXPECTED', 'the registry is on fire'],
  )
})

test('a preview says of each tenant what it would run or why it would be refused, and goes on: exit 4', async () => {
  const preview = await newProject(tableMigration('001_users', 'users'))
  for (const id of ['p1', 'p2', 'p3']) await preview.cli(['tenants', 'create', id])
  await preview.cli(['up', '--tenant', 'p1'])
  await database.query('DROP SCHEMA p2 CASCADE')
  const { code, document } = await preview.json<{ dryRun: boolean; tenants: Plan[] }>(['up', '--match', 'p*', '--dry-run']) // prettier-ignore
  assert.equal([code, document.dryRun], [4, true])
  assert.equal(
    document.tenants.map(({ id, migrations, error }) => [id, error?.code ?? migrations]),
    [['p1', []], ['p2', 'SCHEMA_MISSING'], ['p3', ['001_users.sql']]], // prettier-ignore
  )
  const human = await preview.cli(['up', '--match', 'p*', '--dry-run'])
  assert.match(human.stdout, /p2 \(schema p2\) would be refused\n✖ SCHEMA_MISSING.*\n {2}fix: create it/)
  assert.match(human.stdout, 'p3 (schema p3) would run 1 migration\n  001_users.sql')
  const one = await preview.cli(['up', '--tenant', 'p2', '--dry-run'])
  assert.is(one.code, 9)
  await database.query(`DELETE FROM umzug_tenants.tenant WHERE id LIKE 'p_'`)
})

test('a fleet ends early at a failure, or at so many, and says how to go on: exit 4', async () => {
  const strict = await newProject(tableMigration('001_m', 'm'))
  for (const id of ['m1', 'm2', 'm3', 'm4']) await strict.cli(['tenants', 'create', id])
  await database.query('CREATE TABLE m1.m (); CREATE TABLE m2.m ()')
  const fast = await strict.cli(['up', '--match', 'm*', '--concurrency', '1', '--fail-fast'])
  assert.is(fast.code, 4)
  assert.match(fast.stderr, '✖ 1 of 4 tenants failed, 0 done')
  assert.match(fast.stderr, '3 tenants were not run\nto go on: run the same command again')
  const two = await strict.json<FleetReport>(['up', '--match', 'm*', '--concurrency', '1', '--max-failures', '2']) // prettier-ignore
  assert.equal([two.code, two.document.failed, two.document.remaining], [4, 2, ['m3', 'm4']])
  assert.not('interrupted' in two.document)
  const twice = await strict.json<Failure>(['up', '--all', '--fail-fast', '--max-failures', '2'])
  assert.equal([twice.code, twice.document.error.code], [2, 'USAGE'])
  await database.query(`DELETE FROM umzug_tenants.tenant WHERE id LIKE 'm_'`)
})

test.run()
