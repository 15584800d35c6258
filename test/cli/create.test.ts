import * as assert from 'uvu/assert'

import type { ErrorDocument } from '../../lib/errors.ts'
import { cliProjects, projectsInThisProcess } from '../support/cli.ts'
import { testDatabase } from '../support/database.ts'
import { suite } from '../support/suite.ts'

const test = suite('cli/create')
const database = testDatabase(test)
const newProject = projectsInThisProcess(test, database)
const newProcessProject = cliProjects(test, undefined)

test('create, revision and migration:generate write a file that needs no database', async () => {
  const project = await newProcessProject({ 'package.json': '{ "type": "module" }' })
  const env = { DATABASE_URL: undefined }
  const human = await project.cli(['create', 'Add users'], { env })
  assert.is(human.code, 0)
  assert.match(human.stdout, /^wrote migrations\/\d{14}_add_users\.ts\n$/)
  const revision = await project.json<{ files: string[] }>(
    ['revision', '-m', 'add roles', '--format', 'mjs'],
    { env },
  )
  const generated = await project.json<{ files: string[] }>(
    ['migration:generate', '--name', 'add-permissions', '--format', 'cjs'],
    { env },
  )
  const sql = await project.json<{ files: string[] }>(['create', 'add_log', '--format', 'sql'], { env })
  assert.equal([revision.code, generated.code, sql.code, sql.document.files.length], [0, 0, 0, 2])
  const written = (await project.list('migrations')).map((file) => file.replace(/^\d{14}/, 'T'))
  assert.equal([...written].toSorted(), [
    'T_add_log.down.sql',
    'T_add_log.sql',
    'T_add_permissions.cjs',
    'T_add_roles.mjs',
    'T_add_users.ts',
  ])
})

test('what was created goes up and down as it is, in every format', async () => {
  const project = await newProject({ 'package.json': '{ "type": "module" }' })
  for (const format of ['ts', 'mjs', 'cjs', 'sql'])
    await project.cli(['create', `in ${format}`, '--format', format])
  const up = await project.cli(['tenants', 'create', 'a', '--up'])
  assert.equal([up.code, up.stderr], [0, ''])
  assert.is(up.stdout.split('\n').filter((line) => line.includes('applied')).length, 4)
  const down = await project.cli(['down', '--tenant', 'a', '--to', '0', '--yes'])
  assert.equal([down.code, down.stderr], [0, ''])
})

test('create --shared writes where the shared migrations are, and up --shared runs it', async () => {
  const project = await newProject()
  const { code } = await project.cli(['create', 'plans', '--shared', '--format', 'sql'])
  assert.is(code, 0)
  const [down = '', up = ''] = await project.list('migrations/shared')
  assert.match(`${down} ${up}`, /^\d{14}_plans.down.sql \d{14}_plans.sql$/)
  const { stdout } = await project.cli(['up', '--shared'])
  assert.match(stdout, up)
})

test('a format that the globs would not find is refused, and leaves nothing', async () => {
  const project = await newProject({
    'umzug-tenants.config.mjs': `export default { migrations: 'db/*.sql' }`,
    'db/001_a.sql': '',
  })
  const { code, document } = await project.json<{ error: ErrorDocument }>(['create', 'x', '--format', 'ts'])
  assert.equal([code, document.error.code], [2, 'CONFIG_INVALID'])
  assert.equal(await project.list('db'), ['001_a.sql'])
})

test('a name that climbs out of the folder stays in it', async () => {
  const project = await newProject()
  const { code } = await project.cli(['create', '../../etc/passwd'])
  assert.is(code, 0)
  assert.match((await project.list('migrations')).join(), /^\d{14}_etc_passwd\.ts$/)
})

test('a name without letters and digits is refused', async () => {
  const project = await newProject()
  assert.is((await project.cli(['create', '../..'])).code, 2)
})

test.run()
