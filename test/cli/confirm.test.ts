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
      'This reverts the last migration of tenant "a", and the data with it.\nType a to go on: ',
    )
    assert.match(err, 'nothing was done')
  }
  assert.is((await tables()).length, 2)
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
