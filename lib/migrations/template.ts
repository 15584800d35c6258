/** The text of a new migration, in each of the formats that `create` writes. Pure. */

/** `ts` and `mjs` are written in Umzug's form, `cjs` in sequelize-cli's, `sql` as one file for each direction. */
export const MIGRATION_FORMATS = ['ts', 'mjs', 'cjs', 'sql'] as const

export type MigrationFormat = (typeof MIGRATION_FORMATS)[number]

/** A file to write, by its name without a folder. */
export interface NewFile {
  readonly name: string
  readonly text: string
}

/**
 * The files of a migration called `name`, which has no extension.
 *
 * @param whose schema its bare names mean: `the tenant's`, or `the shared`
 */
export function migrationTemplate(
  name: string,
  format: MigrationFormat,
  whose = "the tenant's",
): readonly NewFile[] {
  return templates(name, format).map((file) => ({ ...file, text: file.text.replace("the tenant's", whose) }))
}

function templates(name: string, format: MigrationFormat): readonly NewFile[] {
  if (format === 'sql') {
    return [
      { name: `${name}.sql`, text: SQL_UP },
      { name: `${name}.down.sql`, text: SQL_DOWN },
    ]
  }
  return [{ name: `${name}.${format}`, text: MODULES[format] }]
}

const MODULES: Readonly<Record<Exclude<MigrationFormat, 'sql'>, string>> = {
  ts: `import type { Migration } from 'umzug-tenants'

export const up: Migration = async ({ context }) => {
  // Bare names mean the tenant's schema: await context.sql('CREATE TABLE notes (id integer PRIMARY KEY)')
}

export const down: Migration = async ({ context }) => {
  // await context.sql('DROP TABLE notes')
}
`,
  mjs: `/** @type {import('umzug-tenants').Migration} */
export const up = async ({ context }) => {
  // Bare names mean the tenant's schema: await context.sql('CREATE TABLE notes (id integer PRIMARY KEY)')
}

/** @type {import('umzug-tenants').Migration} */
export const down = async ({ context }) => {
  // await context.sql('DROP TABLE notes')
}
`,
  cjs: `'use strict'

/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up(queryInterface, Sequelize) {
    // Bare names mean the tenant's schema: await queryInterface.createTable('notes', { id: Sequelize.INTEGER })
  },

  async down(queryInterface, Sequelize) {
    // await queryInterface.dropTable('notes')
  },
}
`,
}

const SQL_UP = `-- Bare names mean the tenant's schema: CREATE TABLE notes (id integer PRIMARY KEY);
`

const SQL_DOWN = `-- DROP TABLE notes;
`
