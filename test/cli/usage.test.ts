/** Help, suggestions, the configuration file, and commands that are not well formed. */
import { join } from 'node:path'

import * as assert from 'uvu/assert'

import { run } from '../../lib/cli/program.ts'
import type { ErrorDocument } from '../../lib/errors.ts'
import { cliProjects, fakeTerminal, SOURCE, type CliProject } from '../support/cli.ts'
import { suite } from '../support/suite.ts'

const test = suite('cli/usage')
const newProject = cliProjects(test, undefined)

let project: CliProject

test.before(async () => {
  project = await newProject({
    // Counts the modules of the library's dependencies when the process ends.
    'loaded.cjs': `process.on('exit', () => {
      const files = Object.keys(require.cache).filter((file) => /node_modules.(sequelize|pg|umzug)./.test(file))
      process.stderr.write('loaded: ' + (files.length > 0))
    })`,
  })
})

/** Runs a command in this process: for everything that is decided before the library is loaded. */
async function inProcess(...argv: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const terminal = fakeTerminal()
  const code = await run(argv, terminal)
  return { code, stdout: terminal.printed.out, stderr: terminal.printed.err }
}

const COMMANDS = [
  'up', 'down', 'status', 'create', 'lint', 'tenants list', 'tenants create', 'tenants drop', 'tenants adopt',
  'tenants rename', 'seed up', 'seed down', 'seed status', 'exec', 'doctor', 'locks', 'init', 'completion', 'version',
  'upgrade', 'downgrade', 'current', 'revision', 'history', 'pending', 'executed', 'redo', 'stamp', 'repair',
  'db:migrate', 'db:migrate:undo', 'db:migrate:undo:all', 'db:migrate:status', 'migration:generate',
  'migration:create', 'db:seed', 'db:seed:all', 'db:seed:undo', 'db:seed:undo:all',
] // prettier-ignore

test('--help goes to stdout, names every command, and fits 80 columns', async () => {
  const { code, stdout, stderr } = await inProcess('--help')
  assert.equal([code, stderr], [0, ''])
  for (const command of COMMANDS) assert.match(stdout, command.split(' ')[0] ?? '')
  assert.equal(stdout.split('\n').filter((line) => line.length > 80), []) // prettier-ignore
})

for (const command of COMMANDS) {
  test(`${command} --help has an example, fits 80 columns and exits 0`, async () => {
    const { code, stdout, stderr } = await inProcess(...command.split(' '), '--help')
    assert.equal([code, stderr], [0, ''])
    assert.match(stdout, '$ umzug-tenants ')
    assert.equal(stdout.split('\n').filter((line) => line.length > 80), []) // prettier-ignore
  })
}

test('--version and --help load neither Sequelize nor the library', async () => {
  const env = { NODE_OPTIONS: `--require=${join(project.folder, 'loaded.cjs')}` }
  const [version, help, status] = await Promise.all([
    project.cli(['--version'], { env }),
    project.cli(['up', '--help'], { env }),
    project.cli(['status'], { env }),
  ])
  assert.equal([version.code, version.stderr], [0, 'loaded: false'])
  assert.match(version.stdout, /^\d+\.\d+\.\d+\S*\n$/)
  assert.equal([help.code, help.stderr], [0, 'loaded: false'])
  assert.match(status.stderr, /loaded: true$/)
})

test('the source runs as the build does, through tsx', async () => {
  const [source, built] = await Promise.all([
    project.cli(['--version'], { program: SOURCE }),
    project.cli(['--version']),
  ])
  assert.equal(source, built)
})

test('an unknown command or option is refused on stderr, with a suggestion', async () => {
  const command = await inProcess('statsu')
  assert.equal([command.code, command.stdout], [2, ''])
  assert.match(command.stderr, "Unknown command 'statsu'.\n  fix: did you mean status?")
  const option = await inProcess('up', '--tenat', 'a')
  assert.equal([option.code, option.stdout], [2, ''])
  assert.match(option.stderr, "Unknown option '--tenat'.\n  fix: did you mean --tenant?")
})

test('with --json a usage error is a document on stdout, and stderr is empty', async () => {
  for (const argv of [
    ['statsu', '--json'],
    ['up', '--frob', '--json'],
    ['--json', 'up'],
  ]) {
    const { code, stdout, stderr } = await inProcess(...argv)
    const { error } = JSON.parse(stdout) as { error: ErrorDocument }
    assert.equal([code, stderr, error.code], [2, '', 'USAGE'])
    assert.ok(error.fix.length > 0)
  }
})

test('no command at all prints the help on stderr', async () => {
  for (const argv of [[], ['tenants'], ['seed']]) {
    const { code, stdout, stderr } = await inProcess(...argv)
    assert.equal([code, stdout], [2, ''])
    assert.match(stderr, 'Usage: umzug-tenants')
  }
})

test('up and down without a selection refuse and say how to select', async () => {
  for (const argv of [
    ['up'],
    ['down', '--yes'],
    ['upgrade', 'head'],
    ['downgrade', '-1'],
    ['db:migrate'],
    ['db:migrate:undo:all'],
    ['seed', 'up'],
    ['-x', 'version=2', 'up'],
  ]) {
    // prettier-ignore
    const { code, stderr } = await inProcess(...argv)
    assert.is(code, 2, argv.join(' '))
    for (const flag of ['--tenant', '--match', '--all', '--shared']) assert.match(stderr, flag)
  }
})

test('mistakes in flags are refused before anything is opened', async () => {
  for (const argv of [
    ['up', '--tenant', 'a', '--all'],
    ['up', '--all', '--step', '0'],
    ['up', '--all', '--to', '1', '--step', '1'],
    ['up', '--all', '--concurrency', '0'],
    ['up', '-x', 'tenant'],
    ['up', '--all', '-x', 'dry_run=maybe'],
    ['down', '--all', '--yes', '-x', 'dry_run=True'],
    ['tenants', 'drop', 'a', '--yes', '-x', 'dry_run=True'],
    ['seed', 'up', '--shared'],
    ['status', '--all', '--shared'],
    ['create'],
    ['create', 'a', 'b'],
    ['create', 'a', '--format', 'php'],
    ['downgrade', '--tenant', 'a'],
    ['upgrade', '+x', '--tenant', 'a'],
    ['revision'],
    ['migration:generate'],
  ]) {
    const { code, stdout, stderr } = await inProcess(...argv)
    assert.equal([code, stdout], [2, ''], argv.join(' '))
    assert.match(stderr, '✖ USAGE ')
  }
})

test('--url that is no PostgreSQL URL is refused without repeating it', async () => {
  const { code, stdout, stderr } = await project.cli(['status', '--url', 'mysql://u:canary@h/db'])
  assert.equal([code, stdout], [2, ''])
  assert.not.match(stderr, 'canary')
})

test('without a configuration file every command says where it looked and what to write', async () => {
  const empty = await newProject()
  await empty.write({ 'sub/x': '' })
  const missing = await empty.cli(['status', '--config', 'nowhere.mjs'])
  assert.is(missing.code, 2)
  const { code, document } = await project.json<{ error: ErrorDocument }>(['status'], { cwd: '/' })
  assert.equal([code, document.error.code], [2, 'CONFIG_NOT_FOUND'])
  assert.match(document.error.fix.join('\n'), 'umzug-tenants.config.ts')
})

test('a configuration with a mistake exits 2 and names the option', async () => {
  const other = await newProject({ 'umzug-tenants.config.mjs': 'export default { migration: "x" }' })
  const { code, document } = await other.json<{ error: ErrorDocument }>(['status'])
  assert.equal([code, document.error.code], [2, 'CONFIG_INVALID'])
  assert.match(document.error.title, 'migration')
})

test('no database at all is a mistake of the configuration', async () => {
  const { code, document } = await project.json<{ error: ErrorDocument }>(['status'])
  assert.equal([code, document.error.code], [2, 'CONFIG_INVALID'])
  assert.match(document.error.fix.join('\n'), 'DATABASE_URL')
})

test.run()
