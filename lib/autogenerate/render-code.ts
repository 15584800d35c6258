/** JavaScript as text, laid out as prettier would. Pure. */

/** An expression: its text as it stands, or a literal whose parts are laid out. */
export type Code =
  string | { readonly entries: readonly (readonly [key: string, value: Code])[] } | { readonly items: readonly Code[] } // prettier-ignore

const WIDTH = 100

/** The text of `code`, whose first line stands behind `column` characters and whose further lines are indented. */
export function print(code: Code, indent: number, column = indent): string {
  const line = inline(code)
  if (typeof code === 'string' || (column + line.length <= WIDTH && !isTall(code))) return line
  const inner = ' '.repeat(indent + 2)
  const [open, close] = 'items' in code ? '[]' : '{}'
  const parts =
    'items' in code
      ? code.items.map((item) => print(item, indent + 2))
      : code.entries.map(([key, value]) => {
          const start = `${propertyOf(key)}: `
          return start + print(value, indent + 2, indent + 2 + start.length)
        })
  return `${open}\n${parts.map((part) => `${inner}${part},\n`).join('')}${' '.repeat(indent)}${close}`
}

/** A call whose last argument may be laid out over several lines. */
export function call(name: string, parameters: readonly Code[], indent: number): string {
  const first = parameters.slice(0, -1).map(inline)
  const start = `${name}(${first.map((each) => `${each}, `).join('')}`
  const last = parameters.at(-1)
  return `${start}${last === undefined ? '' : print(last, indent, indent + start.length + 1)})`
}

function inline(code: Code): string {
  if (typeof code === 'string') return code
  if ('items' in code) return `[${code.items.map(inline).join(', ')}]`
  if (code.entries.length === 0) return '{}'
  return `{ ${code.entries.map(([key, value]) => `${propertyOf(key)}: ${inline(value)}`).join(', ')} }`
}

/** Columns of a table stand below one another even where there is room for them in one line. */
function isTall(code: Exclude<Code, string>): boolean {
  return (
    'entries' in code && code.entries.some(([, value]) => typeof value !== 'string' && 'entries' in value)
  )
}

function propertyOf(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : stringOf(name)
}

/** `text` as a string literal, between the quotes that need fewer escapes. */
export function stringOf(text: string): string {
  const quoted = JSON.stringify(text).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')
  if (text.includes("'") && !text.includes('"')) return quoted
  return `'${quoted.slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`
}

/** `text` as a template literal without substitutions. */
export function templateOf(text: string): string {
  // A carriage return in a template is read as a line feed.
  const escaped = text.replaceAll('\\', '\\\\').replaceAll('`', '\\`').replaceAll('${', '\\${').replaceAll('\r', '\\r') // prettier-ignore
  return `\`${escaped}\``
}
