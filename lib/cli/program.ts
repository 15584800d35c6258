/** Parses a command line with commander, runs its command, and turns whatever goes wrong into one form of error. */
import { readFileSync } from 'node:fs'

import { Command, CommanderError } from 'commander'

import { isTenancyError, messageOf, TenancyError } from '../errors.ts'
import { addCommands } from './grammar.ts'
import { collect, exemplify, type Act } from './grammar/flags.ts'
import { showError } from './invocation.ts'
import { usage } from './selection.ts'
import type { Terminal } from './terminal.ts'

/** Runs one command line, the arguments after the program's name, and resolves to its exit code. Never rejects. */
export async function run(argv: readonly string[], terminal: Terminal): Promise<number> {
  let exitCode = 0
  const program = createProgram(terminal, (code) => {
    exitCode = code
  })
  try {
    await program.parseAsync(argv, { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0 // --help, --version
    const failure = explain(error, program, argv)
    // The flags may be what could not be parsed.
    showError({ terminal, json: argv.includes('--json') }, failure)
    return failure.exitCode
  }
}

function createProgram(terminal: Terminal, finish: (exitCode: number) => void): Command {
  const act: Act =
    (action) =>
    async (...parameters) => {
      const command = parameters.at(-1) as Command // commander ends the parameters of every action with it
      const flags = command.optsWithGlobals() // untyped there; the options in grammar.ts are what defines each Flags
      const { json = false, config, url } = flags
      finish(
        await action({ terminal, json, config, url }, flags as Parameters<typeof action>[1], ...command.args),
      )
    }
  const program = new Command('umzug-tenants')
    .description('Schema-per-tenant PostgreSQL migrations: one tenant, some, or all.')
    .version(readVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .option('-c, --config <file>', 'configuration file (default: umzug-tenants.config.* here or above)')
    .option('--url <url>', 'PostgreSQL URL; visible in the process list, so better set DATABASE_URL')
    .option('--json', 'print one JSON document')
    .option('-x <key=value>', 'tenant=ID selects, dry_run=True previews, others reach context.x', collect)
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => terminal.out(text),
      writeErr: (text) => terminal.err(text),
      outputError: () => undefined, // run() writes errors, in one form for all of them
    })
    .exitOverride()
    .helpCommand('help [command]', 'print help for a command')
  addCommands(program, act)
  return exemplify(program, ['init', 'tenants create acme --up', 'status'])
}

function explain(error: unknown, program: Command, argv: readonly string[]): TenancyError {
  if (isTenancyError(error)) return error
  if (error instanceof CommanderError) return usageError(error, commandOf(program, argv), argv)
  return new TenancyError('UNEXPECTED', 'Something failed that should not.', {
    detail: messageOf(error),
    fix: ['see the detail; if it comes from umzug-tenants itself, report it'],
    cause: error,
  })
}

/** The command that was meant, as far as it was understood. */
function commandOf(program: Command, argv: readonly string[]): Command {
  return argv.reduce(
    (command, word) => command.commands.find((each) => each.name() === word) ?? command,
    program,
  )
}

/** Commander's "error: what is wrong\n(Did you mean this?)" in the form of all other errors. */
function usageError(
  { code, message }: CommanderError,
  command: Command,
  argv: readonly string[],
): TenancyError {
  const see = `see ${pathOf(command)} --help`
  if (code === 'commander.help') {
    const [first, unknown] = argv.filter((word) => !word.startsWith('-'))
    if (first === 'help') return usage(`Unknown command '${unknown}'.`, 'see umzug-tenants --help')
    return usage('No command is given.', `see the commands: ${pathOf(command)} --help`)
  }
  const [title = message, suggestion] = message.replace(/^error: /, '').split('\n')
  const takesTenants = command.options.some(({ long }) => long === '--tenant')
  return usage(
    `${title.charAt(0).toUpperCase()}${title.slice(1).replace(/\.$/, '')}.`,
    ...(suggestion === undefined
      ? []
      : [suggestion.replace(/^\(Did|\)$/g, (part) => (part === ')' ? '' : 'did'))]),
    ...(code === 'commander.excessArguments' && takesTenants ? ['name tenants by a flag: --tenant ID'] : []),
    see,
  )
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`
}

function readVersion(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  return (manifest as { version: string }).version // our own package.json
}
