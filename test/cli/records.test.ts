/** Commands that change or print what is recorded, and run nothing: in this process, and at a terminal. */
import { join } from 'node:path'

import * as assert from 'uvu/assert'

import { run } from '../../lib/cli/program.ts'
import type { ErrorDocument } from '../../lib/errors.ts'
import type { TenantHistory } from '../../lib/tenant-history.ts'
import { fakeTerminal, projectsInThisProcess, tableMigration, type CliProject } from '../support/cli.ts'
import { testDatabase } from '../support/database.ts'
import { suite } from '../support/suite.ts'
import { newId } from '../support/tenancies.ts'

const test = suite('cli/records')
const database = testDatabase(test)
const newProject = projectsInThisProcess(test, database)

const FILES = {
  ...tableMigration('001_users', 'users'),
  ...tableMigration('002_roles', 'roles'),
  'migrations/shared/d6ba_accounts.sql': 'CREATE TABLE accounts ();',
}
const NAMES = ['001_users.sql', '002_roles.sql']

let project: CliProject

test.before(async () => {
  project = await newProject(FILES)
})

async function create(...flags: string[]): Promise<string> {
  const id = newId()
  await project.cli(['tenants', 'create', id, ...flags])
  return id
}

/** Runs a command at a terminal where `answers` are typed. */
async function at(answers: readonly string[], ...argv: string[]) {
  const terminal = fakeTerminal(answers)
  const code = await run([...argv, '--config', join(project.folder, 'umzug-tenants.config.mjs')], terminal)
  return { code, ...terminal.printed }
}

interface Report<Tenant> {
  readonly tenants: readonly (Tenant & { readonly error?: ErrorDocument })[]
  readonly succeeded: number
  readonly unchanged: number
  readonly failed: number
}

interface Stamped {
  readonly recorded: readonly string[]
  readonly forgotten: readonly string[]
}

test('stamp records without running, for one tenant as for many, and again it is no change', async () => {
  const [id, other] = [await create(), await create()]
  const one = await project.json<Report<Stamped>>(['stamp', 'head', '--tenant', id])
  assert.is(one.code, 0)
  assert.equal(one.document.tenants, [{ id, schema: id, recorded: NAMES, forgotten: [] }])
  const many = await project.json<Report<Stamped>>(['stamp', 'head', '--tenant', `${id},${other}`])
  assert.equal([many.document.succeeded, many.document.unchanged, many.document.failed], [1, 1, 0])
  const text = await project.cli(['-x', `tenant=${id}`, 'stamp', 'head'])
  assert.is(text.code, 0)
  assert.match(text.stdout, /^1 tenant unchanged · nothing to do · \d+ ms\n$/)
  assert.equal(await database.query('SELECT FROM pg_tables WHERE schemaname = $1', [id]), [{}])
})

test('stamp --dry-run prints the change and writes nothing, in both spellings', async () => {
  const id = await create('--up')
  for (const argv of [
    ['stamp', '001', '--tenant', id, '--dry-run'],
    ['-x', `tenant=${id}`, '-x', 'dry_run=True', 'stamp', '001'],
  ]) {
    const { code, stdout, stderr } = await project.cli(argv)
    assert.equal(
      [code, stdout, stderr],
      [0, `${id} (schema ${id})\n  would forget 002_roles.sql\n`, 'nothing was written\n'],
    )
  }
  const { document } = await project.json(['stamp', '0', '--tenant', id, '--dry-run'])
  const forgotten = NAMES.toReversed()
  assert.equal(document, { dryRun: true, tenants: [{ id, schema: id, recorded: [], forgotten }] })
  assert.is((await project.cli(['executed', '--tenant', id])).stdout, '001_users.sql\n002_roles.sql\n')
})

test('forgetting must be confirmed, recording need not', async () => {
  const id = await create('--up')
  const refused = await project.cli(['stamp', '0', '--tenant', id])
  assert.is(refused.code, 10)
  assert.match(
    refused.stderr,
    `This forgets that 002_roles.sql, 001_users.sql ran on tenant "${id}"; what they did stays`,
  )
  const no = await at(['no'], 'stamp', 'base', '--tenant', id)
  assert.equal([no.code, no.out], [10, ''])
  const typed = await at([id], 'stamp', '001', '--tenant', id)
  assert.is(typed.code, 0)
  assert.match(
    typed.out,
    new RegExp(`^${id} \\(schema ${id}\\)\n  forgot 002_roles.sql\n1 tenant stamped · 1 migration · `),
  )
  assert.is((await project.cli(['stamp', '0', '--tenant', id, '--yes'])).code, 0)
  assert.is((await project.cli(['executed', '--tenant', id])).stdout, '')
})

test('stamp of an unknown name exits 2, of an unknown tenant 9, without a selection 2, of a fleet with failures 4', async () => {
  const id = await create()
  const unknown = await project.json<Report<Stamped>>(['stamp', 'nope', '--tenant', id])
  assert.equal([unknown.code, unknown.document.tenants[0]?.error?.code], [2, 'MIGRATION_UNKNOWN'])
  assert.is((await project.cli(['stamp', 'head', '--tenant', 'nobody'])).code, 9)
  assert.is((await project.cli(['stamp', 'head'])).code, 2)
  const lost = await create()
  await database.query(`DROP SCHEMA ${lost}`)
  const some = await project.cli(['stamp', 'head', '--tenant', `${id},${lost}`])
  assert.is(some.code, 4)
  assert.match(some.stdout, `${id} (schema ${id})\n  recorded 001_users.sql`)
  assert.match(some.stderr, `SCHEMA_MISSING Schema "${lost}" of tenant "${lost}" does not exist.`)
  assert.match(
    some.stderr,
    `fix: mend the cause, then run only these: umzug-tenants stamp head --tenant ${lost}`,
  )
  await project.cli(['tenants', 'drop', lost, '--yes'])
})

test('stamp --shared is about the shared migrations', async () => {
  await database.query('CREATE SCHEMA IF NOT EXISTS shared')
  const { code, stdout } = await project.cli(['stamp', 'head', '--shared'])
  assert.is(code, 0)
  assert.match(stdout, /^shared \(schema shared\)\n {2}recorded d6ba_accounts.sql\n1 tenant stamped · /)
})

test('history of a tenant tells what was applied when, and what is pending', async () => {
  const id = await create()
  await project.cli(['up', '--tenant', id, '--step', '1'])
  const { stdout } = await project.cli(['history', '--tenant', id])
  const [heading, first, second] = stdout.split('\n')
  assert.match(heading ?? '', /^MIGRATION {7}APPLIED {19}TOOK$/)
  assert.match(first ?? '', /^001_users\.sql {3}20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC {3}\d+ ms$/)
  assert.match(second ?? '', /^002_roles\.sql {3}pending +-$/)
  const { document } = await project.json<{ tenants: TenantHistory[] }>(['history', '--tenant', id])
  assert.equal(
    document.tenants[0]?.migrations.map(({ name, state }) => [name, state]),
    [
      ['001_users.sql', 'executed'],
      ['002_roles.sql', 'pending'],
    ],
  )
})

test('history without tenants lists the files, and needs no database', async () => {
  const bare = await newProject({
    ...FILES,
    'umzug-tenants.config.mjs': `export default { url: 'postgres://nobody@127.0.0.1:1/none' }`,
  })
  const { code, stdout } = await bare.cli(['history'])
  assert.equal(
    [code, stdout],
    [0, 'REVISION   MIGRATION\n001        001_users.sql\n002        002_roles.sql\n'],
  )
  const { document } = await project.json<{ migrations: unknown[] }>(['history'])
  assert.equal(document.migrations[0], { name: '001_users.sql', revision: '001' })
})

test('pending and executed print names alone for one tenant, and with it for many', async () => {
  const [id, other] = [await create(), await create('--up')]
  await project.cli(['up', '--tenant', id, '--step', '1'])
  assert.is((await project.cli(['pending', '--tenant', id])).stdout, '002_roles.sql\n')
  assert.is((await project.cli(['executed', '-x', `tenant=${id}`])).stdout, '001_users.sql\n')
  const both = await project.cli(['pending', '--tenant', `${id},${other}`])
  assert.match(both.stdout, new RegExp(`^TENANT +MIGRATION\n${id} +002_roles.sql\n$`))
  const { document } = await project.json(['executed', '--tenant', other])
  assert.equal(document, { tenants: [{ id: other, schema: other, migrations: NAMES }] })
  assert.is((await project.cli(['pending', '--shared'])).code, 0)
})

test('current prints the revision as Alembic does: REV (head), and nothing before the first', async () => {
  const id = await create()
  const current = async () => (await project.cli(['-x', `tenant=${id}`, 'current'])).stdout
  assert.is(await current(), '')
  await project.cli(['up', '--tenant', id, '--step', '1'])
  assert.is(await current(), '001\n')
  await project.cli(['up', '--tenant', id])
  assert.is(await current(), '002 (head)\n')
  const all = await project.cli(['current'])
  assert.match(all.stdout, new RegExp(`^TENANT +CURRENT\n[^]*^${id} +002 \\(head\\)$`, 'm'))
  const { document } = await project.json<{ tenants: { revision: string }[] }>(['current', '--tenant', id])
  assert.is(document.tenants[0]?.revision, '002')
})

test('current --check exits 3 if a tenant is behind', async () => {
  const id = await create()
  assert.is((await project.cli(['current', '--check', '--tenant', id])).code, 3)
  await project.cli(['up', '--tenant', id])
  assert.is((await project.cli(['current', '--check', '--tenant', id])).code, 0)
})

test('redo is confirmed as down is, and prints both ways', async () => {
  const id = await create('--up')
  const refused = await project.cli(['redo', '--tenant', id])
  assert.is(refused.code, 10)
  assert.match(
    refused.stderr,
    `This reverts the last migration of tenant "${id}", and the data with it, and applies it again.`,
  )
  const { code, stdout } = await project.cli(['redo', '--tenant', id, '--yes', '--step', '2'])
  assert.is(code, 0)
  const ticks = ['reverted 002_roles.sql', 'reverted 001_users.sql', '001_users.sql', '002_roles.sql']
  assert.equal(stdout.replaceAll(/ +\d+ ms/g, '').split('\n'), [
    `${id} (schema ${id})`,
    ...ticks.map((tick) => `  ✔ ${tick}`),
    '1 tenant redone · 2 migrations ·',
    '',
  ])
  const json = await project.json<Report<{ applied: string[]; reverted: string[] }>>([
    'redo',
    '--tenant',
    id,
    '--yes',
  ])
  assert.equal([json.document.tenants[0]?.reverted, json.document.tenants[0]?.applied], [['002_roles.sql'], ['002_roles.sql']]) // prettier-ignore
  assert.is((await project.cli(['redo', '--tenant', id, '-x', 'dry_run=True', '--yes'])).code, 2)
})

test('redo tells at a terminal what is reverted and what the tenant holds, before it asks', async () => {
  const id = await create('--up')
  const { code, err, out } = await at([id], 'redo', '--tenant', id)
  assert.is(code, 0)
  assert.match(
    err,
    `To be reverted, in this order:\n  002_roles.sql\nWhat that drops is up to them. Schema ${id}`,
  )
  assert.match(out, '1 tenant redone · 1 migration')
})

test('with --shared a failure has the form of the report, for every command that has a report', async () => {
  const broken = await newProject(FILES)
  await broken.write({ 'migrations/shared/d6bb_broken.sql': 'SELECT 1/0' })
  const up = await broken.json<Report<object>>(['up', '--shared'])
  assert.equal([up.code, up.document.failed, up.document.tenants[0]?.error?.sqlstate], [1, 1, '22012'])
  for (const argv of [
    ['stamp', 'nope', '--shared'],
    ['redo', '--shared', '--to', 'nope', '--yes'],
  ]) {
    const { code, document } = await broken.json<Report<{ id: string }>>(argv)
    const [tenant] = document.tenants
    assert.equal([code, document.failed, tenant?.id, tenant?.error?.code], [2, 1, 'shared', 'MIGRATION_UNKNOWN']) // prettier-ignore
  }
})

test('--fail-fast begins no tenant after a failure, and the report names those that are left', async () => {
  const [lost, id] = [await create(), await create()]
  await database.query(`DROP SCHEMA ${lost}`)
  const argv = ['--tenant', `${lost},${id}`, '--concurrency', '1', '--fail-fast']
  const { code, stderr } = await project.cli(['stamp', 'head', ...argv])
  assert.is(code, 4)
  assert.match(
    stderr,
    '1 tenant was not run\nto go on: run the same command again, which does only what is left\n',
  )
  const redone = await project.cli(['redo', '--yes', ...argv])
  assert.match(redone.stderr, `to go on: run only these: umzug-tenants redo --tenant ${id}\n`)
  await project.cli(['tenants', 'drop', lost, '--yes'])
})

test('redo exits 1 for a failure, and says whether the migration stays reverted', async () => {
  const broken = await newProject(FILES)
  const id = newId()
  await broken.cli(['tenants', 'create', id, '--up'])
  await broken.write({ 'migrations/002_roles.sql': 'SELECT 1/0' })
  const { code, stderr } = await broken.cli(['redo', '--tenant', id, '--yes'])
  assert.is(code, 1)
  assert.match(stderr, '22012')
  assert.is((await broken.cli(['executed', '--tenant', id])).stdout, '001_users.sql\n002_roles.sql\n')
})

test('repair --rehash accepts changed files, for one tenant and for all', async () => {
  const changing = await newProject(FILES)
  const [id, other] = [newId(), newId()]
  for (const each of [id, other]) await changing.cli(['tenants', 'create', each, '--up'])
  await changing.write({ 'migrations/001_users.sql': 'CREATE TABLE users (id bigint)' })
  assert.is((await changing.cli(['up', '--tenant', id])).code, 8)
  const { code, stdout, stderr } = await changing.cli(['repair', '--rehash', '--tenant', id])
  assert.is(code, 0)
  assert.match(stdout, /^1 tenant rehashed · 1 migration · /)
  assert.is(stderr, `allowed: 001_users.sql has changed since it was applied (${id})\n`)
  assert.is((await changing.cli(['up', '--tenant', id])).code, 0)
  const both = await changing.json<Report<{ accepted: string[] }>>([
    'repair',
    '--rehash',
    '--tenant',
    `${id},${other}`,
  ])
  assert.equal(both.document.tenants.map(({ accepted }) => accepted), [[], ['001_users.sql']]) // prettier-ignore
  assert.is((await changing.cli(['repair', '--rehash', '--mark-applied', '--tenant', id])).code, 2)
  assert.is((await changing.cli(['repair', '--rehash'])).code, 2)
})

/** A schema as sequelize-cli leaves it. */
async function migrated(schema: string, ...names: string[]): Promise<void> {
  await database.query(
    `CREATE SCHEMA ${schema}; CREATE TABLE ${schema}."SequelizeMeta" (name varchar(255) PRIMARY KEY)`,
  )
  for (const name of names) await database.query(`INSERT INTO ${schema}."SequelizeMeta" VALUES ($1)`, [name])
}

test('tenants adopt registers a schema where it stands', async () => {
  const schema = newId()
  await migrated(schema, '001_users.js')
  const preview = await project.cli(['tenants', 'adopt', schema, '--dry-run'])
  assert.equal([preview.code, preview.stdout, preview.stderr], [0, `would adopt ${schema} (schema ${schema}) at 001_users.sql, 1 pending\n`, 'nothing was written\n']) // prettier-ignore
  const { code, stdout } = await project.cli(['tenants', 'adopt', schema, '--id', `x${schema}`])
  assert.equal([code, stdout], [0, `adopted x${schema} (schema ${schema}) at 001_users.sql, 1 pending\n`])
  const again = await project.cli(['tenants', 'adopt', schema])
  assert.equal([again.code, again.stdout], [0, `no change: x${schema} (schema ${schema})\n`])
  assert.is((await project.cli(['pending', '--tenant', `x${schema}`])).stdout, '002_roles.sql\n')
})

test('tenants adopt --match takes several, and exits 4 if one cannot be', async () => {
  const prefix = newId()
  await migrated(`${prefix}_a`, ...NAMES)
  await database.query(`CREATE SCHEMA ${prefix}_b; CREATE TABLE ${prefix}_b.x ()`)
  const { code, document } = await project.json<Report<{ id: string; state: string }>>(['tenants', 'adopt', '--match', `${prefix}*`]) // prettier-ignore
  assert.is(code, 4)
  assert.equal(
    document.tenants.map(({ id, error, state }) => [id, error?.code ?? state]),
    [
      [`${prefix}_a`, 'ok'],
      [`${prefix}_b`, 'VERSION_TABLE_MISSING'],
    ],
  )
  const stamped = await project.cli(['tenants', 'adopt', `${prefix}_a`, `${prefix}_b`, '--stamp', '001'])
  assert.is(stamped.code, 0)
  assert.match(
    stamped.stdout,
    `adopted ${prefix}_b (schema ${prefix}_b) at 001_users.sql, 1 pending\n  recorded 001_users.sql`,
  )
})

test('tenants adopt says what is wrong with the way it was called', async () => {
  for (const [argv, words] of [
    [[], 'No schema is named.'],
    [['a', '--match', 'a*'], 'SCHEMA and --match exclude each other.'],
    [['a', 'b', '--id', 'x'], '--id, --host and --rename-to are for one schema.'],
  ] as const) {
    const { code, stderr } = await project.cli(['tenants', 'adopt', ...argv])
    assert.is(code, 2)
    assert.match(stderr, words)
  }
  const missing = await project.json<{ error: ErrorDocument }>(['tenants', 'adopt', 'nowhere'])
  assert.equal([missing.code, missing.document.error.code], [9, 'SCHEMA_MISSING'])
  const asIs = await project.cli(['tenants', 'adopt', 'public'])
  assert.is(asIs.code, 9)
  assert.match(asIs.stderr, 'tenants adopt public --id acme --rename-to acme')
})

test('tenants adopt public is confirmed by the tenant’s id', async () => {
  await database.query('CREATE TABLE public."SequelizeMeta" (name varchar(255) PRIMARY KEY); CREATE TABLE public.users (id serial)') // prettier-ignore
  const id = newId()
  const argv = ['tenants', 'adopt', 'public', '--id', id, '--rename-to', `s_${id}`]
  const preview = await project.cli([...argv, '--dry-run'])
  assert.is(preview.code, 0)
  assert.match(preview.stdout, `  CREATE SCHEMA "s_${id}";\n`)
  assert.match(preview.stdout, `  ALTER TABLE public.users SET SCHEMA "s_${id}";\n`)
  assert.is((await project.cli(argv)).code, 10)
  const no = await at(['yes'], ...argv)
  assert.is(no.code, 10)
  assert.match(no.err, `This moves every table, view, type and function of "public" to schema "s_${id}"`)
  const yes = await at([id], ...argv)
  assert.is(yes.code, 0)
  assert.match(yes.out, `adopted ${id} (schema s_${id}) before the first migration, 2 pending\n`)
  assert.equal(await database.query("SELECT FROM pg_tables WHERE schemaname = 'public'"), [])
})

test('tenants rename gives the schema another name, and warns of texts that name the old one', async () => {
  const id = await create('--up')
  await database.query(
    `CREATE FUNCTION ${id}.f() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM ${id}.users'`,
  )
  const preview = await project.cli(['tenants', 'rename', id, `new_${id}`, '--dry-run'])
  assert.is(preview.stdout, `would rename the schema of ${id} from ${id} to new_${id}\n`)
  const { code, stdout, stderr } = await project.cli(['tenants', 'rename', id, `new_${id}`])
  assert.equal([code, stdout], [0, `renamed the schema of ${id} from ${id} to new_${id}\n`])
  assert.match(stderr, `warning: ${id}: function ${id}.f names it in its body\n`)
  assert.match(stderr, `do not give another tenant the name ${id} before`)
  const json = await project.json(['tenants', 'rename', id, id])
  assert.equal(json.document, { id, schema: id, from: `new_${id}`, warnings: [] })
  assert.is((await project.cli(['tenants', 'rename', id, 'shared'])).code, 9)
})

test.run()
