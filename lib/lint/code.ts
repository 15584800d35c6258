/** JavaScript and TypeScript → what is wrong with it, without running it; its SQL goes to `sql`. */
import type { parse as parseSource, ParserOptions } from '@babel/parser'
import type { File } from '@babel/types'

import { droppedCalls } from './code-calls.ts'
import { foreignRanges, isWithin } from './code-dialects.ts'
import { codeSpots } from './code-names.ts'
import { Receivers } from './code-receivers.ts'
import { codeTexts, type CodeText } from './code-texts.ts'
import { keyName, member, properties, walkCode } from './code-tree.ts'
import type { Comment, LintFacts, Spot } from './finding.ts'
import { isSql, lintSql, sqlComments, type SqlParser } from './sql.ts'

/** What is used of Babel's parser. */
export interface CodeParser {
  readonly parse: typeof parseSource
}

/** Loads the parser of JavaScript and TypeScript; only `lint` needs it. */
export async function loadCodeParser(): Promise<CodeParser> {
  return import('@babel/parser')
}

export interface CodeLint {
  readonly spots: readonly Spot[]
  /** Those of the code, and those of the SQL in it. */
  readonly comments: readonly Comment[]
}

/** What is wrong with the source of a module. */
export function lintCode(
  parsers: { readonly code: CodeParser; readonly sql: SqlParser },
  source: string,
  { isTypeScript, facts }: { readonly isTypeScript: boolean; readonly facts: LintFacts },
): CodeLint {
  const parsed = parse(parsers.code, source, isTypeScript)
  if ('index' in parsed) return { spots: [parsed], comments: [] }
  const receivers = new Receivers(parsed)
  const inFile = { ...facts, inTransaction: facts.inTransaction && !declinesTransaction(parsed) }
  const texts = codeTexts(parsed, source, receivers)
  const spots = [
    ...droppedCalls(parsed, source, receivers),
    ...codeSpots(parsed, receivers, inFile),
    ...texts.flatMap((text) => textSpots(parsers.sql, text, inFile)),
  ]
  const foreign = foreignRanges(parsed, source)
  return {
    spots: spots.filter(({ index }) => !isWithin(foreign, index)),
    comments: [...codeComments(parsed), ...texts.flatMap((text) => commentsOf(parsers.sql, text))],
  }
}

function parse(parser: CodeParser, source: string, isTypeScript: boolean): File | Spot {
  const options: ParserOptions = {
    sourceType: 'unambiguous',
    allowReturnOutsideFunction: true,
    allowAwaitOutsideFunction: true,
    allowUndeclaredExports: true,
    plugins: isTypeScript ? ['typescript', 'decorators-legacy'] : ['decorators', 'jsx'],
  }
  try {
    return parser.parse(source, options)
  } catch (error) {
    // A SyntaxError of Babel has `pos`; anything else has no place.
    const { message, pos } = error as { readonly message: string; readonly pos?: number }
    return {
      rule: 'syntax',
      message: `this cannot be read: ${message.replace(/ \(\d+:\d+\)$/, '')}`,
      remedy: 'correct the file; nothing else of it could be checked',
      index: pos ?? 0,
    }
  }
}

/** `transaction = false`, exported in any form: the migration runs outside of a transaction. */
function declinesTransaction(file: File): boolean {
  let declines = false
  walkCode(file, (node) => {
    if (node.type === 'ExportNamedDeclaration' && node.declaration?.type === 'VariableDeclaration') {
      for (const { id, init } of node.declaration.declarations) {
        declines ||= id.type === 'Identifier' && id.name === 'transaction' && isFalse(init)
      }
    } else if (node.type === 'ExportDefaultDeclaration') declines ||= hasFalse(node.declaration)
    else if (node.type === 'AssignmentExpression') {
      const name = member(node.left)?.name
      declines ||=
        (name === 'transaction' && isFalse(node.right)) || (name === 'exports' && hasFalse(node.right))
    } else if (node.type === 'ClassProperty') {
      declines ||=
        node.static && keyName(node.key, node.computed ?? false) === 'transaction' && isFalse(node.value)
    }
  })
  return declines
}

function hasFalse(node: Parameters<typeof properties>[0]): boolean {
  return properties(node).some(({ key, value }) => key === 'transaction' && isFalse(value))
}

function isFalse(node: { readonly type: string; readonly value?: unknown } | null | undefined): boolean {
  return node?.type === 'BooleanLiteral' && node.value === false
}

// --------------------------------------------------------------------------------------------------- texts of SQL

/** What a fragment is put between, so that it is a statement. */
const FRAMES = {
  statement: ['', ''],
  perhaps: ['', ''],
  loose: ['', ''],
  expression: ['SELECT (', '\n)'],
  type: ['CREATE TABLE t (c ', '\n)'],
} as const

function textSpots(parser: SqlParser, text: CodeText, facts: LintFacts): readonly Spot[] {
  const [before, after] = FRAMES[text.kind]
  const framed = before + text.text + after
  // Nothing but the parser's word says that these are SQL.
  if ((text.kind === 'loose' || text.kind === 'type') && !isSql(parser, framed)) return []
  const spots = lintSql(parser, framed, { facts, isTentative: text.kind !== 'statement' })
  return spots.map((spot) => ({ ...spot, index: text.indexInFile(Math.max(0, spot.index - before.length)) }))
}

function codeComments(file: File): readonly Comment[] {
  return (file.comments ?? []).map(({ value, start, end }) => ({
    text: value,
    start: start ?? 0,
    end: end ?? 0,
  }))
}

function commentsOf(parser: SqlParser, text: CodeText): readonly Comment[] {
  return sqlComments(parser, text.text).map((comment) => ({
    ...comment,
    start: text.indexInFile(comment.start),
    end: text.indexInFile(comment.end),
  }))
}
