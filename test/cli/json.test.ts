/** Every document that `--json` prints is one that `schema.json` describes, and the schema refuses others. */
import { access } from 'node:fs/promises'
import { join } from 'node:path'

import pg from 'pg'
import * as assert from 'uvu/assert'

import type { DataReport } from '../../lib/data-check.ts'
import { commandTree } from '../../lib/cli/completion/tree.ts'
import { ERROR_CODES } from '../../lib/errors.ts'
import { lockKey } from '../../lib/migrations/lock.ts'
import {
  cliProjects,
  inThisProcess,
  sendingItself,
  tableMigration,
  withSignalsToCommand,
  type CliProject,
} from '../support/cli.ts'
import { testDatabase } from '../support/database.ts'
import type { Files } from '../support/folder.ts'
import { complaints, DESCRIBED, emptyProgram, isAnyDocument, partOf } from '../support/schema.ts'
import { suite } from '../support/suite.ts'

const test = suite('cli/json')
const database = testDatabase(test)
const modelled = testDatabase(test)
const counted = testDatabase(test)
const newProject = cliProjects(test, database)

/** What other spellings stand for. */
const MEANT: Readonly<Record<string, string>> = {
  upgrade: 'up',
  downgrade: 'down',
  revision: 'create',
  'db:migrate': 'up',
  'db:migrate:undo': 'down',
  'db:migrate:undo:all': 'down',
  'db:migrate:status': 'status',
  'migration:generate': 'create',
  'migration:create': 'create',
  'db:seed': 'seed-up',
  'db:seed:all': 'seed-up',
  'db:seed:undo': 'seed-down',
  'db:seed:undo:all': 'seed-down',
}

/** Paths of all commands that do something: those that others stand below of print their help. */
const COMMANDS = commandTree(emptyProgram())
  .map(({ path }) => path)
  .filter(
    (path, _index, paths) =>
      path !== '' && path !== 'help' && !paths.some((other) => other.startsWith(`${path} `)),
  )

/** What the schema calls the command of a command line. */
function commandOf([first = '', second = '']: readonly string[]): string {
  const name = first === 'tenants' || first === 'seed' ? `${first}-${second}` : first
  return MEANT[name] ?? name
}

/** Documents that were well, by command. */
const valid: { readonly command: string; readonly document: object }[] = []

let project: CliProject

/** A project whose commands run in this process. */
async function inProcess(files: Files, config = ''): Promise<CliProject> {
  return inThisProcess(
    await newProject({
      ...files,
      'umzug-tenants.config.mjs': `const url = ${JSON.stringify(database.url)}
        export default { url, concurrency: 1, lock: { waitMs: 50 }, ${config} }`,
    }),
  )
}

test.before(async () => {
  project = await inProcess({
    ...tableMigration('001_users', 'users'),
    ...tableMigration('002_roles', 'roles'),
    'migrations/003_reads.mjs': `export const up = ({ context }) => context.sql('SELECT id FROM users')
      export const down = () => {}`,
    'migrations/shared/001_plans.sql': 'CREATE TABLE plans ();',
    'seeders/001_one.sql': 'INSERT INTO users VALUES (1);',
    'seeders/001_one.down.sql': 'DELETE FROM users;',
  })
})

/** Runs a command, and sees that its exit code and its document are right. */
async function prints(where: CliProject, exitCode: number, ...argv: string[]): Promise<object> {
  const { code, document, stdout } = await where.json<object>(argv)
  assert.is(code, exitCode, `${argv.join(' ')}: ${stdout}`)
  const command = commandOf(argv)
  assert.is(complaints(command, document), '', `${argv.join(' ')}: ${stdout}`)
  valid.push({ command, document })
  return document
}

const isFailure = (document: object) => Object.keys(document).join() === 'error'

/** A project's life, in this order: exit code, and what is typed. */
const LIFE: readonly (readonly [number, string])[] = [
  [0, 'version'],
  [0, 'completion bash'],
  [0, 'history'],
  [0, 'status'],
  [0, 'lint'],
  [0, 'tenants list'],
  [0, 'tenants create a --host a.example.com --up'],
  [0, 'tenants create b'],
  [0, 'tenants create b'],
  [0, 'tenants create c'],
  [9, 'tenants create d --schema a'],
  [0, 'tenants list'],
  [3, 'status --check'],
  [0, 'status --shared'],
  [0, 'current --all'],
  [0, 'history --all'],
  [0, 'pending'],
  [0, 'executed'],
  [0, 'up --all --dry-run'],
  [0, 'up --all --sql'],
  [0, 'up --tenant b --sql up.sql'],
  [2, 'up --tenant b --sql no/such/folder/up.sql'],
  [2, 'up --tenant b --to nope'],
  [2, 'up --tenant b --to nope --dry-run'],
  [0, 'up --all'],
  [0, 'up --shared'],
  [0, 'up --all'],
  [0, 'down --tenant a --sql'],
  [10, 'down --tenant a'],
  [0, 'down --tenant a --yes'],
  [8, 'down --shared --yes'],
  [0, 'redo --tenant a --step 2 --yes'],
  [2, 'redo --all --to nope --yes --dry-run'],
  [4, 'redo --all --to nope --yes'],
  [0, 'stamp head --tenant a'],
  [0, 'stamp 0 --all --dry-run'],
  [4, 'stamp nope --all --dry-run'],
  [4, 'stamp nope --all'],
  [0, 'seed status'],
  [0, 'seed up --all'],
  [2, 'seed up --tenant a --only nope'],
  [0, 'seed down --tenant a --yes'],
  [0, 'repair --tenant a --mark-applied'],
  [0, 'repair --rehash --all'],
  [0, 'tenants adopt old --dry-run'],
  [0, 'tenants adopt old'],
  [0, 'tenants adopt old'],
  [4, 'tenants adopt old nowhere --dry-run'],
  [4, 'tenants adopt old nowhere'],
  [9, 'tenants adopt nowhere'],
  [0, 'tenants rename old older --dry-run'],
  [0, 'tenants rename old older'],
  [0, 'exec --tenant a -- true'],
  [4, 'exec --all -- false'],
  [143, 'exec --tenant a -- sh -c kill$IFS$$'],
  [2, 'exec --all -- no-such-program'],
  [0, 'doctor --show-config'],
  [0, 'locks'],
  [2, 'locks --release 1 --yes'],
  [0, 'tenants drop c --yes'],
  [9, 'tenants drop c --yes'],
]

for (const [index, [exitCode, line]] of LIFE.entries()) {
  test(`${index + 1}. ${line} exits ${exitCode} with a document of the schema`, async () => {
    if (line === 'tenants adopt old --dry-run')
      await database.query(
        'CREATE SCHEMA old; CREATE TABLE old."SequelizeMeta" (name varchar(255) PRIMARY KEY)',
      )
    const argv = line.replace('up.sql', join(project.folder, 'up.sql')).split(' ')
    await prints(project, exitCode, ...argv)
  })
}

test('doctor prints one, whether or not something is wrong', async () => {
  await database.query('REVOKE CREATE ON SCHEMA public FROM PUBLIC')
  await prints(project, 0, 'doctor')
  await database.query('ALTER SCHEMA b RENAME TO hidden')
  await prints(project, 7, 'doctor')
  await prints(project, 4, 'exec', '--all', '--', 'true')
  await prints(project, 9, 'exec', '--tenant', 'b', '--', 'true')
  await prints(project, 4, 'up', '--all', '--verify')
  await prints(project, 0, 'status')
  await database.query('ALTER SCHEMA hidden RENAME TO b')
})

test('locks prints one, with its holder and who waits; and --release', async () => {
  const key = String(lockKey(new URL(database.url).pathname.slice(1), 'a'))
  const [holder, waiting] = [1, 2].map(() => new pg.Client({ connectionString: database.url }))
  if (holder === undefined || waiting === undefined) return
  for (const client of [holder, waiting]) {
    client.on('error', () => undefined)
    await client.connect()
  }
  try {
    const { rows } = await holder.query<{ pid: number }>('SELECT pg_backend_pid() AS pid, pg_advisory_lock($1::bigint)', [key]) // prettier-ignore
    const wait = waiting.query('SELECT pg_advisory_lock($1::bigint)', [key]).catch(() => undefined)
    let states: readonly string[] = []
    while (states.length < 2) {
      const { locks } = (await prints(project, 0, 'locks')) as { locks: { state: string }[] }
      states = locks.map(({ state }) => state)
    }
    assert.equal([...states].toSorted(), ['held', 'waiting'])
    await prints(project, 5, 'up', '--tenant', 'a')
    await prints(project, 5, 'tenants', 'drop', 'a', '--yes')
    await prints(project, 0, 'locks', '--release', String(rows[0]?.pid), '--yes')
    await wait
  } finally {
    for (const client of [holder, waiting]) await client.end().catch(() => undefined)
  }
})

test('a migration or seed file that fails is in the document of its tenant, or of the shared schema', async () => {
  const broken = await inProcess({
    'migrations/001_users.sql': 'CREATE TABLE users (id integer)',
    'migrations/001_users.down.sql': 'SELECT 1/0',
    'migrations/002_broken.sql': 'SELECT 1/0',
    'migrations/shared/002_broken.sql': 'SELECT 1/0',
    'seeders/001_broken.sql': 'SELECT 1/0',
  })
  for (const id of ['f1', 'f2']) await prints(broken, 0, 'tenants', 'create', id)
  await prints(broken, 1, 'tenants', 'create', 'f1', '--up')
  await prints(broken, 1, 'up', '--tenant', 'f1')
  await prints(broken, 4, 'up', '--match', 'f*', '--fail-fast')
  await prints(broken, 8, 'up', '--shared') // 001_plans.sql has no file here
  await prints(broken, 1, 'up', '--shared', '--allow-missing')
  await prints(broken, 1, 'up', '--tenant', 'f1', '--sql')
  await prints(broken, 0, 'up', '--tenant', 'f1', '--step', '1')
  await prints(broken, 1, 'down', '--tenant', 'f1', '--yes')
  await prints(broken, 1, 'redo', '--tenant', 'f1', '--yes')
  await prints(broken, 1, 'seed', 'up', '--tenant', 'f1')
  await prints(broken, 4, 'seed', 'up', '--match', 'f*')
  const findings = await prints(broken, 0, 'lint')
  assert.not.ok(isFailure(findings))
})

test('create, init and lint print one', async () => {
  const other = await inProcess({ 'migrations/001_other.sql': 'SELECT * FROM other.users' })
  await prints(other, 0, 'create', 'add users', '--format', 'sql')
  await prints(other, 2, 'create', '...')
  await prints(other, 3, 'lint')
  await prints(await newProject(), 0, 'init', '--language', 'cjs')
})

/** A project of tenants i1 and i2, whose commands are processes; `listing` runs when all are asked for. */
const interruptible = (migration: string, listing = '') =>
  newProject({
    'migrations/001_slow.mjs': migration,
    'umzug-tenants.config.mjs': `const all = ['i1', 'i2'].map((id) => ({ id, schema: id }))
      export default { url: ${JSON.stringify(database.url)}, concurrency: 1, tenants: {
        list: async () => { ${listing}; return all }, find: ({ id }) => all.find((each) => each.id === id) ?? null } }`,
  })

test('an interrupted run prints one: begun or not, stopped or cancelled, whatever the command', async () => {
  await database.query('CREATE SCHEMA i1; CREATE SCHEMA i2')
  const slow = await interruptible(`export const up = async ({ context }) => {
    ${sendingItself('SIGINT')}
    if (context.x.twice === undefined) return
    await new Promise((resolve) => setTimeout(resolve, 600)) // closer they would be one
    ${sendingItself('SIGINT')}
    await context.sql('SELECT pg_sleep(60)')
  }`)
  const cancelled = await prints(slow, 130, 'up', '--all', '-x', 'twice=1')
  const stopped = await withSignalsToCommand(() => prints(inThisProcess(slow), 130, 'up', '--all'))
  for (const document of [cancelled, stopped]) {
    const { interrupted, remaining } = document as { interrupted: boolean; remaining: string[] }
    assert.equal([interrupted, remaining], [true, ['i2']])
  }
  const program = "process.kill(process.ppid, 'SIGTERM'); setTimeout(() => {}, 60_000)"
  const ended = await prints(slow, 143, 'exec', '--all', '--', process.execPath, '-e', program)
  assert.is((ended as { interrupted?: boolean }).interrupted, true)
  const unbegun = inThisProcess(await interruptible('', sendingItself('SIGTERM')))
  for (const line of [
    'up',
    'down --yes',
    'redo --yes',
    'stamp head',
    'repair --rehash',
    'seed up',
    'seed down --yes',
  ]) {
    const document = await withSignalsToCommand(() => prints(unbegun, 143, ...line.split(' '), '--all'))
    assert.equal((document as { remaining: string[] }).remaining, ['i1', 'i2'], line)
  }
})

test('a command that is not well formed, and one that reaches no database, prints a failure', async () => {
  const nowhere = inThisProcess(
    await newProject({
      'umzug-tenants.config.mjs': `export default { url: 'postgres://nobody@127.0.0.1:1/none' }`,
      'migrations/001_users.sql': '',
    }),
  )
  for (const path of COMMANDS) {
    assert.ok(isFailure(await prints(nowhere, 2, ...path.split(' '), '--frobnicate')), path)
  }
  for (const line of [
    'up --all', 'down --all --yes', 'redo --all --yes', 'stamp head --all', 'repair --rehash --all', 'status', 'current',
    'history --all', 'pending', 'executed', 'tenants list', 'tenants create a', 'tenants adopt a', 'tenants rename a b',
    'tenants drop a --yes', 'seed up --all', 'seed down --all --yes', 'seed status', 'exec --all -- true', 'doctor', 'locks',
    'up --all --dry-run', 'up --all --sql',
  ]) assert.ok(isFailure(await prints(nowhere, 6, ...line.split(' '))), line)
}) // prettier-ignore

test('autogenerate and check print what the schema describes', async () => {
  const place = inThisProcess(
    await newProject({
      ...tableMigration('001_users', 'users'),
      'models.mjs': `export default (sequelize) => sequelize.define('User',
        { id: { type: 'INTEGER', primaryKey: true }, name: 'TEXT' }, { tableName: 'users', timestamps: false })`,
      'umzug-tenants.config.mjs': `const url = ${JSON.stringify(modelled.url)}
        export default { url, models: './models.mjs' }`,
    }),
  )
  await prints(place, 0, 'tenants', 'create', 'a', '--up')
  await prints(place, 3, 'check')
  await prints(place, 0, 'autogenerate', '-m', 'add name')
  await prints(place, 0, 'up', '--tenant', 'a')
  await prints(place, 0, 'check')
  await prints(place, 0, 'check', '--tenants')
  await prints(place, 0, 'autogenerate', '-m', 'nothing')
  await prints(place, 9, 'check', '--specimen', 'nope')
})

test('check --data and autogenerate --online print what the schema describes', async () => {
  const place = inThisProcess(
    await newProject({
      ...tableMigration('001_users', 'users'),
      'models.mjs': `export default (sequelize) => sequelize.define('User', { id: { type: 'INTEGER', primaryKey: true },
        name: { type: 'TEXT', allowNull: false }, twice: { type: 'INTEGER', defaultValue: 1, unique: true } },
        { tableName: 'users', timestamps: false })`,
      'umzug-tenants.config.mjs': `const url = ${JSON.stringify(counted.url)}
        export default { url, models: './models.mjs' }`,
    }),
  )
  for (const id of ['a', 'b', 'c']) await prints(place, 0, 'tenants', 'create', id, '--up')
  await counted.query('INSERT INTO a.users (id) VALUES (1)')
  await counted.query('DROP TABLE b.users; DROP SCHEMA c CASCADE')
  const { data } = (await prints(place, 3, 'check', '--data', '--specimen', 'a')) as { data: DataReport }
  assert.equal(
    data.tenants.map(({ findings, absent, error }) => [findings.length, absent.length, error?.code]),
    [
      [1, 0, undefined],
      [0, 1, undefined],
      [0, 0, 'SCHEMA_MISSING'],
    ],
  )
  assert.is(data.unmeasured.length, 1)
  await prints(
    place,
    3,
    'check',
    '--data',
    '--specimen',
    'a',
    '--all',
    '--max-failures',
    '1',
    '--concurrency',
    '1',
  )
  await prints(place, 0, 'autogenerate', '-m', 'online', '--specimen', 'a', '--online')
})

test('every command is described, and each was seen to succeed', () => {
  assert.equal(new Set(DESCRIBED), new Set(COMMANDS.map((path) => commandOf(path.split(' ')))))
  const succeeded = valid.filter(({ document }) => !isFailure(document)).map(({ command }) => command)
  assert.equal(new Set(succeeded), new Set(DESCRIBED))
})

test('the schema knows the error codes there are', () => {
  assert.equal(
    (partOf('Error') as { properties: { code: { enum: string[] } } }).properties.code.enum,
    ERROR_CODES,
  )
})

test('the schema as a whole takes them all', () => {
  assert.equal(valid.filter(({ document }) => !isAnyDocument(document)), []) // prettier-ignore
})

/** `document` with one thing wrong in it, at its root and in its first tenant. */
function* spoilt(document: object): Generator<object> {
  yield { ...document, unheardOf: 1 }
  for (const key of Object.keys(document)) yield { ...document, [key]: [[]] }
  const { tenants: [first] = [] } = document as { readonly tenants?: readonly object[] }
  if (first === undefined) return
  for (const tenant of spoilt(first)) yield { ...document, tenants: [tenant] }
  const { id: _left, ...nameless } = first as { readonly id?: string }
  yield { ...document, tenants: [nameless] }
}

test('the schema refuses what no command prints', () => {
  for (const command of DESCRIBED) {
    for (const document of [
      {},
      [],
      null,
      { error: {} },
      { error: { code: 'NO_SUCH_CODE', title: 'x', fix: [] } },
    ])
      assert.ok(complaints(command, document) !== '', `${command} ${JSON.stringify(document)}`)
  }
  for (const { command, document } of valid) {
    for (const wrong of spoilt(document))
      assert.ok(complaints(command, wrong) !== '', `${command} ${JSON.stringify(wrong)}`)
  }
})

test('a script that was written is where its document says', async () => {
  await access(join(project.folder, 'up.sql'))
})

test.run()
