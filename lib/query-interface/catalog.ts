/**
 * Questions to the catalog, about one schema. Stock v6 asks `public`, or all schemas at once: it finds a table's
 * indexes, constraints and foreign keys by the table's name alone, so that every tenant's come back.
 */
import type { Binding, QueryGenerator, Table } from './sequelize.ts'
import { locate } from './tables.ts'

type Questions = Pick<
  QueryGenerator,
  | 'tableExistsQuery'
  | 'describeTableQuery'
  | 'showIndexesQuery'
  | 'showConstraintsQuery'
  | 'getForeignKeysQuery'
  | 'getForeignKeyReferencesQuery'
  | 'getForeignKeyReferenceQuery'
  | 'pgListEnums'
>

export function questions(binding: Binding): Questions {
  const { generator } = binding
  const tableExists = generator.tableExistsQuery.bind(generator)
  const showIndexes = generator.showIndexesQuery.bind(generator)
  const at = (table: Table) => condition(generator, table)
  return {
    // Upstream reads its answer by the first words of the text, and defaults to public whatever its options say.
    tableExistsQuery: (table) => tableExists(locate(binding, table)),
    describeTableQuery: (tableName, schema) =>
      describeTable(at(locate(binding, { tableName, schema: schema ?? undefined }))),
    showIndexesQuery: (table) => showIndexes(inQuotes(locate(binding, table))),
    showConstraintsQuery: (table) => showConstraints(generator, locate(binding, table)),
    getForeignKeysQuery: (table) => showForeignKeys(at(locate(binding, table))),
    getForeignKeyReferencesQuery: (tableName, _catalog, schema) =>
      showReferences(at(locate(binding, { tableName, schema }))),
    getForeignKeyReferenceQuery: (table, column) =>
      showReferences(at(locate(binding, table)), `AND a.attname = ${generator.escape(column)}`),
    pgListEnums: (table, attribute, options) => {
      const { tableName, schema } = generator.extractTableDetails(table, options)
      // Without a table upstream's details hold an empty object for its name.
      const hasTable = typeof tableName === 'string' && tableName !== ''
      return listEnums(
        generator,
        schema,
        hasTable && attribute ? `enum_${tableName}_${attribute}` : undefined,
      )
    },
  }
}

/** Of pg_class `t` and pg_namespace `n`. */
function condition(generator: QueryGenerator, { tableName, schema }: Table): string {
  return `t.relname = ${generator.escape(tableName)} AND n.nspname = ${generator.escape(schema)}`
}

/** The table for a text that upstream puts between single quotes without escaping. */
function inQuotes({ tableName, schema }: Table): Table {
  return { tableName: tableName.replaceAll("'", "''"), schema: schema.replaceAll("'", "''") }
}

/**
 * Upstream finds an ENUM by its name and a comment by the table's name, in every schema: labels of all tenants come
 * back merged, and two comments are an error 21000 (sequelize #17288). This one goes by oid. Labels come in the order in
 * which they were made, as upstream finds them in a database that is not large.
 */
function describeTable(at: string): string {
  return `
    SELECT (SELECT 'PRIMARY KEY' FROM pg_catalog.pg_constraint k
             WHERE k.conrelid = t.oid AND k.contype = 'p' AND a.attnum = ANY (k.conkey)) AS "Constraint",
           c.column_name AS "Field", c.column_default AS "Default", c.is_nullable AS "Null",
           CASE WHEN c.udt_name = 'hstore' THEN c.udt_name ELSE c.data_type END
             || coalesce('(' || c.character_maximum_length || ')', '') AS "Type",
           (SELECT array_agg(e.enumlabel ORDER BY e.oid) FROM pg_catalog.pg_enum e
             WHERE e.enumtypid IN (y.oid, y.typbasetype)) AS "special",
           pg_catalog.col_description(t.oid, a.attnum) AS "Comment"
      FROM pg_catalog.pg_class t
      JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
      JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid
      JOIN pg_catalog.pg_type y ON y.oid = a.atttypid
      JOIN information_schema.columns c
        ON c.table_schema = n.nspname AND c.table_name = t.relname AND c.column_name = a.attname
     WHERE ${at}
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

function showForeignKeys(at: string): string {
  return `
    SELECT k.conname AS constraint_name, pg_catalog.pg_get_constraintdef(k.oid, true) AS condef
      FROM pg_catalog.pg_constraint k
      JOIN pg_catalog.pg_class t ON t.oid = k.conrelid
      JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
     WHERE ${at} AND k.contype = 'f' AND k.conparentid = 0
     ORDER BY 1`
}

/**
 * Upstream joins the information schema's views by the constraint's name alone, which every tenant has, and which
 * two tables of one schema may have; a key of two columns comes back as every pair of them. Same columns here.
 */
function showReferences(at: string, more = ''): string {
  return `
    SELECT k.conname AS constraint_name, n.nspname AS constraint_schema, current_database() AS constraint_catalog,
           t.relname AS table_name, n.nspname AS table_schema, current_database() AS table_catalog,
           CASE WHEN k.condeferred THEN 'YES' ELSE 'NO' END AS initially_deferred,
           CASE WHEN k.condeferrable THEN 'YES' ELSE 'NO' END AS is_deferrable,
           a.attname AS column_name, rn.nspname AS referenced_table_schema,
           current_database() AS referenced_table_catalog, r.relname AS referenced_table_name,
           ra.attname AS referenced_column_name
      FROM pg_catalog.pg_constraint k
      JOIN pg_catalog.pg_class t ON t.oid = k.conrelid
      JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
      JOIN pg_catalog.pg_class r ON r.oid = k.confrelid
      JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace
      CROSS JOIN LATERAL unnest(k.conkey, k.confkey) WITH ORDINALITY AS pair (attnum, referenced, position)
      JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = pair.attnum
      JOIN pg_catalog.pg_attribute ra ON ra.attrelid = r.oid AND ra.attnum = pair.referenced
     WHERE ${at} AND k.contype = 'f' ${more}
     ORDER BY k.conname, pair.position`
}

/** As upstream, which asks `public` and does not escape the names. */
function listEnums(generator: QueryGenerator, schema: string, name: string | undefined): string {
  return `
    SELECT t.typname AS enum_name, array_agg(e.enumlabel ORDER BY e.enumsortorder) AS enum_value
      FROM pg_catalog.pg_type t
      JOIN pg_catalog.pg_enum e ON e.enumtypid = t.oid
      JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
     WHERE n.nspname = ${generator.escape(schema)} ${name === undefined ? '' : `AND t.typname = ${generator.escape(name)}`}
     GROUP BY 1`
}
