/**
 * The ledger: one row for each tenant with what its last run left (head, fingerprint of the executed set, state,
 * error), and one row for each migration ever run. Rows are written in the tenant's own transaction, so they
 * cannot say what the version table does not; the version tables stay the truth.
 */
import type { ErrorDocument } from './errors.ts'
import type { RecordedRun } from './migrations/integrity.ts'
import type { Direction } from './migrations/plan.ts'
import { SQLSTATE, sqlStateOf, type SqlRunner } from './sql.ts'
import { LEDGER_SCHEMA, type Tenant } from './tenant.ts'

/** What the ledger knows of a tenant. */
export interface LedgerEntry {
  readonly id: string
  readonly schema: string
  readonly host: string | null
  readonly state: 'created' | 'migrated' | 'failed'
  readonly head: string | null
  readonly fingerprint: string | null
  readonly error: ErrorDocument | null
}

/** What a committed segment leaves. */
export interface LedgerProgress {
  readonly head: string | undefined
  readonly fingerprint: string
  readonly direction: Direction
  readonly migrations: readonly LedgerRun[]
  /** Applied files whose changed content is the known one from now on. */
  readonly accepted?: readonly { readonly name: string; readonly hash: string }[]
}

/** A migration that a segment has run. */
export interface LedgerRun {
  readonly name: string
  readonly durationMs: number
  /** Hash of the file's content. */
  readonly hash?: string | undefined
}

/** Any number will do that no tenant's lock is likely to have; this one spells "umzug". */
const CREATION_LOCK = 0x756d7a7567

const DEFINITION = `
  CREATE SCHEMA IF NOT EXISTS ${LEDGER_SCHEMA};
  CREATE TABLE IF NOT EXISTS ${LEDGER_SCHEMA}.tenant (
    id text PRIMARY KEY,
    schema text NOT NULL UNIQUE,
    host text UNIQUE,
    state text NOT NULL DEFAULT 'created' CHECK (state IN ('created', 'migrated', 'failed')),
    head text,
    fingerprint text,
    error jsonb,
    running text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
  );
  CREATE UNIQUE INDEX IF NOT EXISTS tenant_id_caseless ON ${LEDGER_SCHEMA}.tenant (lower(id));
  CREATE UNIQUE INDEX IF NOT EXISTS tenant_schema_caseless ON ${LEDGER_SCHEMA}.tenant (lower(schema));
  CREATE TABLE IF NOT EXISTS ${LEDGER_SCHEMA}.run (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant text NOT NULL,
    schema text NOT NULL,
    migration text NOT NULL,
    direction text NOT NULL CHECK (direction IN ('up', 'down')),
    duration_ms integer NOT NULL,
    hash text,
    finished_at timestamptz NOT NULL DEFAULT now()
  );
  CREATE INDEX IF NOT EXISTS run_schema ON ${LEDGER_SCHEMA}.run (schema, id);`

/** Columns that a ledger of an earlier release lacks. Without a default they are added without rewriting the table. */
const UPGRADE = `
  ALTER TABLE ${LEDGER_SCHEMA}.tenant ADD COLUMN IF NOT EXISTS running text;
  ALTER TABLE ${LEDGER_SCHEMA}.run ADD COLUMN IF NOT EXISTS hash text`

/** Connections on which the ledger was found ready: a fleet's session need not look again for every tenant. */
const ready = new WeakSet<SqlRunner>()

/** How often a ledger whose tables are in use is tried again; each try waits as long as `lock_timeout` says. */
const MAX_TRIES = 5

/**
 * Creates the ledger's tables if they are missing, and adds what those of an earlier release lack; any number of
 * processes may call it at once.
 */
export async function ensureLedger(
  sql: SqlRunner,
  transaction: <T>(fn: () => Promise<T>) => Promise<T>,
): Promise<void> {
  if (ready.has(sql)) return
  for (let attempt = 1; (await standing(sql)) !== 'ready'; attempt++) {
    try {
      await transaction(async () => {
        // IF NOT EXISTS looks before it creates, and two that look at once collide in the catalog: one at a time.
        await sql.query('SELECT pg_catalog.pg_advisory_xact_lock($1::bigint)', [CREATION_LOCK])
        const found = await standing(sql)
        if (found !== 'ready') await sql.query(found === 'old' ? UPGRADE : DEFINITION)
      })
    } catch (error) {
      if (attempt === MAX_TRIES || sqlStateOf(error) !== SQLSTATE.lockNotAvailable) throw error
    }
  }
  ready.add(sql)
}

/** One look in the catalog: it is asked at the first run of every session. */
async function standing(sql: SqlRunner): Promise<'missing' | 'old' | 'ready'> {
  const [row] = await sql.query<{ exists: boolean; columns: number }>(
    `SELECT run IS NOT NULL AS exists, (
              SELECT count(*) FROM pg_catalog.pg_attribute
               WHERE NOT attisdropped AND (attrelid = tenant AND attname = 'running' OR attrelid = run AND attname = 'hash')
            )::integer AS columns
       FROM pg_catalog.to_regclass('${LEDGER_SCHEMA}.run') AS run,
            pg_catalog.to_regclass('${LEDGER_SCHEMA}.tenant') AS tenant`,
  )
  if (row?.exists !== true) return 'missing'
  return row.columns === 2 ? 'ready' : 'old'
}

const COLUMNS = 'id, schema, host, state, head, fingerprint, error'

/** All entries by id; none if the ledger does not exist yet. Creates nothing. */
export async function readLedger(sql: SqlRunner): Promise<readonly LedgerEntry[]> {
  return unlessMissing(
    sql.query<LedgerEntry>(`SELECT ${COLUMNS} FROM ${LEDGER_SCHEMA}.tenant ORDER BY id COLLATE "C"`),
  )
}

/** The entry whose `column` is `value`. */
export async function findInLedger(
  sql: SqlRunner,
  column: 'id' | 'schema' | 'host',
  value: string,
): Promise<LedgerEntry | undefined> {
  const [entry] = await unlessMissing(
    sql.query<LedgerEntry>(`SELECT ${COLUMNS} FROM ${LEDGER_SCHEMA}.tenant WHERE ${column} = $1`, [value]),
  )
  return entry
}

/** The channel on which every change of a row is told, when it is committed; the payload is the tenant's schema. */
export const LEDGER_CHANNEL = LEDGER_SCHEMA

/** `statement`, which writes a tenant's row, and in the same message the word to who listens. */
function telling(statement: string, schema: '$1' | '$2'): string {
  return `WITH written AS (${statement}) SELECT pg_catalog.pg_notify('${LEDGER_CHANNEL}', ${schema})`
}

/** Adds `tenant`; what has the same id, schema or host already stays as it is. */
export async function addToLedger(sql: SqlRunner, tenant: Tenant): Promise<void> {
  await sql.query(
    telling(
      `INSERT INTO ${LEDGER_SCHEMA}.tenant (id, schema, host) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
      '$2',
    ),
    [tenant.id, tenant.schema, tenant.host ?? null],
  )
}

/** Entries that `tenant` would share an id, schema or host with, apart from letter case. */
export async function findRivals(sql: SqlRunner, tenant: Tenant): Promise<readonly LedgerEntry[]> {
  return sql.query<LedgerEntry>(
    `SELECT ${COLUMNS} FROM ${LEDGER_SCHEMA}.tenant
      WHERE lower(id) = lower($1) OR lower(schema) = lower($2) OR host = $3`,
    [tenant.id, tenant.schema, tenant.host ?? null],
  )
}

export async function removeFromLedger(sql: SqlRunner, tenant: Tenant): Promise<void> {
  await sql.query(`DELETE FROM ${LEDGER_SCHEMA}.tenant WHERE id = $1`, [tenant.id])
  await sql.query(telling(`DELETE FROM ${LEDGER_SCHEMA}.run WHERE schema = $1`, '$1'), [tenant.schema])
}

/**
 * Gives the rows of `tenant` another schema. What is left there of a schema of that name that is gone belongs to nobody,
 * and must not become this tenant's history.
 */
export async function moveInLedger(sql: SqlRunner, { id, schema }: Tenant, to: string): Promise<void> {
  await sql.query(`DELETE FROM ${LEDGER_SCHEMA}.run WHERE schema = $1`, [to])
  await sql.query(`DELETE FROM ${LEDGER_SCHEMA}.tenant WHERE lower(schema) = lower($1) AND id <> $2`, [
    to,
    id,
  ])
  await sql.query(
    `UPDATE ${LEDGER_SCHEMA}.tenant SET schema = $2, updated_at = now() WHERE schema = $1 AND id = $3`,
    [schema, to, id],
  )
  await sql.query(`UPDATE ${LEDGER_SCHEMA}.run SET schema = $2 WHERE schema = $1`, [schema, to])
}

/**
 * Rows that a run's own would collide with. The application's registry may move a tenant to another schema, or tell
 * tenants apart by letter case; a tenant without a row is one whose version table is read instead.
 */
const RIVALS = `SELECT FROM ${LEDGER_SCHEMA}.tenant
                 WHERE schema <> $2 AND (lower(id) = lower($1) OR lower(schema) = lower($2))`

/** Writes what a segment has done; call it in the segment's own transaction. */
export async function recordProgress(
  sql: SqlRunner,
  tenant: Tenant,
  progress: LedgerProgress,
): Promise<void> {
  await sql.query(
    telling(
      `INSERT INTO ${LEDGER_SCHEMA}.tenant AS t (id, schema, state, head, fingerprint)
       SELECT $1, $2, 'migrated', $3, $4 WHERE NOT EXISTS (${RIVALS})
       ON CONFLICT (schema) DO UPDATE SET id = $1, state = 'migrated', head = $3, fingerprint = $4, error = NULL,
         updated_at = now()`,
      '$2',
    ),
    [tenant.id, tenant.schema, progress.head ?? null, progress.fingerprint],
  )
  await recordRuns(sql, tenant, progress)
}

/** The rows of the migrations alone: the shared schema is no tenant, and has no other. */
export async function recordRuns(
  sql: SqlRunner,
  { id, schema }: Pick<Tenant, 'id' | 'schema'>,
  { direction, migrations, accepted = [] }: Pick<LedgerProgress, 'direction' | 'migrations' | 'accepted'>,
): Promise<void> {
  if (accepted.length > 0) {
    await sql.query(
      `UPDATE ${LEDGER_SCHEMA}.run AS r SET hash = accepted.hash
         FROM unnest($2::text[], $3::text[]) AS accepted (migration, hash)
        WHERE r.id = (SELECT max(id) FROM ${LEDGER_SCHEMA}.run
                       WHERE schema = $1 AND migration = accepted.migration)`,
      [schema, accepted.map(({ name }) => name), accepted.map(({ hash }) => hash)],
    )
  }
  if (migrations.length === 0) return
  await sql.query(
    `INSERT INTO ${LEDGER_SCHEMA}.run (tenant, schema, direction, migration, duration_ms, hash)
     SELECT $1, $2, $3, migration, duration::integer, nullif(hash, '')
       FROM unnest($4::text[], $5::text[], $6::text[]) WITH ORDINALITY AS done (migration, duration, hash, n) ORDER BY n`,
    [
      id,
      schema,
      direction,
      migrations.map(({ name }) => name),
      migrations.map(({ durationMs }) => String(Math.round(durationMs))),
      migrations.map(({ hash = '' }) => hash),
    ],
  )
}

/** The last run of each migration of `schema`, in the order in which they ended; none without a ledger. */
export async function readRuns(sql: SqlRunner, schema: string): Promise<readonly RecordedRun[]> {
  return unlessMissing(
    sql.query<{ migration: string; direction: Direction; hash: string | null }>(
      `SELECT migration, direction, hash FROM (
         SELECT DISTINCT ON (migration) id, migration, direction, hash FROM ${LEDGER_SCHEMA}.run
          WHERE schema = $1 ORDER BY migration, id DESC) AS last ORDER BY id`,
      [schema],
    ),
  )
}

/** When a migration was applied or reverted last, and how long that took. */
export interface LastRun {
  readonly migration: string
  readonly direction: Direction
  readonly finishedAt: Date
  readonly durationMs: number
}

/** The last run of each migration of `schema`, in the order in which they ended; none without a ledger. */
export async function readLastRuns(sql: SqlRunner, schema: string): Promise<readonly LastRun[]> {
  return unlessMissing(
    sql.query<LastRun>(
      `SELECT migration, direction, finished_at AS "finishedAt", duration_ms AS "durationMs" FROM (
         SELECT DISTINCT ON (migration) * FROM ${LEDGER_SCHEMA}.run
          WHERE schema = $1 ORDER BY migration, id DESC) AS last ORDER BY id`,
      [schema],
    ),
  )
}

/** Writes why a run failed, after its transaction was rolled back. */
export async function recordFailure(sql: SqlRunner, tenant: Tenant, error: ErrorDocument): Promise<void> {
  await sql.query(
    telling(
      `INSERT INTO ${LEDGER_SCHEMA}.tenant AS t (id, schema, state, error)
       SELECT $1, $2, 'failed', $3::jsonb WHERE NOT EXISTS (${RIVALS})
       ON CONFLICT (schema) DO UPDATE SET id = $1, state = 'failed', error = $3::jsonb, updated_at = now()`,
      '$2',
    ),
    [tenant.id, tenant.schema, JSON.stringify(error)],
  )
}

/** No ledger, or one of an earlier release that no run has touched since. */
const NO_LEDGER: ReadonlySet<string> = new Set([
  SQLSTATE.undefinedTable,
  SQLSTATE.undefinedColumn,
  SQLSTATE.invalidSchemaName,
])

/** No ledger is an empty ledger: reading must work before anything was ever written. */
export async function unlessMissing<T>(rows: Promise<T[]>): Promise<readonly T[]> {
  try {
    return await rows
  } catch (error) {
    const state = sqlStateOf(error)
    if (state !== undefined && NO_LEDGER.has(state)) return []
    throw error
  }
}
