/**
 * Makes Sequelize's query generator mean the current schema by a bare table name. Stock v6 writes `public` in
 * addColumn, removeColumn, describeTable, tableExists, showAllTables and for every ENUM type, whatever the
 * search path says, and reads the indexes and constraints of all schemas at once.
 */
import type { Sequelize } from 'sequelize'

import { quoteIdentifier } from './sql.ts'

/** A table as Sequelize's helpers take it. */
type TableName = string | { readonly tableName: string; readonly schema?: string }

/** The members of PostgresQueryGenerator that are bound; Sequelize does not type them. */
interface QueryGenerator {
  options: object
  escape(value: string): string
  extractTableDetails(table: TableName | null | undefined, options?: object): Table
  quoteIdentifier(identifier: string, force?: boolean): string
  pgListEnums(table?: TableName | null, attribute?: string | null, options?: object): string
  tableExistsQuery(table: TableName): string
  describeTableQuery(table: string, schema?: string | null): string
  showIndexesQuery(table: TableName): string
  showConstraintsQuery(table: TableName): string
  getForeignKeysQuery(table: TableName): string
  getForeignKeyReferencesQuery(table: string, catalog?: string, schema?: string): string
  getForeignKeyReferenceQuery(table: TableName, column: string): string
}

/** Binds `sequelize`'s generator to the schema that `schemaOf` names when a statement is generated. */
export function bindQueryGenerator(sequelize: Sequelize, schemaOf: () => string | undefined): void {
  const generator = sequelize.getQueryInterface().queryGenerator as QueryGenerator // typed as unknown upstream
  const own = generator.options
  const located = (table: TableName): { tableName: string; schema: string } => {
    const { tableName, schema } = typeof table === 'string' ? { tableName: table } : { ...table }
    return { tableName, schema: schema ?? schemaOf() ?? 'public' }
  }
  const stock = {
    quoteIdentifier: generator.quoteIdentifier.bind(generator),
    listEnums: generator.pgListEnums.bind(generator),
    tableExists: generator.tableExistsQuery.bind(generator),
    showIndexes: generator.showIndexesQuery.bind(generator),
    references: generator.getForeignKeyReferencesQuery.bind(generator),
    reference: generator.getForeignKeyReferenceQuery.bind(generator),
  }

  // Where the generator asks its options for the default schema, it gets the current one.
  generator.options = Object.create(own, {
    schema: { get: () => schemaOf() ?? (own as { schema?: string }).schema, enumerable: true },
  }) as object

  Object.assign(generator, {
    // Stock takes quotes off an identifier: a"b would be ab, which may be another tenant's schema.
    quoteIdentifier: (identifier, force) =>
      identifier.includes('"') && identifier === schemaOf()
        ? quoteIdentifier(identifier)
        : stock.quoteIdentifier(identifier, force),
    pgListEnums: (table, attribute, options) =>
      stock.listEnums(inQuotes(generator.extractTableDetails(table, options)), attribute, options),
    tableExistsQuery: (table) => stock.tableExists(located(table)),
    describeTableQuery: (table, schema) =>
      describeTable(generator, located(schema ? { tableName: table, schema } : table)),
    showIndexesQuery: (table) => stock.showIndexes(inQuotes(located(table))),
    showConstraintsQuery: (table) => showConstraints(generator, located(table)),
    getForeignKeysQuery: (table) => showForeignKeys(generator, located(table)),
    getForeignKeyReferencesQuery: (table, catalog, schema) =>
      stock.references(table, catalog, literal(schema ?? schemaOf())) + OF_ONE_SCHEMA,
    getForeignKeyReferenceQuery: (table, column) =>
      stock.reference(inQuotes(located(table)), column) + OF_ONE_SCHEMA,
  } satisfies Partial<QueryGenerator>)
}

/** Stock joins by the constraint's name alone, which every tenant has: their tables would come back too. */
const OF_ONE_SCHEMA =
  ' AND kcu.constraint_schema = tc.constraint_schema AND ccu.constraint_schema = tc.constraint_schema'

type Table = { readonly tableName: string; readonly schema: string }

/** The table for texts that stock puts between single quotes without escaping. */
function inQuotes({ tableName, schema }: Table): Table {
  return { tableName, schema: literal(schema) }
}

function literal<T extends string | undefined>(name: T): T {
  return name?.replaceAll("'", "''") as T // a string stays a string
}

/**
 * Sequelize's own text finds an ENUM by its name and a comment by the table's name, in every schema: labels of
 * all tenants come back merged, and two comments are an error 21000 (sequelize #17288). This one goes by oid.
 */
function describeTable(generator: QueryGenerator, { tableName, schema }: Table): string {
  return `
    SELECT (SELECT 'PRIMARY KEY' FROM pg_catalog.pg_constraint k
             WHERE k.conrelid = t.oid AND k.contype = 'p' AND a.attnum = ANY (k.conkey)) AS "Constraint",
           c.column_name AS "Field", c.column_default AS "Default", c.is_nullable AS "Null",
           CASE WHEN c.udt_name = 'hstore' THEN c.udt_name ELSE c.data_type END
             || coalesce('(' || c.character_maximum_length || ')', '') AS "Type",
           (SELECT array_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_catalog.pg_enum e
             WHERE e.enumtypid = a.atttypid) AS "special",
           pg_catalog.col_description(t.oid, a.attnum) AS "Comment"
      FROM information_schema.columns c
      JOIN pg_catalog.pg_namespace n ON n.nspname = c.table_schema
      JOIN pg_catalog.pg_class t ON t.relnamespace = n.oid AND t.relname = c.table_name
      JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attname = c.column_name
     WHERE c.table_name = ${generator.escape(tableName)} AND c.table_schema = ${generator.escape(schema)}
     ORDER BY c.ordinal_position`
}

function showConstraints(generator: QueryGenerator, { tableName, schema }: Table): string {
  return `
    SELECT constraint_catalog AS "constraintCatalog", constraint_schema AS "constraintSchema",
           constraint_name AS "constraintName", table_catalog AS "tableCatalog", table_schema AS "tableSchema",
           table_name AS "tableName", constraint_type AS "constraintType", is_deferrable AS "isDeferrable",
           initially_deferred AS "initiallyDeferred"
      FROM information_schema.table_constraints
     WHERE table_name = ${generator.escape(tableName)} AND table_schema = ${generator.escape(schema)}`
}

function showForeignKeys(generator: QueryGenerator, { tableName, schema }: Table): string {
  return `
    SELECT k.conname AS constraint_name, pg_catalog.pg_get_constraintdef(k.oid, true) AS condef
      FROM pg_catalog.pg_constraint k
      JOIN pg_catalog.pg_class t ON t.oid = k.conrelid
      JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
     WHERE t.relname = ${generator.escape(tableName)} AND n.nspname = ${generator.escape(schema)} AND k.contype = 'f'
     ORDER BY 1`
}
