/**
 * Code for another database. A migration that serves several asks for Sequelize's dialect, and what it says to SQLite or
 * MySQL never comes to PostgreSQL: it is no SQL of ours, and nobody need wait for it.
 */
import type { Expression, File, Node, SwitchCase } from '@babel/types'

import { bare, callee, end, isCall, start, stringValue, walkCode } from './code-tree.ts'

/** From one index of the source up to another. */
export interface Range {
  readonly from: number
  readonly to: number
}

/** Sequelize says `postgres`; an application's own setting may say it in other words. */
const POSTGRES = /^(?:postgres|pg)/i

/** The parts of `file` that do not run on PostgreSQL, as far as its tests of the dialect say so. */
export function foreignRanges(file: File, source: string): readonly Range[] {
  // Most migrations know one database, and need not be walked through for others.
  if (!/dialect/i.test(source)) return []
  const tests = new DialectTests(file, source)
  const ranges: Range[] = []
  const skip = (node: Node | null | undefined) => {
    if (node != null) ranges.push({ from: start(node), to: end(node) })
  }
  walkCode(file, (node) => {
    if (node.type === 'IfStatement' || node.type === 'ConditionalExpression') {
      const holds = tests.value(node.test)
      if (holds !== undefined) skip(holds ? node.alternate : node.consequent)
    } else if (node.type === 'LogicalExpression' && node.operator !== '??') {
      const holds = tests.value(node.left)
      if (holds === (node.operator === '||')) skip(node.right)
    } else if (node.type === 'SwitchStatement' && tests.isDialect(node.discriminant)) {
      for (const each of foreignCases(node.cases)) each.consequent.forEach(skip)
    } else if (node.type === 'BlockStatement') afterLeaving(node.body, tests).forEach(skip)
  })
  return ranges
}

export function isWithin(ranges: readonly Range[], index: number): boolean {
  return ranges.some(({ from, to }) => from <= index && index < to)
}

/** What comes after `if (dialect === 'postgres') { …; return }`, but for functions, which are there before. */
function afterLeaving(statements: readonly Node[], tests: DialectTests): readonly Node[] {
  const left = statements.findIndex((each) => {
    if (each.type !== 'IfStatement') return false
    const holds = tests.value(each.test)
    return holds !== undefined && leaves(holds ? each.consequent : each.alternate)
  })
  if (left === -1) return []
  return statements.slice(left + 1).filter(({ type }) => type !== 'FunctionDeclaration')
}

function leaves(node: Node | null | undefined): boolean {
  if (node?.type === 'BlockStatement') return leaves(node.body.at(-1))
  return node?.type === 'ReturnStatement' || node?.type === 'ThrowStatement'
}

/** The cases that PostgreSQL's does not fall through to. */
function foreignCases(cases: readonly SwitchCase[]): readonly SwitchCase[] {
  const named = cases.map(({ test }) => stringValue(test ?? undefined))
  const known = named.findIndex((name) => name !== undefined && POSTGRES.test(name))
  const own = known === -1 ? cases.findIndex(({ test }) => test === null) : known
  if (own === -1) return cases
  let reached = false
  return cases.filter((each, index) => {
    const runs = reached || index === own
    reached = runs && !ends(each.consequent.at(-1))
    return !runs
  })
}

function ends(last: Node | undefined): boolean {
  return (
    last?.type === 'BreakStatement' ||
    leaves(last) ||
    (last?.type === 'BlockStatement' && ends(last.body.at(-1)))
  )
}

/** What tests of the dialect come to on PostgreSQL. */
class DialectTests {
  readonly #source: string
  /** What each name is declared as, once. */
  readonly #declared = new Map<string, Node | undefined>()

  constructor(file: File, source: string) {
    this.#source = source
    walkCode(file, (node) => {
      if (node.type !== 'VariableDeclarator' || node.id.type !== 'Identifier') return
      const { name } = node.id
      this.#declared.set(name, this.#declared.has(name) ? undefined : (node.init ?? undefined))
    })
  }

  /** `undefined` if it does not depend on the dialect alone. */
  value(test: Node, depth = 0): boolean | undefined {
    const inner = bare(test)
    if (inner.type === 'UnaryExpression' && inner.operator === '!')
      return not(this.value(inner.argument, depth))
    if (inner.type === 'LogicalExpression') {
      const sides = [this.value(inner.left, depth), this.value(inner.right, depth)]
      const decisive = inner.operator === '||'
      if (sides.includes(decisive)) return decisive
      return sides.includes(undefined) ? undefined : !decisive
    }
    if (inner.type === 'BinaryExpression') return this.#compared(inner.operator, inner.left, inner.right)
    if (isCall(inner)) return this.#included(inner)
    if (inner.type !== 'Identifier' || depth > 3) return undefined
    const declared = this.#declared.get(inner.name)
    return declared && this.value(declared, depth + 1)
  }

  /** `sequelize.getDialect()`, `options.dialect`, and what is called so. */
  isDialect(node: Node): boolean {
    if (stringValue(node) !== undefined) return false
    return /dialect/i.test(this.#source.slice(start(node), end(node)))
  }

  #compared(operator: string, left: Node, right: Node): boolean | undefined {
    if (!/^[!=]==?$/.test(operator)) return undefined
    const [named, other] = stringValue(left) === undefined ? [right, left] : [left, right]
    const name = stringValue(named)
    if (name === undefined || !this.isDialect(other)) return undefined
    return POSTGRES.test(name) === operator.startsWith('=')
  }

  /** `['mysql', 'mariadb'].includes(dialect)`. */
  #included(call: Parameters<typeof callee>[0]): boolean | undefined {
    const called = callee(call)
    const [asked] = call.arguments
    if (called?.name !== 'includes' || called.object === undefined || asked === undefined) return undefined
    const names = stringsOf(called.object)
    return names === undefined || !this.isDialect(asked)
      ? undefined
      : names.some((name) => POSTGRES.test(name))
  }
}

function stringsOf(node: Expression): readonly string[] | undefined {
  const inner = bare(node)
  if (inner.type !== 'ArrayExpression') return undefined
  const names = inner.elements.flatMap((each) => stringValue(each ?? undefined) ?? [])
  return names.length === inner.elements.length ? names : undefined
}

function not(value: boolean | undefined): boolean | undefined {
  return value === undefined ? undefined : !value
}
