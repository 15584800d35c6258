/**
 * Defaults that are constants, compared by value. PostgreSQL keeps the text of a constant with the type it was written
 * for: a number as a text or with zeros behind the point, a text from when its column was a varchar, an array as one
 * constant or as a list.
 */
import { sameText, textOf, wordsOf } from './expressions.ts'
import { closing, elementsOf } from './rewriting.ts'

/** Whether two defaults of columns of one `type` give the same value. */
export function sameDefault(from: string | null, to: string | null, type: string): boolean {
  if (sameText(from, to)) return true
  if (from === null || to === null) return false
  const [before, after] = [valueOf(wordsOf(from), type), valueOf(wordsOf(to), type)]
  return before !== undefined && JSON.stringify(before) === JSON.stringify(after)
}

/** A number or a text as a text; the elements of an array; `undefined` for what is no constant, or not known well. */
type Value = string | null | readonly (string | null)[] | undefined

function valueOf(words: readonly string[], type: string): Value {
  if (!type.endsWith('[]')) return scalarOf(words, type)
  const element = type.slice(0, -2)
  const values = listOf(words, element)
  return values === undefined || values.includes(undefined) ? undefined : (values as (string | null)[]) // none of them is undefined
}

function scalarOf(words: readonly string[], type: string): string | null | undefined {
  const inner = words[0] === '(' && words.at(-1) === ')' ? words.slice(1, -1) : words
  const cast = inner.indexOf('::')
  const constant = cast === -1 ? inner : inner.slice(0, cast)
  const kind = kindOf(type)
  if (cast !== -1 && !isKind(inner.slice(cast + 1).join(' '), type)) return undefined
  const text = constant.join('')
  if (text === 'NULL') return null
  const isText = text.endsWith("'") && constant.length === 1
  if (kind === 'number') return numberOf(isText ? textOf(text) : text, type)
  return isText && cast !== -1 ? textOf(text) : undefined
}

/** How many zeros stand behind the point matters where the type does not say it. */
function numberOf(text: string, type: string): string | undefined {
  if (!/^-?\d+(?:\.\d+)?$/.test(text)) return undefined
  return type === 'numeric' || !text.includes('.') ? text : text.replace(/\.?0+$/, '')
}

type Kind = 'number' | 'text'

const KINDS: Readonly<Record<string, Kind>> = {
  smallint: 'number',
  integer: 'number',
  bigint: 'number',
  numeric: 'number',
  'double precision': 'number',
  text: 'text',
  'character varying': 'text',
}

function kindOf(type: string): Kind | undefined {
  return KINDS[type.replace(/\([^)]*\)$/, '')]
}

/** Whether a constant of the type `cast` is, as it stands, one of `type`. */
function isKind(cast: string, type: string): boolean {
  return (
    cast.replaceAll(' ', '') === type.replaceAll(' ', '') ||
    (KINDS[cast] !== undefined && KINDS[cast] === kindOf(type))
  )
}

/** `ARRAY[a, b]`, perhaps with a cast, or `'{a,b}'::text[]`. */
function listOf(words: readonly string[], type: string): readonly (string | null | undefined)[] | undefined {
  const at = words.indexOf('ARRAY')
  if (at === 0 || (at === 1 && words[0] === '(')) {
    const end = closing(words, at + 1)
    return elementsOf(words.slice(at + 2, end)).map((element) => scalarOf(element, type))
  }
  const [constant = '', cast, ...rest] = words
  const isArray = constant.endsWith("'") && cast === '::' && isKind(rest.slice(0, -2).join(' '), type)
  return isArray && rest.slice(-2).join('') === '[]' ? elementsIn(textOf(constant), type) : undefined
}

/** The elements of `{a,"b c",NULL}`; none are known of an array of arrays. */
function elementsIn(text: string, type: string): readonly (string | null | undefined)[] | undefined {
  const inside = text.slice(1, -1)
  if (inside === '') return []
  if (/^[{[]/.test(inside)) return undefined
  return [...inside.matchAll(/"((?:[^"\\]|\\.)*)"|([^,]+)/gs)].map(([, quoted, bare = '']) => {
    if (quoted === undefined && bare === 'NULL') return null
    const value = quoted === undefined ? bare : quoted.replaceAll(/\\(.)/gs, '$1')
    return kindOf(type) === 'number' ? numberOf(value, type) : value
  })
}
