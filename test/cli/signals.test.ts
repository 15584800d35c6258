/**
 * Real signals: how far a command goes on, what it says, and that nothing is left half done. The first and the second
 * one are sent to a process of its own, all others to this process, in which the command runs.
 */
import type { ChildProcess } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'

import pg from 'pg'
import * as assert from 'uvu/assert'

import type { FleetReport } from '../../lib/cli/outcomes.ts'
import type { ErrorDocument } from '../../lib/errors.ts'
import type { TenantStatus } from '../../lib/status.ts'
import {
  cliProjects,
  inThisProcess,
  projectsInThisProcess,
  signalThisProcess,
  withSignalsToCommand,
  type CliProject,
} from '../support/cli.ts'
import { testDatabase } from '../support/database.ts'
import { suite } from '../support/suite.ts'

const test = suite('cli/signals')
const database = testDatabase(test)
const newProject = projectsInThisProcess(test, database)
const newProcessProject = cliProjects(test, database)

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
  /** The same project, its commands processes of their own. */
  readonly asProcess: CliProject
}

/** A project with one migration, whose tenants are registered. */
async function projectWith(ids: readonly string[], migration: string): Promise<SlowProject> {
  const list = JSON.stringify(ids.map((id) => ({ id, schema: id })))
  const asProcess = await newProcessProject({
    'migrations/001_slow.sql': migration,
    'migrations/001_slow.down.sql': `${waitAt(`down ${ids.join(' ')}`)} DROP TABLE slow;`,
    'seeders/001_rows.sql': 'SELECT pg_sleep(60);',
    'umzug-tenants.config.mjs': `const all = ${list}
      export default { url: ${JSON.stringify(database.url)}, concurrency: 2, lock: { waitMs: 60_000 }, tenants: {
        list: () => all, find: ({ id }) => all.find((tenant) => tenant.id === id) ?? null } }`,
  })
  for (const id of ids) await database.query(`CREATE SCHEMA IF NOT EXISTS ${id}`)
  return { ...inThisProcess(asProcess), asProcess }
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

/** Sends a signal, and resolves when it has come. */
type Send = (signal: NodeJS.Signals) => Promise<void>

/** What is done to a command while it runs. */
type Act = (send: Send) => Promise<void>

/** Cancels what is under way, once `count` migrations are. */
const cancelling =
  (count: number, signal: NodeJS.Signals): Act =>
  async (send) => {
    await running(count)
    await send(signal)
    await sleep(APART_MS)
    await send(signal)
  }

/** Interrupts the command once `count` migrations are under way, and lets them end then. */
const interrupting =
  (count: number, gate: string): Act =>
  async (send) => {
    await running(count)
    await send('SIGINT')
    await open(gate)
  }

const interruptingWait: Act = async (send) => {
  await waitingForLock()
  await send('SIGINT')
}

/** Runs a command in this process while `act` is done to it. */
function disturbed<T>(act: Act, command: () => Promise<T>): Promise<T> {
  return withSignalsToCommand(async () => {
    const [result] = await Promise.all([command(), act(signalThisProcess)])
    return result
  })
}

/** The same for a process of its own, which says on its stderr that a signal has come. */
const disturbedProcess = (act: Act) => ({
  started: (child: ChildProcess) =>
    void act(async (signal) => {
      const told = new Promise((resolve) => {
        child.stderr?.on('data', (text) => String(text).includes(`${signal}: `) && resolve(undefined))
      })
      child.kill(signal)
      await told
    }),
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
  const { code, stdout, stderr } = await project.asProcess.cli(
    ['up', '--all'],
    disturbedProcess(interrupting(2, 'a')),
  )
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
  const again = await project.json<FleetReport>(['up', '--all'])
  const { succeeded, unchanged, notRun } = again.document
  assert.equal([again.code, succeeded, unchanged, notRun], [0, 3, 2, 0])
})

test('O50 a second signal cancels the statements on the server: exit 143, and nothing half-done remains', async () => {
  const ids = ['b1', 'b2', 'b3']
  const project = await projectWith(ids, 'CREATE TABLE slow (); SELECT pg_sleep(60);')
  const startedAt = performance.now()
  const { code, document, stderr } = await project.asProcess.json<FleetReport & { interrupted?: boolean }>(
    ['up', '--all'],
    disturbedProcess(cancelling(2, 'SIGTERM')),
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
  const { document: status } = await project.json<{ tenants: TenantStatus[] }>(['status', '--verify'])
  assert.equal(
    status.tenants.map(({ pending }) => pending.length),
    [1, 1, 1],
  )
})

test('signals that come together are one: npx passes on what the terminal has told everybody', async () => {
  const ids = ['c1', 'c2', 'c3']
  const project = await projectWith(ids, `CREATE TABLE slow (); ${waitAt('c')}`)
  const twiceAtOnce: Act = async (send) => {
    await running(2)
    await send('SIGINT')
    await sleep(100)
    await send('SIGINT')
    await sleep(APART_MS) // as a second one it would have cancelled them
    await open('c')
  }
  const { code, document } = await disturbed(twiceAtOnce, () => project.json<FleetReport>(['up', '--all']))
  assert.is(code, 130)
  assert.equal([document.succeeded, document.failed, document.notRun], [2, 0, 1])
})

test('a fleet that goes down says which tenants are left, since the same command would revert more', async () => {
  const ids = ['d1', 'd2', 'd3', 'd4']
  const project = await projectWith(ids, 'CREATE TABLE slow ();')
  await project.cli(['up', '--all'])
  const act = interrupting(2, `down ${ids.join(' ')}`)
  const { code, stderr } = await disturbed(act, () => project.cli(['down', '--all', '--yes']))
  assert.is(code, 130)
  assert.match(stderr, 'to go on: run only these: umzug-tenants down --tenant d3,d4\n')
  assert.equal(await tables(ids), ['d3', 'd4'])
})

test('seed files and the shared schema end in the same way', async () => {
  const project = await projectWith(['e1', 'e2'], 'CREATE TABLE slow ();')
  await project.write({ 'migrations/shared/001_slow.sql': 'SELECT pg_sleep(60);' })
  const both = await disturbed(cancelling(2, 'SIGINT'), () =>
    Promise.all([
      project.json<FleetReport>(['seed', 'up', '--tenant', 'e1']),
      project.json<FleetReport>(['up', '--shared']),
    ]),
  )
  for (const { code, document } of both)
    assert.equal([code, document.tenants[0]?.error?.code], [130, 'RUN_CANCELLED'])
})

test('a tenant that waits for another runner’s lock has not begun, and is not run', async () => {
  const ids = ['f1']
  const project = await projectWith(ids, `CREATE TABLE slow (); ${waitAt('f')}`)
  const first = project.asProcess.cli(['up', '--all'])
  await running(1)
  const second = await disturbed(interruptingWait, () => project.json<FleetReport>(['up', '--all']))
  assert.equal([second.code, second.document.notRun, second.document.tenants], [130, 1, []])
  await open('f')
  assert.is((await first).code, 0)
})

test('tenants create --up ends in the same way: what is running goes on to its end', async () => {
  const project = await newProject({
    'migrations/001_slow.sql': `CREATE TABLE slow (); ${waitAt('g1')}`,
  })
  const { code, stdout, stderr } = await disturbed(interrupting(1, 'g1'), () =>
    project.cli(['tenants', 'create', 'g1', '--up']),
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
  const { code, stderr } = await disturbed(cancelling(1, 'SIGTERM'), () => project.cli(argv))
  assert.is(code, 143, stderr)
  assert.match(stderr, 'RUN_CANCELLED')
  assert.match(stderr, 'fix: run it again: umzug-tenants up --tenant g2')
  assert.equal(await tables(['g2']), [])
  const again = await disturbed(cancelling(1, 'SIGINT'), () => project.json<{ error: ErrorDocument }>(argv))
  assert.equal([again.code, again.document.error.code], [130, 'RUN_CANCELLED'])
})

test('tenants create and tenants adopt that wait for a lock have not begun', async () => {
  const asProcess = await newProcessProject({
    'migrations/001_slow.sql': `CREATE TABLE slow (); ${waitAt('g3')}`,
    'umzug-tenants.config.mjs': `export default { url: ${JSON.stringify(database.url)}, lock: { waitMs: 60_000 } }`,
  })
  const project = inThisProcess(asProcess)
  const first = asProcess.cli(['tenants', 'create', 'g3', '--up'])
  await running(1)
  const waiting = <T>(command: () => Promise<T>) => disturbed(interruptingWait, command)
  const create = await waiting(() => project.cli(['tenants', 'create', 'g3', '--up']))
  const adopt = await waiting(() => project.cli(['tenants', 'adopt', 'g3']))
  const several = ['tenants', 'adopt', 'g3', 'g4', '--concurrency', '1']
  const many = await waiting(() => project.json<FleetReport & { interrupted?: boolean }>(several))
  assert.equal([create.code, adopt.code, many.code], [130, 130, 130])
  assert.match(create.stderr, 'RUN_NOT_BEGUN')
  assert.match(adopt.stderr, '1 tenant was not run\nto go on: run the same command again')
  const { interrupted, notRun, remaining } = many.document
  assert.equal([interrupted, notRun, remaining], [true, 2, ['g3', 'g4']])
  await open('g3')
  assert.is((await first).code, 0)
})

test.run()
