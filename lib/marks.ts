/**
 * What can be seen of a tenant from outside in one query for all of them: its schema and its ledger row. A mark that
 * has changed says that another process has done something; what, is found out by looking at the tenant.
 */
import { SQLSTATE, sqlStateOf, type SqlRunner } from './sql.ts'
import { LEDGER_SCHEMA } from './tenant.ts'

export interface Mark {
  /** Whose schema it is: which schema of that name, and what the ledger calls its tenant. */
  readonly owner: string
  /** Whatever the ledger has written of it last. */
  readonly content: string
  readonly fingerprint: string | undefined
}

interface MarkRow {
  readonly schema: string
  readonly oid: string
  readonly id: string | null
  readonly host: string | null
  readonly fingerprint: string | null
  readonly changed: string | null
}

/** The marks of the schemas that exist. */
export async function readMarks(
  sql: SqlRunner,
  schemas: readonly string[],
): Promise<ReadonlyMap<string, Mark>> {
  const rows = await readRows(sql, schemas)
  return new Map(rows.map((row) => [row.schema, markOf(row)]))
}

function markOf({ oid, id, host, fingerprint, changed }: MarkRow): Mark {
  return {
    owner: JSON.stringify([oid, id, host]),
    content: JSON.stringify([fingerprint, changed]),
    fingerprint: fingerprint ?? undefined,
  }
}

async function readRows(sql: SqlRunner, schemas: readonly string[]): Promise<readonly MarkRow[]> {
  try {
    return await sql.query<MarkRow>(
      `SELECT n.nspname::text AS schema, n.oid::text AS oid, t.id, t.host, t.fingerprint, t.updated_at::text AS changed
         FROM pg_catalog.pg_namespace n LEFT JOIN ${LEDGER_SCHEMA}.tenant t ON t.schema = n.nspname
        WHERE n.nspname = ANY ($1::name[])`,
      [schemas],
    )
  } catch (error) {
    const state = sqlStateOf(error)
    if (state !== SQLSTATE.undefinedTable && state !== SQLSTATE.invalidSchemaName) throw error
    // Nothing was ever migrated here, or by another tool.
    return sql.query<MarkRow>(
      `SELECT nspname::text AS schema, oid::text AS oid, NULL AS id, NULL AS host, NULL AS fingerprint, NULL AS changed
         FROM pg_catalog.pg_namespace WHERE nspname = ANY ($1::name[])`,
      [schemas],
    )
  }
}
