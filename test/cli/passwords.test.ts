/** A password is in nothing that the command line prints, plain or encoded, in text or in a document. */
import * as assert from 'uvu/assert'

import {
  cliProjects,
  inThisProcess,
  projectsInThisProcess,
  tableMigration,
  type CliProject,
} from '../support/cli.ts'
import { testDatabase } from '../support/database.ts'
import { suite } from '../support/suite.ts'

const test = suite('cli/passwords')
const database = testDatabase(test)
const newProject = projectsInThisProcess(test, database)
const newProcessProject = cliProjects(test, database)

const SECRET = 'can@ry/ßecret'
const ENCODED = encodeURIComponent(SECRET)

/** What a URL makes of it, and its first letters, which would do. */
const TRACES = [SECRET, ENCODED, 'can@ry', 'can%40ry', encodeURI(SECRET)]

function assertSilent(printed: string): void {
  for (const trace of TRACES) assert.not.ok(printed.includes(trace), printed)
}

let project: CliProject
let role: string

test.before(async () => {
  role = `${new URL(database.url).pathname.slice(1)}_canary`
  await database.query(`CREATE ROLE ${role} LOGIN SUPERUSER PASSWORD '${SECRET}'`)
  project = await newProject(tableMigration('001_users', 'users'))
  for (const id of ['a', 'b', 'c']) await project.cli(['tenants', 'create', id])
})

const withPassword = () => {
  const url = new URL(database.url)
  Object.assign(url, { username: 'no_such_role', password: SECRET })
  return url.href
}
const UNREACHABLE = `postgres://u:${ENCODED}@127.0.0.1:9/db`
const KEYWORDS = `host=127.0.0.1 user=u password='${SECRET} x'`

/** A migration that fails with `text`. */
const failingWith = (text: string) => ({
  'migrations/001_leak.mjs': `export const up = () => { throw new Error(${JSON.stringify(`cannot reach ${text}`)}) }`,
})

test('O69 a password is in no output, whatever fails', async () => {
  const refused = await newProject({
    'umzug-tenants.config.mjs': `export default { url: ${JSON.stringify(withPassword())} }`,
  })
  // What a person reads is masked where a process writes it, a document where it is made.
  const read = await newProcessProject(failingWith(`postgres://u:${SECRET}@h/db`))
  const readKeywords = await newProcessProject(failingWith(KEYWORDS))
  const encoded = await newProject(failingWith(UNREACHABLE))
  const keywords = await newProject(failingWith(KEYWORDS))
  const property = await newProject(failingWith(`{ password: '${SECRET}' }`))
  const lines = [
    [refused, 'status'],
    [refused, 'status', '--json'],
    [project, 'up', '--tenant', 'a', '--url', UNREACHABLE],
    [project, 'down', '--tenant', 'a', '--url', UNREACHABLE],
    [read, 'up', '--tenant', 'b'],
    [encoded, 'up', '--tenant', 'b', '--json'],
    [readKeywords, 'up', '--tenant', 'b'],
    [keywords, 'up', '--tenant', 'b', '--json'],
    [property, 'up', '--all', '--json'],
    [project, 'up', '--tenant', 'a', '--url', `postgres://u:${SECRET} and more@127.0.0.1:9/db`],
    [project, 'up', '--tenant', 'a', '--url', KEYWORDS, '--json'],
    [project, 'up', '--tenant', 'a', `--url=${UNREACHABLE}`, '--dry-run', '--json'],
    [read, 'up', '--tenant', 'a', `--ulr=${UNREACHABLE}`],
    [read, 'up', '--tenant', UNREACHABLE],
  ] as const
  const results = []
  for (const [where, ...argv] of lines) results.push(await where.cli(argv))
  assert.equal(results.map(({ code }) => code), [6, 6, 6, 10, 1, 1, 1, 1, 4, 6, 2, 6, 2, 9]) // prettier-ignore
  for (const { stdout, stderr } of results) assertSilent(stdout + stderr)
  assert.match(results[4]?.stderr ?? '', 'cannot reach postgres://u:***@h/db')
})

/** Every command that opens a database, or prints the configuration. */
const LINES = [
  'up --all', 'up --all --dry-run', 'up --all --sql', 'down --tenant a --yes', 'down --tenant a --sql', 'redo --tenant a --yes',
  'status', 'history --all', 'pending', 'executed', 'current', 'stamp head --tenant a', 'stamp 0 --all --dry-run',
  'repair --tenant a --mark-applied', 'repair --rehash --all', 'seed up --all', 'seed down --all --yes', 'seed status',
  'tenants list', 'tenants create d --up', 'tenants adopt nowhere', 'tenants adopt c --dry-run', 'tenants rename d e',
  'tenants drop d --yes', 'exec --all -- true', 'exec --all -- no-such-program', 'doctor', 'doctor --show-config', 'locks',
  'locks --release 1 --yes', 'lint', 'create x',
] // prettier-ignore

/** A project that connects as `user`, in all ways in which a configuration can hold a password. */
async function connecting(user: string, port?: string): Promise<CliProject> {
  const url = new URL(database.url)
  Object.assign(url, { username: user, password: SECRET, port: port ?? url.port })
  return inThisProcess(
    await newProject({
      ...tableMigration('001_users', 'users'),
      'seeders/001_one.sql': 'SELECT 1',
      'umzug-tenants.config.mjs': `const url = ${JSON.stringify(url.href)}
        export default { url, migrationUrl: url, lock: { waitMs: 50 } }`,
    }),
  )
}

for (const [what, connect] of [
  ['that is let in', () => connecting(role)],
  ['that is refused', () => connecting('no_such_role')],
  ['that reaches nobody', () => connecting(role, '1')],
] as const) {
  test(`the password of a role ${what} is in no output of any command`, async () => {
    const connected = await connect()
    for (const line of LINES) {
      for (const flags of [[], ['--json']]) {
        const { stdout, stderr } = await connected.cli([...flags, ...line.split(' ')])
        assertSilent(stdout + stderr)
        assert.ok((stdout + stderr).length > 0 || flags.length === 0, line)
      }
    }
  })
}

test.after(() => database.query(`DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`))

test('no password of the environment is in what init says to do next, nor in what a failure says', async () => {
  const asProcess = await newProcessProject()
  const [init, status] = await Promise.all([
    asProcess.cli(['init'], { env: { DATABASE_URL: `postgres://u:${ENCODED}@127.0.0.1/db` } }),
    asProcess.cli(['status'], { env: { DATABASE_URL: withPassword() } }),
  ])
  assert.equal([init.code, status.code], [0, 6])
  for (const { stdout, stderr } of [init, status]) assertSilent(stdout + stderr)
})

test.run()
