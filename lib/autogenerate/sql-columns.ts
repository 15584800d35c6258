/** A column's definition as CREATE TABLE and ADD COLUMN take it. */
import { quoteIdentifier } from '../sql.ts'
import { madeUpName, quoteText } from './names.ts'
import type { Column, Sequence } from './snapshot.ts'

export interface ColumnText {
  /** Statements that must have run before. */
  readonly before: readonly string[]
  readonly text: string
  readonly after: readonly string[]
}

/** PostgreSQL's short words, which make a sequence of the column's own type and name. */
const SERIALS: Readonly<Record<string, string>> = {
  smallint: 'smallserial',
  integer: 'serial',
  bigint: 'bigserial',
}

/** The sequence that a `serial` or identity column of this type gets if nothing is said about it. */
export function usualSequence(table: string, { name, type }: Column): Pick<Sequence, 'name' | 'options'> {
  return { name: madeUpName(table, name, 'seq'), options: type === 'bigint' ? '' : `AS ${type}` }
}

/** Whether `sequence` is called and counts as it would if nothing was said about it. */
export function isUsual(table: string, column: Column, sequence: Sequence): boolean {
  const usual = usualSequence(table, column)
  return sequence.name === usual.name && sequence.options === usual.options
}

/** Whether `serial` alone says all of the column's sequence. */
export function isPlainSerial(table: string, column: Column): boolean {
  const { serial, notNull, type } = column
  return serial !== null && notNull && type in SERIALS && isUsual(table, column, serial)
}

export function columnWith(table: string, column: Column): ColumnText {
  const { serial } = column
  if (serial === null || isPlainSerial(table, column))
    return { before: [], text: columnText(table, column), after: [] }
  return {
    before: [createOwned(serial)],
    text: columnText(table, { ...column, serial: null, default: nextValueOf(serial) }),
    after: [own(table, column.name, serial)],
  }
}

function columnText(table: string, column: Column): string {
  const type = column.serial === null ? column.type : (SERIALS[column.type] ?? column.type)
  return [
    quoteIdentifier(column.name),
    type,
    ...(column.collation === null ? [] : [`COLLATE ${column.collation}`]),
    ...(column.default === null ? [] : [`DEFAULT ${column.default}`]),
    ...(column.generated === null ? [] : [generatedText(column.generated)]),
    ...(column.identity === null ? [] : [identityText(table, column)]),
    ...(column.notNull && column.serial === null ? ['NOT NULL'] : []),
  ].join(' ')
}

function generatedText({ expression, stored }: NonNullable<Column['generated']>): string {
  return `GENERATED ALWAYS AS (${expression}) ${stored ? 'STORED' : 'VIRTUAL'}`
}

/** `GENERATED … AS IDENTITY`; what the sequence is called and counts by only where it is not the usual. */
export function identityText(table: string, column: Column): string {
  if (column.identity === null) return ''
  const { always, sequence } = column.identity
  const usual = usualSequence(table, column)
  const options = [
    ...(sequence.name === usual.name ? [] : [`SEQUENCE NAME ${quoteIdentifier(sequence.name)}`]),
    // The type is the column's, and cannot be said here.
    ...(sequence.options === usual.options ? [] : [withoutType(sequence.options)]),
  ].filter((each) => each !== '')
  const words = `GENERATED ${always ? 'ALWAYS' : 'BY DEFAULT'} AS IDENTITY`
  return options.length === 0 ? words : `${words} (${options.join(' ')})`
}

function withoutType(options: string): string {
  return options.replace(/^AS \w+ ?/, '')
}

export function createOwned({ name, options }: Sequence): string {
  return `CREATE SEQUENCE ${quoteIdentifier(name)}${options === '' ? '' : ` ${options}`}`
}

/** Dropped with the column from then on. */
export function own(table: string, column: string, { name }: Sequence): string {
  return `ALTER SEQUENCE ${quoteIdentifier(name)} OWNED BY ${quoteIdentifier(table)}.${quoteIdentifier(column)}`
}

export function nextValueOf({ name }: Sequence): string {
  return `nextval(${quoteText(quoteIdentifier(name))}::regclass)`
}
