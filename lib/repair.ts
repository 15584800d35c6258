/** Settles a migration that was interrupted outside a transaction: it counts as applied, or as never run. */
import { TenancyError } from './errors.ts'
import { ensureLedger } from './ledger.ts'
import type { MigrationFile } from './migrations/files.ts'
import { dropInvalidIndexes, markRunning, readRunning } from './migrations/outside.ts'
import type { MigrationSession } from './migrations/session.ts'
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

async function recordApplied(
  session: MigrationSession,
  { id, schema }: Tenant,
  migration: string,
  files: readonly MigrationFile[],
  storage: VersionStorage,
): Promise<void> {
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
  if (!executed.includes(migration)) await storage.record(place, migration)
}
