/**
 * Migrations outside a transaction. What they leave when they end badly cannot be rolled back: a process that is
 * killed leaves the tenant marked, and an index that was not built leaves itself, INVALID, in the way of
 * IF NOT EXISTS. This room marks, names and mends.
 */
import { messageOf, TenancyError } from '../errors.ts'
import { qualify, type SqlRunner } from '../sql.ts'
import { LEDGER_SCHEMA, type Tenant } from '../tenant.ts'

/** Marks `tenant` as being in the middle of `migration`, or of none. */
export async function markRunning(sql: SqlRunner, tenant: Tenant, migration: string | null): Promise<void> {
  await sql.query(
    `INSERT INTO ${LEDGER_SCHEMA}.tenant AS t (id, schema, running) VALUES ($1, $2, $3)
     ON CONFLICT (schema) DO UPDATE SET running = $3`,
    [tenant.id, tenant.schema, migration],
  )
}

/** The migration that `tenant` is marked as being in the middle of. */
export async function readRunning(sql: SqlRunner, { schema }: Tenant): Promise<string | undefined> {
  const [row] = await sql.query<{ running: string | null }>(
    `SELECT running FROM ${LEDGER_SCHEMA}.tenant WHERE schema = $1`,
    [schema],
  )
  return row?.running ?? undefined
}

/** The error for a tenant whose last runner was killed in the middle of `migration`. */
export function interrupted({ id, schema }: Tenant, migration: string): TenancyError {
  const repair = `umzug-tenants repair --tenant ${id}`
  return new TenancyError(
    'MIGRATION_INTERRUPTED',
    `Migration "${migration}" was interrupted on tenant "${id}".`,
    {
      tenant: id,
      schema,
      migration,
      detail:
        'it runs outside a transaction, so part of it may have been done; see what is there before you go on',
      fix: [
        `undo what it has done, then: ${repair} --mark-rolled-back (INVALID indexes are dropped for you)`,
        `or finish it by hand, then: ${repair} --mark-applied`,
      ],
    },
  )
}

/**
 * Runs `side`, and looks for INVALID indexes afterwards, whether it has failed or believes that it has not.
 *
 * @throws {@link TenancyError} INDEX_INVALID; or what `side` throws, with the indexes it has left.
 */
export async function watchingIndexes<T>(
  sql: SqlRunner,
  schema: string,
  migration: string,
  side: () => Promise<T>,
): Promise<T> {
  let result: T
  try {
    result = await side()
  } catch (error) {
    const left = await invalidIndexes(sql, schema).catch(() => []) // the connection may be what failed
    if (left.length === 0) throw error
    throw new Error(`${messageOf(error)}; it has left ${describe(left)}`, { cause: error })
  }
  const left = await invalidIndexes(sql, schema)
  if (left.length === 0) return result
  throw new TenancyError('INDEX_INVALID', `Migration "${migration}" has left ${describe(left)}.`, {
    schema,
    migration,
    fix: [
      'run up again: the index is dropped and built anew',
      ...left.map((index) => `or mend it: REINDEX INDEX CONCURRENTLY ${qualify(schema, index)}`),
    ],
  })
}

function describe(indexes: readonly string[]): string {
  return `${indexes.map((index) => `"${index}"`).join(', ')} INVALID`
}

/**
 * Indexes of `schema` that were begun and not finished, and that nobody is building now. Those of a partitioned
 * table are INVALID by right until every partition has its own.
 */
async function invalidIndexes(sql: SqlRunner, schema: string): Promise<readonly string[]> {
  const rows = await sql.query<{ name: string }>(
    `SELECT c.relname AS name
       FROM pg_catalog.pg_namespace n
       JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relkind = 'i'
       JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid AND NOT i.indisvalid
      WHERE n.nspname = $1
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.conindid = c.oid)
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index p WHERE p.index_relid = c.oid)
      ORDER BY 1`,
    [schema],
  )
  return rows.map(({ name }) => name)
}

/** Drops what {@link invalidIndexes} finds, so that a migration which says IF NOT EXISTS builds it after all. */
export async function dropInvalidIndexes(sql: SqlRunner, schema: string): Promise<void> {
  for (const index of await invalidIndexes(sql, schema)) {
    await sql.query(`DROP INDEX CONCURRENTLY IF EXISTS ${qualify(schema, index)}`)
  }
}
