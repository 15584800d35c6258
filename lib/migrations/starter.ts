/** The text of a project's first files, in each of its languages. Pure. */

/** TypeScript, JavaScript with `import`, JavaScript with `require`. */
export const LANGUAGES = ['ts', 'esm', 'cjs'] as const

export type Language = (typeof LANGUAGES)[number]

const OPTIONS = `{
  // The database is DATABASE_URL. An application that has a Sequelize imports it here and gives it instead; its queries
  // are then scoped to the current tenant:
  // sequelize,
  migrations: 'migrations/*',
  sharedMigrations: 'migrations/shared/*',
  seeders: 'seeders/*',
}`

/** The configuration; types are all it takes from the package, so that it loads wherever that is installed. */
export function configTemplate(language: Language): string {
  switch (language) {
    case 'ts':
      return `import type { TenancyConfig } from 'umzug-tenants'\n\nexport default ${OPTIONS} satisfies TenancyConfig\n`
    case 'esm':
      return `${TYPE}\nexport default ${OPTIONS}\n`
    case 'cjs':
      return `'use strict'\n\n${TYPE}\nmodule.exports = ${OPTIONS}\n`
  }
}

const TYPE = "/** @type {import('umzug-tenants').TenancyConfig} */"

/** A migration that makes a table. */
export function firstMigrationTemplate(language: Language): string {
  return MIGRATIONS[language]
}

const MIGRATIONS: Readonly<Record<Language, string>> = {
  ts: `import type { Migration } from 'umzug-tenants'

// A migration names no schema: each tenant gets a table of its own.
export const up: Migration = async ({ context }) => {
  await context.createTable('users', {
    id: { type: 'serial', primaryKey: true },
    email: { type: 'text', allowNull: false, unique: true },
  })
}

export const down: Migration = async ({ context }) => {
  await context.dropTable('users')
}
`,
  esm: `// A migration names no schema: each tenant gets a table of its own.
/** @type {import('umzug-tenants').Migration} */
export const up = async ({ context }) => {
  await context.createTable('users', {
    id: { type: 'serial', primaryKey: true },
    email: { type: 'text', allowNull: false, unique: true },
  })
}

/** @type {import('umzug-tenants').Migration} */
export const down = async ({ context }) => {
  await context.dropTable('users')
}
`,
  cjs: `'use strict'

// A migration names no schema: each tenant gets a table of its own.
/** @type {import('sequelize-cli').Migration} */
module.exports = {
  async up(queryInterface, Sequelize) {
    await queryInterface.createTable('users', {
      id: { type: Sequelize.INTEGER, primaryKey: true, autoIncrement: true },
      email: { type: Sequelize.TEXT, allowNull: false, unique: true },
    })
  },

  async down(queryInterface) {
    await queryInterface.dropTable('users')
  },
}
`,
}
