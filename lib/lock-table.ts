/** The server's table of locks: one for all sessions, made when the server starts, and what does not fit fails. */
import type { SqlRunner } from './sql.ts'

/** How many locks the table holds, and who has taken how many. */
export interface LockTable {
  readonly capacity: number
  /** `max_connections` and `max_prepared_transactions`: by which `max_locks_per_transaction` is multiplied. */
  readonly transactions: number
  /** Those of the session that asks. */
  readonly own: number
  readonly others: number
}

/** The part of the table that may be relied on: the rest is for what other sessions begin meanwhile. */
export const USABLE = 0.8

export async function readLockTable(sql: SqlRunner): Promise<LockTable> {
  const [table] = await sql.query<LockTable>(
    `SELECT count(*) FILTER (WHERE pid = pg_catalog.pg_backend_pid())::integer AS own,
            count(*) FILTER (WHERE pid IS DISTINCT FROM pg_catalog.pg_backend_pid())::integer AS others,
            transactions,
            transactions * pg_catalog.current_setting('max_locks_per_transaction')::integer AS capacity
       FROM (SELECT pg_catalog.current_setting('max_connections')::integer
                    + pg_catalog.current_setting('max_prepared_transactions')::integer AS transactions) AS server
            LEFT JOIN pg_catalog.pg_locks ON NOT fastpath
      GROUP BY transactions`,
  )
  if (table === undefined) throw new TypeError('an outer join with one row has one row at least')
  return table
}

/** The `max_locks_per_transaction` that makes room for `locks` more; none if there is room. Pure. */
export function settingFor(
  locks: number,
  { capacity, transactions, own, others }: LockTable,
): number | undefined {
  const needed = locks + own + others
  return needed <= capacity * USABLE ? undefined : Math.ceil(needed / USABLE / transactions)
}
