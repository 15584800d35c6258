/** What can be typed, read off commander's commands: what the help shows, the scripts complete. Pure. */
import type { Command, Option } from 'commander'

/** One command, or the program itself, whose path is empty. */
export interface CommandNode {
  /** As it is typed: `tenants create`. */
  readonly path: string
  /** What may follow it: commands, and words that its operand can be. */
  readonly words: readonly { readonly name: string; readonly description: string }[]
  readonly flags: readonly FlagNode[]
}

export interface FlagNode {
  /** `--tenant`, or `-x` where there is no long form. */
  readonly name: string
  readonly short?: string
  readonly description: string
  /** What follows it: nothing, a file, one of some words, or anything. */
  readonly value: 'none' | 'file' | 'any' | readonly string[]
}

/** The program and all its commands, parents first. */
export function commandTree(program: Command): readonly CommandNode[] {
  return [...nodesOf(program, '')]
}

/** Every spelling of a flag that is followed by a value, in any command. */
export function valueFlags(nodes: readonly CommandNode[]): readonly string[] {
  const flags = nodes.flatMap((node) => node.flags).filter(({ value }) => value !== 'none')
  return [...new Set(flags.flatMap(spellings))].toSorted()
}

export function spellings({ name, short }: FlagNode): readonly string[] {
  return short === undefined ? [name] : [short, name]
}

function* nodesOf(command: Command, path: string): Generator<CommandNode> {
  const help = command.createHelp()
  const subcommands = help.visibleCommands(command)
  const operands = command.registeredArguments.flatMap(({ argChoices = [], description }) =>
    argChoices.map((name) => ({ name, description })),
  )
  const options = [...help.visibleOptions(command), ...help.visibleGlobalOptions(command)]
  yield {
    path,
    words: [
      ...subcommands.map((each) => ({ name: each.name(), description: each.description() })),
      ...operands,
    ],
    flags: options.map(flagOf),
  }
  for (const each of subcommands) yield* nodesOf(each, `${path} ${each.name()}`.trimStart())
}

function flagOf(option: Option): FlagNode {
  const { long, short, description } = option
  const name = long ?? short ?? ''
  return {
    name,
    ...(short === undefined || short === name ? {} : { short }),
    description,
    value: valueOf(option),
  }
}

function valueOf({ required, argChoices, flags }: Option): FlagNode['value'] {
  // A value that may be left out cannot be told from what comes next.
  if (!required) return 'none'
  if (argChoices !== undefined) return argChoices
  return flags.includes('<file>') ? 'file' : 'any'
}
