/** The script for zsh: to be sourced, or to lie in a folder of `fpath` as `_umzug-tenants`. */
import { quote } from './bash.ts'
import { spellings, valueFlags, type CommandNode, type FlagNode } from './tree.ts'

/** @param name of the program, as it is typed */
export function zshScript(name: string, nodes: readonly CommandNode[]): string {
  return `#compdef ${name}
# Completion of ${name} for zsh. Load it with: source <(${name} completion zsh)
_umzug_tenants_at() {
  commands=() flags=()
  case "$1" in
${nodes.map(place).join('\n')}
  esac
}

_umzug_tenants() {
  local -a commands flags names
  local path_= previous= word i
  _umzug_tenants_at ''
  for ((i = 2; i < CURRENT; i++)); do
    word=\${words[$i]}
    if [[ $word = -- ]]; then _files; return; fi
    if [[ $previous = (${valueFlags(nodes).join('|')}) ]]; then previous=; continue; fi
    previous=$word
    names=("\${(@)\${(@)commands//\\\\:/^}%%:*}")
    if (( \${names[(Ie)\${word//:/^}]} )); then
      path_="$path_\${path_:+ }$word"
      _umzug_tenants_at "$path_"
    fi
  done
  case "$path_ $previous" in
${nodes.flatMap(valueCases).join('\n')}
  esac
  if [[ $previous = (${valueFlags(nodes).join('|')}) ]]; then return 1; fi
  if [[ \${words[CURRENT]} = -* ]]; then _describe -o flag flags; else _describe command commands; fi
}

if [[ $funcstack[1] = _umzug_tenants || $funcstack[1] = _${name} ]]; then
  _umzug_tenants "$@"
else
  compdef _umzug_tenants ${name}
fi
`
}

function place({ path, words, flags }: CommandNode): string {
  const commands = words.map(({ name, description }) => entry(name, description))
  const options = flags.flatMap((flag) => spellings(flag).map((each) => entry(each, flag.description)))
  return `    ${quote(path)}) commands=(${commands.join(' ')}) flags=(${options.join(' ')}) ;;`
}

/** A colon of the name itself must not end it. */
function entry(name: string, description: string): string {
  return quote(`${name.replaceAll(':', '\\:')}:${description}`)
}

function valueCases({ path, flags }: CommandNode): readonly string[] {
  return flags.flatMap((flag) => {
    const action = actionFor(flag)
    return action === undefined
      ? []
      : spellings(flag).map((each) => `    ${quote(`${path} ${each}`)}) ${action}; return ;;`)
  })
}

function actionFor({ value }: FlagNode): string | undefined {
  if (value === 'file') return '_files'
  return typeof value === 'string' ? undefined : `compadd -- ${value.map(quote).join(' ')}`
}
