/** Constraints and indexes as the query interface takes them, where that is exact. Pure. */
import { quoteIdentifier } from '../sql.ts'
import { isPlainName } from './render-columns.ts'
import { stringOf, type Code } from './render-code.ts'
import type { Constraint, Index } from './snapshot.ts'

export interface Call {
  readonly method: string
  readonly parameters: readonly Code[]
}

/** `addConstraint` for a unique constraint or a foreign key that says nothing special. */
export function constraintCall(table: string, constraint: Constraint): Call | undefined {
  const { name, kind, columns, isValid } = constraint
  if (!isValid || ![table, name, ...columns].every(isPlainName)) return undefined
  const options = kind === 'unique' ? uniqueOptions(constraint) : foreignKeyOptions(constraint)
  if (options === undefined) return undefined
  const start = [
    ['type', stringOf(kind)],
    ['fields', namesCode(columns)],
    ['name', stringOf(name)],
  ] as const
  return { method: 'addConstraint', parameters: [stringOf(table), { entries: [...start, ...options] }] }
}

type Entries = readonly (readonly [string, Code])[]

function uniqueOptions({ definition, columns }: Constraint): Entries | undefined {
  return listOf(definition, 'UNIQUE (', columns) ? [] : undefined
}

const ACTION = 'CASCADE|SET NULL|SET DEFAULT|RESTRICT'
/** What stands behind the columns of a foreign key that Sequelize can say. */
const ACTIONS = new RegExp(`^(?: ON UPDATE (${ACTION}))?(?: ON DELETE (${ACTION}))?$`)

function foreignKeyOptions({ kind, definition, references }: Constraint): Entries | undefined {
  if (kind !== 'foreign key' || references === null) return undefined
  const { schema, table, columns } = references
  if (![table, ...columns].every(isPlainName)) return undefined
  // ON DELETE SET NULL (column) ends with a bracket too.
  const end = columns.map((column) =>
    [quoteIdentifier(column), column].find((each) => definition.includes(each)),
  )
  const list = `(${end.join(', ')})`
  const at = definition.lastIndexOf(list)
  const actions = at === -1 ? null : ACTIONS.exec(definition.slice(at + list.length))
  if (actions === null || definition.indexOf('REFERENCES') > at) return undefined
  const [, onUpdate, onDelete] = actions
  const target: Code =
    schema === null
      ? stringOf(table)
      : { entries: [['tableName', stringOf(table)], ['schema', stringOf(schema)]] } // prettier-ignore
  const [column = ''] = columns
  const fields: readonly [string, Code] =
    columns.length === 1 ? ['field', stringOf(column)] : ['fields', namesCode(columns)]
  return [
    ['references', { entries: [['table', target], fields] }],
    ...(onDelete === undefined ? [] : [['onDelete', stringOf(onDelete)] as const]),
    ...(onUpdate === undefined ? [] : [['onUpdate', stringOf(onUpdate)] as const]),
  ]
}

/** `addIndex` for an index over columns, in either direction. */
export function indexCall(table: string, index: Index): Call | undefined {
  const { name, isUnique, definition, columns } = index
  if (columns.includes(null)) return undefined
  const fields = columns.filter((column) => column !== null)
  if (![table, name, ...fields].every(isPlainName)) return undefined
  const match = /^ON .+? USING (\w+) \((.*)\)$/s.exec(definition)
  const keys = match?.[2] === undefined ? undefined : keysOf(match[2], fields)
  if (keys === undefined) return undefined
  const method = match?.[1] ?? 'btree'
  const options: Entries = [
    ['name', stringOf(name)],
    ...(isUnique ? [['unique', 'true'] as const] : []),
    ...(method === 'btree' ? [] : [['using', stringOf(method)] as const]),
  ]
  return { method: 'addIndex', parameters: [stringOf(table), { items: keys }, { entries: options }] }
}

/** The columns of an index, if `text` says nothing more of them than a direction. */
function keysOf(text: string, columns: readonly string[]): readonly Code[] | undefined {
  const keys: Code[] = []
  let rest = text
  for (const [position, column] of columns.entries()) {
    const written = [quoteIdentifier(column), column].find((each) => rest.startsWith(each))
    if (written === undefined) return undefined
    rest = rest.slice(written.length)
    const isDescending = /^ DESC(?=,|$)/.test(rest)
    if (isDescending) rest = rest.slice(' DESC'.length)
    keys.push(
      isDescending
        ? { entries: [['name', stringOf(column)], ['order', stringOf('DESC')]] } // prettier-ignore
        : stringOf(column),
    )
    const separator = position === columns.length - 1 ? '' : ', '
    if (!rest.startsWith(separator)) return undefined
    rest = rest.slice(separator.length)
  }
  return rest === '' ? keys : undefined
}

/** Whether `definition` is `start`, the columns, a bracket, and nothing more. */
function listOf(definition: string, start: string, columns: readonly string[]): boolean {
  if (!definition.startsWith(start) || !definition.endsWith(')')) return false
  const keys = keysOf(definition.slice(start.length, -1), columns)
  return keys !== undefined && keys.every((key) => typeof key === 'string')
}

export function namesCode(names: readonly string[]): Code {
  return { items: names.map(stringOf) }
}
