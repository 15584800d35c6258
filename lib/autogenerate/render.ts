/**
 * Operations as the text of a migration: calls of the query interface where they are exact, SQL where they are not, and
 * the hazards beside what brings them. The same operations give the same bytes. Pure.
 */
import { identityOf } from '../migrations/revision.ts'
import type { MigrationFormat, NewFile } from '../migrations/template.ts'
import type { Assessed, Operation } from './operation.ts'
import { call, stringOf, templateOf } from './render-code.ts'
import { constraintCall, indexCall, type Call } from './render-calls.ts'
import { columnCode, isPlainColumn, isPlainName, isPlainTable, makesEnum, tableCode, type MadeEnums } from './render-columns.ts' // prettier-ignore
import { sqlOf } from './sql.ts'

export interface MigrationText {
  /** What the migration does, in the author's words. */
  readonly message: string
  readonly up: readonly Assessed[]
  readonly down: readonly Assessed[]
  /** `false`: it is run outside a transaction. */
  readonly transaction?: boolean
}

/** One thing that a migration does, with what may go wrong. */
interface Step {
  readonly does: Call | { readonly sql: string }
  readonly notes: readonly string[]
}

/** The files of the migration called `name`, which has no extension. */
export function renderMigration(
  name: string,
  format: MigrationFormat,
  text: MigrationText,
): readonly NewFile[] {
  const base = identityOf(name)
  if (format === 'sql') {
    return [
      { name: `${base}.sql`, text: sqlText(text, text.up) },
      { name: `${base}.down.sql`, text: sqlText({ ...text, transaction: true }, text.down) },
    ]
  }
  return [{ name: `${base}.${format}`, text: DIALECTS[format](text) }]
}

const HEAD = 'written by autogenerate; read it before it runs'

function headOf({ message }: MigrationText, mark: string): string {
  return `${mark} ${oneLine(message)}: ${HEAD}\n`
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}

// ------------------------------------------------------------------------------------------------------------- SQL

function sqlText(text: MigrationText, side: readonly Assessed[]): string {
  const steps = side.flatMap(({ operation, hazards }) => {
    const notes = notesOf(hazards).map((note) => `-- ${note}\n`)
    const statements = sqlOf(operation).map((statement) => `${statement};\n`)
    return statements.length === 0 ? [] : [notes.join('') + statements.join('')]
  })
  const mode = text.transaction === false ? '-- transaction: false\n' : ''
  return `${mode}${headOf(text, '--')}\n${steps.join('\n')}`
}

function notesOf(hazards: Assessed['hazards']): readonly string[] {
  return hazards.map(({ kind, message }) => `${kind}: ${oneLine(message)}`)
}

// --------------------------------------------------------------------------------------------------------- modules

type ModuleFormat = Exclude<MigrationFormat, 'sql'>

const DIALECTS: Readonly<Record<ModuleFormat, (text: MigrationText) => string>> = {
  ts: (text) => `import type { Migration } from 'umzug-tenants'

${headOf(text, '//')}${modeOf(text, 'export const transaction = false\n')}
export const up: Migration = async ({ context }) => {
${bodyOf(text.up, UMZUG)}}

export const down: Migration = async ({ context }) => {
${bodyOf(text.down, UMZUG)}}
`,
  mjs: (text) => `${headOf(text, '//')}${modeOf(text, 'export const transaction = false\n')}
/** @type {import('umzug-tenants').Migration} */
export const up = async ({ context }) => {
${bodyOf(text.up, UMZUG)}}

/** @type {import('umzug-tenants').Migration} */
export const down = async ({ context }) => {
${bodyOf(text.down, UMZUG)}}
`,
  cjs: (text) => `'use strict'

${headOf(text, '//')}
/** @type {import('sequelize-cli').Migration} */
module.exports = {
${modeOf(text, '  transaction: false,\n')}  async up(queryInterface, Sequelize) {
${bodyOf(text.up, SEQUELIZE_CLI)}  },

  async down(queryInterface, Sequelize) {
${bodyOf(text.down, SEQUELIZE_CLI)}  },
}
`,
}

function modeOf({ transaction = true }: MigrationText, declaration: string): string {
  return transaction ? '' : declaration
}

interface Dialect {
  readonly indent: number
  readonly helpers: string
  readonly query: string
  /** Brings `Sequelize` into scope, if it is not there. */
  readonly sequelize: string | undefined
}

const UMZUG: Dialect = {
  indent: 2,
  helpers: 'context',
  query: 'context.sql',
  sequelize: 'const { Sequelize } = context',
}

const SEQUELIZE_CLI: Dialect = {
  indent: 4,
  helpers: 'queryInterface',
  query: 'queryInterface.sequelize.query',
  sequelize: undefined,
}

function bodyOf(side: readonly Assessed[], { indent, helpers, query, sequelize }: Dialect): string {
  const space = ' '.repeat(indent)
  const statements = stepsOf(side).map(({ does, notes }) => {
    const text =
      'sql' in does
        ? `await ${query}(${templateOf(indented(does.sql, space))})`
        : call(`await ${helpers}.${does.method}`, does.parameters, indent)
    return [...notes.map((note) => `${space}// ${note}\n`), `${space}${text}\n`].join('')
  })
  const code = statements.join('')
  const needs = [
    ...(sequelize !== undefined && /\b(?:DataTypes|Sequelize)\./.test(code) ? [sequelize] : []),
    ...(/\bDataTypes\./.test(code) ? ['const { DataTypes } = Sequelize'] : []),
  ]
  return [...needs.map((line) => `${space}${line}\n`), code].join('')
}

/** Further lines of a statement, moved in with the code around them; not inside a text, which would change it. */
function indented(statement: string, space: string): string {
  return statement.startsWith('CREATE TABLE') && !statement.includes("'")
    ? statement.replaceAll('\n', `\n${space}`)
    : statement
}

function stepsOf(side: readonly Assessed[]): readonly Step[] {
  const operations = side.map(({ operation }) => operation)
  const made = enumsOfCalls(operations)
  return side.flatMap(({ operation, hazards }) =>
    stepsOfOne(operation, made).map((does, index) => ({ does, notes: index === 0 ? notesOf(hazards) : [] })),
  )
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
