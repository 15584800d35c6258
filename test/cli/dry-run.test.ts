/** Previews write nothing: they succeed for a role that may only read, for which every attempt to write would fail. */
import * as assert from 'uvu/assert'

import { cliProjects, inThisProcess, tableMigration, type CliProject } from '../support/cli.ts'
import { query, testDatabase } from '../support/database.ts'
import { suite } from '../support/suite.ts'

const test = suite('cli/dry-run')
const database = testDatabase(test)
const newProject = cliProjects(test, database)

const FILES = {
  ...tableMigration('001_users', 'users'),
  ...tableMigration('002_roles', 'roles'),
  'migrations/shared/001_plans.sql': 'CREATE TABLE plans ();',
}

const projectAs = async (url: string): Promise<CliProject> =>
  inThisProcess(
    await newProject({
      ...FILES,
      'umzug-tenants.config.mjs': `export default { url: ${JSON.stringify(url)} }`,
    }),
  )

const SCHEMAS = 'a, b, old, shared, umzug_tenants'

let reader: CliProject
let role: string

test.before(async () => {
  const url = new URL(database.url)
  role = `${url.pathname.slice(1)}_reader`
  const owner = await projectAs(url.href)
  for (const id of ['a', 'b']) await owner.cli(['tenants', 'create', id])
  await owner.cli(['up', '--tenant', 'a', '--step', '1'])
  await query(
    url.href,
    `CREATE SCHEMA shared; CREATE SCHEMA old;
     CREATE TABLE old."SequelizeMeta" (name varchar(255) PRIMARY KEY);
     INSERT INTO old."SequelizeMeta" VALUES ('001_users.sql');
     CREATE ROLE ${role} LOGIN PASSWORD 'reader';
     GRANT USAGE ON SCHEMA ${SCHEMAS} TO ${role};
     GRANT SELECT ON ALL TABLES IN SCHEMA ${SCHEMAS} TO ${role}`,
  )
  Object.assign(url, { username: role, password: 'reader' })
  reader = await projectAs(url.href)
})

test.after(() => query(database.url, `DROP OWNED BY ${role}; DROP ROLE ${role}`))

/** Every relation, every row of the ledger and of the version tables, and every sequence as it stands. */
async function everything(): Promise<unknown> {
  return Promise.all(
    [
      `SELECT oid, relname, relfilenode FROM pg_class WHERE relnamespace::regnamespace::text !~ '^pg_' ORDER BY oid`,
      'SELECT * FROM umzug_tenants.tenant ORDER BY id',
      'SELECT * FROM umzug_tenants.run ORDER BY id',
      'SELECT schemaname, sequencename, last_value FROM pg_sequences ORDER BY 1, 2',
      'SELECT name FROM a."SequelizeMeta" UNION ALL SELECT name FROM old."SequelizeMeta"',
      'SELECT nspname FROM pg_namespace ORDER BY 1',
    ].map((text) => database.query(text)),
  )
}

const PREVIEWS: readonly (readonly [string, RegExp])[] = [
  ['up --tenant a', /^a \(schema a\) would run 1 migration\n {2}002_roles\.sql\n$/],
  ['up --all', /b \(schema b\) would run 2 migrations\n/],
  ['up --shared', /^shared \(schema shared\) would run 1 migration\n/],
  ['db:migrate --all --verify', /a \(schema a\) would run 1 migration\n/],
  ['upgrade head --tenant b', /b \(schema b\) would run 2 migrations\n/],
  ['stamp head --tenant b', /^b \(schema b\)\n {2}would record 001_users\.sql\n/],
  ['stamp 0 --all', /would forget 001_users\.sql\n/],
  ['tenants adopt old', /^would adopt old \(schema old\) at 001_users\.sql, 1 pending\n/],
  ['tenants adopt --match old', /^would adopt old /],
  ['tenants adopt old --id older --rename-to older', /ALTER SCHEMA "old" RENAME TO "older";\n/],
  ['tenants rename a renamed', /^would rename the schema of a from a to renamed\n$/],
]

for (const [line, printed] of PREVIEWS) {
  for (const [spelling, argv] of [
    [`${line} --dry-run`, [...line.split(' '), '--dry-run']],
    [`-x dry_run=True ${line}`, ['-x', 'dry_run=True', ...line.split(' ')]],
  ] as const) {
    test(`${spelling} succeeds for a role that may only read, and changes nothing`, async () => {
      const before = await everything()
      const { code, stdout, stderr } = await reader.cli(argv)
      assert.equal([code, stderr], [0, 'nothing was written\n'])
      assert.match(stdout, printed)
      assert.equal(await everything(), before)
    })
  }
}

test('what reads only works for that role, too', async () => {
  for (const line of ['status', 'history --all', 'pending', 'executed', 'current', 'tenants list', 'locks']) {
    const { code, stderr } = await reader.cli(line.split(' '))
    assert.is(code, 0, `${line}: ${stderr}`)
  }
})

test('without --dry-run the same commands fail for that role: it really may not write', async () => {
  const before = await everything()
  for (const [exitCode, line] of [
    [7, 'up --tenant a'],
    [7, 'up --shared'],
    [7, 'stamp head --tenant b'],
    [7, 'tenants adopt old'],
    [7, 'tenants rename a renamed'],
  ] as const) {
    const { code, stderr } = await reader.cli(line.split(' '))
    assert.is(code, exitCode, `${line}: ${stderr}`)
    assert.match(stderr, /permission denied|PRIVILEGE_MISSING/)
  }
  assert.equal(await everything(), before)
})

test.run()
