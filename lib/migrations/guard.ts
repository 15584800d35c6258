/**
 * Which objects the open transaction has created, altered or dropped outside a tenant's schema. The server knows:
 * tables by the locks that the transaction holds on them until its end, types, functions and schemas by the rows
 * it has written to the catalogs. Reading and writing rows elsewhere is no concern of this room.
 */
import { TenancyError } from '../errors.ts'
import type { SqlRunner } from '../sql.ts'
import { LEDGER_SCHEMA } from '../tenant.ts'
import { differences, readBystanders } from './bystanders.ts'

/** What to do about objects changed outside: fail the migration, tell it as an event, or do not look. */
export type GuardMode = 'schema' | 'warn' | 'off'

/** The highest numbers that rows of the catalogs have had when the guard began to watch. */
interface Baseline {
  readonly type: string
  readonly label: string
  /** Whether the transaction has written something already: other runs share it. */
  readonly isUsed: boolean
}

async function takeBaseline(sql: SqlRunner): Promise<Baseline> {
  const [row] = await sql.query<Baseline>(
    `SELECT (SELECT max(oid)::text FROM pg_catalog.pg_type) AS type,
            coalesce((SELECT max(oid)::text FROM pg_catalog.pg_enum), '0') AS label,
            pg_catalog.pg_current_xact_id_if_assigned() IS NOT NULL AS "isUsed"`,
  )
  if (row === undefined) throw new TypeError('a query without FROM has one row')
  return row
}

/** Watches one transaction, migration by migration. */
export class Guard {
  readonly #session: GuardedSession
  readonly #schemas: readonly string[]
  #baseline: Baseline | undefined
  /** What earlier migrations of the transaction have changed. */
  readonly #known = new Set<string>()

  /** @param schemas where migrations may change objects; `''` stands for the database as a whole. */
  constructor(session: GuardedSession, schemas: readonly string[]) {
    this.#session = session
    this.#schemas = schemas
  }

  /** Runs `side`; the answer is what it has changed outside. */
  async watch<T>(
    side: () => Promise<T>,
  ): Promise<{ readonly result: T; readonly outside: readonly string[] }> {
    this.#baseline ??= await this.#begin()
    const result = await side()
    const changed = await this.#changedSince(this.#baseline)
    const outside = changed.filter((object) => !this.#known.has(object))
    for (const object of outside) this.#known.add(object)
    return { result, outside }
  }

  async #begin(): Promise<Baseline> {
    const baseline = await takeBaseline(this.#session)
    if (baseline.isUsed) for (const object of await this.#changedSince(baseline)) this.#known.add(object)
    return baseline
  }

  #changedSince(baseline: Baseline): Promise<readonly string[]> {
    return changedOutside(this.#session, this.#schemas, baseline, () => this.#session.witness())
  }

  /**
   * Runs `side` outside a transaction; the answer is what has changed meanwhile in schemas of nobody: whose changes
   * those of other tenants' schemas are, cannot be told.
   */
  async compare<T>(
    side: () => Promise<T>,
  ): Promise<{ readonly result: T; readonly outside: readonly string[] }> {
    if (this.#schemas.includes('')) return { result: await side(), outside: [] }
    const before = await readBystanders(this.#session, this.#schemas)
    const result = await side()
    const after = await readBystanders(this.#session, this.#schemas)
    return { result, outside: differences(before, after) }
  }
}

export interface GuardedSession extends SqlRunner {
  /** Another connection to the same database. */
  witness(): Promise<SqlRunner>
}

/** Locks that come with a change of the object itself; reading and writing its rows takes weaker ones. */
const CHANGING_LOCKS = [
  'AccessExclusiveLock',
  'ExclusiveLock',
  'ShareRowExclusiveLock',
  'ShareLock',
  'ShareUpdateExclusiveLock',
]

/**
 * Objects outside `schemas` that the open transaction has changed since `baseline`, by kind and name. `witness`
 * is another connection, which still sees what this one has dropped.
 */
async function changedOutside(
  sql: SqlRunner,
  schemas: readonly string[],
  baseline: Baseline,
  witness: () => Promise<SqlRunner>,
): Promise<readonly string[]> {
  const allowed = [...schemas, LEDGER_SCHEMA]
  const found = await sql.query<{ object: string | null; oid: string }>(CHANGED, [
    allowed,
    CHANGING_LOCKS,
    baseline.type,
    baseline.label,
  ])
  const present = found.flatMap(({ object }) => (object === null ? [] : [object]))
  const gone = found.flatMap(({ object, oid }) => (object === null ? [oid] : []))
  if (gone.length === 0) return [...new Set(present)].toSorted()
  const dropped = await (await witness()).query<{ object: string }>(DROPPED, [allowed, gone])
  return [...new Set([...present, ...dropped.map(({ object }) => object)])].toSorted()
}

/** The error for a migration that has changed `objects`. */
export function outsideSchema(migration: string, schema: string, objects: readonly string[]): TenancyError {
  return new TenancyError(
    'OUTSIDE_SCHEMA',
    `Migration "${migration}" has changed objects outside schema "${schema}".`,
    {
      schema,
      migration,
      detail:
        objects.length > 10
          ? `${objects.slice(0, 10).join(', ')} and ${objects.length - 10} more`
          : objects.join(', '),
      fix: [
        "name no schema in the migration: bare names mean the tenant's own; umzug-tenants lint shows the places",
        'move it to sharedMigrations if it is meant for all tenants together',
        "or list the schema in searchPath, or set guard: 'warn' or 'off'",
      ],
    },
  )
}

/**
 * A row that is visible and of a transaction in progress was written by this one, or by one of its savepoints.
 * `xmin` has 32 bits; the 32 above them are those of the current transaction. Older rows need no second look.
 */
function writtenHere(alias: string): string {
  const low = `${alias}.xmin::text::bigint`
  const full = `(own.xid - own.xid % 4294967296 + ${low})::text::pg_catalog.xid8`
  return `${low} >= own.xid % 4294967296 AND pg_catalog.pg_xact_status(${full}) = 'in progress'`
}

/**
 * An object that is not in the catalog any more has only its number here. An extension belongs to the database,
 * whichever schema its objects are in; so does an event trigger, which would fire for every tenant.
 */
const CHANGED = `
  WITH own (xid) AS (SELECT pg_catalog.pg_current_xact_id()::text::bigint),
  locked AS (
    SELECT DISTINCT classid, objid FROM (
      SELECT 'pg_catalog.pg_class'::pg_catalog.regclass::oid AS classid, relation AS objid, mode, locktype
        FROM pg_catalog.pg_locks
       WHERE pid = pg_catalog.pg_backend_pid() AND locktype = 'relation'
         AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
      UNION ALL
      SELECT classid, objid, mode, locktype FROM pg_catalog.pg_locks
       WHERE pid = pg_catalog.pg_backend_pid() AND locktype = 'object') AS held
     WHERE CASE locktype WHEN 'relation' THEN mode = ANY ($2) ELSE mode = 'AccessExclusiveLock' END),
  recent (oid, xmin) AS (
    SELECT oid, xmin FROM pg_catalog.pg_type WHERE oid > $3::oid
    UNION ALL SELECT enumtypid, xmin FROM pg_catalog.pg_enum WHERE oid > $4::oid),
  changed (kind, schema, name, oid) AS (
    SELECT 'relation', n.nspname, c.relname, l.objid
      FROM locked l LEFT JOIN pg_catalog.pg_class c ON c.oid = l.objid LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE l.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
    UNION ALL
    SELECT 'other', NULL, NULL, l.objid
      FROM locked l
     WHERE l.classid IN ('pg_catalog.pg_type'::pg_catalog.regclass, 'pg_catalog.pg_proc'::pg_catalog.regclass, 'pg_catalog.pg_namespace'::pg_catalog.regclass)
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_type WHERE oid = l.objid)
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_proc WHERE oid = l.objid)
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE oid = l.objid)
    UNION ALL
    SELECT 'type', n.nspname, t.typname, t.oid
      FROM own, recent r JOIN pg_catalog.pg_type t USING (oid) JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
     WHERE t.typrelid = 0 AND t.typelem = 0 AND ${writtenHere('r')}
    UNION ALL
    SELECT 'function', n.nspname, p.proname, p.oid
      FROM own, pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
     WHERE ${writtenHere('p')}
    UNION ALL
    SELECT 'schema', n.nspname, n.nspname, n.oid
      FROM own, pg_catalog.pg_namespace n
     WHERE ${writtenHere('n')}
    UNION ALL
    SELECT 'extension', '', e.extname, e.oid FROM own, pg_catalog.pg_extension e WHERE ${writtenHere('e')}
    UNION ALL
    SELECT 'event trigger', '', e.evtname, e.oid FROM own, pg_catalog.pg_event_trigger e WHERE ${writtenHere('e')}
    UNION ALL
    SELECT 'publication', '', p.pubname, p.oid FROM own, pg_catalog.pg_publication p WHERE ${writtenHere('p')}
    UNION ALL
    SELECT 'language', '', l.lanname, l.oid FROM own, pg_catalog.pg_language l WHERE ${writtenHere('l')}
    UNION ALL
    SELECT 'server', '', s.srvname, s.oid FROM own, pg_catalog.pg_foreign_server s WHERE ${writtenHere('s')})
  SELECT CASE WHEN schema = '' THEN pg_catalog.format('%s %I', kind, name)
              WHEN schema IS NOT NULL THEN pg_catalog.format('%s %I.%I', kind, schema, name) END AS object, oid::text
    FROM changed
   WHERE schema IS NULL OR (schema <> ALL ($1) AND schema !~ '^pg_')`

const DROPPED = `
  SELECT pg_catalog.format('%s %I.%I', kind, nspname, name) AS object FROM (
    SELECT 'relation' AS kind, relname AS name, relnamespace AS namespace, oid FROM pg_catalog.pg_class
    UNION ALL SELECT 'type', typname, typnamespace, oid FROM pg_catalog.pg_type WHERE typrelid = 0 AND typelem = 0
    UNION ALL SELECT 'function', proname, pronamespace, oid FROM pg_catalog.pg_proc
    UNION ALL SELECT 'schema', nspname, oid, oid FROM pg_catalog.pg_namespace) AS o
    JOIN pg_catalog.pg_namespace n ON n.oid = o.namespace
   WHERE o.oid = ANY ($2::oid[]) AND n.nspname <> ALL ($1) AND n.nspname !~ '^pg_'`
