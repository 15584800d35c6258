/** What a unique index or constraint compares, taken from its definition as PostgreSQL prints it. Pure. */
import { tokensOf } from '../statement.ts'

export interface Keys {
  readonly expressions: readonly string[]
  /** Only rows that fulfil it are compared. */
  readonly condition: string | undefined
  /** NULLS NOT DISTINCT */
  readonly areNullsEqual: boolean
}

/** Of `UNIQUE (a, b)` and `PRIMARY KEY (a)`; none for what compares more than that. */
export function uniqueKeys(definition: string): Keys | undefined {
  if (!/^(?:UNIQUE|PRIMARY KEY)\b/.test(definition) || / WITHOUT OVERLAPS/.test(definition)) return undefined
  return keysOf(definition)
}

/** Of `ON t USING btree (lower(a), b DESC) WHERE (c > 0)`. */
export function indexKeys(definition: string): Keys | undefined {
  return definition.startsWith('ON ') ? keysOf(definition) : undefined
}

function keysOf(definition: string): Keys | undefined {
  const tokens = tokensOf(definition)
  const open = tokens.indexOf('(')
  const close = closing(tokens, open)
  if (open === -1 || close === -1) return undefined
  const before = tokens.slice(0, open).join('')
  const { outside, where } = rest(tokens.slice(close + 1))
  const expressions = elementsOf(tokens.slice(open + 1, close)).map(expressionOf)
  const areNullsEqual = /\bNULLS NOT DISTINCT\b/.test(`${before} ${outside}`)
  return { expressions, condition: where, areNullsEqual }
}

/** What stands behind the keys: words, and the condition behind WHERE. */
function rest(tokens: readonly string[]): { outside: string; where: string | undefined } {
  const at = tokens.indexOf('WHERE')
  if (at === -1) return { outside: tokens.join(''), where: undefined }
  return {
    outside: tokens.slice(0, at).join(''),
    where: tokens
      .slice(at + 1)
      .join('')
      .trim(),
  }
}

/** A key without its collation, operator class and direction: a column, a call, or something in parentheses. */
function expressionOf(tokens: readonly string[]): string {
  const words = tokens.join('').trim() === '' ? [] : trimmed(tokens)
  const end = words[0] === '(' ? closing(words, 0) : endOfName(words)
  return words.slice(0, end + 1).join('')
}

/** Where a name ends, which may be a function's and have a schema. */
function endOfName(words: readonly string[]): number {
  let end = 0
  while (words[end + 1] === '.') end += 2
  return words[end + 1] === '(' ? closing(words, end + 1) : end
}

function trimmed(tokens: readonly string[]): readonly string[] {
  return tokens.slice(tokens.findIndex((token) => token.trim() !== ''))
}

function elementsOf(tokens: readonly string[]): readonly (readonly string[])[] {
  const elements: string[][] = [[]]
  let depth = 0
  for (const token of tokens) {
    if (token === '(' || token === '[') depth++
    else if (token === ')' || token === ']') depth--
    if (token === ',' && depth === 0) elements.push([])
    else elements.at(-1)?.push(token)
  }
  return elements
}

function closing(tokens: readonly string[], open: number): number {
  let depth = 0
  for (let at = open; at >= 0 && at < tokens.length; at++) {
    if (tokens[at] === '(') depth++
    else if (tokens[at] === ')' && --depth === 0) return at
  }
  return -1
}
