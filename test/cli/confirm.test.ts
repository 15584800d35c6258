/** What is asked on a terminal before something is destroyed. */
import { join } from 'node:path'

import * as assert from 'uvu/assert'

import { run } from '../../lib/cli/program.ts'
import { createTenancy } from '../../lib/tenancy.ts'
import { cliProjects, fakeTerminal, tableMigration, type CliProject } from '../support/cli.ts'
import { testDatabase } from '../support/database.ts'
import { suite } from '../support/suite.ts'

const test = suite('cli/confirm')
const database = testDatabase(test)
const newProject = cliProjects(test, database)

let project: CliProject

test.before(async () => {
  project = await newProject({
    ...tableMigration('001_users', 'users'),
    'umzug-tenants.config.mjs': `export default { url: ${JSON.stringify(database.url)} }`,
  })
  const tenancy = createTenancy({ url: database.url }, { baseDir: project.folder })
  try {
    for (const id of ['a', 'b']) await tenancy.provision({ id })
  } finally {
    await tenancy.close()
  }
})

/** Runs a command at a terminal where `answers` are typed. */
async function at(answers: readonly string[], ...argv: string[]) {
  const terminal = fakeTerminal(answers)
  const code = await run([...argv, '--config', join(project.folder, 'umzug-tenants.config.mjs')], terminal)
  return { code, ...terminal.printed }
}

const tables = () => database.query(`SELECT schemaname FROM pg_tables WHERE tablename = 'users' ORDER BY 1`)

test('another answer than the id stops the command: exit 10, nothing done', async () => {
  for (const answer of ['', 'y', 'yes', 'A', 'b']) {
    const { code, out, err } = await at([answer], 'down', '--tenant', 'a')
    assert.equal([code, out], [10, ''])
    assert.match(
      err,
      'This reverts the last migration of tenant "a", and the data with it.\nTo be reverted, in this order:\n  001_users.sql\n',
    )
    assert.match(err, 'nothing was done')
  }
  assert.is((await tables()).length, 2)
})

test('what the tenant holds is told before the question, with about how many rows and how much', async () => {
  await database.query('INSERT INTO a.users SELECT generate_series(1, 1000); ANALYZE a.users')
  const down = await at(['no'], 'down', '--tenant', 'a')
  assert.match(
    down.err,
    /Schema a holds now 2 tables, about 100\d rows, \d+ kB:\n {2}TABLE +ROWS +SIZE\n {2}users +~1000 +\d+ kB\n/,
  )
  assert.match(down.err, /Type a to go on: /)
  const drop = await at(['no'], 'tenants', 'drop', 'a')
  assert.match(
    drop.err,
    /^This drops the schema of tenant "a" with everything in it, and its registration\.\nIt holds 2 tables, about 100\d rows/,
  )
})

test('of a fleet it is told what is reverted on how many tenants, and who will be refused', async () => {
  const { err } = await at(['no'], 'down', '--all', '--to', '001_users')
  assert.match(err, 'To be reverted:\n  001_users.sql   on 2 tenants\n')
  await database.query('ALTER SCHEMA b RENAME TO hidden')
  try {
    const refused = await at(['no'], 'down', '--all')
    assert.match(refused.err, 'To be reverted:\n  001_users.sql   on 1 tenant\n1 tenant will be refused.\n')
  } finally {
    await database.query('ALTER SCHEMA hidden RENAME TO b')
  }
})

test('a tenant that down would refuse is refused before the question', async () => {
  const { code, err } = await at(['a'], 'down', '--tenant', 'a', '--to', 'nope')
  assert.is(code, 2)
  assert.match(err, 'No migration is called "nope"')
  assert.not.match(err, 'Type a')
})

test('the id, typed, goes on', async () => {
  const { code, out } = await at(['a'], 'down', '--tenant', 'a')
  assert.is(code, 0)
  assert.match(out, '✔ reverted 001_users.sql')
  assert.equal(await tables(), [{ schemaname: 'b' }])
})

test('a fleet is confirmed by its own word: all, the pattern, the list', async () => {
  const questions: [string, string[]][] = [
    ['all', ['--all']],
    ['b*', ['--match', 'b*']],
    ['a,b', ['--tenant', 'a', '--tenant', 'b']],
    ['shared', ['--shared']],
  ]
  for (const [word, flags] of questions) {
    const { code, err } = await at(['no'], 'down', '--to', '0', ...flags)
    assert.is(code, 10)
    assert.match(err, `Type ${word} to go on`)
  }
})

test('with --json nobody is asked', async () => {
  const { code, out, err } = await at(['a'], 'down', '--tenant', 'a', '--json')
  assert.equal([code, err], [10, ''])
  assert.match(out, 'CONFIRMATION_REQUIRED')
})

test('dropping a tenant is confirmed by its id', async () => {
  assert.is((await at(['a'], 'tenants', 'drop', 'b')).code, 10)
  assert.is((await at(['b'], 'tenants', 'drop', 'b')).code, 0)
  assert.equal(await tables(), [])
})

test.run()
