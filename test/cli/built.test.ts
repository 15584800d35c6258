/**
 * The built command line alone: no loader, TypeScript in the user's project, and folders as people name them. What only
 * looks at the project afterwards, or is about its folders, runs in this process.
 */
import { execFile } from 'node:child_process'
import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

import * as assert from 'uvu/assert'

import type { FleetReport } from '../../lib/cli/outcomes.ts'
import type { TenantStatus } from '../../lib/status.ts'
import { BUILT, cliProjects, jsonIn, runIn, useDatabaseHere, type CliProject } from '../support/cli.ts'
import { testDatabase } from '../support/database.ts'
import { repository } from '../support/project.ts'
import { suite } from '../support/suite.ts'

const test = suite('cli/built')
const database = testDatabase(test)
const newProject = cliProjects(test, database)
useDatabaseHere(test, database)

/** Without whatever loader the tests themselves run with. */
const env = { NODE_OPTIONS: undefined }

/** Both carry syntax that only a TypeScript compiler can read: an enum. */
const TYPESCRIPT = {
  'umzug-tenants.config.ts': `
    enum Folder { Migrations = 'db/tenant' }
    const config: { readonly migrations: string } = { migrations: \`\${Folder.Migrations}/*\` }
    export default config`,
  'db/tenant/001_users.ts': `
    import type { Migration } from 'umzug-tenants'
    import { USERS } from '../names.ts'
    export const up: Migration = async ({ context }) => { await context.sql(\`CREATE TABLE \${USERS} (id integer)\`) }
    export const down: Migration = async ({ context }) => { await context.dropTable(USERS as string) }`,
  'db/names.ts': `export const USERS: string = 'users'`,
}

const typescriptProject = (packageType: string, name?: string): Promise<CliProject> =>
  newProject({ ...TYPESCRIPT, 'package.json': JSON.stringify({ type: packageType }) }, name)

test('a configuration and migrations in TypeScript need no loader, in either kind of package', async () => {
  for (const type of ['module', 'commonjs']) {
    const project = await typescriptProject(type)
    const id = type.slice(0, 3)
    const created = await jsonIn<{ created: boolean }>(project.folder, ['tenants', 'create', id])
    assert.equal([created.code, created.document.created], [0, true])
    const up = await project.json<FleetReport>(['up', '--tenant', id], { env })
    assert.equal([up.code, up.document.tenants[0]?.applied], [0, ['001_users.ts']], up.stderr)
    const down = await project.json<FleetReport>(['down', '--tenant', id, '--yes'], { env })
    assert.equal([down.code, down.document.tenants[0]?.reverted], [0, ['001_users.ts']])
  }
})

test('the configuration is found from a folder below, and its paths stay relative to it', async () => {
  const project = await typescriptProject('module')
  const cwd = join(project.folder, 'src/deep')
  await mkdir(cwd, { recursive: true })
  const { code, document } = await jsonIn<{ tenants: TenantStatus[] }>(cwd, ['status', '--shared'])
  assert.equal([code, document.tenants[0]?.id], [0, 'shared'])
  const created = await runIn(cwd, ['create', 'x'])
  assert.match(created.stdout, /^wrote \.\.\/\.\.\/db\/tenant\/\d{14}_x\.ts\n$/)
})

test('in an npm workspace the configuration is that of the package, and the packages those of the root', async () => {
  const root = await newProject({
    'package.json': JSON.stringify({ private: true, workspaces: ['packages/*'] }),
    'umzug-tenants.config.mjs': `throw new Error('not this one')`,
    'packages/api/package.json': JSON.stringify({ name: 'api', version: '1.0.0', type: 'module' }),
    'packages/api/umzug-tenants.config.ts': `
      import { defineConfig } from 'umzug-tenants'
      export default defineConfig({ migrations: 'db/*' })`,
    'packages/api/db/001_users.js': `
      import { DataTypes } from 'sequelize'
      export const up = ({ context }) => context.createTable('users', { id: DataTypes.INTEGER })
      export const down = ({ context }) => context.dropTable('users')`,
    'packages/api/src/x': '',
  })
  await mkdir(join(root.folder, 'node_modules/.bin'), { recursive: true })
  await symlink(repository, join(root.folder, 'node_modules/umzug-tenants'))
  await symlink(join(repository, 'node_modules/sequelize'), join(root.folder, 'node_modules/sequelize'))
  await symlink('../umzug-tenants/dist/cli/main.js', join(root.folder, 'node_modules/.bin/umzug-tenants'))
  const npm = [
    'exec',
    '--offline',
    '--workspace',
    'api',
    '--',
    'umzug-tenants',
    'tenants',
    'create',
    'ws',
    '--up',
  ]
  const { stdout } = await promisify(execFile)('npm', npm, {
    cwd: root.folder,
    env: { ...process.env, ...env, DATABASE_URL: database.url },
  })
  assert.is(stdout, 'created ws (schema ws)\n  applied 001_users.js\n')
  for (const folder of ['packages/api', 'packages/api/src']) {
    const { code, stdout: printed } = await runIn(join(root.folder, folder), ['executed', '--tenant', 'ws'])
    assert.equal([code, printed], [0, '001_users.js\n'])
  }
})

test('folders with spaces, brackets and letters of any script work', async () => {
  const project = await typescriptProject('module', 'Grüße an (alle) [2026] 日本')
  assert.is((await project.cli(['tenants', 'create', 'umlaut', '--up'], { env })).code, 0)
  const { code } = await runIn(project.folder, ['create', 'näher'])
  const files = await project.list('db/tenant')
  assert.equal([code, files.map((file) => file.replace(/^\d{14}/, 'T'))], [0, ['001_users.ts', 'T_näher.ts']])
  const { document } = await jsonIn<{ tenants: TenantStatus[] }>(project.folder, [
    'status',
    '--tenant',
    'umlaut',
  ])
  assert.equal([document.tenants[0]?.executed, document.tenants[0]?.pending.length], [1, 1])
})

test('a reader that goes away does not end the work', async () => {
  const project = await typescriptProject('module')
  await runIn(project.folder, ['tenants', 'create', 'pipe'])
  const [program = ''] = BUILT
  await promisify(execFile)('sh', ['-c', `"$0" "$1" up --tenant pipe | true`, process.execPath, program], {
    cwd: project.folder,
    env: { ...process.env, ...env, DATABASE_URL: database.url },
  })
  const { document } = await jsonIn<{ tenants: TenantStatus[] }>(project.folder, [
    'status',
    '--tenant',
    'pipe',
  ])
  assert.is(document.tenants[0]?.state, 'ok')
})

test.run()
