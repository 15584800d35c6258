/**
 * Each exit code of the table in docs/errors.md, of a command that gives it. What a command gives is what its process
 * ends with: of that 0, 3 and those of signals are witnesses.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import pg from 'pg'
import * as assert from 'uvu/assert'

import { lockKey } from '../../lib/migrations/lock.ts'
import {
  cliProjects,
  inThisProcess,
  projectsInThisProcess,
  sendingItself,
  tableMigration,
  type CliProject,
  type CliResult,
} from '../support/cli.ts'
import { query, testDatabase } from '../support/database.ts'
import { repository } from '../support/project.ts'
import { suite } from '../support/suite.ts'

const test = suite('cli/exit-codes')
const database = testDatabase(test)
const newProject = projectsInThisProcess(test, database)
const newProcessProject = cliProjects(test, database)

/** All goes well in `whole`, and in `asProcess`; in `broken` a migration fails on tenant b. */
let whole: CliProject
let asProcess: CliProject
let broken: CliProject

test.before(async () => {
  whole = await newProject(tableMigration('001_users', 'users'))
  asProcess = await newProcessProject(tableMigration('001_users', 'users'))
  broken = await newProject({
    'migrations/001_users.mjs': `export const up = ({ context }) =>
      context.sql(context.schema === 'b' ? 'SELECT 1/0' : 'CREATE TABLE users ()')`,
  })
  for (const id of ['a', 'b']) await whole.cli(['tenants', 'create', id])
})

async function withLockHeld<T>(schema: string, fn: () => Promise<T>): Promise<T> {
  const holder = new pg.Client({ connectionString: database.url })
  await holder.connect()
  try {
    await holder.query('SELECT pg_advisory_lock($1)', [
      String(lockKey(new URL(database.url).pathname.slice(1), schema)),
    ])
    return await fn()
  } finally {
    await holder.end()
  }
}

/** Runs `fn` with the URL of a role that may connect, and nothing else. */
async function asGuest<T>(fn: (url: string) => Promise<T>): Promise<T> {
  const url = new URL(database.url)
  Object.assign(url, { username: `${url.pathname.slice(1)}_guest`, password: 'guest' })
  await query(database.url, `CREATE ROLE ${url.username} LOGIN PASSWORD 'guest'`)
  try {
    return await fn(url.href)
  } finally {
    await query(database.url, `DROP ROLE ${url.username}`)
  }
}

/** The same project, connecting to `url`. */
const connecting = (url: string) =>
  newProject({
    ...tableMigration('001_users', 'users'),
    'umzug-tenants.config.mjs': `export default { url: ${JSON.stringify(url)} }`,
  })

/** A run whose migration sends its own process `signal`. */
async function interrupted(signal: NodeJS.Signals): Promise<CliResult> {
  const project = await newProcessProject({
    'umzug-tenants.config.mjs': `export default { url: ${JSON.stringify(database.url)} }`,
    'migrations/001_slow.mjs': `export const up = async () => { ${sendingItself(signal)} }`,
    'migrations/001_slow.down.sql': '',
  })
  const id = signal.toLowerCase()
  await inThisProcess(project).cli(['tenants', 'create', id])
  return project.cli(['up', '--tenant', id])
}

const ENDINGS: Readonly<Record<string, () => Promise<CliResult>>> = {
  0: () => asProcess.cli(['status']),
  1: () => broken.cli(['up', '--tenant', 'b']),
  2: () => whole.cli(['up']),
  3: () => asProcess.cli(['status', '--check']),
  4: () => broken.cli(['up', '--tenant', 'a,b']),
  5: () => withLockHeld('b', () => whole.cli(['up', '--tenant', 'b'])),
  6: async () => (await connecting('postgres://nobody@127.0.0.1:1/none')).cli(['status']),
  7: () => asGuest(async (url) => (await connecting(url)).cli(['tenants', 'create', 'c'])),
  8: async () => {
    const doubled = await newProject({ 'migrations/1_a.sql': '', 'migrations/1_a.mjs': '' })
    return doubled.cli(['up', '--tenant', 'b'])
  },
  9: () => whole.cli(['up', '--tenant', 'nobody']),
  10: () => whole.cli(['down', '--tenant', 'a']),
  130: () => interrupted('SIGINT'),
  143: () => interrupted('SIGTERM'),
}

const rows = [
  ...readFileSync(join(repository, 'docs/errors.md'), 'utf8').matchAll(/^\| ([\d, ]+?) +\| (.+?) +\|$/gm),
]
const documented = rows.flatMap(([, codes = '', meaning = '']) =>
  codes.split(', ').map((code) => ({ code, meaning })),
)

for (const { code, meaning } of documented) {
  test(`${code}: ${meaning}`, async () => {
    const ended = await ENDINGS[code]?.()
    assert.is(String(ended?.code), code, ended?.stderr)
  })
}

test('the table has every exit code, and no other', () => {
  assert.equal(documented.map(({ code }) => code).toSorted(), Object.keys(ENDINGS).toSorted())
})

test.run()
