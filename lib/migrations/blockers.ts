/** Who holds what a run waits for: other sessions, named so that a person can find them and end them. */
import { setTimeout as sleep } from 'node:timers/promises'

import { TenancyError } from '../errors.ts'
import { maskPasswords } from '../mask.ts'
import type { SqlRunner } from '../sql.ts'

/** Another session of the server, as far as the role may see it. */
export interface Blocker {
  readonly pid: number
  readonly application: string
  readonly state: string | null
  /** Seconds since its transaction began; without one, since it did anything. */
  readonly seconds: number
  /** Its statement, or the last one of an idle session. */
  readonly statement: string
}

const COLUMNS = `a.pid, coalesce(a.application_name, '') AS application, a.state,
  greatest(0, extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, a.state_change, a.backend_start)))::integer AS seconds,
  left(coalesce(a.query, ''), 200) AS statement`

/** Sessions named in a message; the rest of a crowd is no news. */
const MOST_NAMED = 3

/** Those that the session of `pid` waits for at this moment. */
async function readBlockers(sql: SqlRunner, pid: number): Promise<readonly Blocker[]> {
  // pg_blocking_pids stops the lock manager for a moment, so only a session that does wait is asked about.
  return sql.query<Blocker>(
    `SELECT ${COLUMNS} FROM pg_catalog.pg_stat_activity w,
            pg_catalog.unnest(pg_catalog.pg_blocking_pids(w.pid)) AS b (pid)
            JOIN pg_catalog.pg_stat_activity a ON a.pid = b.pid
      WHERE w.pid = $1::integer AND w.wait_event_type = 'Lock' ORDER BY seconds DESC LIMIT ${MOST_NAMED}`,
    [pid],
  )
}

/** Those with an open transaction that holds locks on tables of `schema`, the oldest first. */
export async function readHolders(sql: SqlRunner, schema: string): Promise<readonly Blocker[]> {
  return sql.query<Blocker>(
    `SELECT DISTINCT ${COLUMNS} FROM pg_catalog.pg_locks l
       JOIN pg_catalog.pg_class c ON c.oid = l.relation
       JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
       JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
      WHERE n.nspname = $1 AND l.granted AND l.pid <> pg_catalog.pg_backend_pid()
        AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
      ORDER BY seconds DESC LIMIT ${MOST_NAMED}`,
    [schema],
  )
}

/** The session whose transactions a {@link Lookout} is about, and a connection beside it. */
interface Watched {
  readonly pid: number
  witness(): Promise<SqlRunner>
}

/** How often a lookout looks: several times in the shortest wait for a lock that is of use. */
const PAUSE_MS = 100

/**
 * Looks, over another connection, whom a session waits for. PostgreSQL tells that only while the wait is on; a run
 * that has lost one waits again, so that a lookout which begins then sees it, and costs nothing before.
 */
export class Lookout {
  readonly #session: Watched
  #looking: Promise<void> | undefined
  #isEnded = false
  #seen: readonly Blocker[] = []

  constructor(session: Watched) {
    this.#session = session
  }

  /** Looks from now on. */
  begin(): void {
    // Who blocks is a help for the reader of an error, and no reason for another one.
    this.#looking ??= this.#look().catch(() => undefined)
  }

  /** Looks no more, and answers whom it saw last. */
  async end(): Promise<readonly Blocker[]> {
    this.#isEnded = true
    await this.#looking
    return this.#seen
  }

  async #look(): Promise<void> {
    const witness = await this.#session.witness()
    while (!this.#isEnded) {
      const blockers = await readBlockers(witness, this.#session.pid)
      if (blockers.length > 0) this.#seen = blockers
      await sleep(PAUSE_MS)
    }
  }
}

/** The sessions, as a line of an error each. */
export function blockersText(blockers: readonly Blocker[]): string {
  return blockers.map((blocker) => `held by ${describe(blocker)}`).join('\n')
}

/** How to end `blockers`. */
export function endingThem(blockers: readonly Blocker[]): readonly string[] {
  return blockers.map(({ pid }) => `or end it: SELECT pg_terminate_backend(${pid})`)
}

function describe({ pid, application, state, seconds, statement }: Blocker): string {
  const name = application === '' ? 'no application name' : application
  // Without the search path that this library sets before each statement.
  const words = statement
    .replace(/^SET LOCAL search_path TO [^;]*;/, '')
    .replace(/\s+/g, ' ')
    .trim()
  const what = state === 'active' ? 'running' : 'last statement'
  const since = `${state ?? 'state unknown'} for ${spanText(seconds)}`
  return maskPasswords(`pid ${pid} (${name}, ${since}${words === '' ? '' : `, ${what}: ${words}`})`)
}

/** `12 s`, `3 min`, `2 h` */
function spanText(seconds: number): string {
  if (seconds < 120) return `${seconds} s`
  return seconds < 7200 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3600)} h`
}

/** The error of a runner that has waited `waitMs` for the advisory lock `key` of a schema. */
export async function lockHeld(
  sql: SqlRunner,
  key: string,
  { id, schema }: { readonly id: string; readonly schema: string },
  waitMs: number,
): Promise<TenancyError> {
  const holders = await sql.query<Blocker>(
    `SELECT ${COLUMNS} FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a USING (pid)
      WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
        AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
        AND (l.classid::bigint << 32 | l.objid::bigint) = $1::bigint`,
    [key],
  )
  return new TenancyError(
    'LOCK_HELD',
    `Another runner holds the lock of schema "${schema}" after ${waitMs} ms.`,
    {
      tenant: id,
      schema,
      detail: holders.length === 0 ? undefined : blockersText(holders),
      fix: ['wait for it: run again, or raise lock.waitMs', ...endingThem(holders)],
      retryAfterSeconds: 5,
    },
  )
}
