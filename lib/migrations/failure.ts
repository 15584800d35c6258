/** Turns what a run has failed with into an error that names tenant, migration and SQLSTATE, and the remedy. */
import { MigrationError } from 'umzug'

import { databaseError } from '../database-errors.ts'
import { messageOf, TenancyError, type ErrorFacts } from '../errors.ts'
import { SQLSTATE, sqlStateOf } from '../sql.ts'
import type { Direction } from './plan.ts'
import type { Subject } from './subject.ts'

type Facts = Omit<ErrorFacts, 'fix'>

/** The run that failed, and what of it stays. */
export interface FailedRun {
  readonly direction: Direction
  readonly committed: readonly string[]
}

export function explainFailure(error: unknown, subject: Subject, run: FailedRun): TenancyError {
  const facts: Facts = { tenant: subject.id, schema: subject.schema, ...run }
  if (error instanceof TenancyError) return error
  if (!(error instanceof MigrationError)) return databaseError(error, facts) ?? failed(error, subject, facts)
  const { cause = error, migration } = error
  const named = { ...facts, migration: migration.name }
  return cause instanceof TenancyError ? inMigration(cause, named) : failed(cause, subject, named)
}

/** The library's own error from within a migration, with the place it was thrown in. */
function inMigration(error: TenancyError, facts: Facts): TenancyError {
  const { code, title, detail, fix, sqlstate, retryAfterSeconds } = error
  return new TenancyError(code, title, { ...facts, detail, fix, sqlstate, retryAfterSeconds, cause: error })
}

function failed(error: unknown, subject: Subject, facts: Facts): TenancyError {
  const which = facts.migration === undefined ? 'The run' : `Migration "${facts.migration}"`
  const where = subject.tenant === undefined ? 'the shared schema' : `tenant "${subject.id}"`
  const sqlstate = sqlStateOf(error)
  return new TenancyError(
    'MIGRATION_FAILED',
    `${which} failed on ${where}${sqlstate === undefined ? '' : ` (${sqlstate})`}.`,
    { ...facts, sqlstate, detail: messageOf(error), fix: [remedy(sqlstate, subject)], cause: error },
  )
}

function remedy(sqlstate: string | undefined, { id, tenant }: Subject): string {
  if (sqlstate === SQLSTATE.lockNotAvailable) {
    return 'end the transactions that hold the table (pg_stat_activity), or raise timeouts.lockMs'
  }
  const selection = tenant === undefined ? '--shared' : `--tenant ${id}`
  return `correct the migration or the data, then: umzug-tenants up ${selection}`
}
