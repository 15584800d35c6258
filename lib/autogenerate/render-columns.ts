/** Columns and tables as `createTable` and `addColumn` take them, where that is exact. Pure. */
import { clip, madeUpName } from './names.ts'
import { partitioningOf } from './partitions.ts'
import { stringOf, type Code } from './render-code.ts'
import { defaultCode, typeCode } from './render-types.ts'
import type { Column, Enum, Table } from './snapshot.ts'
import { isPlainSerial, isUsual } from './sql-columns.ts'

/** The enums that a call makes together with its column, by name: they are not made beforehand. */
export type MadeEnums = ReadonlyMap<string, Enum>

/**
 * Whether the query interface means `name` by it: Sequelize takes quotes off a name, and reads a dot as the end of a
 * schema's. The names of columns are also keys of an object, where some mean something, and numbers come first.
 */
export function isPlainName(name: string): boolean {
  return !/["'.`]/.test(name) && !/^(?:\d+|__proto__)$/.test(name)
}

/** Words that Sequelize looks for in the text of a column, wherever they stand. */
const MISREAD = /COMMENT |PRIMARY KEY|REFERENCES|SERIAL/

/** Whether a call can say all of `column`. */
export function isPlainColumn(table: string, column: Column): boolean {
  const { name, generated, collation, identity, serial } = column
  return (
    isPlainName(name) &&
    generated === null &&
    collation === null &&
    (identity === null || (!identity.always && isUsual(table, column, identity.sequence))) &&
    (serial === null || isPlainSerial(table, column)) &&
    !MISREAD.test(column.type) &&
    !MISREAD.test(column.default ?? '')
  )
}

/** Whether `createTable` can say all of the columns and the primary key. */
export function isPlainTable(table: Table): boolean {
  const { name, columns, constraints } = table
  const key = constraints.find(({ kind }) => kind === 'primary key')
  const inOrder = columns.filter((column) => key?.columns.includes(column.name)).map((column) => column.name)
  const isUsualKey =
    key === undefined ||
    (key.name === madeUpName(name, null, 'pkey') &&
      key.definition.startsWith('PRIMARY KEY (') &&
      key.definition.endsWith(')') &&
      key.columns.every((column, index) => column === inOrder[index]) &&
      // Behind the columns nothing else: no INCLUDE, no DEFERRABLE.
      !key.definition.slice(0, -1).includes(')'))
  return (
    isPlainName(name) &&
    partitioningOf(table) === undefined &&
    columns.length > 0 &&
    isUsualKey &&
    columns.every((column) => isPlainColumn(name, column))
  )
}

export function tableCode({ columns, constraints }: Table, made: MadeEnums): Code {
  const key = constraints.find(({ kind }) => kind === 'primary key')?.columns ?? []
  return {
    entries: columns.map((column) => [
      column.name,
      columnCode(column, made, { isKey: key.includes(column.name), indent: 6 }),
    ]),
  }
}

export function columnCode(
  column: Column,
  made: MadeEnums,
  { isKey = false, indent = 4 }: { readonly isKey?: boolean; readonly indent?: number } = {},
): Code {
  const { serial, identity, notNull } = column
  const options: (readonly [string, string])[] = [['type', columnType(column, made)]]
  if (serial !== null || identity !== null) options.push(['autoIncrement', 'true'])
  if (identity !== null) options.push(['autoIncrementIdentity', 'true'])
  if (isKey) options.push(['primaryKey', 'true'])
  else if (notNull) options.push(['allowNull', 'false'])
  if (column.default !== null) options.push(['defaultValue', defaultCode(column, indent)])
  return { entries: options }
}

function columnType(column: Column, made: MadeEnums): string {
  const own = column.enum === null ? undefined : made.get(column.enum)
  if (own === undefined) return typeCode(column.type)
  const type = `DataTypes.ENUM(${own.labels.map(stringOf).join(', ')})`
  return column.isArray ? `DataTypes.ARRAY(${type})` : type
}

/** Whether the call for `column` makes its enum, under the name that Sequelize gives it. */
export function makesEnum(table: string, column: Column): boolean {
  const name = `enum_${table}_${column.name}`
  // Sequelize reads an ENUM up to the last bracket of the column's text.
  return column.enum === name && name === clip(name) && !(column.default ?? '').includes(')')
}
