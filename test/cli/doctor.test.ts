/** `doctor` and `locks`, in this process unless it is about the environment of one. */
import pg from 'pg'
import * as assert from 'uvu/assert'

import type { ConfigEntry } from '../../lib/config-origins.ts'
import type { DoctorReport } from '../../lib/doctor/doctor.ts'
import type { ErrorDocument } from '../../lib/errors.ts'
import type { MigrationLock } from '../../lib/locks.ts'
import { lockKey } from '../../lib/migrations/lock.ts'
import { cliProjects, projectsInThisProcess, type CliProject } from '../support/cli.ts'
import { testDatabase } from '../support/database.ts'
import { suite } from '../support/suite.ts'

const test = suite('cli/doctor')
const database = testDatabase(test)
const newProject = projectsInThisProcess(test, database)
const newProcessProject = cliProjects(test, database)

let project: CliProject

test.before(async () => {
  project = await newProject()
  await database.query('REVOKE CREATE ON SCHEMA public FROM PUBLIC')
  await project.cli(['tenants', 'create', 'a'])
})

test('what is well has a tick, and the exit code is 0', async () => {
  const { code, stdout, stderr } = await project.cli(['doctor'])
  assert.is(code, 0)
  assert.match(stdout, /^✔ PostgreSQL \d+/m)
  assert.not.match(stdout, /^[!✖]/m)
  assert.match(stderr, /^all \d+ checks are well\n$/)
})

test('a warning says what to do and leaves the exit code 0; an error makes it 7', async () => {
  await database.query('CREATE TABLE "SequelizeMeta" ()')
  const warned = await project.cli(['doctor'])
  assert.equal([warned.code, warned.stderr], [0, '0 errors, 1 warning\n'])
  assert.match(warned.stdout, /^! Schema public holds 1 object: "SequelizeMeta"[^\n]*\n {4}stock[^\n]*\n {4}fix: see/m)
  await database.query('DROP TABLE "SequelizeMeta"')
  await database.query('DROP SCHEMA a CASCADE')
  const { code, document } = await project.json<DoctorReport>(['doctor'])
  assert.equal([code, document.errors], [7, 1])
  const [error] = document.findings.filter(({ level }) => level === 'error')
  assert.equal([error?.check, error?.title], ['tenants', 'No schema is there of 1 tenant: a.'])
  await database.query('CREATE SCHEMA a')
}) // prettier-ignore

test('a database that cannot be reached is exit code 6', async () => {
  const elsewhere = await newProject({
    'umzug-tenants.config.mjs': `export default { url: 'postgres://nobody:secret@127.0.0.1:1/x' }`,
  })
  const { code, document } = await elsewhere.json<{ error: ErrorDocument }>(['doctor'])
  assert.equal([code, document.error.code], [6, 'DATABASE_UNREACHABLE'])
})

test('--show-config prints each value with its origin, hides passwords and opens nothing', async () => {
  const env = { DATABASE_URL: 'postgres://app:secret@127.0.0.1:1/x' }
  const asProcess = await newProcessProject()
  const text = await asProcess.cli(['doctor', '--show-config'], { env })
  assert.equal([text.code, text.stderr], [0, ''])
  assert.match(text.stdout, /^url +postgres:\/\/app:\*\*\*@127.0.0.1:1\/x +DATABASE_URL$/m)
  assert.match(text.stdout, /^lock.waitMs +50 +umzug-tenants.config.mjs$/m)
  const { document, stdout } = await asProcess.json<{ options: ConfigEntry[] }>(['doctor', '--show-config'], { env }) // prettier-ignore
  assert.not.match(stdout, 'secret')
  assert.equal(
    document.options.find(({ option }) => option === 'guard'),
    { option: 'guard', value: 'schema', origin: 'default' },
  )
})

test('locks names who migrates, and ends nobody who does not', async () => {
  const quiet = await project.cli(['locks'])
  assert.equal([quiet.code, quiet.stdout, quiet.stderr], [0, '', 'nobody is migrating\n'])
  const holder = new pg.Client({ connectionString: database.url, application_name: 'deployer' })
  holder.on('error', () => undefined)
  await holder.connect()
  const key = String(lockKey(new URL(database.url).pathname.slice(1), 'a'))
  const { rows } = await holder.query<{ pid: number }>('SELECT pg_backend_pid() AS pid, pg_advisory_lock($1::bigint)', [key]) // prettier-ignore
  const pid = rows[0]?.pid ?? 0
  try {
    assert.match((await project.cli(['locks'])).stdout, new RegExp(`^a +held +${pid} +deployer +\\d{4}-.* +idle +`, 'm')) // prettier-ignore
    const { document } = await project.json<{ locks: MigrationLock[] }>(['locks'])
    assert.equal(
      document.locks.map(({ id, state, pid: holds }) => [id, state, holds]),
      [['a', 'held', pid]],
    )
    assert.is((await project.cli(['locks', '--release', String(pid)])).code, 10, 'nobody can be asked')
    const none = await project.json<{ error: ErrorDocument }>(['locks', '--release', '1', '--yes'])
    assert.equal([none.code, none.document.error.code], [2, 'LOCK_NOT_HELD'])
    const ended = await project.cli(['locks', '--release', String(pid), '--yes'])
    assert.equal([ended.code, ended.stdout], [0, `ended process ${pid}, which had the lock of a\n`])
    // What it hears is the server's farewell or the silence after it.
    assert.instance(await holder.query('SELECT 1').catch((error: unknown) => error), Error)
  } finally {
    await holder.end().catch(() => undefined)
  }
  assert.is((await project.cli(['locks', '--release', 'all', '--yes'])).code, 2)
})

test.run()
