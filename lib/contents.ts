/** What a schema holds, as far as the catalog knows it: for those who are about to lose it. Reads only. */
import type { SqlRunner } from './sql.ts'

/** A table, or a materialized view. */
export interface TableReport {
  readonly name: string
  /** About how many rows, as the planner or the statistics have it; `null` if neither knows. */
  readonly rows: number | null
  /** With its indexes and its long values. */
  readonly bytes: number
}

/** The tables of `schema`, the largest first; none if there is no such schema. */
export async function readTables(sql: SqlRunner, schema: string): Promise<readonly TableReport[]> {
  // A partitioned table holds nothing itself. Of a table that was never analyzed the planner says -1, and the
  // statistics say 0 after they were reset; a table that has pages is not believed to be empty.
  const rows = await sql.query<{ name: string; rows: string | null; bytes: string }>(
    `SELECT c.relname AS name, pg_catalog.pg_total_relation_size(c.oid) AS bytes,
            CASE WHEN c.reltuples > 0 OR c.reltuples = 0 AND c.relpages > 0 THEN c.reltuples::bigint
                 WHEN pg_catalog.pg_stat_get_live_tuples(c.oid) > 0 OR pg_catalog.pg_relation_size(c.oid) = 0
                 THEN pg_catalog.pg_stat_get_live_tuples(c.oid) END AS rows
       FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND c.relkind IN ('r', 'm') ORDER BY 2 DESC, 1`,
    [schema],
  )
  return rows.map((row) => ({
    name: row.name,
    rows: row.rows === null ? null : Number(row.rows), // pg gives a bigint as text
    bytes: Number(row.bytes),
  }))
}
