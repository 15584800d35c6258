/** Who holds, or waits for, the lock under which a schema is migrated. */
import { TenancyError } from './errors.ts'
import { lockKey } from './migrations/lock.ts'
import type { LockOwner } from './migrations/session.ts'
import type { SqlRunner } from './sql.ts'

/** A server process and the lock of one tenant, or of the shared schema. */
export interface MigrationLock {
  readonly id: string
  readonly schema: string
  readonly state: 'held' | 'waiting'
  /** Process on the server. */
  readonly pid: number
  /** Whatever of the following another role's process does not show is `null`. */
  readonly application: string | null
  readonly role: string | null
  /** Address it is connected from; `null` also for a socket of the server's own machine. */
  readonly address: string | null
  /** Since when it is connected: a run opens a connection of its own. */
  readonly since: Date | null
  /** What it does, or has done last. */
  readonly statement: string | null
  /** `active`, `idle in transaction` and their like. */
  readonly activity: string | null
  /** Processes that its statement waits for. */
  readonly blockedBy: readonly number[]
}

/** Advisory locks with one key of 64 bits, in this database. */
const OURS = `l.locktype = 'advisory' AND l.objsubid = 1
   AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())`
const KEY = '(l.classid::bigint << 32 | l.objid::bigint)'

/** The locks of `owners`, by id; one query, however many they are. */
export async function readLocks(
  sql: SqlRunner,
  owners: readonly LockOwner[],
): Promise<readonly MigrationLock[]> {
  const rows = await sql.query<LockRow>(
    `SELECT ${KEY}::text AS key, pg_catalog.current_database() AS database, l.granted, l.pid,
            a.application_name AS application, a.usename AS role, a.client_addr::text AS address,
            a.backend_start AS since, pg_catalog.left(a.query, 500) AS statement, a.state AS activity,
            CASE WHEN a.wait_event_type = 'Lock' THEN pg_catalog.pg_blocking_pids(l.pid) ELSE '{}' END AS "blockedBy"
       FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a USING (pid)
      WHERE ${OURS} ORDER BY l.granted DESC, l.pid`,
  )
  const ownerOf = ownersByKey(rows[0]?.database ?? '', owners)
  return rows
    .flatMap(({ key, database: _same, granted, ...process }): MigrationLock[] => {
      const owner = ownerOf.get(key)
      if (owner === undefined) return []
      const { id, schema } = owner
      return [{ id, schema, state: granted ? 'held' : 'waiting', ...process }]
    })
    .toSorted((a, b) => compare(a.id, b.id))
}

/**
 * Ends the server process `pid`, which holds or waits for a lock of `owners`; what it has not committed is rolled back.
 *
 * @throws {@link TenancyError} LOCK_NOT_HELD if it does neither: it may be anybody's by now.
 */
export async function endLockHolder(
  sql: SqlRunner,
  owners: readonly LockOwner[],
  pid: number,
): Promise<MigrationLock> {
  const lock = (await readLocks(sql, owners)).find((each) => each.pid === pid)
  if (lock === undefined) throw notHeld(pid)
  const [database] = await sql.query<{ name: string }>('SELECT pg_catalog.current_database() AS name')
  // It may have ended, and its number be another's, since it was looked up: it is asked for its lock once more.
  const ended = await sql.query(
    `SELECT pg_catalog.pg_terminate_backend(l.pid) FROM pg_catalog.pg_locks l
      WHERE ${OURS} AND l.pid = $1 AND ${KEY} = $2::bigint`,
    [pid, String(lockKey(database?.name ?? '', lock.schema))],
  )
  if (ended.length === 0) throw notHeld(pid)
  return lock
}

interface LockRow extends Omit<MigrationLock, 'id' | 'schema' | 'state'> {
  readonly key: string
  readonly database: string
  readonly granted: boolean
}

function ownersByKey(database: string, owners: readonly LockOwner[]): ReadonlyMap<string, LockOwner> {
  return new Map(owners.map((owner) => [String(lockKey(database, owner.schema)), owner]))
}

function compare(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

function notHeld(pid: number): TenancyError {
  return new TenancyError('LOCK_NOT_HELD', `Process ${pid} neither holds nor waits for a migration lock.`, {
    fix: ['see who does: umzug-tenants locks'],
  })
}
