/**
 * Objects in schemas that belong neither to the migration that is running nor to any tenant, `public` first of all:
 * read before and after a migration that runs outside a transaction, whose changes no lock and no transaction number
 * tells from those of others.
 */
import { readLedger } from '../ledger.ts'
import type { SqlRunner } from '../sql.ts'
import { LEDGER_SCHEMA } from '../tenant.ts'

/** Kind and name of each object, and what changes when it is altered. */
export type Bystanders = ReadonlyMap<string, string>

/** The objects outside `schemas`, outside the tenants' and the server's own. */
export async function readBystanders(sql: SqlRunner, schemas: readonly string[]): Promise<Bystanders> {
  const tenants = (await readLedger(sql)).map(({ schema }) => schema)
  const rows = await sql.query<{ object: string; version: string }>(OBJECTS, [
    [...schemas, ...tenants, LEDGER_SCHEMA],
  ])
  return new Map(rows.map(({ object, version }) => [object, version]))
}

/** Objects that are new, gone or altered. */
export function differences(before: Bystanders, after: Bystanders): readonly string[] {
  const objects = new Set([...before.keys(), ...after.keys()])
  return [...objects].filter((object) => before.get(object) !== after.get(object)).toSorted()
}

// A row of the catalog that is written anew has another xmin; what vacuum and analyze note in it does not count,
// for they write in place.
const OBJECTS = `
  SELECT pg_catalog.format(CASE kind WHEN 'schema' THEN '%s %I' ELSE '%s %I.%I' END, kind, nspname, name) AS object,
         pg_catalog.string_agg(version, ',' ORDER BY version) AS version
    FROM (
      SELECT 'relation' AS kind, relname AS name, relnamespace AS namespace, oid || ':' || xmin || ':' || coalesce((
               SELECT pg_catalog.string_agg(a.attnum || '=' || a.xmin, ',' ORDER BY a.attnum)
                 FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid), '') AS version
        FROM pg_catalog.pg_class c
      UNION ALL
      SELECT 'type', typname, typnamespace, oid || ':' || xmin || ':' || coalesce((
               SELECT pg_catalog.string_agg(e.oid || '=' || e.xmin, ',' ORDER BY e.oid)
                 FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid), '')
        FROM pg_catalog.pg_type t WHERE typrelid = 0 AND typelem = 0
      UNION ALL
      SELECT 'function', proname, pronamespace, oid || ':' || xmin FROM pg_catalog.pg_proc
      UNION ALL
      SELECT 'schema', nspname, oid, oid || ':' || xmin FROM pg_catalog.pg_namespace) AS o
    JOIN pg_catalog.pg_namespace n ON n.oid = o.namespace
   WHERE nspname <> ALL ($1) AND nspname !~ '^pg_' AND nspname <> 'information_schema'
   GROUP BY kind, nspname, name`
