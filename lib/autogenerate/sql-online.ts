/**
 * An operation as SQL for outside a transaction, in the form that keeps nobody waiting while a table is read. What has
 * failed half way is run again from its start, so each statement can be run again: the run itself drops the INVALID
 * index that a broken CONCURRENTLY leaves (`migrations/outside`).
 */
import { quoteIdentifier } from '../sql.ts'
import { clip, quoteText } from './names.ts'
import type { Operation } from './operation.ts'
import type { Column, Constraint } from './snapshot.ts'
import { createIndex, sqlOf } from './sql.ts'

export interface OnlineOptions {
  /** `false` leaves the word CONCURRENTLY out, which no transaction may have: to try the rest out in one. */
  readonly concurrently: boolean
}

/** The statements that do `operation`, in order. */
export function onlineSqlOf(operation: Operation, { concurrently }: OnlineOptions): readonly string[] {
  const word = concurrently ? 'CONCURRENTLY ' : ''
  switch (operation.kind) {
    case 'create index':
      return [createIndex(operation.index, `${word}IF NOT EXISTS`)]
    case 'drop index':
      return [`DROP INDEX ${word}IF EXISTS ${quoteIdentifier(operation.index.name)}`]
    case 'add constraint':
      return addConstraint(operation.table, operation.constraint, word)
    case 'drop constraint':
      return [`${alter(operation.table)} ${dropIfThere(operation.constraint.name)}`]
    case 'alter column':
      return alterColumn(operation)
    default:
      return sqlOf(operation)
  }
}

function alter(table: string): string {
  return `ALTER TABLE ${quoteIdentifier(table)}`
}

function dropIfThere(constraint: string): string {
  return `DROP CONSTRAINT IF EXISTS ${quoteIdentifier(constraint)}`
}

function addConstraint(table: string, constraint: Constraint, word: string): readonly string[] {
  const index = constraint.kind === 'unique' ? uniqueIndexOf(constraint) : undefined
  if (index === undefined) return addNotValid(table, constraint.name, constraint.definition)
  const name = quoteIdentifier(constraint.name)
  return [
    `CREATE UNIQUE INDEX ${word}IF NOT EXISTS ${name} ON ${quoteIdentifier(table)} ${index.keys}`,
    unlessThere(table, constraint.name, `${alter(table)} ADD CONSTRAINT ${name} UNIQUE USING INDEX ${name}${index.mode}`), // prettier-ignore
  ]
}

/** New rows must obey it at once; those that are there are read under a lock that keeps nobody from writing. */
function addNotValid(table: string, constraint: string, definition: string): readonly string[] {
  const name = quoteIdentifier(constraint)
  return [
    `${alter(table)} ${dropIfThere(constraint)}, ADD CONSTRAINT ${name} ${definition} NOT VALID`,
    `${alter(table)} VALIDATE CONSTRAINT ${name}`,
  ]
}

/** There is no IF NOT EXISTS for a constraint, and what stands on a key keeps it from being dropped and made again. */
function unlessThere(table: string, constraint: string, statement: string): string {
  const lines = [
    'BEGIN',
    `  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = ${quoteText(quoteIdentifier(table))}::regclass`,
    `                                             AND conname = ${quoteText(constraint)}) THEN`,
    `    ${statement};`,
    '  END IF;',
    'END',
  ].join('\n')
  const quote = lines.includes('$$') ? '$statement$' : '$$'
  return `DO ${quote}\n${lines}\n${quote}`
}

/** A check that is valid tells PostgreSQL that it need not read the table for NOT NULL. */
function alterColumn(operation: Extract<Operation, { kind: 'alter column' }>): readonly string[] {
  const { table, from, to } = operation
  const statements = sqlOf(operation)
  if (from.notNull || !to.notNull) return statements
  const check = checkName(table, to)
  const filled = `CHECK (${quoteIdentifier(to.name)} IS NOT NULL)`
  return [...addNotValid(table, check, filled), ...statements, `${alter(table)} ${dropIfThere(check)}`]
}

function checkName(table: string, { name }: Column): string {
  return `${clip(`${table}_${name}`, 52)}__filled`
}

/** The index that a unique constraint can take over, behind the name of the table; none for one that says more. */
export function uniqueIndexOf({ definition }: Constraint): { keys: string; mode: string } | undefined {
  const match = /^UNIQUE( NULLS NOT DISTINCT)? (\(.*\))((?: DEFERRABLE)?(?: INITIALLY DEFERRED)?)$/s.exec(definition) // prettier-ignore
  if (match === null) return undefined
  const [, nulls = '', keys = '', mode = ''] = match
  // Storage parameters and periods are left to the plain form.
  return /\) WITH \(| WITHOUT OVERLAPS/.test(keys) ? undefined : { keys: `${keys}${nulls}`, mode }
}
