/** `--sql`. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import * as assert from 'uvu/assert'

import type { TenantStatus } from '../../lib/status.ts'
import { cliProjects, inThisProcess, tableMigration, type CliProject } from '../support/cli.ts'
import { testDatabase } from '../support/database.ts'
import { suite } from '../support/suite.ts'

const test = suite('cli/script')
const database = testDatabase(test)
const newProject = cliProjects(test, database)

let project: CliProject
/** The same, its commands processes of their own, in its folder. */
let outside: CliProject

test.before(async () => {
  outside = await newProject({
    'umzug-tenants.config.mjs': `export default { url: ${JSON.stringify(database.url)} }`,
    ...tableMigration('001_users', 'users'),
    'migrations/002_reads.mjs': `export async function up({ context: { sql } }) {
      const rows = await sql('SELECT id FROM users')
      if (rows.length === 0) await sql('INSERT INTO users VALUES ($1)', [7])
    }
    export const down = async () => {}`,
    'migrations/003_broken.sql': 'SELECT FROM nowhere',
  })
  project = inThisProcess(outside)
  for (const id of ['a', 'b']) await project.cli(['tenants', 'create', id])
})

async function pending(): Promise<number[]> {
  const { document } = await project.json<{ tenants: TenantStatus[] }>(['status'])
  return document.tenants.map((tenant) => tenant.pending.length)
}

for (const [spelling, ...args] of [
  ['up --sql', 'up', '--tenant', 'a', '--to', '002_reads', '--sql'],
  ['upgrade --sql', '-x', 'tenant=a', 'upgrade', '--sql', '002'],
] as const) {
  test(`${spelling} prints the script, says who reads rows, and writes nothing`, async () => {
    const { code, stdout, stderr } = await project.cli(args)
    assert.is(code, 0, stderr)
    assert.match(stdout, /^\\set ON_ERROR_STOP on\n/)
    assert.match(
      stdout,
      /BEGIN;\nSET LOCAL search_path TO "a", "shared";\n-- 001_users.sql\nCREATE TABLE users/,
    )
    assert.match(stdout, "-- 002_reads.mjs\nINSERT INTO users VALUES ('7');")
    assert.match(stdout, /INSERT INTO "a"\."SequelizeMeta" .*'002_reads.mjs'/)
    assert.is(stderr, 'warning: 002_reads.mjs has read rows of a; what it does next is right for them only\n')
    assert.equal(await pending(), [3, 3])
  })
}

test('--sql FILE writes a file, with a part for each tenant', async () => {
  const { code, stdout } = await outside.cli(['up', '--all', '--step', '1', '--sql', 'up.sql'])
  const file = join(project.folder, 'up.sql')
  assert.equal([code, stdout], [0, `wrote ${file}\n`])
  const text = await readFile(file, 'utf8')
  assert.equal(text.match(/^-- .* migration.*$/gm), [
    '-- a (schema a): 1 migration up',
    '-- b (schema b): 1 migration up',
  ])
})

test('--sql with --json is one document', async () => {
  const { document } = await project.json<{ sql: string; reading: unknown }>([
    'up',
    '--tenant',
    'a',
    '--to',
    '002',
    '--sql',
  ])
  assert.match(document.sql, 'CREATE TABLE users')
  assert.equal(document.reading, [{ tenant: 'a', migration: '002_reads.mjs' }])
})

test('a migration that fails is the error that running it would be, and there is no script', async () => {
  const { code, stdout, stderr } = await project.cli(['up', '--tenant', 'a', '--sql'])
  assert.equal([code, stdout], [1, ''])
  assert.match(stderr, 'MIGRATION_FAILED Migration "003_broken.sql" failed on tenant "a" (42P01).')
  assert.equal(await pending(), [3, 3])
})

test('a file that cannot be written is named', async () => {
  const { code, stderr } = await project.cli([
    'up',
    '--tenant',
    'a',
    '--step',
    '1',
    '--sql',
    'no/such/folder.sql',
  ])
  assert.is(code, 2)
  assert.match(stderr, '--sql cannot write')
})

test('down --sql asks nobody, for it destroys nothing', async () => {
  await project.cli(['up', '--tenant', 'b', '--step', '1'])
  const { code, stdout } = await project.cli(['down', '--tenant', 'b', '--sql'])
  assert.is(code, 0)
  assert.match(stdout, 'DROP TABLE users')
})

test.run()
