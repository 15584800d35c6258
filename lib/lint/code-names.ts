/** What code says beside SQL: schemas in arguments of the query interface, and helpers that reach further than a tenant. */
import type { File, Node } from '@babel/types'

import type { Receivers } from './code-receivers.ts'
import { callee, isCall, properties, start, stringValue, walkCode, type Call } from './code-tree.ts'
import { isForeign, type LintFacts, type Spot } from './finding.ts'
import { foreignSchema } from './sql-names.ts'
import { databaseWide } from './sql-statements.ts'
import { schemaInText } from './sql-tree.ts'

const WIDE: Readonly<Record<string, string>> = {
  createSchema: 'a schema', dropSchema: 'a schema', dropAllSchemas: 'every schema',
  createDatabase: 'a database', dropDatabase: 'a database',
} // prettier-ignore

/** Methods some of whose arguments are rows or conditions: a key `schema` in them is a column of the application's. */
const ROWS: Readonly<Record<string, readonly number[]>> = {
  bulkInsert: [1], bulkUpdate: [1, 2], bulkDelete: [1], insert: [2], upsert: [1, 2, 3], update: [2, 3], delete: [2],
  increment: [2, 3, 4], decrement: [2, 3, 4], query: [0],
} // prettier-ignore

/** Methods with definitions of columns, whose names are keys, and the argument that has them. */
const COLUMNS: Readonly<Record<string, number>> = { createTable: 1 }

/** Methods whose first argument is no table's name. */
const NO_TABLE = /^(?:query|sql|transaction|select|rawSelect|createFunction|dropFunction|renameFunction)$/

export function codeSpots(file: File, receivers: Receivers, facts: LintFacts): readonly Spot[] {
  const spots: Spot[] = []
  walkCode(file, (node) => {
    if (!isCall(node)) return
    const called = callee(node)
    if (called === undefined) return
    if (called.name === 'fn' || called.name === 'col') addName(node.arguments[0], called.name === 'fn')
    if (called.name === 'define') addOption(node.arguments[2])
    if (!receivers.isQuery(node)) return
    const what = WIDE[called.name]
    if (what !== undefined && !facts.shared) spots.push({ ...databaseWide(what), index: start(node) })
    if (what === undefined) addArguments(node, called.name)
  })
  return spots

  function addArguments(call: Call, method: string): void {
    if (!NO_TABLE.test(method)) addName(call.arguments[0], true)
    for (const [index, argument] of call.arguments.entries()) {
      if (ROWS[method]?.includes(index) === true) continue
      if (index > 0 && COLUMNS[method] !== index) addOption(argument)
      walkCode(argument, (node, ancestors) => {
        // A function given to transaction() has calls of its own; rows are not looked at.
        if (isCall(node) && ancestors.length > 0) return false
        if (node.type !== 'ObjectExpression') return
        addTable(node)
        const model = properties(node).find(({ key }) => key === 'model')?.value
        addName(model, true)
      })
    }
  }

  /** `{ tableName, schema }`, wherever it stands. */
  function addTable(object: Node): void {
    const entries = properties(object)
    const table = entries.find(({ key }) => key === 'tableName')?.value
    const schema = entries.find(({ key }) => key === 'schema')?.value
    if (table !== undefined && schema !== undefined) add(schema, stringValue(schema), stringValue(table))
  }

  /** `{ schema }` and `{ searchPath }` among a method's options. */
  function addOption(options: Node | undefined): void {
    const entries = properties(options)
    const schema = entries.find(({ key }) => key === 'schema')?.value
    const isTable = entries.some(({ key }) => key === 'tableName')
    if (schema !== undefined && !isTable) add(schema, stringValue(schema), undefined)
    const path = entries.find(({ key }) => key === 'searchPath')?.value
    if (path === undefined || stringValue(path) === undefined) return
    spots.push({
      rule: 'search-path',
      message: "the option searchPath turns the statement away from the tenant's schema",
      remedy: "leave it out: every statement runs with the tenant's search path",
      index: start(path),
    })
  }

  /** `'public.users'` as a name. Two words of a column are a table and its column. */
  function addName(name: Node | undefined, mayBeTwoWords: boolean): void {
    const text = stringValue(name)
    if (name === undefined || text === undefined || text.split('.').length < (mayBeTwoWords ? 2 : 3)) return
    add(name, schemaInText(text), text.slice(text.indexOf('.') + 1))
  }

  function add(node: Node, schema: string | undefined, name: string | undefined): void {
    if (schema === undefined || !isForeign(schema, facts)) return
    spots.push({ ...foreignSchema(schema, name), index: start(node) })
  }
}
