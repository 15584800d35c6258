/**
 * Expressions as PostgreSQL prints them, compared. It prints the same one the same way, with three exceptions: a word
 * of the standard is not the function that it means; and a list with a cast, and conditions within conditions, become
 * something else when they are read again, so that a check differs from the one made of its own text.
 */
import { quoteIdentifier } from '../sql.ts'
import { tokensOf } from '../statement.ts'
import { withCastsInside, withoutNesting } from './rewriting.ts'

/** Whether two texts, or the absence of one, mean the same. */
export function sameText(a: string | null, b: string | null): boolean {
  if (a === b) return true
  if (a === null || b === null) return false
  return canonical(a).join(' ') === canonical(b).join(' ')
}

/** The definition of an index or a constraint without its storage parameters, which models cannot say. */
export function withoutStorage(definition: string): string {
  const tokens = tokensOf(definition)
  const at = tokens.findIndex((token, place) => token === 'WITH' && tokens[place + 2] === '(')
  return at === -1 ? definition : [...tokens.slice(0, at), ...tokens.slice(tokens.indexOf(')', at) + 2)].join('') // prettier-ignore
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
    token.endsWith("'") && tokens[at + 1] === '::' && isName(tokens, at + 2, enumName) ? [textOf(token)] : [],
  )
}

function isName(tokens: readonly string[], at: number, name: string): boolean {
  const isQualified = tokens[at + 1] === '.'
  return !isQualified && (tokens[at] === name || tokens[at] === quoteIdentifier(name))
}

/** What a constant says: `'it''s'` or `E'a\\b'`; PostgreSQL prints no other escape. */
export function textOf(constant: string): string {
  const isEscaped = !constant.startsWith("'")
  const inside = constant.slice(isEscaped ? 2 : 1, -1).replaceAll("''", "'")
  return isEscaped ? inside.replaceAll('\\\\', '\\') : inside
}

/** Tokens without spaces; `::` is one of them. */
export function wordsOf(text: string): readonly string[] {
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
  return withoutNesting(withCastsInside(wordsOf(text))).flatMap((word, at, words) =>
    word === 'CURRENT_TIMESTAMP' && words[at + 1] !== '(' ? ['now', '(', ')'] : [word],
  )
}
