/**
 * SQL in JavaScript and TypeScript: what queries are given, fragments, types, and every other text that is SQL by
 * PostgreSQL's own word, wherever it is kept until a query gets it. Texts that are put together are read whole.
 */
import type { File, Node, TemplateLiteral } from '@babel/types'

import type { Receivers } from './code-receivers.ts'
import { bare, callee, end, isCall, keyName, properties, start, walkCode, type Call } from './code-tree.ts'
import { TextBuilder, type SqlText } from './text.ts'

/**
 * - `statement`: a query of the run gets it.
 * - `perhaps`: something called `query` or `sql` gets it.
 * - `loose`: nothing is seen to get it: it is SQL if it parses.
 * - `expression`: a fragment of one, as `literal()` takes.
 * - `type`: a column's type, perhaps with more of its definition.
 */
export type TextKind = 'statement' | 'perhaps' | 'loose' | 'expression' | 'type'

export interface CodeText extends SqlText {
  readonly kind: TextKind
}

/** How a text that may be SQL begins. Whether it is, is for the parser to say. */
const STATEMENT =
  /^\s*(?:--[^\n]*\n\s*)*(?:alter|begin|call|comment|commit|copy|create|delete|discard|do|drop|grant|insert|lock|merge|refresh|reindex|reset|revoke|rollback|select|set|truncate|update|vacuum|with)\s/i

/** Calls whose texts are for people, or rows: SQL in them is data. */
const NO_SQL =
  /^(?:console|logger|log)\.|(?:^|\.)(?:bulkInsert|bulkUpdate|bulkDelete|insert|upsert|Error|TypeError|require|describe|it|test)$/

/** Methods with definitions of columns, and which of their arguments has them. */
const DEFINING: Readonly<Record<string, number>> = { createTable: 1, addColumn: 2, changeColumn: 2 }

/** The SQL in `file`, each text once. */
export function codeTexts(file: File, source: string, receivers: Receivers): readonly CodeText[] {
  const texts: CodeText[] = []
  const seen = new Set<Node>()
  walkCode(file, (node, ancestors) => {
    if (isCall(node)) addArguments(node)
    else if (node.type === 'TaggedTemplateExpression') {
      if (/^(?:sql|query|raw)$/i.test(lastName(node.tag))) add(node.quasi, 'perhaps')
    } else if (isText(node) && !seen.has(node) && !isData(node, ancestors, source)) add(node, 'loose')
  })
  return texts

  function addArguments(call: Call): void {
    const called = callee(call)
    const [first] = call.arguments
    if (called === undefined || first === undefined) return
    const isQuery = receivers.isQuery(call)
    if (called.name === 'query' || called.name === 'sql') {
      add(sqlOf(first), isQuery ? 'statement' : 'perhaps')
    } else if (called.name === 'literal') add(first, 'expression')
    if (!isQuery || DEFINING[called.name] === undefined) return
    const definition = call.arguments[DEFINING[called.name] ?? 0]
    const columns =
      called.name === 'createTable' ? properties(definition).map(({ value }) => value) : [definition]
    for (const column of columns) if (column !== undefined) addType(column)
  }

  /** A column's definition: its type alone, or an object with it. */
  function addType(column: Node): void {
    if (isText(bare(column))) add(column, 'type')
    for (const { key, value } of properties(column))
      if (key === 'type' && isText(bare(value))) add(value, 'type')
  }

  function add(given: Node, kind: TextKind): void {
    const node = bare(given)
    if (seen.has(node)) return
    const builder = new TextBuilder()
    if (!append(node, { builder, source, seen })) return
    const text = builder.build()
    if (kind !== 'loose' || STATEMENT.test(text.text)) texts.push({ ...text, kind })
  }
}

/** `query({ query: '…' })` of Sequelize and `query({ text: '…' })` of pg, beside the text itself. */
function sqlOf(argument: Node): Node {
  return properties(argument).find(({ key }) => key === 'query' || key === 'text')?.value ?? argument
}

function lastName(tag: Node): string {
  const inner = bare(tag)
  if (inner.type === 'Identifier') return inner.name
  return inner.type === 'MemberExpression' ? (keyName(inner.property, inner.computed) ?? '') : ''
}

/** Whether `node` is in a call whose texts are no SQL. */
function isData(node: Node, ancestors: readonly Node[], source: string): boolean {
  const parent = ancestors.at(-1)
  if (parent?.type === 'ImportDeclaration' || parent?.type === 'TSLiteralType') return true
  return ancestors.some((each) => {
    if (each.type === 'ThrowStatement') return true
    if (!isCall(each) && each.type !== 'NewExpression') return false
    const called = source.slice(start(each.callee), end(each.callee)).replace(/\s+|\?/g, '')
    return NO_SQL.test(called)
  })
}

// -------------------------------------------------------------------------------------------------- putting together

function isText(node: Node): boolean {
  if (node.type === 'StringLiteral' || node.type === 'TemplateLiteral') return true
  return node.type === 'BinaryExpression' && node.operator === '+' && hasText(node)
}

/** Whether some part of a sum is a text: the others are numbers' then. */
function hasText(node: Node): boolean {
  const inner = bare(node)
  if (inner.type !== 'BinaryExpression' || inner.operator !== '+') return isText(inner)
  return hasText(inner.left) || hasText(inner.right)
}

interface Target {
  readonly builder: TextBuilder
  readonly source: string
  /** What has become part of a text, so that it is none by itself. */
  readonly seen: Set<Node>
}

/** Adds the text an expression makes, with letters for what is known at run time only; `false` if all of it is. */
function append(node: Node, target: Target): boolean {
  const { builder, source, seen } = target
  const inner = bare(node)
  if (inner.type === 'StringLiteral') {
    const [from, to] = [start(inner) + 1, end(inner) - 1]
    builder.literal(inner.value, source.slice(from, to), from)
  } else if (inner.type === 'TemplateLiteral') appendTemplate(inner, target)
  else if (inner.type === 'TaggedTemplateExpression') appendTemplate(inner.quasi, target)
  else if (inner.type === 'BinaryExpression' && isText(inner)) {
    for (const side of [inner.left, inner.right]) appendPart(side, target)
  } else if (!isCall(inner) || !appendCall(inner, target)) return false
  seen.add(inner)
  return true
}

function appendPart(node: Node, target: Target): void {
  if (!append(node, target)) target.builder.hole(start(node), end(node))
}

function appendTemplate(template: TemplateLiteral, { builder, source, seen }: Target): void {
  seen.add(template)
  for (const [index, quasi] of template.quasis.entries()) {
    const [from, to] = [start(quasi), end(quasi)]
    builder.literal(quasi.value.cooked ?? quasi.value.raw, source.slice(from, to), from)
    const next = template.quasis[index + 1]
    // The hole has the length of `${…}`, marks included.
    if (next !== undefined) builder.hole(to, start(next))
  }
}

/** `[…].join('\n')` and `'…'.trim()`. */
function appendCall(call: Call, target: Target): boolean {
  const called = callee(call)
  if (called?.object === undefined) return false
  if (/^trim(?:Start|End)?$/.test(called.name)) return append(called.object, target)
  const parts = bare(called.object)
  if (called.name !== 'join' || parts.type !== 'ArrayExpression') return false
  for (const [index, part] of parts.elements.entries()) {
    if (part === null) continue
    if (index > 0) target.builder.literal('\n', '\n', start(part))
    appendPart(part, target)
  }
  return true
}
