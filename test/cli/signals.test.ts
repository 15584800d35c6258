/** Real signals to a real process: how far it goes on, what it says, and that nothing is left half done. */
import type { ChildProcess } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'

import pg from 'pg'
import * as assert from 'uvu/assert'

import type { FleetReport } from '../../lib/cli/outcomes.ts'
import type { ErrorDocument } from '../../lib/errors.ts'
import type { TenantStatus } from '../../lib/status.ts'
import { cliProjects, inThisProcess, type CliProject } from '../support/cli.ts'
import { testDatabase } from '../support/database.ts'
import { suite } from '../support/suite.ts'

const test = suite('cli/signals')
const database = testDatabase(test)
const newProject = cliProjects(test, database)

/** Longer than signals that count as one are apart. */
const APART_MS = 700

/** SQL that is under way until {@link open} is called for the gate. */
const waitAt = (gate: string) => `
  DO $$ BEGIN
    WHILE NOT EXISTS (SELECT FROM public.gate WHERE name = '${gate}') LOOP PERFORM pg_sleep(0.01); END LOOP;
  END $$;`

const open = (gate: string) => database.query('INSERT INTO public.gate VALUES ($1)', [gate])

/** Looks at the server again and again, on one connection: a new one each time would cost more than the look. */
let watcher: pg.Client

test.before(async () => {
  await database.query('CREATE TABLE public.gate (name text)')
  watcher = new pg.Client({ connectionString: database.url })
  await watcher.connect()
})

test.after(() => watcher.end())

interface SlowProject extends CliProject {
  /** The same project, for commands that get no signals. */
  readonly undisturbed: CliProject
}

/** A project with one migration, whose tenants are registered. */
async function projectWith(ids: readonly string[], migration: string): Promise<SlowProject> {
  const list = JSON.stringify(ids.map((id) => ({ id, schema: id })))
  const project = await newProject({
    'migrations/001_slow.sql': migration,
    'migrations/001_slow.down.sql': `${waitAt(`down ${ids.join(' ')}`)} DROP TABLE slow;`,
    'seeders/001_rows.sql': 'SELECT pg_sleep(60);',
    'umzug-tenants.config.mjs': `const all = ${list}
      export default { url: ${JSON.stringify(database.url)}, concurrency: 2, lock: { waitMs: 60_000 }, tenants: {
        list: () => all, find: ({ id }) => all.find((tenant) => tenant.id === id) ?? null } }`,
  })
  for (const id of ids) await database.query(`CREATE SCHEMA IF NOT EXISTS ${id}`)
  return { ...project, undisturbed: inThisProcess(project) }
}

/** Resolves when `count` migrations are under way on the server. */
async function running(count: number): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt++) {
    const { rows } = await watcher.query(
      `SELECT 1 FROM pg_stat_activity WHERE query LIKE '%pg_sleep%' AND state = 'active' AND pid <> pg_backend_pid()
          AND datname = current_database()`,
    )
    if (rows.length === count) return
    await sleep(20)
  }
  throw new Error(`there never were ${count} migrations under way`)
}

/** Resolves when a process that has not connected yet asks for the lock of a schema. */
async function waitingForLock(): Promise<void> {
  const [now] = await database.query<{ now: string }>('SELECT clock_timestamp()::text AS now')
  for (let attempt = 0; attempt < 1000; attempt++) {
    const { rows } = await watcher.query(
      `SELECT 1 FROM pg_stat_activity WHERE query LIKE '%pg_try_advisory_lock%' AND pid <> pg_backend_pid()
          AND datname = current_database() AND backend_start > $1::timestamptz`,
      [now?.now ?? ''],
    )
    if (rows.length > 0) return
    await sleep(20)
  }
  throw new Error('nobody has waited for a lock')
}

/** Sends the signals, one after another, once `count` migrations are under way. */
const sending = (count: number, ...signals: NodeJS.Signals[]) => ({
  started: (child: ChildProcess) => {
    void (async () => {
      await running(count)
      for (const signal of signals) {
        child.kill(signal)
        await sleep(APART_MS)
      }
    })()
  },
})

/** Sends SIGINT once `count` migrations are under way, and lets them end when the process has said what it will do. */
const interrupting = (count: number, gate: string) => ({
  started: (child: ChildProcess) => {
    const told = new Promise((resolve) => {
      child.stderr?.on('data', (text) => String(text).includes('nothing more is begun') && resolve(undefined))
    })
    void (async () => {
      await running(count)
      child.kill('SIGINT')
      await told
      await open(gate)
    })()
  },
})

const tables = async (ids: readonly string[]) =>
  (
    await database.query<{ id: string }>(
      `SELECT schemaname AS id FROM pg_tables WHERE tablename = 'slow' AND schemaname = ANY($1) ORDER BY 1`,
      [ids],
    )
  ).map(({ id }) => id)

test('O50 the first Ctrl-C begins no tenant more and lets the running ones end: exit 130, and the rest next time', async () => {
  const ids = ['a1', 'a2', 'a3', 'a4', 'a5']
  const project = await projectWith(ids, `CREATE TABLE slow (); ${waitAt('a')}`)
  const { code, stdout, stderr } = await project.cli(['up', '--all'], interrupting(2, 'a'))
  assert.is(code, 130, stderr)
  assert.match(
    stderr,
    'SIGINT: nothing more is begun, and what is running goes on to its end; once more cancels it',
  )
  assert.match(stdout, '2 of 5 tenants up to date · 2 migrations')
  assert.match(
    stderr,
    '3 tenants were not run\nto go on: run the same command again, which does only what is left\n',
  )
  assert.equal(await tables(ids), ['a1', 'a2'])
  const again = await project.undisturbed.json<FleetReport>(['up', '--all'])
  const { succeeded, unchanged, notRun } = again.document
  assert.equal([again.code, succeeded, unchanged, notRun], [0, 3, 2, 0])
})

test('O50 a second signal cancels the statements on the server: exit 143, and nothing half-done remains', async () => {
  const ids = ['b1', 'b2', 'b3']
  const project = await projectWith(ids, 'CREATE TABLE slow (); SELECT pg_sleep(60);')
  const startedAt = performance.now()
  const { code, document, stderr } = await project.json<FleetReport & { interrupted?: boolean }>(
    ['up', '--all'],
    sending(2, 'SIGTERM', 'SIGTERM'),
  )
  assert.ok(performance.now() - startedAt < 30_000, 'it waited for the statements')
  assert.is(code, 143, stderr)
  assert.match(stderr, 'SIGTERM: what is running is cancelled and rolled back')
  assert.equal([document.interrupted, document.notRun, document.remaining], [true, 1, ['b3']])
  assert.equal(
    document.tenants.map(({ id, applied, error }) => [id, applied, error?.code, error?.migration]),
    [
      ['b1', [], 'RUN_CANCELLED', '001_slow.sql'],
      ['b2', [], 'RUN_CANCELLED', '001_slow.sql'],
    ],
  )
  assert.equal(document.tenants[0]?.error?.fix, ['run it again: umzug-tenants up --tenant b1'])
  assert.equal(await tables(ids), [])
  await running(0)
  const { document: status } = await project.undisturbed.json<{ tenants: TenantStatus[] }>([
    'status',
    '--verify',
  ])
  assert.equal(
    status.tenants.map(({ pending }) => pending.length),
    [1, 1, 1],
  )
})

test('signals that come together are one: npx passes on what the terminal has told everybody', async () => {
  const ids = ['c1', 'c2', 'c3']
  const project = await projectWith(ids, `CREATE TABLE slow (); ${waitAt('c')}`)
  const { code, document } = await project.json<FleetReport>(['up', '--all'], {
    started: (child) =>
      void (async () => {
        await running(2)
        child.kill('SIGINT')
        await sleep(100)
        child.kill('SIGINT')
        await sleep(APART_MS) // as a second one it would have cancelled them
        await open('c')
      })(),
  })
  assert.is(code, 130)
  assert.equal([document.succeeded, document.failed, document.notRun], [2, 0, 1])
})

test('a fleet that goes down says which tenants are left, since the same command would revert more', async () => {
  const ids = ['d1', 'd2', 'd3', 'd4']
  const project = await projectWith(ids, 'CREATE TABLE slow ();')
  await project.undisturbed.cli(['up', '--all'])
  const interrupted = interrupting(2, `down ${ids.join(' ')}`)
  const { code, stderr } = await project.cli(['down', '--all', '--yes'], interrupted)
  assert.is(code, 130)
  assert.match(stderr, 'to go on: run only these: umzug-tenants down --tenant d3,d4\n')
  assert.equal(await tables(ids), ['d3', 'd4'])
})

test('seed files and the shared schema end in the same way', async () => {
  const project = await projectWith(['e1', 'e2'], 'CREATE TABLE slow ();')
  await project.write({ 'migrations/shared/001_slow.sql': 'SELECT pg_sleep(60);' })
  const [seed, shared] = await Promise.all([
    project.json<FleetReport>(['seed', 'up', '--tenant', 'e1'], sending(2, 'SIGINT', 'SIGINT')),
    project.json<FleetReport>(['up', '--shared'], sending(2, 'SIGINT', 'SIGINT')),
  ])
  for (const { code, document } of [seed, shared])
    assert.equal([code, document.tenants[0]?.error?.code], [130, 'RUN_CANCELLED'])
})

test('a tenant that waits for another runner’s lock has not begun, and is not run', async () => {
  const ids = ['f1']
  const project = await projectWith(ids, `CREATE TABLE slow (); ${waitAt('f')}`)
  const first = project.cli(['up', '--all'])
  await running(1)
  const second = await project.json<FleetReport>(['up', '--all'], {
    started: (child) => void waitingForLock().then(() => child.kill('SIGINT')),
  })
  assert.equal([second.code, second.document.notRun, second.document.tenants], [130, 1, []])
  await open('f')
  assert.is((await first).code, 0)
})

test('tenants create --up ends in the same way: what is running goes on to its end', async () => {
  const project = await newProject({
    'migrations/001_slow.sql': `CREATE TABLE slow (); ${waitAt('g1')}`,
  })
  const { code, stdout, stderr } = await project.cli(
    ['tenants', 'create', 'g1', '--up'],
    interrupting(1, 'g1'),
  )
  assert.is(code, 130, stderr)
  assert.match(stderr, 'SIGINT: nothing more is begun')
  assert.is(stdout, 'created g1 (schema g1)\n  applied 001_slow.sql\n')
  assert.equal(await tables(['g1']), ['g1'])
})

test('a second signal cancels the upgrade of tenants create --up, and how to go on is told', async () => {
  const project = await newProject({
    'migrations/001_slow.sql': 'CREATE TABLE slow (); SELECT pg_sleep(60);',
  })
  const argv = ['tenants', 'create', 'g2', '--up']
  const { code, stderr } = await project.cli(argv, sending(1, 'SIGTERM', 'SIGTERM'))
  assert.is(code, 143, stderr)
  assert.match(stderr, 'RUN_CANCELLED')
  assert.match(stderr, 'fix: run it again: umzug-tenants up --tenant g2')
  assert.equal(await tables(['g2']), [])
  const again = await project.json<{ error: ErrorDocument }>(argv, sending(1, 'SIGINT', 'SIGINT'))
  assert.equal([again.code, again.document.error.code], [130, 'RUN_CANCELLED'])
})

test('tenants create and tenants adopt that wait for a lock have not begun', async () => {
  const project = await newProject({
    'migrations/001_slow.sql': `CREATE TABLE slow (); ${waitAt('g3')}`,
    'umzug-tenants.config.mjs': 'export default { lock: { waitMs: 60_000 } }',
  })
  const first = project.cli(['tenants', 'create', 'g3', '--up'])
  await running(1)
  const stopping = {
    started: (child: ChildProcess) => void waitingForLock().then(() => child.kill('SIGINT')),
  }
  const create = await project.cli(['tenants', 'create', 'g3', '--up'], stopping)
  const adopt = await project.cli(['tenants', 'adopt', 'g3'], stopping)
  const several = ['tenants', 'adopt', 'g3', 'g4', '--concurrency', '1']
  const many = await project.json<FleetReport & { interrupted?: boolean }>(several, stopping)
  assert.equal([create.code, adopt.code, many.code], [130, 130, 130])
  assert.match(create.stderr, 'RUN_NOT_BEGUN')
  assert.match(adopt.stderr, '1 tenant was not run\nto go on: run the same command again')
  const { interrupted, notRun, remaining } = many.document
  assert.equal([interrupted, notRun, remaining], [true, 2, ['g3', 'g4']])
  await open('g3')
  assert.is((await first).code, 0)
})

test.run()
