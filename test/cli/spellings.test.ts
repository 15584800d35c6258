/** What users of Alembic and of sequelize-cli type works as it stands: in this process, and one of each as a process. */
import * as assert from 'uvu/assert'

import { cliProjects, runIn, tableMigration, type CliProject } from '../support/cli.ts'
import { testDatabase } from '../support/database.ts'
import { emptyProgram } from '../support/schema.ts'
import { suite } from '../support/suite.ts'

const test = suite('cli/spellings')
const database = testDatabase(test)
const newProject = cliProjects(test, database)

let project: CliProject

test.before(async () => {
  project = await newProject({
    'umzug-tenants.config.mjs': `export default { url: ${JSON.stringify(database.url)}, lock: { waitMs: 50 } }`,
    ...tableMigration('001_users', 'users'),
    ...tableMigration('002_roles', 'roles'),
    ...tableMigration('003_permissions', 'permissions'),
    'seeders/001_one.sql': 'INSERT INTO users VALUES (1);',
    'seeders/001_one.down.sql': 'DELETE FROM users WHERE id = 1;',
    'seeders/002_two.sql': 'INSERT INTO users VALUES (2);',
    'seeders/002_two.down.sql': 'DELETE FROM users WHERE id = 2;',
  })
  await runIn(project.folder, ['tenants', 'create', 'a'])
})

/** The tenant's tables, and the ids of its users. */
async function holdings(): Promise<string> {
  const tables = await database.query<{ name: string }>(
    `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'a' AND tablename !~ '^Sequelize' ORDER BY 1`,
  )
  const names = tables.map(({ name }) => name)
  const users = names.includes('users')
    ? await database.query<{ id: number }>('SELECT id FROM a.users ORDER BY 1')
    : []
  return [...names, ...users.map(({ id }) => id)].join(' ')
}

/** What is typed, in this order; what the tenant holds then; what is printed, where that is the point. */
const TYPED: readonly (readonly [string, string, RegExp?])[] = [
  ['-x tenant=a current', '', /^$/],
  ['-x dry_run=True -x tenant=a upgrade head', '', /would run 3 migrations\n {2}001_users.sql/],
  ['-x tenant=a upgrade --sql +1', '', /^\\set ON_ERROR_STOP on\n/],
  ['-x tenant=a upgrade +1', 'users'],
  ['upgrade 002 -x tenant=a', 'roles users'],
  ['upgrade -x tenant=a head', 'permissions roles users'],
  ['-x tenant=a current', 'permissions roles users', /^003 \(head\)\n$/],
  ['-x tenant=a history', 'permissions roles users', /^001_users\.sql +20.*\n002_roles\.sql +20.*\n003_/m],
  ['history', 'permissions roles users', /^REVISION +MIGRATION\n001 +001_users\.sql\n/],
  ['-x tenant=a downgrade -1 --yes', 'roles users'],
  ['downgrade 001 --tenant a --yes', 'users'],
  ['-x tenant=a current', 'users', /^001\n$/],
  ['downgrade --tenant a --yes base', ''],
  ['-x dry_run=True -x tenant=a stamp head', '', /would record 001_users\.sql/],
  ['-x tenant=a stamp 001', '', /recorded 001_users\.sql/],
  ['-x tenant=a stamp base --yes', '', /forgot 001_users\.sql/],
  ['db:migrate --to 001_users.sql --tenant a', 'users'],
  ['db:migrate --tenant a', 'permissions roles users'],
  ['db:migrate:status --tenant a', 'permissions roles users', /^a +a +003_permissions\.sql +0 +ok$/m],
  ['db:migrate:undo --tenant a --yes', 'roles users'],
  ['db:migrate:undo:all --tenant a --to 002_roles.sql --yes', 'users'],
  ['db:seed --seed 002_two.sql --tenant a', 'users 2'],
  ['db:seed:all --tenant a', 'users 1 2'],
  ['db:seed:undo --tenant a --yes', 'users 1'],
  ['db:seed:all --tenant a', 'users 1 2'],
  ['db:seed:undo --seed 001_one --tenant a --yes', 'users 2'],
  ['db:seed:undo:all --tenant a --yes', 'users'],
  ['db:migrate:undo:all --tenant a --yes', ''],
  ['revision -m avatars --format sql', '', /^wrote migrations\/\d{14}_avatars\.sql\n/],
  ['migration:generate --name add-logs --format cjs', '', /^wrote migrations\/\d{14}_add_logs\.cjs\n$/],
  ['migration:create --name add-notes --format mjs', '', /^wrote migrations\/\d{14}_add_notes\.mjs\n$/],
]

/** One of each as a process of its own: witnesses that what is typed is what a command is given. */
const AS_PROCESS = ['-x tenant=a upgrade +1', 'db:migrate --to 001_users.sql --tenant a']

for (const [index, [line, expected, printed]] of TYPED.entries()) {
  test(`${index + 1}. ${line} leaves "${expected}"`, async () => {
    const words = line.split(' ')
    const { code, stdout, stderr } = await (AS_PROCESS.includes(line)
      ? project.cli(words)
      : runIn(project.folder, words))
    assert.equal([code, await holdings()], [0, expected], stderr)
    if (printed !== undefined) assert.match(stdout, printed)
  })
}

test('every spelling of the help is among them', () => {
  const words = new Set(TYPED.flatMap(([line]) => line.split(' ')))
  const spellings = emptyProgram().commands.filter((command) => command.helpGroup().startsWith('As in '))
  assert.is(spellings.length, 14)
  for (const command of spellings) assert.ok(words.has(command.name()), command.name())
})

test.run()
