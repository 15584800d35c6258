/**
 * Expressions as PostgreSQL prints them, compared. It prints the same one the same way, with two exceptions: a word
 * of the standard is not the function that it means, and the comparison with a list is not printed as what it is read
 * from again, so that a check differs from the one made of its own text.
 */
import { quoteIdentifier } from '../sql.ts'
import { tokensOf } from '../statement.ts'

/** Whether two texts, or the absence of one, mean the same. */
export function sameText(a: string | null, b: string | null): boolean {
  if (a === b) return true
  if (a === null || b === null) return false
  return canonical(a).join(' ') === canonical(b).join(' ')
}

/** Whether `text` has `label` in it as a value of the schema's own enum. */
export function usesLabel(text: string | null, enumName: string, label: string): boolean {
  return constantsOf(text, enumName).some((constant) =>
    // A list of labels is one constant: it is taken for one with this label in doubt.
    constant.startsWith('{') ? constant.includes(label) : constant === label,
  )
}

/** Whether `text` casts anything to the schema's own enum. */
export function usesEnum(text: string | null, enumName: string): boolean {
  const tokens = wordsOf(text ?? '')
  return tokens.some((token, at) => token === '::' && isName(tokens, at + 1, enumName))
}

/** The constants of the schema's own enum. */
function constantsOf(text: string | null, enumName: string): readonly string[] {
  const tokens = wordsOf(text ?? '')
  return tokens.flatMap((token, at) =>
    token.endsWith("'") && tokens[at + 1] === '::' && isName(tokens, at + 2, enumName)
      ? [valueOf(token)]
      : [],
  )
}

function isName(tokens: readonly string[], at: number, name: string): boolean {
  const isQualified = tokens[at + 1] === '.'
  return !isQualified && (tokens[at] === name || tokens[at] === quoteIdentifier(name))
}

/** What a constant says: `'it''s'` or `E'a\\b'`; PostgreSQL prints no other escape. */
function valueOf(constant: string): string {
  const isEscaped = !constant.startsWith("'")
  const inside = constant.slice(isEscaped ? 2 : 1, -1).replaceAll("''", "'")
  return isEscaped ? inside.replaceAll('\\\\', '\\') : inside
}

/** Tokens without spaces; `::` is one of them. */
function wordsOf(text: string): readonly string[] {
  const words: string[] = []
  let previous = ''
  for (const token of tokensOf(text)) {
    if (token === ':' && previous === ':') words[words.length - 1] = '::'
    else if (token.trim() !== '') words.push(token)
    previous = token
  }
  return words
}

function canonical(text: string): readonly string[] {
  return withCastsInside(wordsOf(text)).flatMap((word, at, words) =>
    word === 'CURRENT_TIMESTAMP' && words[at + 1] !== '(' ? ['now', '(', ')'] : [word],
  )
}

/**
 * `(ARRAY[a, b])::text[]` as `ARRAY[(a)::text, (b)::text]`, which is what it becomes when it is read again; printed
 * "pretty", as of indexes, without the parentheses.
 */
function withCastsInside(words: readonly string[]): readonly string[] {
  const result: string[] = []
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? ''
    const end = word === 'ARRAY' && words[at + 1] === '[' ? closing(words, at + 1) : -1
    if (end === -1) {
      result.push(word)
      continue
    }
    const elements = elementsOf(words.slice(at + 2, end)).map(withCastsInside)
    // A word before the parenthesis makes it that of a call, which is no part of a cast.
    const isWrapped = result.at(-1) === '(' && words[end + 1] === ')' && !/[\w"]$/.test(result.at(-2) ?? '')
    const type = arrayTypeAt(words, isWrapped ? end + 2 : end + 1)
    if (type === undefined) {
      result.push('ARRAY', '[', ...joined(elements), ']')
      at = end
      continue
    }
    const cast = (element: readonly string[]) =>
      isWrapped ? ['(', ...element, ')', '::', ...type] : [...element, '::', ...type]
    if (isWrapped) result.pop()
    result.push('ARRAY', '[', ...joined(elements.map(cast)), ']')
    at = end + (isWrapped ? 1 : 0) + 1 + type.length + 2
  }
  return result
}

/** The type of the elements in `::character varying[]` at a place. */
function arrayTypeAt(words: readonly string[], at: number): readonly string[] | undefined {
  if (words[at] !== '::') return undefined
  const end = words.indexOf('[', at)
  const type = end === -1 ? [] : words.slice(at + 1, end)
  const isType = type.length > 0 && type.every((word) => /^(?:[\w\u0080-\uffff]+|"[^]*"|[.(),])$/.test(word))
  return isType && words[end + 1] === ']' ? type : undefined
}

function closing(words: readonly string[], open: number): number {
  let depth = 0
  for (let at = open; at < words.length; at++) {
    if (words[at] === '[') depth++
    else if (words[at] === ']' && --depth === 0) return at
  }
  return -1
}

/** What stands between commas that are in no parentheses. */
function elementsOf(words: readonly string[]): readonly (readonly string[])[] {
  const elements: string[][] = words.length === 0 ? [] : [[]]
  let depth = 0
  for (const word of words) {
    if (word === '(' || word === '[') depth++
    else if (word === ')' || word === ']') depth--
    if (word === ',' && depth === 0) elements.push([])
    else elements.at(-1)?.push(word)
  }
  return elements
}

function joined(elements: readonly (readonly string[])[]): readonly string[] {
  return elements.flatMap((element, position) => (position === 0 ? element : [',', ...element]))
}
