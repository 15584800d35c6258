/**
 * Corrects what is recorded of a tenant: a migration that was interrupted outside a transaction counts as applied, or as
 * never run; a file that has changed since it was applied counts as what it is now.
 */
import { TenancyError } from './errors.ts'
import type { Events } from './events.ts'
import type { Interruption } from './interruption.ts'
import { ensureLedger, recordRuns } from './ledger.ts'
import { changedFiles } from './migrations/approval.ts'
import type { MigrationFile } from './migrations/files.ts'
import { dropInvalidIndexes, markRunning, readRunning } from './migrations/outside.ts'
import { writeProgress } from './migrations/progress.ts'
import type { MigrationSession } from './migrations/session.ts'
import { subjectOf, type Subject } from './migrations/subject.ts'
import type { VersionStorage } from './storage/storage.ts'
import type { Tenant } from './tenant.ts'

/** What the interrupted migration is to count as. */
export type Settlement = 'applied' | 'rolled-back'

export interface RepairReport {
  readonly id: string
  readonly schema: string
  /** The migration that was settled; `null` if none was interrupted. */
  readonly migration: string | null
  readonly as: Settlement
}

export interface RepairOptions {
  readonly as: Settlement
  readonly files: readonly MigrationFile[]
  readonly storage: VersionStorage
  readonly lockWaitMs: number
}

/**
 * Settles the interrupted migration of `tenant`, if there is one. As `rolled-back` the INVALID indexes of its
 * schema are dropped; as `applied` its version is recorded.
 */
export async function repairTenant(
  session: MigrationSession,
  tenant: Tenant,
  { as, files, storage, lockWaitMs }: RepairOptions,
): Promise<RepairReport> {
  const { id, schema } = tenant
  await ensureLedger(session, (fn) => session.transaction(fn))
  return session.withLock(tenant, lockWaitMs, async () => {
    const migration = await readRunning(session, tenant)
    if (migration === undefined) return { id, schema, migration: null, as }
    if (as === 'rolled-back') await dropInvalidIndexes(session, schema)
    await session.transaction(async () => {
      if (as === 'applied') await recordApplied(session, tenant, migration, files, storage)
      await markRunning(session, tenant, null)
    })
    return { id, schema, migration, as }
  })
}

/** What {@link rehashFiles} has accepted. */
export interface RehashReport {
  readonly id: string
  readonly schema: string
  /** Migrations whose file has changed; its content now is the known one. */
  readonly accepted: readonly string[]
}

export interface RehashOptions extends Omit<RepairOptions, 'as'>, Interruption {
  readonly events: Events
}

/** Makes what the files of executed migrations hold now their known content. Runs nothing. */
export async function rehashFiles(
  session: MigrationSession,
  subject: Subject,
  { files, storage, lockWaitMs, events, ...interruption }: RehashOptions,
): Promise<RehashReport> {
  const { id, schema } = subject
  await ensureLedger(session, (fn) => session.transaction(fn))
  const accept = () =>
    session.transaction(async () => {
      const changed = await changedFiles(session, subject, files, storage)
      await recordRuns(session, subject, { direction: 'up', migrations: [], accepted: changed })
      return changed.map(({ name }) => name)
    })
  const accepted = await session.withLock(subject, lockWaitMs, accept, interruption)
  for (const migration of accepted) {
    events.emit('migration:allowed', { tenant: id, schema, migration, violation: 'changed' })
  }
  return { id, schema, accepted }
}

async function recordApplied(
  session: MigrationSession,
  tenant: Tenant,
  migration: string,
  files: readonly MigrationFile[],
  storage: VersionStorage,
): Promise<void> {
  const { id, schema } = tenant
  const history = files.map(({ name }) => name)
  if (!history.includes(migration)) {
    throw new TenancyError('MIGRATION_UNKNOWN', `No migration is called "${migration}".`, {
      tenant: id,
      schema,
      migration,
      fix: ['restore its file first', 'or settle it with --mark-rolled-back'],
    })
  }
  const place = { sql: session, schema, history }
  const executed = await storage.executed(place)
  if (executed.includes(migration)) return
  await storage.record(place, migration)
  // How long it took nobody knows; its row holds what the file was, and its place in the order.
  const done = [{ name: migration, durationMs: 0 }]
  await writeProgress(session, subjectOf(tenant), files, storage, { direction: 'up', done, accepted: [] })
}
