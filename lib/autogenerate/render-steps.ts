/** What a migration does, one thing after another: calls of the query interface where they are exact, else SQL. Pure. */
import type { Assessed, Operation } from './operation.ts'
import { constraintCall, indexCall, type Call } from './render-calls.ts'
import { stringOf } from './render-code.ts'
import { columnCode, isPlainColumn, isPlainName, isPlainTable, makesEnum, tableCode, type MadeEnums } from './render-columns.ts' // prettier-ignore
import { onlineSqlOf } from './sql-online.ts'
import { sqlOf } from './sql.ts'

/** One thing that a migration does, with what may go wrong. */
export interface Step {
  readonly does: Call | { readonly sql: string }
  readonly notes: readonly string[]
}

export interface StepOptions {
  /** `false`: in the forms for outside a transaction. */
  readonly transaction: boolean
  readonly concurrently: boolean
}

/** The steps of one side of a migration, in order. */
export function stepsOf(side: readonly Assessed[], options: StepOptions): readonly Step[] {
  if (!options.transaction) return side.flatMap((each) => withNotes(each, sqlSteps(each.operation, options)))
  const operations = side.map(({ operation }) => operation)
  const made = enumsOfCalls(operations)
  return side.flatMap((each) => withNotes(each, stepsOfOne(each.operation, made)))
}

function withNotes({ hazards }: Assessed, steps: readonly Step['does'][]): readonly Step[] {
  return steps.map((does, index) => ({ does, notes: index === 0 ? notesOf(hazards) : [] }))
}

/** What may go wrong, a line each. */
export function notesOf(hazards: Assessed['hazards']): readonly string[] {
  return hazards.map(({ kind, message }) => `${kind}: ${oneLine(message)}`)
}

export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}

/** An operation as SQL alone. */
export function statementsOf(operation: Operation, options: StepOptions): readonly string[] {
  return options.transaction ? sqlOf(operation) : onlineSqlOf(operation, options)
}

function sqlSteps(operation: Operation, options: StepOptions): readonly Step['does'][] {
  return statementsOf(operation, options).map((sql) => ({ sql }))
}

/**
 * Enums that are new and that a call makes with their column. All else that is of the type must come later than that
 * call: what came before would not find it.
 */
function enumsOfCalls(operations: readonly Operation[]): MadeEnums {
  const made = new Map()
  for (const operation of operations) {
    if (operation.kind !== 'create enum') continue
    const { name } = operation.enum
    const user = operations.find((each) => usesEnum(each, name))
    if (user !== undefined && canMake(user, name)) made.set(name, operation.enum)
  }
  return made
}

function usesEnum(operation: Operation, name: string): boolean {
  if (operation.kind === 'create table') return operation.table.columns.some((column) => column.enum === name)
  if (operation.kind === 'add column') return operation.column.enum === name
  return operation.kind === 'alter column' && operation.to.enum === name
}

function canMake(operation: Operation, name: string): boolean {
  if (operation.kind === 'create table') {
    const { table } = operation
    const users = table.columns.filter((column) => column.enum === name)
    return isPlainTable(table) && users.length === 1 && users.every((column) => makesEnum(table.name, column))
  }
  if (operation.kind !== 'add column' || !isPlainName(operation.table)) return false
  return isPlainColumn(operation.table, operation.column) && makesEnum(operation.table, operation.column)
}

function stepsOfOne(operation: Operation, made: MadeEnums): readonly Step['does'][] {
  if (operation.kind === 'create enum' && made.has(operation.enum.name)) return []
  if (operation.kind === 'create table' && isPlainTable(operation.table)) return createTable(operation.table, made) // prettier-ignore
  const exact = callFor(operation, made)
  return exact === undefined ? sqlOf(operation).map((sql) => ({ sql })) : [exact]
}

function createTable(
  table: Extract<Operation, { kind: 'create table' }>['table'],
  made: MadeEnums,
): Step['does'][] {
  const rest = table.constraints.filter(({ kind }) => kind !== 'primary key')
  return [
    { method: 'createTable', parameters: [stringOf(table.name), tableCode(table, made)] },
    ...rest.flatMap((constraint) =>
      stepsOfOne({ kind: 'add constraint', table: table.name, constraint }, made),
    ),
  ]
}

/** The call that does exactly `operation`, if there is one. */
function callFor(operation: Operation, made: MadeEnums): Call | undefined {
  switch (operation.kind) {
    case 'rename table':
      return named('renameTable', operation.table, operation.to)
    case 'rename column':
      return named('renameColumn', operation.table, operation.column, operation.to)
    case 'drop table':
      return named('dropTable', operation.table.name)
    case 'add column': {
      const { table, column } = operation
      if (!isPlainName(table) || !isPlainColumn(table, column)) return undefined
      return {
        method: 'addColumn',
        parameters: [stringOf(table), stringOf(column.name), columnCode(column, made)],
      }
    }
    case 'drop column':
      return named('removeColumn', operation.table, operation.column.name)
    case 'add constraint':
      return constraintCall(operation.table, operation.constraint)
    case 'drop constraint':
      return named('removeConstraint', operation.table, operation.constraint.name)
    case 'create index':
      return indexCall(operation.table, operation.index)
    case 'drop index':
      return named('removeIndex', operation.table, operation.index.name)
    default:
      return undefined
  }
}

/** A call that takes names alone. */
function named(method: string, ...names: readonly string[]): Call | undefined {
  return names.every(isPlainName) ? { method, parameters: names.map(stringOf) } : undefined
}
