/** `init` in projects as users have them; what it writes works as it stands, in this process and without its loader. */
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import * as assert from 'uvu/assert'

import { init } from '../../lib/cli/commands/init.ts'
import type { InitReport } from '../../lib/init.ts'
import type { TenantStatus } from '../../lib/status.ts'
import { cliProjects, fakeTerminal, jsonIn, runIn, useDatabaseHere, type CliProject } from '../support/cli.ts'
import { testDatabase } from '../support/database.ts'
import { failure } from '../support/failure.ts'
import { temporaryFolders } from '../support/folder.ts'
import { repository } from '../support/project.ts'
import { start } from '../support/child.ts'
import { suite } from '../support/suite.ts'

const test = suite('cli/init')
const database = testDatabase(test)
const newProject = cliProjects(test, database)
useDatabaseHere(test, database)
const makeFolder = temporaryFolders(test)

/** Without whatever loader the tests themselves run with. */
const env = { NODE_OPTIONS: undefined }

let outer: CliProject

test.before(async () => {
  outer = await newProject()
})

/** A folder that is no project yet: nothing in it but these files. */
const emptyProject = async (files = {}) => ({ cwd: await makeFolder(files), env })

for (const [language, files] of [
  ['ts', { 'package.json': '{}', 'tsconfig.json': '{}' }],
  ['esm', { 'package.json': '{ "type": "module" }' }],
  ['cjs', { 'package.json': '{}' }],
] as const) {
  test(`what init writes in ${language} creates, upgrades and reverts a tenant as it stands`, async () => {
    const options = await emptyProject(files)
    const { code, document } = await jsonIn<InitReport>(options.cwd, ['init'])
    assert.equal([code, document.language, document.written.length], [0, language, 4])
    const id = `in_${language}`
    const created = await outer.cli(['tenants', 'create', id, '--up'], options)
    assert.match(created.stdout, /applied \d{14}_create_users\./, created.stderr)
    await database.query(`INSERT INTO ${id}.users (email) VALUES ('ann')`)
    const here = (...args: string[]) => runIn(options.cwd, [...args, '--tenant', id])
    const status = await jsonIn<{ tenants: TenantStatus[] }>(options.cwd, ['status', '--tenant', id])
    assert.is(status.document.tenants[0]?.state, 'ok')
    assert.is((await here('seed', 'up')).code, 0)
    assert.is((await runIn(options.cwd, ['up', '--shared'])).code, 0)
    assert.is((await here('down', '--yes')).code, 0)
  })
}

test('what init writes in TypeScript passes the strict compiler', async () => {
  const options = await emptyProject()
  await runIn(options.cwd, ['init', '--language', 'ts'])
  await mkdir(join(options.cwd, 'node_modules'))
  for (const [name, target] of [['umzug-tenants', repository], ['sequelize', join(repository, 'node_modules/sequelize')], ['umzug', join(repository, 'node_modules/umzug')], ['@types', join(repository, 'node_modules/@types')]] as const) await symlink(target, join(options.cwd, 'node_modules', name)) // prettier-ignore
  await writeFile(join(options.cwd, 'package.json'), '{ "type": "module" }')
  await writeFile(
    join(options.cwd, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: { strict: true, module: 'nodenext', target: 'es2023', noEmit: true, skipLibCheck: true, types: ['node'] } }), // prettier-ignore
  )
  const tsc = join(repository, 'node_modules/typescript/bin/tsc')
  const { exitCode, stdout } = await start(process.execPath, [tsc, '-p', options.cwd]).outcome
  assert.equal([exitCode, stdout], [0, ''])
})

test('it says what it wrote, what it left, and what comes next', async () => {
  const options = await emptyProject({ 'umzug-tenants.config.mjs': 'export default {}' })
  const { code, stdout, stderr } = await outer.cli(['init', '--language', 'esm'], {
    ...options,
    env: { ...env, DATABASE_URL: undefined },
  })
  assert.is(code, 0)
  assert.match(stdout, /^wrote migrations\/\d{14}_create_users.mjs\n/)
  assert.match(stdout, /left umzug-tenants.config.mjs as it is\n$/)
  assert.match(stderr, 'next:\n  npm install umzug-tenants sequelize pg\n  export DATABASE_URL=postgres://')
  assert.match(stderr, '  npx umzug-tenants tenants create acme --up\n')
  const config = await readFile(join(options.cwd, 'umzug-tenants.config.mjs'), 'utf8')
  assert.is(config, 'export default {}')
})

test('it loads neither Sequelize nor pg, and needs no database', async () => {
  const options = await emptyProject({
    'loaded.cjs': `process.on('exit', () => {
      const files = Object.keys(require.cache).filter((file) => /node_modules.(sequelize|pg|umzug)./.test(file))
      process.stderr.write('loaded: ' + (files.length > 0))
    })`,
  })
  const { stderr } = await outer.cli(['init'], {
    ...options,
    env: { DATABASE_URL: undefined, NODE_OPTIONS: `--require=${join(options.cwd, 'loaded.cjs')}` },
  })
  assert.match(stderr, /loaded: false$/)
  const completion = await outer.cli(['completion', 'bash'], {
    ...options,
    env: { DATABASE_URL: undefined, NODE_OPTIONS: `--require=${join(options.cwd, 'loaded.cjs')}` },
  })
  assert.is(completion.stderr, 'loaded: false')
})

test('the language is asked for at a terminal, where nothing tells it, and is esm where nobody can be asked', async () => {
  const before = process.cwd()
  const at = async (answers?: readonly string[]) => {
    process.chdir(await makeFolder())
    const terminal = fakeTerminal(answers)
    await init({ terminal, json: false }, {})
    return terminal.printed
  }
  try {
    assert.match((await at(['cjs'])).out, 'wrote umzug-tenants.config.cjs\n')
    assert.match((await at([''])).out, 'wrote umzug-tenants.config.mjs\n')
    const silent = await at()
    assert.match(silent.out, 'wrote umzug-tenants.config.mjs\n')
    assert.not.match(silent.err, 'Language')
    const { title } = await failure('USAGE', () => at(['php']))
    assert.is(title, 'There is no language "php".')
  } finally {
    process.chdir(before)
  }
})

test('an unknown language is refused', async () => {
  assert.is((await runIn(await makeFolder(), ['init', '--language', 'php'])).code, 2)
})

test.run()
