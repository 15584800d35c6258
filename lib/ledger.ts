/**
 * The ledger: one row for each tenant with what its last run left (head, fingerprint of the executed set, state,
 * error), and one row for each migration ever run. Rows are written in the tenant's own transaction, so they
 * cannot say what the version table does not; the version tables stay the truth.
 */
import type { ErrorDocument } from './errors.ts'
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
  readonly migrations: readonly { readonly name: string; readonly durationMs: number }[]
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
    finished_at timestamptz NOT NULL DEFAULT now()
  );
  CREATE INDEX IF NOT EXISTS run_schema ON ${LEDGER_SCHEMA}.run (schema, id);`

/** Creates the ledger's tables if they are missing; any number of processes may call it at once. */
export async function ensureLedger(
  sql: SqlRunner,
  transaction: <T>(fn: () => Promise<T>) => Promise<T>,
): Promise<void> {
  if (await ledgerExists(sql)) return
  await transaction(async () => {
    // IF NOT EXISTS looks before it creates, and two that look at once collide in the catalog: one at a time.
    await sql.query('SELECT pg_catalog.pg_advisory_xact_lock($1::bigint)', [CREATION_LOCK])
    if (!(await ledgerExists(sql))) await sql.query(DEFINITION)
  })
}

async function ledgerExists(sql: SqlRunner): Promise<boolean> {
  const [row] = await sql.query<{ exists: boolean }>(
    `SELECT pg_catalog.to_regclass('${LEDGER_SCHEMA}.run') IS NOT NULL AS exists`,
  )
  return row?.exists === true
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

/** Adds `tenant`; what has the same id, schema or host already stays as it is. */
export async function addToLedger(sql: SqlRunner, tenant: Tenant): Promise<void> {
  await sql.query(
    `INSERT INTO ${LEDGER_SCHEMA}.tenant (id, schema, host) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
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
  await sql.query(`DELETE FROM ${LEDGER_SCHEMA}.run WHERE schema = $1`, [tenant.schema])
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
    `INSERT INTO ${LEDGER_SCHEMA}.tenant AS t (id, schema, state, head, fingerprint)
     SELECT $1, $2, 'migrated', $3, $4 WHERE NOT EXISTS (${RIVALS})
     ON CONFLICT (schema) DO UPDATE SET id = $1, state = 'migrated', head = $3, fingerprint = $4, error = NULL,
       updated_at = now()`,
    [tenant.id, tenant.schema, progress.head ?? null, progress.fingerprint],
  )
  if (progress.migrations.length === 0) return
  await sql.query(
    `INSERT INTO ${LEDGER_SCHEMA}.run (tenant, schema, direction, migration, duration_ms)
     SELECT $1, $2, $3, migration, duration::integer FROM unnest($4::text[], $5::text[]) AS done (migration, duration)`,
    [
      tenant.id,
      tenant.schema,
      progress.direction,
      progress.migrations.map(({ name }) => name),
      progress.migrations.map(({ durationMs }) => String(Math.round(durationMs))),
    ],
  )
}

/** Writes why a run failed, after its transaction was rolled back. */
export async function recordFailure(sql: SqlRunner, tenant: Tenant, error: ErrorDocument): Promise<void> {
  await sql.query(
    `INSERT INTO ${LEDGER_SCHEMA}.tenant AS t (id, schema, state, error)
     SELECT $1, $2, 'failed', $3::jsonb WHERE NOT EXISTS (${RIVALS})
     ON CONFLICT (schema) DO UPDATE SET id = $1, state = 'failed', error = $3::jsonb, updated_at = now()`,
    [tenant.id, tenant.schema, JSON.stringify(error)],
  )
}

/** No ledger is an empty ledger: reading must work before anything was ever written. */
async function unlessMissing<T>(rows: Promise<T[]>): Promise<readonly T[]> {
  try {
    return await rows
  } catch (error) {
    const state = sqlStateOf(error)
    if (state === SQLSTATE.undefinedTable || state === SQLSTATE.invalidSchemaName) return []
    throw error
  }
}
