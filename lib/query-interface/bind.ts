/**
 * Makes Sequelize's query interface mean the current schema by a bare table name. Stock v6 writes or reads `public`,
 * or all schemas at once, in most helpers, whatever the search path says.
 */
import type { Sequelize } from 'sequelize'

import { questions } from './catalog.ts'
import { enumHelpers } from './enums.ts'
import { schemaHelpers } from './schemas.ts'
import { type Binding, type Helpers, helpersOf, send } from './sequelize.ts'
import { statements } from './statements.ts'
import { learnTypesOfOneSchema } from './types.ts'

/** Binds `sequelize`'s helpers to the schema that `schemaOf` names when a statement is generated. */
export function bindQueryInterface(sequelize: Sequelize, schemaOf: () => string | undefined): void {
  const helpers = helpersOf(sequelize)
  const generator = helpers.queryGenerator
  const own = generator.options
  const binding: Binding = { sequelize, generator, schemaOf }

  // Where the generator asks its options for the default schema, it gets the current one: for ENUM types, addColumn,
  // removeColumn and showAllTables.
  generator.options = Object.create(own, {
    schema: { get: () => schemaOf() ?? (own as { schema?: string }).schema, enumerable: true },
  }) as object

  Object.assign(generator, questions(binding), statements(binding))
  Object.assign(
    helpers,
    enumHelpers(binding, helpers),
    schemaHelpers(binding, helpers),
    tableHelpers(binding, helpers),
  )
  learnTypesOfOneSchema(sequelize, schemaOf)
}

function tableHelpers({ sequelize, generator }: Binding, helpers: Helpers): Pick<Helpers, 'dropAllTables'> {
  return {
    /** As upstream, which drops the foreign keys outside the caller's transaction. */
    async dropAllTables(options = {}) {
      const { skip = [] } = options
      const tables = await helpers.showAllTables(options)
      const foreignKeys = await helpers.getForeignKeysForTables(tables, options)
      for (const table of tables) {
        for (const name of foreignKeys[table] ?? [])
          await send(sequelize, generator.dropForeignKeyQuery(table, name), options)
      }
      for (const table of tables) {
        if (!skip.includes(table)) await helpers.dropTable(table, { ...options, cascade: true })
      }
    },
  }
}
