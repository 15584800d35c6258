/** `seed` and its spellings in sequelize-cli, as a process of its own. */
import { join } from 'node:path'

import * as assert from 'uvu/assert'

import { run } from '../../lib/cli/program.ts'
import type { FleetReport } from '../../lib/cli/outcomes.ts'
import type { ErrorDocument } from '../../lib/errors.ts'
import type { TenantStatus } from '../../lib/status.ts'
import { projectsInThisProcess, fakeTerminal, tableMigration, type CliProject } from '../support/cli.ts'
import { testDatabase } from '../support/database.ts'
import { suite } from '../support/suite.ts'

const test = suite('cli/seed')
const database = testDatabase(test)
const newProject = projectsInThisProcess(test, database)

let project: CliProject

test.before(async () => {
  project = await newProject({
    ...tableMigration('001_users', 'users'),
    'umzug-tenants.config.mjs': `export default { url: ${JSON.stringify(database.url)} }`,
    'seeders/001_one.sql': 'INSERT INTO users VALUES (1);',
    'seeders/001_one.down.sql': 'DELETE FROM users WHERE id = 1;',
    'seeders/002_two.sql': 'INSERT INTO users VALUES (2);',
    'seeders/002_two.down.sql': 'DELETE FROM users WHERE id = 2;',
  })
  for (const id of ['a', 'b']) await project.cli(['tenants', 'create', id, '--up'])
})

async function users(schema: string): Promise<string> {
  const rows = await database.query<{ id: number }>(`SELECT id FROM ${schema}.users ORDER BY 1`)
  return rows.map(({ id }) => id).join()
}

test('seed up, seed down and seed status do what they say, on many tenants', async () => {
  const up = await project.json<FleetReport>(['seed', 'up', '--all', '--concurrency', '2'])
  assert.equal([up.code, up.document.succeeded, await users('a'), await users('b')], [0, 2, '1,2', '1,2'])
  const down = await project.json<FleetReport>(['seed', 'down', '--all', '--skip', 'b', '--yes'])
  assert.equal([down.code, down.document.tenants[0]?.reverted], [0, ['002_two.sql']])
  assert.equal([await users('a'), await users('b')], ['1', '1,2'])
  const status = await project.json<{ tenants: TenantStatus[] }>(['seed', 'status'])
  const standing = status.document.tenants.map(({ id, executed, state }) => [id, executed, state])
  assert.equal([status.code, standing], [0, [['a', 1, 'pending'], ['b', 2, 'ok']]]) // prettier-ignore
  assert.match((await project.cli(['seed', 'status', '--tenant', 'a'])).stdout, /^a +a +001_one.sql +1 +pending$/m)
}) // prettier-ignore

test('db:seed without a file is refused: it is not db:seed:all', async () => {
  const { code, document } = await project.json<{ error: ErrorDocument }>(['db:seed', '--tenant', 'a'])
  assert.equal([code, document.error.fix], [2, ['add --seed NAME', 'or apply all: db:seed:all']])
})

test('reverting asks for the id first, and another answer changes nothing', async () => {
  const before = await users('b')
  for (const [argv, what] of [
    [['seed', 'down'], 'This reverts the last seed file of tenant "b", and the data with it.'],
    [['seed', 'down', '--step', '2'], 'This reverts the last 2 seed files of tenant "b", and the data with it.'],
    [['db:seed:undo:all'], 'This reverts every seed file of tenant "b", and the data with it.'],
    [['seed', 'down', '--only', '001_one'], 'This reverts seed file 001_one of tenant "b", and the data with it.'],
  ] as const) {
    const terminal = fakeTerminal(['yes'])
    const code = await run([...argv, '--tenant', 'b', '--config', join(project.folder, 'umzug-tenants.config.mjs')], terminal)
    assert.is(code, 10)
    assert.match(terminal.printed.err, what)
  }
  assert.is(await users('b'), before)
  assert.is((await project.cli(['seed', 'down', '--tenant', 'b'])).code, 10, 'no terminal')
}) // prettier-ignore

test('reverting tells at a terminal which seed files, on how many tenants, before it asks', async () => {
  await project.cli(['seed', 'up', '--all'])
  const terminal = fakeTerminal(['no'])
  const config = join(project.folder, 'umzug-tenants.config.mjs')
  assert.is(await run(['seed', 'down', '--all', '--to', '0', '--config', config], terminal), 10)
  assert.match(
    terminal.printed.err,
    'To be reverted:\n  002_two.sql   on 2 tenants\n  001_one.sql   on 2 tenants\n',
  )
})

test('--only excludes --to and --step, and the shared schema has no seed files', async () => {
  for (const argv of [
    ['seed', 'up', '--all', '--only', 'x', '--step', '1'],
    ['seed', 'down', '--all', '--only', 'x', '--to', '0'],
    ['seed', 'up', '--shared'],
    ['seed', 'status', '--shared'],
  ]) {
    assert.is((await project.cli(argv)).code, 2, argv.join(' '))
  }
})

test.run()
