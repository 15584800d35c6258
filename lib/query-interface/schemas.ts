/**
 * Schemas as a tenant's migrations see them. Stock v6 lists every schema of the database but `public`, and
 * `dropAllSchemas` drops them: each a tenant.
 */
import { TenancyError } from '../errors.ts'
import { type Binding, type HelperOptions, type Helpers, select } from './sequelize.ts'

type SchemaHelpers = Pick<Helpers, 'createSchema' | 'dropSchema' | 'showAllSchemas' | 'dropAllSchemas'>

export function schemaHelpers(binding: Binding, helpers: Helpers): SchemaHelpers {
  const { sequelize, generator, schemaOf } = binding
  const stock = {
    createSchema: helpers.createSchema.bind(helpers),
    dropSchema: helpers.dropSchema.bind(helpers),
    showAllSchemas: helpers.showAllSchemas.bind(helpers),
  }
  /** Schemas that the runs of each schema have made for themselves. */
  const temporary = new Map<string, Set<string>>()

  const exists = async (schema: string, options?: HelperOptions) => {
    const where = `WHERE nspname = ${generator.escape(schema)}`
    return (await select(sequelize, `SELECT FROM pg_catalog.pg_namespace ${where}`, options)).length > 0
  }

  return {
    async createSchema(schema, options) {
      const current = schemaOf()
      // Upstream's IF NOT EXISTS would make a schema that was there before look like one of the run's own.
      const isNew = current !== undefined && !(await exists(schema, options))
      const result = await stock.createSchema(schema, options)
      if (isNew) temporary.set(current, (temporary.get(current) ?? new Set()).add(schema))
      return result
    },

    async dropSchema(schema, options) {
      const current = schemaOf()
      if (current !== undefined && temporary.get(current)?.delete(schema) !== true)
        throw foreign(schema, current)
      return stock.dropSchema(schema, options)
    },

    /** In a fresh database: neither the schema one is in, nor other tenants'. */
    async showAllSchemas(options) {
      const current = schemaOf()
      if (current === undefined) return stock.showAllSchemas(options)
      const made = [...(temporary.get(current) ?? [])].map((name) => generator.escape(name))
      const rows = await select<{ name: string }>(
        sequelize,
        `SELECT nspname AS name FROM pg_catalog.pg_namespace
          WHERE nspname = ANY (pg_catalog.current_schemas(false) || ARRAY[${made.join(', ')}]::name[])
            AND nspname NOT IN ('public', ${generator.escape(current)}) ORDER BY 1`,
        options,
      )
      return rows.map(({ name }) => name)
    },

    dropAllSchemas() {
      return Promise.reject(
        new TenancyError('FOREIGN_SCHEMA', 'dropAllSchemas would drop the schema of every tenant.', {
          schema: schemaOf(),
          fix: [
            'drop what the migration made: dropAllTables(), dropAllEnums(), or dropSchema of a schema it has created',
            'to remove a tenant: umzug-tenants tenants drop ID',
          ],
        }),
      )
    },
  }
}

function foreign(schema: string, current: string): TenancyError {
  if (schema === current) {
    return new TenancyError('FOREIGN_SCHEMA', `dropSchema would drop the tenant's own schema "${schema}".`, {
      schema,
      fix: [
        'to remove the tenant: umzug-tenants tenants drop ID',
        'to empty the schema in a migration: dropAllTables() and dropAllEnums()',
      ],
    })
  }
  return new TenancyError('FOREIGN_SCHEMA', `dropSchema would drop "${schema}", which is not of this run.`, {
    schema: current,
    detail: 'a run may drop only a schema that it has created itself',
    fix: ['take the call out of the migration, and drop the schema once by hand if nobody uses it'],
  })
}
