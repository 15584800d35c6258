/**
 * Reverts the last migrations and applies them again, under one lock: both ways in one transaction where the migrations
 * allow that, so that a failure leaves what was there; else one after the other.
 */
import { isTenancyError, retold, type TenancyError } from './errors.ts'
import { HeldEvents } from './held-events.ts'
import type { Interruption } from './interruption.ts'
import { approve } from './migrations/approval.ts'
import type { MigrationFile } from './migrations/files.ts'
import { migrate } from './migrations/migrator.ts'
import { sharesTransaction } from './migrations/plan.ts'
import type { MigratorOptions, RunReport, RunRequest } from './migrations/run.ts'
import { compareNames } from './migrations/revision.ts'
import type { MigrationSession } from './migrations/session.ts'
import type { Subject } from './migrations/subject.ts'
import { NeedsCommit } from './migrations/treatment.ts'
import { findOutside } from './shareable.ts'
import { SQLSTATE, sqlStateOf } from './sql.ts'

/** What a redo did. */
export interface RedoReport {
  readonly id: string
  readonly schema: string
  readonly reverted: readonly string[]
  readonly applied: readonly string[]
  readonly durationMs: number
}

/** Which migrations: the last one, or as many as `step` or `to` say. */
export type RedoRequest = Pick<RunRequest, 'to' | 'step' | 'x' | 'allow' | keyof Interruption>

/**
 * Reverts and applies what `request` names on `subject`.
 *
 * @throws {@link TenancyError} what `down` and `up` throw; one of `up` says whether the migrations stay reverted.
 */
export async function redo(
  session: MigrationSession,
  subject: Subject,
  files: readonly MigrationFile[],
  { signal, cancelSignal, ...request }: RedoRequest,
  options: MigratorOptions,
): Promise<RedoReport> {
  const run = async () => {
    // Begun, it goes on to its end: between the two ways is no place to stop.
    const down = { ...request, direction: 'down' } as const
    const { names } = await approve(session, { subject, files, request: down }, options)
    const both = { session, subject, files, down, options }
    if (!(await canShareTransaction(names, both))) return inTwoRuns(both)
    const events = new HeldEvents(options.events)
    try {
      const report = await inOneTransaction({ ...both, options: { ...options, events } })
      events.release()
      return report
    } catch (error) {
      // Rolled back as a whole: nothing stands in the way of trying it in the other way.
      if (!session.isCancelled && needsItsOwnWay(error)) return inTwoRuns(both)
      events.release()
      throw error
    }
  }
  return session.withLock(subject, options.lockWaitMs, run, { signal, cancelSignal })
}

interface Both {
  readonly session: MigrationSession
  readonly subject: Subject
  readonly files: readonly MigrationFile[]
  readonly down: RunRequest
  readonly options: MigratorOptions
}

async function canShareTransaction(names: readonly string[], { files, options }: Both): Promise<boolean> {
  return sharesTransaction(options.transaction) && (await findOutside(names, files)) === undefined
}

async function inOneTransaction(both: Both): Promise<RedoReport> {
  const { session, subject, files, down, options } = both
  return session.transaction(async () => {
    const reverted = await migrate(session, subject, files, down, options)
    const last = reverted.migrations.at(-1)
    // What ends with the transaction only must not meet what follows.
    if (last !== undefined && session.hasTraces) throw new NeedsCommit(last)
    return joined(reverted, await applyAgain(reverted, both))
  })
}

async function inTwoRuns(both: Both): Promise<RedoReport> {
  const { session, subject, files, down, options } = both
  const reverted = await migrate(session, subject, files, down, options).catch((error: unknown) => {
    throw isTenancyError(error) ? retold(error, { reverted: error.committed, committed: [] }) : error
  })
  try {
    return joined(reverted, await applyAgain(reverted, both))
  } catch (error) {
    throw isTenancyError(error) ? leftReverted(error, reverted, subject) : error
  }
}

async function applyAgain(
  { migrations }: RunReport,
  { session, subject, files, down, options }: Both,
): Promise<RunReport> {
  const last = migrations.toSorted(compareNames).at(-1)
  if (last === undefined) return { id: subject.id, schema: subject.schema, migrations: [], durationMs: 0 }
  const { x, allow } = down
  return migrate(session, subject, files, { direction: 'up', to: last, x, allow }, options)
}

function joined(reverted: RunReport, applied: RunReport): RedoReport {
  const { id, schema } = reverted
  const durationMs = reverted.durationMs + applied.durationMs
  return { id, schema, reverted: reverted.migrations, applied: applied.migrations, durationMs }
}

/**
 * Whether a failure comes from the shared transaction: a statement that cannot run in one, something that must be
 * committed before it is used, a lock that was waited for, a failure that was caught.
 */
function needsItsOwnWay(error: unknown): boolean {
  const states: readonly (string | undefined)[] = [
    SQLSTATE.activeTransaction,
    SQLSTATE.unsafeNewEnumValue,
    SQLSTATE.objectInUse,
    SQLSTATE.failedTransaction,
    SQLSTATE.lockNotAvailable,
    SQLSTATE.deadlockDetected,
    SQLSTATE.serializationFailure,
  ]
  const names = ['CaughtFailure', 'NeedsOwnTransaction', 'NeedsCommit']
  for (let level = error; level instanceof Error; level = level.cause) {
    if (names.includes(level.name) || states.includes(sqlStateOf(level))) return true
  }
  return false
}

function leftReverted(
  error: TenancyError,
  { migrations }: RunReport,
  { id, tenant: ofTenant }: Subject,
): TenancyError {
  const { detail, committed } = error
  const stays = migrations.filter((name) => !committed.includes(name)).join(', ')
  return retold(error, {
    reverted: migrations,
    detail: [
      ...(detail === undefined ? [] : [detail]),
      `${stays} stays reverted: reverting it was committed`,
    ].join('\n'),
    fix: [
      ...error.fix.slice(0, 1),
      `it is pending until then: umzug-tenants status ${ofTenant === undefined ? '--shared' : `--tenant ${id}`}`,
    ],
  })
}
