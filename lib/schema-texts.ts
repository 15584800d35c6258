/**
 * Texts in the database that name a schema. PostgreSQL keeps most references as numbers, which a renamed schema keeps;
 * the bodies of functions and the values of settings are texts, and go on naming what is no longer there. Reads only.
 */
import type { SqlRunner } from './sql.ts'

/** What names `schema` in a text, one description each, functions before settings. */
export async function textsNaming(sql: SqlRunner, schema: string): Promise<readonly string[]> {
  const rows = await sql.query<{ what: string }>(
    `WITH found AS (
       SELECT 1 AS kind, pg_catalog.format('function %s.%s names it in its body', n.nspname, p.proname) AS what
         FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
        WHERE p.prosrc ~ $1 AND ${OWN}
       UNION ALL
       SELECT 2, pg_catalog.format('function %s.%s has it in %s', n.nspname, p.proname, setting)
         FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace,
              pg_catalog.unnest(p.proconfig) AS setting
        WHERE setting ~ $2 AND ${OWN}
       UNION ALL
       SELECT 3, pg_catalog.format('a setting of %s has it in %s',
                coalesce('role ' || pg_catalog.pg_get_userbyid(nullif(s.setrole, 0)), 'the database'), setting)
         FROM pg_catalog.pg_db_role_setting s LEFT JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase,
              pg_catalog.unnest(s.setconfig) AS setting
        WHERE setting ~ $2 AND (s.setdatabase = 0 OR d.datname = pg_catalog.current_database()))
     SELECT DISTINCT kind, what FROM found ORDER BY kind, what`,
    [`${BEFORE}${nameOf(schema)}\\s*\\.`, `^search_path=(.*[ ,])?${nameOf(schema)}([ ,]|$)`],
  )
  return rows.map(({ what }) => what)
}

/** Functions of the database's own: neither PostgreSQL's nor an extension's. */
const OWN = `n.nspname NOT IN ('pg_catalog', 'information_schema') AND NOT EXISTS (
  SELECT FROM pg_catalog.pg_depend e
   WHERE e.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND e.objid = p.oid AND e.deptype = 'e')`

/** What cannot stand before a name without being part of it. */
const BEFORE = '(^|[^a-zA-Z0-9_$."])'

/** A regular expression for the name, quoted or not. */
function nameOf(schema: string): string {
  const escaped = schema.replace(/[^a-zA-Z0-9_]/g, '\\$&')
  return `("${escaped.replaceAll('\\"', '\\"\\"')}"|${escaped})`
}
