/**
 * Makes a schema that exists already a tenant's: what another tool has recorded there is read, and nothing is run. What
 * is in `public` moves, since that cannot be a tenant's schema: see `public-schema.ts`.
 */
import { messageOf, TenancyError } from './errors.ts'
import type { Events } from './events.ts'
import { isStopped, notBegun, type Interruption } from './interruption.ts'
import { ensureLedger, moveInLedger } from './ledger.ts'
import type { MigrationFile } from './migrations/files.ts'
import { readHistory, schemaExists } from './migrations/history.ts'
import { withLocks } from './migrations/migrator.ts'
import { compareHistory, type History } from './migrations/plan.ts'
import { writeProgress } from './migrations/progress.ts'
import type { MigrationSession } from './migrations/session.ts'
import { chooseStamp, type StampChange, type StampTarget } from './migrations/stamp.ts'
import { subjectOf } from './migrations/subject.ts'
import { assertFindable, movingPublic, PUBLIC, readPublic } from './public-schema.ts'
import type { Registry } from './registry.ts'
import { assertFree, renaming } from './rename.ts'
import { textsNaming } from './schema-texts.ts'
import { quoteIdentifier, SQLSTATE, sqlStateOf, type SqlRunner } from './sql.ts'
import { writeStamp } from './stamp.ts'
import { describeStatus, type TenantStatus } from './status.ts'
import { assertVersionTable } from './storage/foreign.ts'
import { tableExists, type VersionStorage } from './storage/storage.ts'
import type { Tenant } from './tenant.ts'

/** What became of one schema, and where its tenant stands. */
export interface AdoptReport extends TenantStatus {
  readonly host?: string
  /** `false`: the schema is the registered tenant's already, and nothing was changed. */
  readonly adopted: boolean
  /** What the schema was called before. */
  readonly from: string
  /** Migrations that were recorded because `stamp` said so: the schema had no version table. */
  readonly recorded: readonly string[]
  /** Statements that gave it another name, or moved what is in `public`. */
  readonly statements: readonly string[]
  /** What somebody should look at. */
  readonly warnings: readonly string[]
}

/** A schema, and the tenant it is to become. */
export interface Candidate {
  readonly from: string
  readonly tenant: Tenant
}

/** Adopting is short: a signal ends the wait for its locks, and what has begun goes on to its end. */
export interface AdoptOptions extends Interruption {
  readonly registry: Registry
  readonly lockWaitMs: number
  readonly events: Events
  readonly files: readonly MigrationFile[]
  readonly storage: VersionStorage
  readonly searchPath: readonly string[]
  /** Where a schema without a version table stands. */
  readonly stamp: StampTarget | undefined
}

/** What adoption will do, decided and not done. */
interface Adoption {
  readonly isNew: boolean
  readonly statements: readonly string[]
  readonly stamp: StampChange | undefined
  readonly history: History
  readonly warnings: readonly string[]
}

/** What {@link adoptSchema} would do. Writes nothing. */
export async function planAdoption(
  sql: SqlRunner,
  candidate: Candidate,
  options: AdoptOptions,
): Promise<AdoptReport> {
  return reportOf(candidate, await plan(sql, candidate, options), options)
}

/**
 * Registers the schema as the candidate's, with a ledger row that says where it stands, under the locks of its old and
 * its new name and in one transaction.
 *
 * @throws {@link TenancyError} SCHEMA_MISSING, SCHEMA_EXISTS, VERSION_TABLE_MISSING, TENANT_CONFLICT, LOCK_HELD,
 * REGISTRY_READ_ONLY; CONFIG_INVALID if extensions in `public` would not be found any more.
 */
export async function adoptSchema(
  session: MigrationSession,
  candidate: Candidate,
  options: AdoptOptions,
): Promise<AdoptReport> {
  const { from, tenant } = candidate
  const { registry, lockWaitMs, events } = options
  if (isStopped(options)) throw notBegun(tenant)
  await ensureLedger(session, (fn) => session.transaction(fn))
  const owners = [tenant, ...(from === tenant.schema ? [] : [{ id: tenant.id, schema: from }])]
  const adopting = () =>
    session.transaction(async () => {
      const planned = await plan(session, candidate, options)
      await registry.add(tenant, session)
      if (planned.isNew) await write(session, candidate, planned, options)
      return planned
    })
  const adoption = await withLocks(session, owners, lockWaitMs, adopting, options)
  if (adoption.isNew) events.emit('tenant:adopted', { tenant: tenant.id, schema: tenant.schema, from })
  return reportOf(candidate, adoption, options)
}

async function plan(
  sql: SqlRunner,
  { from, tenant }: Candidate,
  { registry, files, storage, searchPath, stamp }: AdoptOptions,
): Promise<Adoption> {
  const { id, schema } = tenant
  const known = await registry.find({ schema: from })
  if (known !== undefined && from !== schema) throw takenAlready(tenant, known)
  if (from === schema) await assertExists(sql, tenant)
  else await assertFree(sql, { id, schema: from }, schema)
  const statements = await renamingStatements(sql, { from, tenant }, searchPath)
  const hasTable = await tableExists(sql, from, storage.table)
  if (!hasTable && stamp === undefined && known === undefined)
    await assertVersionTable({ sql, schema: from }, tenant, storage)
  const history = await readHistory(sql, from, files, storage)
  const change =
    hasTable || stamp === undefined ? undefined : chooseStamp(history, stamp, storage.headOnly === true)
  if (known !== undefined && change !== undefined && change.recorded.length > 0) throw registered(known)
  return {
    isNew: known?.id !== id || known.schema !== schema,
    statements,
    stamp: change,
    history,
    warnings: [...unknownIn(history), ...(await warningsOf(sql, { from, tenant }))],
  }
}

function unknownIn({ unknown }: History): readonly string[] {
  return unknown.map((name) => `${name} is recorded, and no file here has that name`)
}

async function write(
  session: MigrationSession,
  { from, tenant }: Candidate,
  { statements, stamp }: Adoption,
  { files, storage }: AdoptOptions,
): Promise<void> {
  const { id, schema } = tenant
  for (const statement of statements) {
    await session.query(statement).catch((error: unknown) => {
      throw sqlStateOf(error) === SQLSTATE.lockNotAvailable ? inUse({ from, tenant }, error) : error
    })
  }
  if (from !== schema) await moveInLedger(session, { id, schema: from }, schema)
  const subject = subjectOf(tenant)
  if (stamp !== undefined) return writeStamp(session, subject, stamp, { files, storage })
  await writeProgress(session, subject, files, storage, { direction: 'up', done: [], accepted: [] })
}

function reportOf(
  { from, tenant }: Candidate,
  { isNew, statements, stamp, history, warnings }: Adoption,
  { files }: AdoptOptions,
): AdoptReport {
  const names = files.map(({ name }) => name)
  const recorded = stamp?.recorded ?? []
  const standing = recorded.length > 0 ? compareHistory(names, recorded) : history
  const status = describeStatus({ ...tenant, names, history: standing, entry: undefined })
  const host = tenant.host === undefined ? {} : { host: tenant.host }
  return { ...status, ...host, adopted: isNew, from, recorded, statements, warnings }
}

async function renamingStatements(
  sql: SqlRunner,
  { from, tenant }: Candidate,
  searchPath: readonly string[],
): Promise<readonly string[]> {
  if (from === tenant.schema) return []
  if (from !== PUBLIC) return [renaming(from, tenant.schema)]
  const content = await readPublic(sql)
  assertFindable(content, searchPath, tenant.id)
  return movingPublic(content, tenant.schema)
}

/** What of the schema is not as in one that was made for a tenant, and what goes on naming it as it was called. */
async function warningsOf(sql: SqlRunner, { from, tenant }: Candidate): Promise<readonly string[]> {
  const to = quoteIdentifier(tenant.schema)
  const [row] = await sql.query<{ open: boolean; extensions: string[] }>(
    `SELECT EXISTS (SELECT FROM pg_catalog.aclexplode(n.nspacl)
                     WHERE grantee = 0 AND privilege_type = 'CREATE') AS open,
            ARRAY(SELECT extname::text FROM pg_catalog.pg_extension WHERE extnamespace = n.oid ORDER BY 1) AS extensions
       FROM pg_catalog.pg_namespace n WHERE nspname = $1`,
    [from],
  )
  const { open = false, extensions = [] } = row ?? {}
  // Of public the objects move, and not the schema.
  if (from === PUBLIC) return textsNaming(sql, from)
  return [
    ...(open ? [`everybody may create objects in it: REVOKE CREATE ON SCHEMA ${to} FROM PUBLIC`] : []),
    ...extensions.map(
      (name) =>
        `extension "${name}" is in it, and would be dropped with the tenant: ALTER EXTENSION … SET SCHEMA …`,
    ),
    ...(from === tenant.schema ? [] : await textsNaming(sql, from)),
  ]
}

async function assertExists(sql: SqlRunner, { id, schema }: Tenant): Promise<void> {
  if (await schemaExists(sql, schema)) return
  throw new TenancyError('SCHEMA_MISSING', `Schema "${schema}" does not exist.`, {
    tenant: id,
    schema,
    fix: [
      'see the schemas there are: SELECT nspname FROM pg_namespace',
      `a new tenant: umzug-tenants tenants create ${id}`,
    ],
  })
}

function inUse({ from, tenant }: Candidate, cause: unknown): TenancyError {
  return new TenancyError('LOCK_HELD', `What is in "${from}" is in use.`, {
    tenant: tenant.id,
    schema: from,
    sqlstate: sqlStateOf(cause),
    detail: messageOf(cause),
    fix: ['stop the application that uses it, and run it again'],
    cause,
  })
}

/** Its record is changed by the command for that, which asks where it must. */
function registered({ id, schema }: Tenant): TenancyError {
  return new TenancyError('USAGE', `Schema "${schema}" is that of tenant "${id}" already.`, {
    tenant: id,
    schema,
    fix: [`say where it stands: umzug-tenants stamp NAME --tenant ${id}`],
  })
}

function takenAlready({ id }: Tenant, known: Tenant): TenancyError {
  return new TenancyError('TENANT_CONFLICT', `Schema "${known.schema}" is that of tenant "${known.id}".`, {
    tenant: id,
    schema: known.schema,
    fix: [`give that tenant's schema another name: umzug-tenants tenants rename ${known.id} SCHEMA`],
  })
}
