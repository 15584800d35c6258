/** What commands have in common: the form of an action, the flags that several take, the form of their help. */
import { Option, type Command } from 'commander'

import { MIGRATION_FORMATS } from '../../migrations/template.ts'
import type { Invocation } from '../invocation.ts'
import { readTenantsFile } from '../tenants-file.ts'

/** What a command does with the shared flags, its own flags and its operands; the answer is the exit code. */
export type Action<Flags> = (invocation: Invocation, flags: Flags, ...operands: string[]) => Promise<number>

/** Turns an action into what commander calls. */
export type Act = <Flags>(action: Action<Flags>) => (...parameters: unknown[]) => Promise<void>

export function add(
  parent: Command,
  name: string,
  description: string,
  examples: readonly string[],
): Command {
  return exemplify(parent.command(name).description(description), examples)
}

/** A command whose work is in those below it. */
export function addGroup(
  parent: Command,
  name: string,
  description: string,
  examples: readonly string[],
): Command {
  return add(parent, name, description, examples).helpCommand(false)
}

/** Ends the help of `command` with examples. */
export function exemplify(command: Command, examples: readonly string[]): Command {
  const lines = examples.map((example) => `  $ umzug-tenants ${example}\n`)
  return command.addHelpText('after', `\nFor example:\n${lines.join('')}`)
}

export function select(command: Command): Command {
  return selectTenants(command).option('--shared', 'the shared schema')
}

/** The same for what is done to tenants only. */
export function selectTenants(command: Command): Command {
  return command
    .option('--tenant <id>', 'one tenant, or several: a,b; may be repeated', collect)
    .option('--all', 'every tenant')
    .option('--match <pattern>', "tenants whose id matches, such as 'a*'")
    .option('--tenants-file <file>', 'tenants whose ids are in a file, one a line; - is stdin')
    .option('--skip <id>', 'of many leave this one out; several as with --tenant', collect)
    .hook('preAction', readTenantsFileOf)
}

async function readTenantsFileOf(_program: Command, command: Command): Promise<void> {
  const { tenantsFile } = command.opts<{ tenantsFile?: string }>()
  if (tenantsFile === undefined) return
  command.setOptionValue('tenantsFile', await readTenantsFile(tenantsFile))
}

export function selectMany(command: Command): Command {
  return limitFleet(select(command))
}

/** How wide a fleet's run goes, and when it ends early. */
export function limitFleet(command: Command): Command {
  return command
    .option('--concurrency <n>', 'tenants at once')
    .option('--fail-fast', 'begin no tenant after one has failed')
    .option('--max-failures <n>', 'begin no tenant after so many have failed')
}

export function limit(command: Command, last: string): Command {
  return command
    .option('--to <name>', `${last}: its file name or revision`)
    .option('--step <n>', 'how many migrations')
}

export function confirmable(command: Command): Command {
  return command.option('-y, --yes', 'do not ask for confirmation')
}

export function format(command: Command): Command {
  const option = new Option('--format <format>', 'default: what the folder holds most of, else ts')
  return command
    .addOption(option.choices(MIGRATION_FORMATS))
    .option('--shared', 'a migration of the shared schema')
}

/** Collects the values of a flag that may be repeated. */
export function collect(value: string, values: readonly string[] = []): readonly string[] {
  return [...values, value]
}
