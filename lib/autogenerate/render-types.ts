/** A column's type and default as Sequelize's options say them, where that is exact. Pure. */
import { print, stringOf, type Code } from './render-code.ts'
import type { Column } from './snapshot.ts'

/** By what `format_type` prints; each makes exactly this type. */
const TYPES: Readonly<Record<string, string>> = {
  smallint: 'SMALLINT',
  integer: 'INTEGER',
  bigint: 'BIGINT',
  real: 'REAL',
  'double precision': 'DOUBLE',
  numeric: 'DECIMAL',
  boolean: 'BOOLEAN',
  text: 'TEXT',
  'character varying(255)': 'STRING',
  'character(255)': 'CHAR',
  'timestamp with time zone': 'DATE',
  date: 'DATEONLY',
  'time without time zone': 'TIME',
  uuid: 'UUID',
  json: 'JSON',
  jsonb: 'JSONB',
  bytea: 'BLOB',
  inet: 'INET',
  cidr: 'CIDR',
  macaddr: 'MACADDR',
  tsvector: 'TSVECTOR',
  int4range: 'RANGE(DataTypes.INTEGER)',
  int8range: 'RANGE(DataTypes.BIGINT)',
  numrange: 'RANGE(DataTypes.DECIMAL)',
  tstzrange: 'RANGE(DataTypes.DATE)',
  daterange: 'RANGE(DataTypes.DATEONLY)',
}

const WITH_NUMBERS: readonly (readonly [RegExp, string])[] = [
  [/^character varying\((\d+)\)$/, 'STRING'],
  [/^character\((\d+)\)$/, 'CHAR'],
  [/^numeric\((\d+),(\d+)\)$/, 'DECIMAL'],
]

/** The type as an expression: of `DataTypes` where one is exact, else the words of SQL as a string. */
export function typeCode(type: string): string {
  const known = knownType(type)
  return known === undefined ? stringOf(type) : `DataTypes.${known}`
}

function knownType(type: string): string | undefined {
  const plain = TYPES[type]
  if (plain !== undefined) return plain
  for (const [pattern, name] of WITH_NUMBERS) {
    const match = pattern.exec(type)
    if (match !== null) return `${name}(${match.slice(1).join(', ')})`
  }
  const element = type.endsWith('[]') ? knownType(type.slice(0, -2)) : undefined
  return element === undefined ? undefined : `ARRAY(DataTypes.${element})`
}

/** The default as an expression: a JavaScript value where it comes back as the same text, else a literal of SQL. */
export function defaultCode(column: Column, indent: number): string {
  const text = column.default ?? ''
  return plainDefault(column, text, indent) ?? `Sequelize.literal(${stringOf(text)})`
}

function plainDefault(column: Column, text: string, indent: number): string | undefined {
  if (column.isArray) return undefined
  if (/^(?:true|false)$/.test(text) && column.type === 'boolean') return text
  const number = /^(?:(\d+(?:\.\d+)?)|'(-\d+)'::integer|'(-\d+\.\d+)'::numeric)$/.exec(text)
  if (number !== null) return exactNumber(number[1] ?? number[2] ?? number[3] ?? '')
  // The type as it is printed stands behind the cast: only then it is what a bare text would become.
  const string = /^'((?:[^'\\]|'')*)'::(.+)$/s.exec(text)
  if (string === null || string[2] !== column.type.replace(/\(\d+\)$/, '')) return undefined
  const value = (string[1] ?? '').replaceAll("''", "'")
  if (column.type === 'json' || column.type === 'jsonb') return jsonCode(value, indent)
  if (column.enum !== null) return stringOf(value)
  return /^(?:text|character varying)(?:\(\d+\))?$/.test(column.type) ? stringOf(value) : undefined
}

/** Digits that a number of JavaScript keeps. */
function exactNumber(digits: string): string | undefined {
  return String(Number(digits)) === digits && Math.abs(Number(digits)) < 2 ** 31 ? digits : undefined
}

/** Sequelize writes an object as JSON.stringify does: only a text of that form would come back the same. */
function jsonCode(text: string, indent: number): string | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  const isObject = typeof value === 'object' && value !== null
  return isObject && JSON.stringify(value) === text ? print(valueCode(value), indent) : undefined
}

function valueCode(value: unknown): Code {
  if (typeof value === 'string') return stringOf(value)
  if (Array.isArray(value)) return { items: value.map(valueCode) }
  if (typeof value !== 'object' || value === null) return String(value)
  return { entries: Object.entries(value).map(([key, each]) => [key, valueCode(each)] as const) }
}
