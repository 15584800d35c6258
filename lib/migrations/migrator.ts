/** Takes the locks of schemas, and runs what was asked for. */
import type { Interruption } from '../interruption.ts'
import type { MigrationFile } from './files.ts'
import { Run, type MigratorOptions, type RunReport, type RunRequest } from './run.ts'
import type { LockOwner, MigrationSession } from './session.ts'
import type { Subject } from './subject.ts'
import type { UmzugPlace } from './umzug.ts'

/**
 * Runs `request` on `subject` over an open session.
 *
 * @throws TenancyError SCHEMA_MISSING, LOCK_HELD, RUN_NOT_BEGUN, RUN_CANCELLED, MIGRATION_FAILED, MIGRATION_UNKNOWN,
 * MIGRATION_IRREVERSIBLE, MIGRATION_INVALID, MIGRATION_MISSING, MIGRATION_CHANGED, MIGRATION_OUT_OF_ORDER.
 */
export async function migrate(
  session: MigrationSession,
  subject: Subject,
  files: readonly MigrationFile[],
  request: RunRequest,
  options: MigratorOptions,
): Promise<RunReport> {
  const run = new Run(session, subject, files, request, options)
  return session.withLock(subject, options.lockWaitMs, () => run.execute(), request)
}

/** Holds the locks of all `owners`, in the same order for everybody, so that two runners cannot wait for each other. */
export async function withLocks<T>(
  session: MigrationSession,
  owners: readonly LockOwner[],
  waitMs: number,
  fn: () => Promise<T>,
  interruption: Interruption = {},
): Promise<T> {
  const inOrder = owners.toSorted((a, b) => (a.schema < b.schema ? -1 : 1))
  return inOrder.reduceRight<() => Promise<T>>(
    (held, owner) => () => session.withLock(owner, waitMs, held, interruption),
    fn,
  )()
}

/**
 * Gives `fn` the place for one Umzug command. Commands that change the schema hold its lock and a transaction,
 * and leave their ledger row.
 */
export async function withPlace<T>(
  session: MigrationSession,
  subject: Subject,
  files: readonly MigrationFile[],
  command: string,
  options: MigratorOptions,
  fn: (place: UmzugPlace) => Promise<T>,
): Promise<T> {
  const direction = command === 'down' ? 'down' : 'up'
  const run = new Run(session, subject, files, { direction }, options)
  if (command !== 'up' && command !== 'down') return fn(run.place())
  return session.withLock(subject, options.lockWaitMs, () => run.lend(fn))
}
