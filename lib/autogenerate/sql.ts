/**
 * An operation as SQL with bare names: what a search path of one schema makes mean that schema. Where a statement
 * cannot be said with Sequelize's query interface it stands in the migration as it is written here.
 */
import { quoteIdentifier } from '../sql.ts'
import { clip, quoteText } from './names.ts'
import type { Operation } from './operation.ts'
import { partitioningOf } from './partitions.ts'
import type { Constraint, Enum, Index, Sequence, Table } from './snapshot.ts'
import { alterColumn } from './sql-alter.ts'
import { columnWith, type ColumnText } from './sql-columns.ts'

/** The statements that do `operation`, in order; none for what is only told. */
export function sqlOf(operation: Operation): readonly string[] {
  switch (operation.kind) {
    case 'rename table':
      return [`${alter(operation.table)} RENAME TO ${quoteIdentifier(operation.to)}`]
    case 'rename column':
      return [`${alter(operation.table)} RENAME COLUMN ${change(operation.column, operation.to)}`]
    case 'rename constraint':
      return [`${alter(operation.table)} RENAME CONSTRAINT ${change(operation.constraint, operation.to)}`]
    case 'rename index':
      return [`ALTER INDEX ${renamed(operation.index, operation.to)}`]
    case 'rename enum':
      return [`ALTER TYPE ${renamed(operation.enum, operation.to)}`]
    case 'rename sequence':
      return [`ALTER SEQUENCE ${renamed(operation.sequence, operation.to)}`]
    case 'create enum':
      return [createEnum(operation.enum)]
    case 'add enum value': {
      const place = operation.before === null ? '' : ` BEFORE ${quoteText(operation.before)}`
      return [`ALTER TYPE ${quoteIdentifier(operation.enum)} ADD VALUE ${quoteText(operation.value)}${place}`]
    }
    case 'replace enum':
      return replaceEnum(operation)
    case 'drop enum':
      return [`DROP TYPE ${quoteIdentifier(operation.enum.name)}`]
    case 'create sequence':
      return [createSequence(operation.sequence)]
    case 'drop sequence':
      return [`DROP SEQUENCE ${quoteIdentifier(operation.sequence.name)}`]
    case 'create table':
      return createTable(operation.table)
    case 'drop table':
      return [`DROP TABLE ${quoteIdentifier(operation.table.name)}`]
    case 'add column':
      return around(columnWith(operation.table, operation.column), (text) => [
        `${alter(operation.table)} ADD COLUMN ${text}`,
      ])
    case 'drop column':
      return [`${alter(operation.table)} DROP COLUMN ${quoteIdentifier(operation.column.name)}`]
    case 'alter column':
      return alterColumn(operation.table, operation.from, operation.to)
    case 'add constraint':
      return [`${alter(operation.table)} ADD ${constraintText(operation.constraint)}`]
    case 'drop constraint':
      return [`${alter(operation.table)} DROP CONSTRAINT ${quoteIdentifier(operation.constraint.name)}`]
    case 'validate constraint':
      return [`${alter(operation.table)} VALIDATE CONSTRAINT ${quoteIdentifier(operation.constraint.name)}`]
    case 'create index':
      return [createIndex(operation.index)]
    case 'drop index':
      return [`DROP INDEX ${quoteIdentifier(operation.index.name)}`]
    case 'comment':
      return [commentOn(operation)]
    case 'other':
      return []
  }
}

function alter(table: string): string {
  return `ALTER TABLE ${quoteIdentifier(table)}`
}

function change(from: string, to: string): string {
  return `${quoteIdentifier(from)} TO ${quoteIdentifier(to)}`
}

function renamed(from: string, to: string): string {
  return `${quoteIdentifier(from)} RENAME TO ${quoteIdentifier(to)}`
}

function createEnum({ name, labels }: Enum): string {
  return `CREATE TYPE ${quoteIdentifier(name)} AS ENUM (${labels.map(quoteText).join(', ')})`
}

function createSequence({ name, options }: Sequence): string {
  return `CREATE SEQUENCE ${quoteIdentifier(name)}${options === '' ? '' : ` ${options}`}`
}

/** With `word` between CREATE and INDEX's name, such as CONCURRENTLY. */
export function createIndex({ name, isUnique, definition }: Index, word = ''): string {
  const kind = isUnique ? 'UNIQUE INDEX' : 'INDEX'
  return `CREATE ${kind}${word === '' ? '' : ` ${word}`} ${quoteIdentifier(name)} ${definition}`
}

export function constraintText({ name, definition, isValid }: Constraint): string {
  return `CONSTRAINT ${quoteIdentifier(name)} ${definition}${isValid ? '' : ' NOT VALID'}`
}

function createTable(table: Table): readonly string[] {
  const { name, columns, constraints } = table
  const texts = columns.map((column) => columnWith(name, column))
  // PostgreSQL refuses NOT VALID inside CREATE TABLE.
  const within = constraints.filter(({ isValid }) => isValid).map(constraintText)
  const after = constraints.filter(({ isValid }) => !isValid).map((each) => `${alter(name)} ADD ${constraintText(each)}`) // prettier-ignore
  const lines = [...texts.map(({ text }) => text), ...within].map((line) => `\n  ${line}`)
  const end = lines.length === 0 ? '' : '\n'
  const partitioning = partitioningOf(table)
  const by = partitioning === undefined ? '' : ` PARTITION BY ${partitioning}`
  return [
    ...texts.flatMap(({ before }) => before),
    `CREATE TABLE ${quoteIdentifier(name)} (${lines.join(',')}${end})${by}`,
    ...texts.flatMap((text) => text.after),
    ...after,
  ]
}

function around({ before, text, after }: ColumnText, fn: (text: string) => readonly string[]): string[] {
  return [...before, ...fn(text), ...after]
}

/**
 * The old type is put aside under another name, so that the new one has the right name from the start; rows go
 * through text. A row that holds a label which is gone makes it fail.
 */
function replaceEnum({ from, to, columns }: Extract<Operation, { kind: 'replace enum' }>): readonly string[] {
  const isSameName = from.name === to.name
  const old = isSameName ? `${clip(from.name, 56)}__before` : from.name
  return [
    ...(isSameName ? [`ALTER TYPE ${renamed(from.name, old)}`] : []),
    createEnum(to),
    ...columns.flatMap(({ table, column }) => {
      const start = `${alter(table)} ALTER COLUMN ${quoteIdentifier(column.name)}`
      const array = column.isArray ? '[]' : ''
      const type = `${quoteIdentifier(to.name)}${array}`
      const value = `${quoteIdentifier(column.name)}::text${array}::${type}`
      return [
        // A default is of the old type, and keeps it from being dropped.
        `${start} DROP DEFAULT`,
        `${start} TYPE ${type} USING ${value}`,
        ...(column.default === null ? [] : [`${start} SET DEFAULT ${column.default}`]),
      ]
    }),
    `DROP TYPE ${quoteIdentifier(old)}`,
  ]
}

function commentOn({ on, to }: Extract<Operation, { kind: 'comment' }>): string {
  return `COMMENT ON ${subjectOf(on)} IS ${to === null ? 'NULL' : quoteText(to)}`
}

function subjectOf(on: Extract<Operation, { kind: 'comment' }>['on']): string {
  if ('enum' in on) return `TYPE ${quoteIdentifier(on.enum)}`
  if ('constraint' in on)
    return `CONSTRAINT ${quoteIdentifier(on.constraint)} ON ${quoteIdentifier(on.table)}`
  if ('index' in on) return `INDEX ${quoteIdentifier(on.index)}`
  if (on.column === undefined) return `TABLE ${quoteIdentifier(on.table)}`
  return `COLUMN ${quoteIdentifier(on.table)}.${quoteIdentifier(on.column)}`
}
