/**
 * Operations as the text of a migration: calls of the query interface where they are exact, SQL where they are not, and
 * the hazards beside what brings them. The same operations give the same bytes. Pure.
 */
import { identityOf } from '../migrations/revision.ts'
import type { MigrationFormat, NewFile } from '../migrations/template.ts'
import type { Assessed } from './operation.ts'
import { call, templateOf } from './render-code.ts'
import { notesOf, oneLine, statementsOf, stepsOf, type StepOptions } from './render-steps.ts'

export interface MigrationText {
  /** What the migration does, in the author's words. */
  readonly message: string
  readonly up: readonly Assessed[]
  readonly down: readonly Assessed[]
  /**
   * `false`: it is run outside a transaction, in forms that keep nobody waiting and can be run again.
   * @defaultValue `true`
   */
  readonly transaction?: boolean
  /**
   * `false` leaves the word CONCURRENTLY out, so that it can be tried out in a transaction.
   * @defaultValue `true`
   */
  readonly concurrently?: boolean
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
      { name: `${base}.sql`, text: sqlText(text, text.up, '-- transaction: false\n') },
      { name: `${base}.down.sql`, text: sqlText(text, text.down, '') },
    ]
  }
  return [{ name: `${base}.${format}`, text: DIALECTS[format](text) }]
}

const HEAD = 'written by autogenerate; read it before it runs'

const OUTSIDE =
  'outside a transaction, so that nobody waits for it: what has failed half way can be run again'

function headOf({ message, transaction = true }: MigrationText, mark: string): string {
  return `${mark} ${oneLine(message)}: ${HEAD}\n${transaction ? '' : `${mark} ${OUTSIDE}\n`}`
}

function optionsOf({ transaction = true, concurrently = true }: MigrationText): StepOptions {
  return { transaction, concurrently }
}

// ------------------------------------------------------------------------------------------------------------- SQL

/** @param mode What says that the whole file is run outside a transaction. */
function sqlText(text: MigrationText, side: readonly Assessed[], mode: string): string {
  const steps = side.flatMap(({ operation, hazards }) => {
    const notes = notesOf(hazards).map((note) => `-- ${note}\n`)
    const statements = statementsOf(operation, optionsOf(text)).map((statement) => `${statement};\n`)
    return statements.length === 0 ? [] : [notes.join('') + statements.join('')]
  })
  return `${modeOf(text, mode)}${headOf(text, '--')}\n${steps.join('\n')}`
}

// --------------------------------------------------------------------------------------------------------- modules

type ModuleFormat = Exclude<MigrationFormat, 'sql'>

const DIALECTS: Readonly<Record<ModuleFormat, (text: MigrationText) => string>> = {
  ts: (text) => `import type { Migration } from 'umzug-tenants'

${headOf(text, '//')}${modeOf(text, 'export const transaction = false\n')}
export const up: Migration = async ({ context }) => {
${bodyOf(text, 'up', UMZUG)}}

export const down: Migration = async ({ context }) => {
${bodyOf(text, 'down', UMZUG)}}
`,
  mjs: (text) => `${headOf(text, '//')}${modeOf(text, 'export const transaction = false\n')}
/** @type {import('umzug-tenants').Migration} */
export const up = async ({ context }) => {
${bodyOf(text, 'up', UMZUG)}}

/** @type {import('umzug-tenants').Migration} */
export const down = async ({ context }) => {
${bodyOf(text, 'down', UMZUG)}}
`,
  cjs: (text) => `'use strict'

${headOf(text, '//')}
/** @type {import('sequelize-cli').Migration} */
module.exports = {
${modeOf(text, '  transaction: false,\n')}  async up(queryInterface, Sequelize) {
${bodyOf(text, 'up', SEQUELIZE_CLI)}  },

  async down(queryInterface, Sequelize) {
${bodyOf(text, 'down', SEQUELIZE_CLI)}  },
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

function bodyOf(
  text: MigrationText,
  side: 'up' | 'down',
  { indent, helpers, query, sequelize }: Dialect,
): string {
  const space = ' '.repeat(indent)
  const statements = stepsOf(text[side], optionsOf(text)).map(({ does, notes }) => {
    const code =
      'sql' in does
        ? `await ${query}(${templateOf(indented(does.sql, space))})`
        : call(`await ${helpers}.${does.method}`, does.parameters, indent)
    return [...notes.map((note) => `${space}// ${note}\n`), `${space}${code}\n`].join('')
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
  const isLaidOut = /^(?:CREATE TABLE|DO) /.test(statement)
  const endsText = statement.split('\n').every((line) => isEven(line, "'") && isEven(line, '"'))
  return isLaidOut && endsText ? statement.replaceAll('\n', `\n${space}`) : statement
}

/** Whether no text that `quote` begins goes on behind the end of `line`. */
function isEven(line: string, quote: string): boolean {
  return line.split(quote).length % 2 === 1
}
