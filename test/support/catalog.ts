/** Everything a database holds, as text: two of them are equal if nothing was created, changed or removed. */
import type { TestDatabase } from './database.ts'

/** Schemas, relations with their columns, types, functions and constraints of the database, one line for each. */
export async function catalogOf(database: TestDatabase, schema = '%'): Promise<readonly string[]> {
  const rows = await database.query<{ line: string }>(
    `SELECT line FROM (
       SELECT nspname AS schema, 'schema ' || nspname AS line FROM pg_namespace
       UNION ALL
       SELECT nspname, format('%s %s.%s %s', relkind, nspname, relname,
                (SELECT string_agg(format('%s %s %s', attname, format_type(atttypid, atttypmod), attnotnull), ', '
                        ORDER BY attnum) FROM pg_attribute
                  WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped))
         FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
       UNION ALL
       SELECT nspname, format('type %s.%s %s', nspname, typname,
                (SELECT string_agg(enumlabel, ',' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid))
         FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace
       UNION ALL
       SELECT nspname, format('function %s.%s', nspname, proname)
         FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace
        WHERE p.oid >= 16384 -- the server's own thousands are not even looked at
       UNION ALL
       SELECT nspname, format('constraint %s.%s %s', nspname, conname, pg_get_constraintdef(k.oid))
         FROM pg_constraint k JOIN pg_namespace n ON n.oid = connamespace
        WHERE contype <> 'n' -- rows of their own from PostgreSQL 18 on
     ) AS everything
      WHERE schema LIKE $1 AND schema NOT IN ('pg_catalog', 'information_schema') AND schema NOT LIKE 'pg\\_%'
      ORDER BY line`,
    [schema],
  )
  return rows.map(({ line }) => line)
}

/** The rows of a table, as JSON texts, in their own order. */
export async function rowsOf(database: TestDatabase, table: string): Promise<readonly string[]> {
  const rows = await database.query<{ row: string }>(
    `SELECT to_jsonb(t)::text AS row FROM ${table} AS t ORDER BY 1`,
  )
  return rows.map(({ row }) => row)
}
