/**
 * A text of SQL → what is wrong with it, by PostgreSQL's own parser. A text that does not parse is a finding, unless
 * parts of it are known at run time only: then the words are looked at that mean the same wherever they stand.
 */
import type { hasSqlDetails, parsePlPgSQLSync, parseSync, ScanToken, scanSync } from 'libpg-query'

import { FILLER, isForeign, type Comment, type LintFacts, type Spot } from './finding.ts'
import { bodyOf, dynamicStatement, piecesOf, type Body } from './sql-body.ts'
import { catalogComplaints } from './sql-catalog.ts'
import { foreignSchema, foreignSchemas } from './sql-names.ts'
import { databaseWide, statementComplaints } from './sql-statements.ts'
import { isFields, list, fieldsOf, walk, type Fields } from './sql-tree.ts'
import { byteOffsets } from './text.ts'

/** What is used of libpg-query, PostgreSQL's parser. */
export interface SqlParser {
  readonly parseSync: typeof parseSync
  readonly parsePlPgSQLSync: typeof parsePlPgSQLSync
  readonly scanSync: typeof scanSync
  readonly hasSqlDetails: typeof hasSqlDetails
}

/** Loads PostgreSQL's parser, some two megabytes; only `lint` needs it. */
export async function loadSqlParser(): Promise<SqlParser> {
  const parser = await import('libpg-query')
  await parser.loadModule()
  return parser
}

/** What kind of text it is, and how sure it is that it is one. */
export interface SqlContext {
  readonly facts: LintFacts
  /** A text that does not parse is no finding: it may not be SQL, or not all of it. */
  readonly isTentative?: boolean
  /** Inside of a function or DO block. */
  readonly inFunction?: boolean
}

/** What is wrong with `text`, at indexes of it. */
export function lintSql(parser: SqlParser, text: string, context: SqlContext): readonly Spot[] {
  const whole = parse(parser, text)
  if ('tree' in whole) return new Statements(parser, text, context).spots(whole.tree)
  const replaced = withoutReplacements(parser, text)
  if (replaced !== text) {
    const second = parse(parser, replaced)
    if ('tree' in second) return new Statements(parser, replaced, context).spots(second.tree)
  }
  const tentative = context.isTentative === true || replaced !== text || text.includes(FILLER)
  return [...(tentative ? [] : [syntaxSpot(whole)]), ...lintPieces(parser, replaced, context)]
}

/** Whether PostgreSQL would take `text` for SQL. */
export function isSql(parser: SqlParser, text: string): boolean {
  return 'tree' in parse(parser, text)
}

/** The comments of `text` that may be for `lint`, as far as it can be cut into words at all. */
export function sqlComments(parser: SqlParser, text: string): readonly Comment[] {
  if (!text.includes('umzug-tenants:')) return [] // of the others nobody wants to know
  const indexOf = byteOffsets(text)
  return tokensOf(parser, text)
    .filter(({ tokenName }) => tokenName === 'SQL_COMMENT' || tokenName === 'C_COMMENT')
    .map(({ start, end, text: comment }) => ({
      text: comment.replace(/^--|^\/\*|\*\/$/g, ''),
      start: indexOf(start),
      end: indexOf(end),
    }))
}

// ------------------------------------------------------------------------------------------------------- parsing

interface Failure {
  readonly message: string
  readonly index: number
}

type Parsed = { readonly tree: readonly unknown[] } | Failure

function parse(parser: SqlParser, text: string): Parsed {
  if (text.trim() === '') return { tree: [] }
  // The parser would stop there, and the server refuses it.
  if (text.includes('\0')) return { message: 'it has a character of code 0', index: text.indexOf('\0') }
  try {
    return { tree: parser.parseSync(text).stmts ?? [] }
  } catch (error) {
    // PostgreSQL counts characters here, and bytes everywhere else.
    const details = parser.hasSqlDetails(error) ? error.sqlDetails : undefined
    const before = Array.from(text).slice(0, details?.cursorPosition ?? 0)
    return { message: details?.message ?? 'it is nested too deeply', index: before.join('').length }
  }
}

function tokensOf(parser: SqlParser, text: string): readonly ScanToken[] {
  try {
    return text.trim() === '' ? [] : parser.scanSync(text).tokens
  } catch {
    return [] // an open quote: there are no words
  }
}

function syntaxSpot({ message, index }: Failure): Spot {
  return {
    rule: 'syntax',
    message: `PostgreSQL cannot read this: ${message}`,
    remedy: 'correct the statement; nothing else of it could be checked',
    index,
  }
}

/** `text` with letters for Sequelize's `:name`, `?` and `$name`: they are values, or `$1`, by the time it is sent. */
function withoutReplacements(parser: SqlParser, text: string): string {
  const characters = text.split('')
  const indexOf = byteOffsets(text)
  const tokens = tokensOf(parser, text)
  for (const [position, token] of tokens.entries()) {
    const next = tokens[position + 1]
    const isMark = token.text === ':' || token.text === '$'
    if (token.text === '?') characters[indexOf(token.start)] = FILLER
    else if (isMark && next !== undefined && next.start === token.end && /^[a-z_]\w*$/i.test(next.text))
      characters.fill(FILLER, indexOf(token.start), indexOf(next.end))
  }
  return characters.join('')
}

/** The statements that parse of a text that does not, and the words of those that do not. */
function lintPieces(parser: SqlParser, text: string, context: SqlContext): Spot[] {
  const indexOf = byteOffsets(text)
  const tokens = tokensOf(parser, text)
  const ends = tokens.filter((token) => token.text === ';').map((token) => indexOf(token.start))
  const spots: Spot[] = []
  let start = 0
  for (const end of [...ends, text.length]) {
    const piece = text.slice(start, end)
    const parsed = ends.length === 0 ? undefined : parse(parser, piece)
    const found =
      parsed !== undefined && 'tree' in parsed
        ? new Statements(parser, piece, context).spots(parsed.tree)
        : lintWords(parser, piece, context.facts)
    for (const spot of found) spots.push({ ...spot, index: start + spot.index })
    start = end + 1
  }
  return spots
}

/** What can be told from words alone: `public.` is a schema wherever it stands, CREATE EXTENSION a statement. */
function lintWords(parser: SqlParser, text: string, facts: LintFacts): Spot[] {
  const indexOf = byteOffsets(text)
  const tokens = tokensOf(parser, text)
  const word = (position: number) => nameOf(tokens[position]?.text ?? '')
  return tokens.flatMap(({ start, tokenName }, position): Spot[] => {
    const index = indexOf(start)
    if (/CONST|COMMENT/.test(tokenName)) return []
    if (word(position) === 'public' && word(position + 1) === '.' && word(position - 1) !== '.') {
      return isForeign('public', facts) ? [{ ...foreignSchema('public', word(position + 2)), index }] : []
    }
    const isExtension = word(position) === 'create' && word(position + 1) === 'extension'
    return isExtension && !facts.shared ? [{ ...databaseWide('an extension'), index }] : []
  })
}

// ---------------------------------------------------------------------------------------------------- statements

/** The statements of a text that parses. */
class Statements {
  readonly #parser: SqlParser
  readonly #text: string
  readonly #context: SqlContext
  readonly #indexOf: (offset: number) => number

  constructor(parser: SqlParser, text: string, context: SqlContext) {
    this.#parser = parser
    this.#text = text
    this.#context = context
    this.#indexOf = byteOffsets(text)
  }

  spots(tree: readonly unknown[]): Spot[] {
    return tree.flatMap((raw) => {
      if (!isFields(raw)) return []
      const start = Number(raw['stmt_location'] ?? 0)
      const length = Number(raw['stmt_len'] ?? 0)
      const end = length === 0 ? Buffer.byteLength(this.#text) : start + length
      try {
        return this.#statement(raw['stmt'], start, end)
      } catch (error) {
        if (error instanceof RangeError) return [] // nested as deep as the parser goes, and deeper than we do
        throw error
      }
    })
  }

  #statement(statement: unknown, start: number, end: number): Spot[] {
    const { facts, inFunction = false } = this.#context
    let known: readonly ScanToken[] | undefined
    const tokens = () => (known ??= this.#tokensIn(start, end))
    const spots: Spot[] = []
    for (const { schema, name, offset } of foreignSchemas(statement, facts, { inFunction })) {
      const at = offset ?? tokens().find((token) => isWord(token, schema))?.start
      spots.push({ ...foreignSchema(schema, name), index: this.#indexOf(at ?? start) })
    }
    for (const { offset, ...complaint } of catalogComplaints(statement, facts)) {
      spots.push({ ...complaint, index: this.#indexOf(offset ?? start) })
    }
    for (const [tag, fields] of Object.entries(isFields(statement) ? statement : {})) {
      if (!isFields(fields)) continue
      for (const { offset, ...complaint } of statementComplaints(tag, fields, facts, { inFunction })) {
        spots.push({ ...complaint, index: this.#indexOf(offset ?? tokens()[0]?.start ?? start) })
      }
      const body = bodyOf(tag, fields)
      if (body !== undefined) spots.push(...this.#body(body, start, end))
    }
    return spots
  }

  /** The words of the statement from one byte to another; of it alone, for a text can be large. */
  #tokensIn(from: number, to: number): readonly ScanToken[] {
    return tokensOf(this.#parser, this.#text.slice(this.#indexOf(from), this.#indexOf(to)))
      .filter(({ tokenName }) => !tokenName.endsWith('_COMMENT'))
      .map((token) => ({ ...token, start: token.start + from, end: token.end + from }))
  }

  #body(body: Body, start: number, end: number): readonly Spot[] {
    const from = this.#indexOf(body.offset)
    const verbatim = this.#text.indexOf(body.text, from)
    // Between quotes with escapes the body is not what stands there: all of it is at its beginning.
    const place = (index: number) => (verbatim === -1 ? from : verbatim + index)
    const inside: SqlContext = { facts: this.#context.facts, inFunction: true, isTentative: true }
    if (body.language === 'sql') {
      return lintSql(this.#parser, body.text, inside).map((spot) => ({ ...spot, index: place(spot.index) }))
    }
    if (body.language !== 'plpgsql') return []
    const definition = this.#text.slice(this.#indexOf(start), this.#indexOf(end))
    return this.#plpgsql(definition, body, inside).map((spot) => ({ ...spot, index: place(spot.index) }))
  }

  #plpgsql(definition: string, body: Body, inside: SqlContext): readonly Spot[] {
    const tree = parsePlPgSql(this.#parser, definition)
    // The parser knows no catalog, and refuses some definitions that PostgreSQL would take.
    if (tree === undefined) return lintWords(this.#parser, body.text, inside.facts)
    const spots: Spot[] = []
    if (!body.isFunction && inside.facts.inTransaction) spots.push(...transactionEnds(tree, body.text))
    for (const piece of piecesOf(tree, body.text)) {
      if (piece.isDynamic) {
        const expression = parse(this.#parser, piece.text)
        const statement = 'tree' in expression ? dynamicStatement(onlyValue(expression.tree)) : undefined
        if (statement === undefined) continue
        const found = lintSql(this.#parser, statement, { ...inside, inFunction: false, isTentative: true })
        spots.push(...found.map((spot) => ({ ...spot, index: piece.index })))
      } else {
        const found = lintSql(this.#parser, piece.text, inside)
        spots.push(
          ...found.map((spot) => ({ ...spot, index: piece.index + Math.max(0, spot.index - piece.added) })),
        )
      }
    }
    return spots
  }
}

/** What a word says: small letters, unless it is quoted. */
function nameOf(word: string): string {
  return /^".*"$/s.test(word) ? word.slice(1, -1).replaceAll('""', '"') : word.toLowerCase()
}

function isWord(token: ScanToken, word: string): boolean {
  return (
    token.text === word ||
    token.text.toLowerCase() === word ||
    token.text === `"${word.replaceAll('"', '""')}"`
  )
}

function parsePlPgSql(parser: SqlParser, definition: string): unknown {
  try {
    return parser.parsePlPgSQLSync(definition)
  } catch {
    return undefined
  }
}

/** The expression of a tree that is `SELECT expression`. */
function onlyValue(tree: readonly unknown[]): unknown {
  const [raw] = tree
  const select = isFields(raw) ? fieldsOf(raw['stmt'], 'SelectStmt') : undefined
  return fieldsOf(list(select?.['targetList'])[0], 'ResTarget')?.['val']
}

/** COMMIT and ROLLBACK of a DO block, which end the run's own transaction or fail. */
function transactionEnds(tree: unknown, body: string): readonly Spot[] {
  const spots: Spot[] = []
  walkPlPgSql(tree, (tag) => {
    const word = /^PLpgSQL_stmt_(commit|rollback)$/.exec(tag)?.[1]
    if (word === undefined) return
    spots.push({
      rule: 'transaction-control',
      message: `${word.toUpperCase()} cannot be in the run's transaction`,
      remedy: "leave it out, or say '-- transaction: false' in the first line",
      index: Math.max(0, body.toLowerCase().indexOf(word)),
    })
  })
  return spots
}

function walkPlPgSql(tree: unknown, visit: (tag: string, fields: Fields) => void): void {
  // Its tags are PLpgSQL_…, upper case as well.
  walk(tree, visit)
}
