/** Every command against a real database, in this process unless it is about one. */
import * as assert from 'uvu/assert'

import type { FleetReport } from '../../lib/cli/outcomes.ts'
import type { Plan } from '../../lib/cli/report.ts'
import type { TenantStatus } from '../../lib/status.ts'
import { cliProjects, projectsInThisProcess, tableMigration, type CliProject } from '../support/cli.ts'
import { testDatabase } from '../support/database.ts'
import { suite } from '../support/suite.ts'

const test = suite('cli/commands')
const database = testDatabase(test)
const newProject = projectsInThisProcess(test, database)
const newProcessProject = cliProjects(test, database)

let project: CliProject

test.before(async () => {
  project = await newProject({
    ...tableMigration('001_users', 'users'),
    ...tableMigration('002_roles', 'roles'),
    ...tableMigration('003_permissions', 'permissions'),
    'migrations/shared/d6ba8c13303e_accounts.sql': 'CREATE TABLE accounts (id integer);',
    'migrations/shared/d6ba8c13303e_accounts.down.sql': 'DROP TABLE accounts;',
    'seeders/001_admin.sql': 'INSERT INTO users VALUES (1);',
  })
})

/** Tables in a schema, apart from the version tables. */
async function tables(schema: string): Promise<string> {
  const rows = await database.query<{ name: string }>(
    `SELECT tablename AS name FROM pg_tables WHERE schemaname = $1 AND tablename !~ '^Sequelize' ORDER BY 1`,
    [schema],
  )
  return rows.map(({ name }) => name).join(' ')
}

test('tenants create registers a tenant and makes its schema, empty; again it is no change', async () => {
  const first = await project.json([
    'tenants',
    'create',
    'a',
    '--schema',
    'tenant_a',
    '--host',
    'A.example.com',
  ])
  assert.is(first.code, 0)
  assert.equal(first.document, {
    id: 'a',
    schema: 'tenant_a',
    host: 'a.example.com',
    created: true,
    applied: [],
  })
  assert.is(await tables('tenant_a'), '')
  const again = await project.cli([
    'tenants',
    'create',
    'a',
    '--schema',
    'tenant_a',
    '--host',
    'a.example.com',
  ])
  assert.equal([again.code, again.stdout], [0, 'no change: a (schema tenant_a)\n'])
})

test('tenants create --up upgrades, too', async () => {
  const { code, stdout } = await project.cli(['tenants', 'create', 'b', '--up'])
  assert.is(code, 0)
  assert.match(stdout, 'created b (schema b)\n  applied 001_users.sql\n')
  assert.is(await tables('b'), 'permissions roles users')
})

test('tenants list shows the registered ones', async () => {
  const [human, json] = await Promise.all([
    project.cli(['tenants', 'list']),
    project.json(['tenants', 'list']),
  ])
  assert.is(
    human.stdout,
    'TENANT   SCHEMA     HOST\na        tenant_a   a.example.com\nb        b          -\n',
  )
  assert.equal(json.document, {
    tenants: [
      { id: 'a', schema: 'tenant_a', host: 'a.example.com' },
      { id: 'b', schema: 'b' },
    ],
  })
})

test('status means all tenants without a selection; db:migrate:status is the same', async () => {
  const names = ['status', 'db:migrate:status']
  const [status, ...same] = await Promise.all(
    names.map((name) => project.json<{ tenants: TenantStatus[] }>([name])),
  )
  const files = ['001_users.sql', '002_roles.sql', '003_permissions.sql']
  assert.equal(status?.document, {
    tenants: [
      {
        id: 'a',
        schema: 'tenant_a',
        current: null,
        head: files[2],
        executed: 0,
        pending: files,
        state: 'pending',
      },
      { id: 'b', schema: 'b', current: files[2], head: files[2], executed: 3, pending: [], state: 'ok' },
    ],
  })
  for (const { code, document } of same) assert.equal([code, document], [0, status?.document])
})

test('status can be narrowed, verified, and asked of the shared schema', async () => {
  const selections = [['--match', 'b*'], ['-x', 'tenant=b'], ['--tenant', 'b', '--verify'], ['--shared']]
  const ids = await Promise.all(
    selections.map(async (flags) => {
      const { document } = await project.json<{ tenants: TenantStatus[] }>(['status', ...flags])
      return document.tenants.map(({ id }) => id).join()
    }),
  )
  assert.equal(ids, ['b', 'b', 'b', 'shared'])
})

test('status --check exits 3 if anything is pending, and 0 if nothing is', async () => {
  const [all, one, without] = await Promise.all([
    project.json<{ tenants: unknown[] }>(['status', '--check']),
    project.cli(['status', '--check', '--tenant', 'b']),
    project.cli(['status']),
  ])
  assert.equal([all.code, one.code, without.code], [3, 0, 0])
  assert.is(all.document.tenants.length, 2)
})

test('up --dry-run prints the plan and writes nothing, in both spellings', async () => {
  const before = await everything()
  const [human, json, alembic, fleet] = await Promise.all([
    project.cli(['up', '--tenant', 'a', '--dry-run', '--step', '1']),
    project.json<{ dryRun: boolean; tenants: Plan[] }>(['up', '--tenant', 'a', '--dry-run']),
    project.json<{ dryRun: boolean; tenants: Plan[] }>([
      '-x',
      'dry_run=True',
      '-x',
      'tenant=a',
      'upgrade',
      'head',
    ]),
    project.json<{ tenants: Plan[] }>(['up', '--all', '--dry-run']),
  ])
  assert.is(human.stdout, 'a (schema tenant_a) would run 1 migration\n  001_users.sql\n')
  const migrations = ['001_users.sql', '002_roles.sql', '003_permissions.sql']
  assert.equal(json.document, { dryRun: true, tenants: [{ id: 'a', schema: 'tenant_a', migrations }] })
  assert.equal(alembic.document, json.document)
  assert.equal(
    fleet.document.tenants.map(({ id, migrations: { length } }) => [id, length]),
    [['a', 3], ['b', 0]], // prettier-ignore
  )
  assert.equal(await everything(), before)
})

/** Every table, and every row of the ledger. */
async function everything(): Promise<unknown> {
  return [
    await database.query('SELECT schemaname, tablename FROM pg_tables ORDER BY 1, 2'),
    await database.query('SELECT * FROM umzug_tenants.tenant ORDER BY id'),
    await database.query('SELECT * FROM umzug_tenants.run ORDER BY id'),
  ]
}

test('up --to and --step go part of the way', async () => {
  const first = await project.json<FleetReport>(['up', '--tenant', 'a', '--step', '1'])
  assert.equal(applied(first.document), ['001_users.sql'])
  const second = await project.json<FleetReport>(['db:migrate', '--tenant', 'a', '--to', '002_roles.sql'])
  assert.equal(applied(second.document), ['002_roles.sql'])
})

function applied({ tenants }: FleetReport): readonly string[] | undefined {
  return tenants[0]?.applied
}

test('a selection that finds nobody says so, and what to do', async () => {
  for (const line of [
    'up',
    'down --yes',
    'redo --yes',
    'stamp head',
    'seed up',
    'status',
    'seed status',
    'current',
    'history',
    'pending',
    'executed',
  ]) {
    const { code, stderr } = await project.cli([...line.split(' '), '--match', 'nobody*'])
    assert.equal(
      [code, stderr],
      [0, 'no tenant matches nobody*: umzug-tenants tenants list prints all\n'],
      line,
    )
  }
  const { document, stderr } = await project.json<{ tenants: unknown[] }>(['up', '--match', 'nobody*'])
  assert.equal([document.tenants, stderr], [[], ''])
})

test('up prints the migrations as they are committed, and a summary; at head there is nothing to do', async () => {
  const { code, stdout } = await project.cli(['up', '--tenant', 'a'])
  assert.is(code, 0)
  assert.match(
    stdout,
    /^a \(schema tenant_a\)\n {2}✔ 003_permissions\.sql {3}\d+ ms\n1 tenant up to date · 1 migration · /,
  )
  const again = await project.cli(['up', '--tenant', 'a'])
  assert.match(again.stdout, /^1 tenant up to date · nothing to do · /)
})

test('up --json has the form of a fleet for one tenant, for all and for the shared schema', async () => {
  const one = await project.json<FleetReport>(['up', '--tenant', 'a'])
  assert.equal(withoutTimes(one.document), {
    tenants: [{ id: 'a', schema: 'tenant_a', applied: [] }],
    succeeded: 0,
    unchanged: 1,
    failed: 0,
    notRun: 0,
  })
  const shared = await project.json<FleetReport>(['up', '--shared'])
  assert.equal(withoutTimes(shared.document), {
    tenants: [{ id: 'shared', schema: 'shared', applied: ['d6ba8c13303e_accounts.sql'] }],
    succeeded: 1,
    unchanged: 0,
    failed: 0,
    notRun: 0,
  })
  const all = await project.json<FleetReport>(['up', '--all', '--concurrency', '2'])
  assert.equal([all.code, all.document.unchanged], [0, 2])
})

/** The report with its durations checked and left out. */
function withoutTimes({ tenants, ...counts }: FleetReport): object {
  for (const { durationMs = -1 } of tenants) assert.ok(Number.isInteger(durationMs) && durationMs >= 0)
  return { tenants: tenants.map(({ durationMs: _checked, ...rest }) => rest), ...counts }
}

test('down reverts the last migration, and --to 0 all of them', async () => {
  const last = await project.json<FleetReport>(['down', '--tenant', 'b', '--yes'])
  assert.equal(withoutTimes(last.document), {
    tenants: [{ id: 'b', schema: 'b', reverted: ['003_permissions.sql'] }],
    succeeded: 1,
    unchanged: 0,
    failed: 0,
    notRun: 0,
  })
  const all = await project.cli(['down', '--match', 'b', '--to', '0', '-y'])
  assert.match(all.stdout, '✔ reverted 002_roles.sql')
  assert.match(all.stdout, '1 tenant reverted · 2 migrations')
  assert.is(await tables('b'), '')
})

test('down --shared reverts the shared schema', async () => {
  const { code, document } = await project.json<FleetReport>(['down', '--shared', '--yes'])
  assert.equal([code, document.tenants[0]?.reverted], [0, ['d6ba8c13303e_accounts.sql']])
})

test('seed up applies seed files once', async () => {
  const first = await project.json<FleetReport>(['seed', 'up', '--tenant', 'a'])
  assert.equal([first.code, applied(first.document)], [0, ['001_admin.sql']])
  const again = await project.cli(['seed', 'up', '--match', 'a'])
  assert.equal([again.code, await database.query('SELECT id FROM tenant_a.users')], [0, [{ id: 1 }]])
})

test('tenants drop removes the schema and the registration', async () => {
  const { code, document } = await project.json(['tenants', 'drop', 'b', '--yes'])
  assert.equal([code, document], [0, { id: 'b', schema: 'b', dropped: true }])
  assert.equal(await database.query(`SELECT 1 FROM pg_namespace WHERE nspname = 'b'`), [])
  const list = await project.json<{ tenants: { id: string }[] }>(['tenants', 'list'])
  assert.equal(list.document.tenants.map(({ id }) => id), ['a']) // prettier-ignore
})

test('every other -x reaches the migrations as context.x', async () => {
  const other = await newProject({
    'migrations/001_x.mjs': `export const up = ({ context }) => context.sql(\`COMMENT ON SCHEMA \${context.schema} IS '\${JSON.stringify(context.x)}'\`)`,
  })
  await other.cli(['tenants', 'create', 'x'])
  const { code } = await other.cli(['-x', 'version=2', 'up', '-x', 'tenant=x', '-x', 'note=a=b'])
  const [row] = await database.query<{ comment: string }>(
    `SELECT obj_description(oid) AS comment FROM pg_namespace WHERE nspname = 'x'`,
  )
  assert.equal([code, JSON.parse(row?.comment ?? '')], [0, { version: '2', note: 'a=b' }])
})

test('what configuration and migrations print, and what Sequelize logs, does not reach stdout', async () => {
  const other = await newProcessProject({
    'package.json': '{ "type": "module" }',
    'umzug-tenants.config.mjs': `
      import { createRequire } from 'node:module'
      const { Sequelize } = createRequire(${JSON.stringify(import.meta.url)})('sequelize')
      console.log('from the configuration')
      setInterval(() => undefined, 1000) // what an application may leave running
      export default { sequelize: () => new Sequelize(process.env.DATABASE_URL), migrations: 'own/*' }`,
    'own/001_loud.mjs': `
      console.log('from a migration')
      console.table([1])
      export const up = ({ context }) => context.sql('CREATE TABLE loud (id integer)')`,
  })
  const created = await other.json<{ created: boolean }>(['tenants', 'create', 'loud'])
  const { code, document, stderr } = await other.json<FleetReport>(['up', '--tenant', 'loud'])
  assert.equal([created.code, code, applied(document)], [0, 0, ['001_loud.mjs']])
  assert.match(stderr, 'from the configuration')
  assert.match(stderr, 'from a migration')
})

test('--url works instead of DATABASE_URL and everything else, with a warning', async () => {
  const other = await newProcessProject()
  const { code, stdout, stderr } = await other.cli(['--url', database.url, 'tenants', 'list'], {
    env: {
      DATABASE_URL: 'postgres://nobody@127.0.0.1:9/none',
      MIGRATION_DATABASE_URL: 'postgres://127.0.0.1:9/none',
    },
  })
  assert.is(code, 0)
  assert.match(stdout, 'tenant_a')
  assert.match(stderr, 'warning: --url is visible in the process list')
})

test("--url is refused where the registry is the application's own: it would go on asking the other database", async () => {
  const other = await newProject({
    'umzug-tenants.config.mjs': 'export default { tenants: { list: () => [], find: () => null } }',
  })
  const { code, stderr } = await other.cli(['--url', database.url, 'tenants', 'list'])
  assert.is(code, 2)
  assert.match(stderr, '--url does not reach a registry of the application.')
})

test('repair settles an interrupted migration, and says so when there is none', async () => {
  await project.cli(['tenants', 'create', 'mended', '--up'])
  const none = await project.json(['repair', '--tenant', 'mended', '--mark-applied'])
  assert.equal(
    [none.code, none.document],
    [0, { id: 'mended', schema: 'mended', migration: null, as: 'applied' }],
  )
  await project.cli(['down', '--tenant', 'mended', '--yes'])
  await database.query("UPDATE umzug_tenants.tenant SET running = '003_permissions.sql' WHERE id = 'mended'")
  const refused = await project.cli(['up', '--tenant', 'mended'])
  assert.is(refused.code, 1)
  assert.match(refused.stderr, 'repair --tenant mended --mark-rolled-back')
  const { code, stdout } = await project.cli(['repair', '-x', 'tenant=mended', '--mark-rolled-back'])
  assert.is(code, 0)
  assert.match(stdout, '003_permissions.sql of mended counts as rolled-back now')
  assert.is((await project.cli(['up', '--tenant', 'mended'])).code, 0)
})

test('repair without a tenant or without a settlement says what to write', async () => {
  const tenant = await project.cli(['repair', '--mark-applied'])
  assert.is(tenant.code, 2)
  assert.match(tenant.stderr, '--tenant ID')
  const settlement = await project.cli(['repair', '--tenant', 'a'])
  assert.is(settlement.code, 2)
  assert.match(settlement.stderr, '--mark-rolled-back')
})

test.run()
