/** The script for bash, 3.2 and later. */
import { spellings, valueFlags, type CommandNode } from './tree.ts'

/** @param name of the program, as it is typed */
export function bashScript(name: string, nodes: readonly CommandNode[]): string {
  const values = nodes.flatMap(({ path, flags }) =>
    flags.flatMap((flag) =>
      typeof flag.value === 'string' ? [] : [branch(spellings(flag).map((each) => `${path} ${each}`), flag.value)],
    ),
  ) // prettier-ignore
  const files = nodes.flatMap(({ flags }) => flags.filter(({ value }) => value === 'file')).flatMap(spellings)
  return `# Completion of ${name} for bash. Load it with: source <(${name} completion bash)
_umzug_tenants_commands() {
  case "$1" in
${nodes
  .map(({ path, words }) =>
    branch(
      [path],
      words.map((each) => each.name),
    ),
  )
  .join('\n')}
  esac
}

_umzug_tenants_flags() {
  case "$1" in
${nodes.map(({ path, flags }) => branch([path], flags.flatMap(spellings))).join('\n')}
  esac
}

_umzug_tenants_values() {
  case "$1" in
${values.join('\n')}
  esac
}

_umzug_tenants() {
  local line=\${COMP_LINE:0:COMP_POINT} words=() path= previous= after= word list i
  COMPREPLY=()
  # Bash itself would divide at the colons of db:migrate.
  read -ra words <<< "$line"
  case "$line" in *[[:space:]]) words+=('') ;; esac
  local last=$((\${#words[@]} - 1))
  local current=\${words[$last]}
  for ((i = 1; i < last; i++)); do
    word=\${words[$i]}
    if [ "$word" = -- ]; then after=1; break; fi
    case "$previous" in ${pattern(valueFlags(nodes))}) previous=; continue ;; esac
    previous=$word
    case " $(_umzug_tenants_commands "$path") " in *" $word "*) path="$path\${path:+ }$word" ;; esac
  done
  if [ -n "$after" ]; then COMPREPLY=($(compgen -f -- "$current")); return; fi
  case "$previous" in
    ${pattern(files)}) COMPREPLY=($(compgen -f -- "$current")); return ;;
    ${pattern(valueFlags(nodes))}) list=$(_umzug_tenants_values "$path $previous") ;;
    *) case "$current" in
         -*) list=$(_umzug_tenants_flags "$path") ;;
         *) list=$(_umzug_tenants_commands "$path") ;;
       esac ;;
  esac
  COMPREPLY=($(compgen -W "$list" -- "$current"))
  case "$COMP_WORDBREAKS" in
    *:*) local prefix=\${current%"\${current##*:}"}
         for i in "\${!COMPREPLY[@]}"; do COMPREPLY[$i]=\${COMPREPLY[$i]#"$prefix"}; done ;;
  esac
}

complete -F _umzug_tenants ${name}
`
}

function branch(cases: readonly string[], words: readonly string[]): string {
  return `    ${pattern(cases)}) echo ${quote(words.join(' '))} ;;`
}

function pattern(cases: readonly string[]): string {
  return cases.length === 0 ? "''" : [...new Set(cases)].map(quote).join(' | ')
}

/** A text as one word of a shell of this family. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}
