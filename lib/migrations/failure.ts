/** Turns what a run has failed with into an error that names tenant, migration and SQLSTATE, and the remedy. */
import { databaseError } from '../database-errors.ts'
import { messageOf, TenancyError, type ErrorFacts } from '../errors.ts'
import { SQLSTATE, sqlStateOf } from '../sql.ts'
import { blockersText, endingThem, type Blocker } from './blockers.ts'
import type { Direction } from './plan.ts'
import type { Subject } from './subject.ts'
import { isMigrationError } from './umzug-package.ts'

type Facts = Omit<ErrorFacts, 'fix'>

/** The run that failed, and what of it stays. */
export interface FailedRun {
  readonly direction: Direction
  readonly committed: readonly string[]
  /** Whether its statements were cancelled on purpose. */
  readonly isCancelled: boolean
  /** Sessions that it has waited for in vain. */
  readonly blockers: readonly Blocker[]
}

export function explainFailure(error: unknown, subject: Subject, run: FailedRun): TenancyError {
  const { direction, committed, isCancelled, blockers } = run
  const facts: Facts = { tenant: subject.id, schema: subject.schema, direction, committed }
  if (isCancelled) return cancelled(error, subject, facts)
  if (error instanceof TenancyError) return error
  if (!isMigrationError(error)) return databaseError(error, facts) ?? failed(error, subject, facts, blockers)
  const { cause = error, migration } = error
  const named = { ...facts, migration: migration.name }
  return cause instanceof TenancyError ? inMigration(cause, named) : failed(cause, subject, named, blockers)
}

function cancelled(error: unknown, subject: Subject, facts: Facts): TenancyError {
  const { committed = [] } = facts
  return new TenancyError('RUN_CANCELLED', `The run on ${nameOf(subject)} was cancelled before its end.`, {
    ...facts,
    migration: isMigrationError(error) ? error.migration.name : undefined,
    detail: `what was not committed was rolled back; committed before that: ${committed.join(', ') || 'nothing'}`,
    fix: [`run it again: umzug-tenants ${facts.direction ?? 'up'} ${selectionOf(subject)}`],
    cause: error,
  })
}

/** The library's own error from within a migration, with the place it was thrown in. */
function inMigration(error: TenancyError, facts: Facts): TenancyError {
  const { code, title, detail, fix, sqlstate, retryAfterSeconds } = error
  return new TenancyError(code, title, { ...facts, detail, fix, sqlstate, retryAfterSeconds, cause: error })
}

function failed(error: unknown, subject: Subject, facts: Facts, blockers: readonly Blocker[]): TenancyError {
  const which = facts.migration === undefined ? 'The run' : `Migration "${facts.migration}"`
  const sqlstate = sqlStateOf(error)
  return new TenancyError(
    // The migration may be as it should: it is the environment that has to be mended.
    sqlstate === SQLSTATE.insufficientPrivilege ? 'PRIVILEGE_MISSING' : 'MIGRATION_FAILED',
    `${which} failed on ${nameOf(subject)}${sqlstate === undefined ? '' : ` (${sqlstate})`}.`,
    {
      ...facts,
      sqlstate,
      detail: [messageOf(error), ...(blockers.length === 0 ? [] : [blockersText(blockers)])].join('\n'),
      fix: [remedy(sqlstate, subject, facts.direction), ...endingThem(blockers)],
      cause: error,
    },
  )
}

function remedy(sqlstate: string | undefined, subject: Subject, direction: Direction = 'up'): string {
  if (sqlstate === SQLSTATE.lockNotAvailable)
    return 'wait until the table is free and run again, or raise timeouts.lockMs'
  if (sqlstate === SQLSTATE.insufficientPrivilege)
    return `grant the role what it lacks, or set migrationUrl to one that has it (umzug-tenants doctor looks), then: umzug-tenants ${direction} ${selectionOf(subject)}`
  // A run holds the locks of all its migrations until its end; the server's table for them is shared by all runs.
  if (sqlstate === SQLSTATE.outOfMemory)
    return "run fewer tenants at once (--concurrency), set transaction: 'migration', or raise max_locks_per_transaction of the server"
  return `correct the migration or the data, then: umzug-tenants ${direction} ${selectionOf(subject)}`
}

function nameOf({ id, tenant }: Subject): string {
  return tenant === undefined ? 'the shared schema' : `tenant "${id}"`
}

function selectionOf({ id, tenant }: Subject): string {
  return tenant === undefined ? '--shared' : `--tenant ${id}`
}
