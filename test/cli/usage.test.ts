/** Help, suggestions, the configuration file, and commands that are not well formed. */
import { join } from 'node:path'

import * as assert from 'uvu/assert'

import { commandTree } from '../../lib/cli/completion/tree.ts'
import { run } from '../../lib/cli/program.ts'
import type { ErrorDocument } from '../../lib/errors.ts'
import { cliProjects, fakeTerminal, jsonIn, runIn, SOURCE, type CliProject } from '../support/cli.ts'
import { emptyProgram } from '../support/schema.ts'
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

const PATHS = commandTree(emptyProgram()).map(({ path }) => path)

test('--help goes to stdout and names every command', async () => {
  const { stdout } = await inProcess('--help')
  assert.ok(PATHS.length > 40)
  for (const path of PATHS) assert.match(stdout, path.split(' ')[0] ?? '')
})

for (const path of PATHS.filter((each) => each !== 'help')) {
  test(`${path} --help has an example, fits 80 columns and exits 0; help ${path} prints the same`, async () => {
    const words = path.split(' ').filter(Boolean)
    const { code, stdout, stderr } = await inProcess(...words, '--help')
    assert.equal([code, stderr], [0, ''])
    assert.match(stdout, '$ umzug-tenants ')
    assert.equal(stdout.split('\n').filter((line) => line.length > 80), []) // prettier-ignore
    if (words.length < 2) assert.is((await inProcess('help', ...words)).stdout, stdout)
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

/** Flags without which a command says that they are missing, whatever else is wrong. */
const REQUIRED: Readonly<Record<string, readonly string[]>> = {
  revision: ['-m', 'x'],
  autogenerate: ['-m', 'x'],
  'migration:generate': ['--name', 'x'],
  'migration:create': ['--name', 'x'],
}

for (const path of PATHS.filter((each) => !['', 'help', 'tenants', 'seed'].includes(each))) {
  test(`a slip in ${path}, or in a flag of it, is refused on stderr with a suggestion`, async () => {
    const words = path.split(' ')
    const slip = [...words.slice(0, -1), `${words.at(-1)}x`]
    const command = await inProcess(...slip)
    assert.equal([command.code, command.stdout], [2, ''])
    assert.match(
      command.stderr,
      `✖ USAGE Unknown command '${slip.at(-1)}'.\n  fix: did you mean ${words.at(-1)}`,
    )
    const option = await inProcess(...words, ...(REQUIRED[path] ?? []), '--jsn')
    assert.equal([option.code, option.stdout], [2, ''])
    assert.match(option.stderr, "✖ USAGE Unknown option '--jsn'.\n  fix: did you mean --json")
  })
}

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
  const { code, stdout, stderr } = await runIn(project.folder, ['status', '--url', 'mysql://u:canary@h/db'])
  assert.equal([code, stdout], [2, ''])
  assert.not.match(stderr, 'canary')
})

test('without a configuration file every command says where it looked and what to write', async () => {
  const empty = await newProject()
  await empty.write({ 'sub/x': '' })
  const missing = await runIn(empty.folder, ['status', '--config', 'nowhere.mjs'])
  assert.is(missing.code, 2)
  const { code, document } = await jsonIn<{ error: ErrorDocument }>('/', ['status'])
  assert.equal([code, document.error.code], [2, 'CONFIG_NOT_FOUND'])
  assert.match(document.error.fix.join('\n'), 'umzug-tenants.config.ts')
})

test('a configuration with a mistake exits 2 and names the option', async () => {
  const other = await newProject({ 'umzug-tenants.config.mjs': 'export default { migration: "x" }' })
  const { code, document } = await jsonIn<{ error: ErrorDocument }>(other.folder, ['status'])
  assert.equal([code, document.error.code], [2, 'CONFIG_INVALID'])
  assert.match(document.error.title, 'migration')
})

test('no database at all is a mistake of the configuration', async () => {
  const { code, document } = await project.json<{ error: ErrorDocument }>(['status'])
  assert.equal([code, document.error.code], [2, 'CONFIG_INVALID'])
  assert.match(document.error.fix.join('\n'), 'DATABASE_URL')
})

for (const [line, title, ...fix] of [
  [
    'up a',
    "Too many arguments for 'up'. Expected 0 arguments but got 1.",
    'name tenants by a flag: --tenant ID',
    'see umzug-tenants up --help',
  ],
  [
    'doctor a',
    "Too many arguments for 'doctor'. Expected 0 arguments but got 1.",
    'see umzug-tenants doctor --help',
  ],
  ['tenants create', "Missing required argument 'id'.", 'see umzug-tenants tenants create --help'],
  ['tenants', 'No command is given.', 'see the commands: umzug-tenants tenants --help'],
  ['help nope', "Unknown command 'nope'.", 'see umzug-tenants --help'],
  [
    'seed up',
    'No tenant is selected.',
    'one or some: --tenant a,b (Alembic: -x tenant=a)',
    "a pattern: --match 'a*'",
    'every tenant: --all',
  ],
  [
    'exec true',
    'No tenant is selected.',
    'one or some: --tenant a,b (Alembic: -x tenant=a)',
    "a pattern: --match 'a*'",
    'every tenant: --all',
  ],
] as const) {
  test(`${line} says what is wrong, and leads to the help of that command`, async () => {
    const { code, stdout } = await inProcess('--json', ...line.split(' '))
    const json = code === 2 ? (JSON.parse(stdout) as { error: ErrorDocument }).error : undefined
    assert.equal([code, json?.title, json?.fix], [2, title, fix])
  })
}

test.run()
