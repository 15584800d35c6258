/**
 * Who is asked in a migration: the query interface, the context and Sequelize, whatever the file calls them. Told from
 * the first parameter of `up` and `down`, and from the well-known names.
 */
import type { File, Function as CodeFunction, Node } from '@babel/types'

import { callee, isCall, isFunction, keyName, member, bare, walkCode, type Call } from './code-tree.ts'

/** Methods that return a promise: the query interface's, Sequelize's, and the context's own. */
export const QUERY_METHODS: ReadonlySet<string> = new Set([
  'addColumn', 'addConstraint', 'addIndex', 'authenticate', 'bulkDelete', 'bulkInsert', 'bulkUpdate', 'changeColumn',
  'createDatabase', 'createFunction', 'createSchema', 'createTable', 'createTrigger', 'databaseVersion', 'decrement',
  'delete', 'describeTable', 'drop', 'dropAllEnums', 'dropAllSchemas', 'dropAllTables', 'dropDatabase', 'dropEnum',
  'dropFunction', 'dropSchema', 'dropTable', 'dropTrigger', 'ensureEnums', 'getForeignKeyReferencesForTable',
  'getForeignKeysForTables', 'increment', 'insert', 'pgListEnums', 'query', 'rawSelect', 'removeColumn',
  'removeConstraint', 'removeIndex', 'renameColumn', 'renameFunction', 'renameTable', 'renameTrigger', 'select',
  'showAllSchemas', 'showAllTables', 'showConstraint', 'showIndex', 'sql', 'sync', 'tableExists', 'transaction',
  'truncate', 'update', 'upsert',
]) // prettier-ignore

/** Members that are the query interface, the context or Sequelize again. */
const MEMBERS: ReadonlySet<string> = new Set(['context', 'queryInterface', 'sequelize'])

export class Receivers {
  readonly #names = new Set(MEMBERS)
  /** Methods taken out of a receiver: `const { sql } = context`. */
  readonly #methods = new Set<string>()
  /** Functions of the file that run queries and return promises, by name. */
  readonly #functions = new Map<string, CodeFunction>()

  constructor(file: File) {
    walkCode(file, (node, ancestors) => this.#declare(node, ancestors))
    // What is handed on is known by its parameter's name there, and perhaps handed on again.
    for (let round = 0; round < 2; round++) walkCode(file, (node) => this.#handOn(node))
  }

  /** Whether `node` is the query interface, the context or Sequelize. */
  isReceiver(node: Node): boolean {
    const inner = bare(node)
    if (inner.type === 'Identifier') return this.#names.has(inner.name)
    if (isCall(inner)) return callee(inner)?.name === 'getQueryInterface'
    const access = member(inner)
    return access !== undefined && MEMBERS.has(access.name)
  }

  /** Whether `call` runs a query by a method that is known. */
  isQuery(call: Call): boolean {
    const called = callee(call)
    if (called === undefined) return false
    return called.object === undefined
      ? this.#methods.has(called.name)
      : QUERY_METHODS.has(called.name) && this.isReceiver(called.object)
  }

  /** Whether `call` is of an async function of this file that runs queries. */
  isOwnQuery(call: Call): boolean {
    const called = callee(call)
    const own = called?.object === undefined ? this.#functions.get(called?.name ?? '') : undefined
    return own?.async === true && this.hasQuery(own)
  }

  hasQuery(tree: Node): boolean {
    let found = false
    walkCode(tree, (node) => {
      found ||= isCall(node) && this.isQuery(node)
      return !found
    })
    return found
  }

  #declare(node: Node, ancestors: readonly Node[]): void {
    if (isFunction(node)) {
      const name = nameOf(node, ancestors)
      if (name === 'up' || name === 'down') this.#parameter(node.params[0])
      if (name !== undefined) this.#functions.set(name, node)
    } else if (node.type === 'VariableDeclarator' && node.init) {
      if (this.isReceiver(node.init)) this.#bind(node.id)
      else if (node.id.type === 'ObjectPattern') this.#members(node.id)
    }
  }

  /** The first parameter of `up` and `down`: the query interface, or `{ context }`. */
  #parameter(parameter: Node | undefined): void {
    if (parameter?.type === 'AssignmentPattern') this.#parameter(parameter.left)
    else if (parameter?.type === 'Identifier') this.#names.add(parameter.name)
    else if (parameter?.type === 'ObjectPattern') this.#members(parameter)
  }

  /** A receiver gets this name, or its members these. */
  #bind(target: Node): void {
    if (target.type === 'Identifier') this.#names.add(target.name)
    else if (target.type === 'AssignmentPattern') this.#bind(target.left)
    else if (target.type === 'ObjectPattern') {
      this.#members(target)
      for (const { key, value } of targets(target)) {
        if (QUERY_METHODS.has(key) && value.type === 'Identifier') this.#methods.add(value.name)
      }
    }
  }

  #members(pattern: Node): void {
    for (const { key, value } of targets(pattern)) if (MEMBERS.has(key)) this.#bind(value)
  }

  #handOn(node: Node): void {
    if (!isCall(node)) return
    const called = callee(node)
    const own = called?.object === undefined ? this.#functions.get(called?.name ?? '') : undefined
    if (own === undefined) return
    for (const [index, argument] of node.arguments.entries()) {
      const parameter = own.params[index]
      if (this.isReceiver(argument) && parameter !== undefined) this.#bind(parameter)
    }
  }
}

/** The keys an object pattern takes, and where it puts them. */
function targets(pattern: Node): readonly { readonly key: string; readonly value: Node }[] {
  if (pattern.type !== 'ObjectPattern') return []
  return pattern.properties.flatMap((property) => {
    if (property.type !== 'ObjectProperty') return []
    const key = keyName(property.key, property.computed)
    return key === undefined ? [] : [{ key, value: property.value }]
  })
}

/** What a function is called: by itself, by its variable, by its key, or by `exports.up = `. */
function nameOf(node: CodeFunction, ancestors: readonly Node[]): string | undefined {
  if (node.type === 'FunctionDeclaration') return node.id?.name
  if (node.type === 'ObjectMethod' || node.type === 'ClassMethod') return keyName(node.key, node.computed)
  const parent = ancestors.findLast((each) => bare(each) === each)
  if (parent?.type === 'VariableDeclarator')
    return parent.id.type === 'Identifier' ? parent.id.name : undefined
  if (parent?.type === 'ObjectProperty' || parent?.type === 'ClassProperty')
    return keyName(parent.key, parent.computed ?? false)
  if (parent?.type !== 'AssignmentExpression') return undefined
  return parent.left.type === 'Identifier' ? parent.left.name : member(parent.left)?.name
}
