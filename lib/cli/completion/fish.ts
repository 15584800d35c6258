/** The script for fish, 3 and later. */
import { valueFlags, type CommandNode, type FlagNode } from './tree.ts'

/** @param name of the program, as it is typed */
export function fishScript(name: string, nodes: readonly CommandNode[]): string {
  const paths = nodes.flatMap(({ path }) => (path === '' ? [] : [path]))
  return `# Completion of ${name} for fish. Load it with: ${name} completion fish | source
function __umzug_tenants_path
    set -l path
    set -l previous
    for word in (commandline -opc)[2..]
        if contains -- "$previous" ${valueFlags(nodes).map(quote).join(' ')}
            set previous
            continue
        end
        set previous $word
        contains -- "$path $word" ${paths.map((path) => quote(path.includes(' ') ? path : ` ${path}`)).join(' ')}
        and set path (string trim -- "$path $word")
    end
    echo "$path"
end

function __umzug_tenants_at
    test (__umzug_tenants_path) = "$argv"
    and not contains -- -- (commandline -opc)
end

complete -c ${name} -n 'not contains -- -- (commandline -opc)' -f
${nodes.flatMap((node) => linesOf(name, node)).join('\n')}
`
}

function linesOf(name: string, { path, words, flags }: CommandNode): readonly string[] {
  const begin = `complete -c ${name} -n ${quote(`__umzug_tenants_at ${quote(path)}`)}`
  return [
    ...words.map((each) => `${begin} -a ${quote(each.name)} -d ${quote(each.description)}`),
    ...flags.map((flag) => `${begin} ${namesOf(flag)}${valueOf(flag)} -d ${quote(flag.description)}`),
  ]
}

function namesOf({ name, short }: FlagNode): string {
  const long = name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`
  return short === undefined ? long : `-s ${short.slice(1)} ${long}`
}

function valueOf({ value }: FlagNode): string {
  if (value === 'none') return ''
  if (value === 'file') return ' -r -F'
  return value === 'any' ? ' -x' : ` -x -a ${quote(value.join(' '))}`
}

/** In fish a backslash means something in single quotes, too. */
function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", String.raw`\'`)}'`
}
