/** Projects with a configuration of their own, and the command line run in them as a process of its own. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import { run } from '../../lib/cli/program.ts'
import type { Terminal } from '../../lib/cli/terminal.ts'
import type { TestDatabase } from './database.ts'
import { temporaryFolders, type Files } from './folder.ts'
import { build, repository } from './project.ts'
import type { Suite } from './suite.ts'

export interface CliResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface CliOptions {
  readonly cwd?: string
  /** @defaultValue the built one */
  readonly program?: readonly string[]
  /** Beside the environment of the tests; `undefined` removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Given the process when it has started, to send it signals. */
  readonly started?: (child: ChildProcess) => void
}

export interface CliProject {
  readonly folder: string
  write(files: Files): Promise<void>
  /** Names in a folder of the project, sorted. */
  list(folder: string): Promise<readonly string[]>
  /** Runs the command line in the project; its standard input is empty and no terminal. */
  cli(args: readonly string[], options?: CliOptions): Promise<CliResult>
  /** Runs it with `--json` and reads the one document on its stdout, which must hold nothing else. */
  json<T>(args: readonly string[], options?: CliOptions): Promise<CliResult & { readonly document: T }>
}

/** The command line as it is in lib/, which tsx compiles at each start. */
export const SOURCE: readonly string[] = [
  '--import',
  import.meta.resolve('tsx'),
  join(repository, 'lib/cli/main.ts'),
]

/** The command line as users have it: it starts in half the time. */
export const BUILT: readonly string[] = [join(repository, 'dist/cli/main.js')]

/** What a lock is waited for is short in tests. */
export const CONFIG = { 'umzug-tenants.config.mjs': 'export default { lock: { waitMs: 50 } }\n' }

let isBuilt = false

/** A function that makes a project for the time of the suite, its `DATABASE_URL` that of `database`. */
export function cliProjects(test: Suite, database: TestDatabase | undefined) {
  const makeFolder = temporaryFolders(test)
  test.before(() => {
    if (!isBuilt) build()
    isBuilt = true
  })
  return async (files: Files = {}, name = 'project'): Promise<CliProject> => {
    const folder = join(await makeFolder(), name)
    await mkdir(folder)
    const project: CliProject = {
      folder,
      async write(more) {
        for (const [file, text] of Object.entries(more)) {
          await mkdir(dirname(join(folder, file)), { recursive: true })
          await writeFile(join(folder, file), text)
        }
      },
      list: async (path) => (await readdir(join(folder, path))).toSorted(),
      cli: (args, { cwd = folder, env, program = BUILT, started } = {}) =>
        spawnCli([...program, ...args], cwd, { DATABASE_URL: database?.url, ...env }, started),
      async json<T>(args: readonly string[], options?: CliOptions) {
        const result = await project.cli(['--json', ...args], options)
        return { ...result, document: parse(result) as T } // what the test says the document is
      },
    }
    const hasConfig = Object.keys(files).some((file) => file.startsWith('umzug-tenants.config.'))
    await project.write(hasConfig ? files : { ...CONFIG, ...files })
    return project
  }
}

function parse({ stdout, stderr }: CliResult): unknown {
  try {
    return JSON.parse(stdout)
  } catch (error) {
    throw new Error(`stdout is no JSON document:\n${stdout}\n--- stderr:\n${stderr}`, { cause: error })
  }
}

async function spawnCli(
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string | undefined>>,
  started?: (child: ChildProcess) => void,
): Promise<CliResult> {
  const inherited = { ...process.env, MIGRATION_DATABASE_URL: undefined, FORCE_COLOR: undefined }
  const child = spawn(process.execPath, [...args], {
    cwd,
    env: { ...inherited, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  started?.(child)
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (stdout += chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk))
  const [code] = (await once(child, 'close')) as [number | null] // the parameters of this event
  return { code, stdout, stderr }
}

/**
 * `project`, its commands run in this process, where nobody can be asked: as processes of their own they take half a
 * second each. Its configuration must name the database.
 */
export function inThisProcess(project: CliProject): CliProject {
  const config = join(project.folder, 'umzug-tenants.config.mjs')
  const cli = async (args: readonly string[], options?: CliOptions) => {
    if (options !== undefined) throw new Error('only a process of its own has an environment of its own')
    return runHere(['--config', config, ...args])
  }
  return {
    ...project,
    cli,
    async json<T>(args: readonly string[], options?: CliOptions) {
      const result = await cli(['--json', ...args], options)
      return { ...result, document: parse(result) as T } // what the test says the document is
    },
  }
}

async function runHere(args: readonly string[]): Promise<CliResult> {
  const terminal = fakeTerminal()
  const code = await run(args, terminal)
  return { code, stdout: terminal.printed.out, stderr: terminal.printed.err }
}

/** Runs a command in this process as it would run in `folder`; one at a time, since a process is in one place. */
export async function runIn(folder: string, args: readonly string[]): Promise<CliResult> {
  const before = process.cwd()
  process.chdir(folder)
  try {
    return await runHere(args)
  } finally {
    process.chdir(before)
  }
}

/** {@link runIn} with `--json`, and the document. */
export async function jsonIn<T>(folder: string, args: readonly string[]) {
  const result = await runIn(folder, ['--json', ...args])
  return { ...result, document: parse(result) as T } // what the test says the document is
}

/** Makes `database` the `DATABASE_URL` of this process for the time of the suite. */
export function useDatabaseHere(test: Suite, database: TestDatabase): void {
  const before = process.env['DATABASE_URL']
  test.before(() => {
    process.env['DATABASE_URL'] = database.url
  })
  test.after(() => {
    if (before === undefined) delete process.env['DATABASE_URL']
    else process.env['DATABASE_URL'] = before
  })
}

/** The same as {@link cliProjects}, with {@link inThisProcess} around each project that names no configuration. */
export function projectsInThisProcess(test: Suite, database: TestDatabase) {
  const newProject = cliProjects(test, database)
  return async (files: Files = {}): Promise<CliProject> =>
    inThisProcess(
      await newProject({
        'umzug-tenants.config.mjs': `export default { url: ${JSON.stringify(database.url)}, lock: { waitMs: 50 } }`,
        ...files,
      }),
    )
}

/** A terminal in memory, at which a person types `answers`, one after another. */
export function fakeTerminal(
  answers?: readonly string[],
): Terminal & { printed: { out: string; err: string } } {
  const printed = { out: '', err: '' }
  const left = [...(answers ?? [])]
  return {
    printed,
    out: (text) => void (printed.out += text),
    err: (text) => void (printed.err += text),
    style: { out: (_emphasis, text) => text, err: (_emphasis, text) => text },
    interactive: answers !== undefined,
    async ask(question) {
      printed.err += question
      return Promise.resolve(left.shift() ?? '')
    },
  }
}

/** JavaScript that sends its own process a signal, and goes on when it has come. */
export function sendingItself(signal: NodeJS.Signals): string {
  // A listener alone keeps no process alive.
  return `await new Promise((resolve) => {
    const alive = setTimeout(() => undefined, 10_000)
    process.once('${signal}', () => resolve(clearTimeout(alive)))
    process.kill(process.pid, '${signal}')
  })`
}

/**
 * Runs `fn` while signals to this process are for the command in it alone: the embedded server of a file that runs alone
 * would end with them, and this process too.
 */
export async function withSignalsToCommand<T>(fn: () => Promise<T>): Promise<T> {
  const others = (['SIGINT', 'SIGTERM'] as const).map((name) => ({ name, all: process.listeners(name) }))
  for (const { name, all } of others) for (const listener of all) process.off(name, listener)
  try {
    return await fn()
  } finally {
    for (const { name, all } of others) for (const listener of all) process.on(name, listener)
  }
}

/** Sends this process a signal, and resolves when it has come. */
export async function signalThisProcess(signal: NodeJS.Signals): Promise<void> {
  const received = once(process, signal)
  process.kill(process.pid, signal)
  await received
}

/** A migration in SQL that creates `table`, with its way back. */
export function tableMigration(name: string, table: string): Files {
  return {
    [`migrations/${name}.sql`]: `CREATE TABLE ${table} (id integer PRIMARY KEY);\n`,
    [`migrations/${name}.down.sql`]: `DROP TABLE ${table};\n`,
  }
}
