/** `exec`: what programs print, and how the command ends; a process of its own where its streams are the programs'. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'

import * as assert from 'uvu/assert'

import type { ErrorDocument } from '../../lib/errors.ts'
import type { ExecReport } from '../../lib/exec/exec.ts'
import { BUILT, cliProjects, inThisProcess, type CliProject } from '../support/cli.ts'
import { testDatabase } from '../support/database.ts'
import { suite } from '../support/suite.ts'

const test = suite('cli/exec')
const database = testDatabase(test)
const newProject = cliProjects(test, database)

/** The same project, its commands processes and not. */
let asProcess: CliProject
let project: CliProject

test.before(async () => {
  asProcess = await newProject({
    'umzug-tenants.config.mjs': `export default { url: ${JSON.stringify(database.url)}, lock: { waitMs: 50 } }`,
  })
  project = inThisProcess(asProcess)
  for (const id of ['a', 'b']) await project.cli(['tenants', 'create', id])
  await database.query('CREATE TABLE a.mine (); CREATE TABLE b.mine ()')
})

const NODE = ['--', process.execPath, '-e']
const ONE = ['exec', '--tenant', 'a', ...NODE]
const ALL = ['exec', '--all', ...NODE]

test("one tenant's program has the streams to itself, and its exit code is the command's", async () => {
  const { code, stdout, stderr } = await asProcess.cli([
    ...ONE,
    `process.stdout.write('data'); process.stderr.write('talk'); process.exit(42)`,
  ])
  assert.equal({ code, stdout, stderr }, { code: 42, stdout: 'data', stderr: 'talk' })
})

test("one tenant's program reads what the command is given to read", async () => {
  const child = spawn(
    process.execPath,
    [...BUILT, 'exec', '--tenant', 'a', ...NODE, 'process.stdin.pipe(process.stdout)'],
    {
      cwd: project.folder,
      env: { ...process.env, DATABASE_URL: database.url },
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  )
  const printed = text(child.stdout)
  child.stdin.end('through\n')
  const [code] = await once(child, 'close')
  assert.equal([code, await printed], [0, 'through\n'])
})

test('of several tenants each line says whose it is, and a failure is exit code 4', async () => {
  const { code, stdout, stderr } = await project.cli([
    ...ALL,
    `console.log('in', process.env.UMZUG_TENANT_SCHEMA); console.error('x'); process.exit(process.env.UMZUG_TENANT === 'b' ? 3 : 0)`,
  ])
  assert.equal([code, stdout.split('\n').toSorted().join(' ')], [4, ' a | in a b | in b'])
  assert.match(stderr, /^a \| x$/m)
  assert.match(stderr, /^✖ b: exit code 3 after \d+ ms\n1 of 2 tenants done · 1 failed\n$/m)
})

test('--fail-fast starts no program after one has failed', async () => {
  const argv = ['exec', '--json', '--all', '--concurrency', '1', '--fail-fast', ...NODE, 'process.exit(1)']
  const { code, stdout } = await project.cli(argv)
  const document = JSON.parse(stdout) as ExecReport // what exec documents
  assert.equal([code, document.failed, document.notRun, document.remaining], [4, 1, 1, ['b']])
})

test('all programs that end well are exit code 0', async () => {
  assert.is((await project.cli(['exec', '--all', ...NODE, ''])).code, 0)
})

test('with --json the report has stdout to itself, and the programs have stderr', async () => {
  const say = `console.log('said'); process.exit(Number(process.env.UMZUG_TENANT === 'b'))`
  const many = await project.cli(['exec', '--json', '--all', ...NODE, say])
  const report = JSON.parse(many.stdout) as ExecReport // what exec documents
  assert.equal([many.code, report.succeeded, report.failed], [4, 1, 1])
  assert.equal(
    report.tenants.map(({ id, schema, code }) => [id, schema, code]),
    [
      ['a', 'a', 0],
      ['b', 'b', 1],
    ],
  )
  assert.match(many.stderr, 'b | said')
  const one = await asProcess.cli(['exec', '--json', '--tenant', 'b', ...NODE, say])
  assert.equal([one.code, (JSON.parse(one.stdout) as ExecReport).failed, one.stderr], [1, 1, 'said\n'])
})

test('a program that a signal has ended gives the code a shell would give', async () => {
  const { code } = await project.cli([...ONE, `process.kill(process.pid, 'SIGKILL')`])
  assert.is(code, 137)
})

test('an own connection of the program means the schema of its tenant by a bare name', async () => {
  const program = `
    const { Client } = require('pg')
    const client = new Client({ connectionString: process.env.DATABASE_URL })
    client.connect().then(() => client.query("SELECT 'mine'::regclass::oid::regclass::text AS name, current_schema() AS schema"))
      .then(({ rows }) => { console.log(rows[0].schema); return client.end() })`
  const { stdout, stderr } = await asProcess.cli(['exec', '--all', ...NODE, program], {
    env: { NODE_PATH: new URL('../../node_modules', import.meta.url).pathname },
  })
  assert.equal(stdout.split('\n').toSorted().join(' '), ' a | a b | b', stderr)
})

test('a program that cannot be started is exit code 2, in a document too', async () => {
  const { code, document } = await project
    .cli(['exec', '--json', '--all', '--', 'no-such-program'])
    .then((result) => ({ ...result, document: JSON.parse(result.stdout) as { error: ErrorDocument } })) // an error's
  assert.equal([code, document.error.code], [2, 'PROGRAM_NOT_STARTED'])
})

test('without tenants or without a program it is refused', async () => {
  assert.is((await project.cli(['exec', '--', 'true'])).code, 2)
  const { code, stderr } = await project.cli(['exec', '--tenant', 'a'])
  assert.is(code, 2)
  assert.match(stderr, "Missing required argument 'command'.")
})

test('SIGTERM ends the programs, and the command says how many were left', async () => {
  const child = spawn(
    process.execPath,
    [...BUILT, 'exec', '--all', '--concurrency', '1', ...NODE, `console.log(1); setTimeout(() => 0, 6e4)`],
    { cwd: project.folder, env: { ...process.env, DATABASE_URL: database.url }, stdio: ['ignore', 'pipe', 'pipe'] },
  ) // prettier-ignore
  const stderr = text(child.stderr)
  await once(child.stdout, 'data')
  child.kill('SIGTERM')
  const [code] = await once(child, 'close')
  assert.is(code, 143)
  assert.match(
    await stderr,
    /✖ a: ended by SIGTERM after [^\n]+\n0 of 2 tenants done · 1 failed · 1 not run\n/,
  )
})

test.run()
