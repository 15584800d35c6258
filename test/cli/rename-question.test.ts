/**
 * The question whether something was renamed, at a terminal of the operating system, a pseudo-terminal of `script`, and
 * at one in memory.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'

import * as assert from 'uvu/assert'

import { run } from '../../lib/cli/program.ts'
import { rowsOf } from '../support/catalog.ts'
import { BUILT, fakeTerminal, projectsInThisProcess, type CliProject } from '../support/cli.ts'
import { testDatabase } from '../support/database.ts'
import { suite } from '../support/suite.ts'

const test = suite('cli/rename-question')
const database = testDatabase(test)
const newProject = projectsInThisProcess(test, database)

// util-linux's: that of other systems has other flags.
const found = spawnSync('script', ['--version'], { encoding: 'utf8' })
const hasTerminal = found.status === 0 && found.stdout.includes('util-linux')

interface Session {
  readonly code: number | null
  /** What the terminal has shown, the answers too. */
  readonly shown: string
}

/** Runs the command line at a terminal, at which each question is answered when it is asked. */
async function atTerminal(
  { folder }: CliProject,
  answers: readonly string[],
  args: readonly string[],
): Promise<Session> {
  const command = [process.execPath, ...BUILT, ...args].map((word) => `'${word}'`).join(' ')
  const child = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
    cwd: folder,
    env: { ...process.env, DATABASE_URL: database.url, MIGRATION_DATABASE_URL: undefined },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let shown = ''
  let asked = 0
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    shown += text
    const questions = shown.split('[y/N]').length - 1
    for (; asked < questions; asked++) child.stdin.write(`${answers[asked] ?? ''}\r`)
  })
  const [code] = (await once(child, 'close')) as [number | null] // the parameters of this event
  return { code, shown: stripVTControlCharacters(shown) }
}

const models = (attributes: string) => `export default (sequelize) => {
  const { DataTypes } = sequelize.constructor
  sequelize.define('user', { ${attributes} }, { timestamps: false })
}
`

/** A tenant with a row in `users (nm)`, and models that call the column `name`. */
async function renamed(): Promise<CliProject> {
  await database.query('DROP SCHEMA IF EXISTS umzug_tenants, a CASCADE')
  const project = await newProject({
    'umzug-tenants.config.mjs': `export default { url: ${JSON.stringify(database.url)}, models: './models.mjs' }`,
    'models.mjs': models('nm: DataTypes.STRING'),
  })
  await project.cli(['tenants', 'create', 'a'])
  await project.cli(['autogenerate', '-m', 'first', '--format', 'mjs'])
  await project.cli(['up', '--all'])
  await database.query(`INSERT INTO a.users (nm) VALUES ('Ada')`)
  await project.write({ 'models.mjs': models('name: DataTypes.STRING') })
  return project
}

/** Runs the command line at a terminal in memory, with models that this process has not imported yet. */
async function inMemory(
  project: CliProject,
  answers: readonly string[],
  args: readonly string[],
): Promise<Session> {
  await project.write({
    'later.config.mjs': `export default { url: ${JSON.stringify(database.url)}, models: './later.mjs' }`,
    'later.mjs': await readFile(join(project.folder, 'models.mjs'), 'utf8'),
  })
  const terminal = fakeTerminal(answers)
  const code = await run([...args, '--config', join(project.folder, 'later.config.mjs')], terminal)
  return { code, shown: terminal.printed.out + terminal.printed.err }
}

async function lastMigration(project: CliProject): Promise<string> {
  const names = await project.list('migrations')
  return readFile(join(project.folder, 'migrations', names.at(-1) ?? ''), 'utf8')
}

/** Whether `typed` is no at a terminal. */
async function assertNo(at: typeof atTerminal, typed: string): Promise<void> {
  const project = await renamed()
  const { code, shown } = await at(project, [typed], ['autogenerate', '-m', 'names'])
  assert.is(code, 0, shown)
  assert.match(shown, 'Every value of users.nm is gone')
  const text = await lastMigration(project)
  assert.match(text, "removeColumn('users', 'nm')")
  assert.not.match(text, 'renameColumn')
}

for (const typed of ['n', 'maybe']) {
  test(`${typed} is no: the column is dropped and made anew`, () => assertNo(inMemory, typed))
}

test('a flag that decides leaves nothing to ask', async () => {
  const project = await renamed()
  const flags = ['autogenerate', '-m', 'names', '--rename', 'users.nm=name']
  const { code, shown } = await inMemory(project, [], flags)
  assert.is(code, 0, shown)
  assert.not.match(shown, '[y/N]')
})

if (hasTerminal) {
  test('it is asked, and yes renames: the rows survive', async () => {
    const project = await renamed()
    const { code, shown } = await atTerminal(project, ['y'], ['autogenerate', '-m', 'names'])
    assert.is(code, 0, shown)
    assert.match(shown, 'Was column users.nm renamed to name? [y/N]')
    const text = await lastMigration(project)
    assert.match(text, "renameColumn('users', 'nm', 'name')")
    assert.not.match(text, 'removeColumn')
    assert.is((await project.cli(['up', '--all'])).code, 0)
    assert.equal(await rowsOf(database, 'a.users'), ['{"id": 1, "name": "Ada"}'])
    assert.is((await project.cli(['down', '--tenant', 'a', '--yes'])).code, 0)
    assert.equal(await rowsOf(database, 'a.users'), ['{"id": 1, "nm": "Ada"}'])
  })

  test('Return alone is no: the column is dropped and made anew', () => assertNo(atTerminal, ''))

  test('each pair is asked about until all are decided', async () => {
    const project = await renamed()
    await project.write({ 'models.mjs': models('name: DataTypes.STRING, title: DataTypes.STRING') })
    const { code, shown } = await atTerminal(project, ['n', 'y'], ['autogenerate', '-m', 'names'])
    assert.is(code, 0, shown)
    assert.match(await lastMigration(project), /renameColumn\('users', 'nm', '(?:name|title)'\)/)
    assert.is(shown.split('[y/N]').length - 1, 2)
  })
} else {
  test('is skipped: there is no pseudo-terminal', () => {
    console.log('    skipped: script of util-linux is not installed')
  })
}

test.run()
