/**
 * Many tenants from one queue: a few workers, each with one session for all its tenants. A tenant that fails
 * is reported and stops no other.
 */
import { databaseError } from './database-errors.ts'
import { messageOf, TenancyError, type ErrorDocument } from './errors.ts'
import type { RunReport } from './migrations/run.ts'
import type { MigrationSession } from './migrations/session.ts'
import type { Tenant } from './tenant.ts'

export interface FleetOptions {
  readonly concurrency: number
  withSession<T>(fn: (session: MigrationSession) => Promise<T>): Promise<T>
  /** Runs one tenant on a worker's session. */
  run(session: MigrationSession, tenant: Tenant): Promise<RunReport>
}

/** The outcome for one tenant: its report, or why there is none. */
export type FleetResult =
  | { readonly tenant: Tenant; readonly report: RunReport }
  | { readonly tenant: Tenant; readonly error: ErrorDocument; readonly migrations: readonly string[] }

/** Runs every tenant; the results are in the order of `tenants`. Throws only if nothing could be run at all. */
export async function runFleet(
  tenants: readonly Tenant[],
  options: FleetOptions,
): Promise<readonly FleetResult[]> {
  const queue = tenants.entries()
  const results: FleetResult[] = []
  const worker = async () => {
    // A session whose connection has died would fail every tenant after it: the worker takes a new one.
    for (let isDead = true; isDead;)
      isDead = await options.withSession(async (session) => {
        for (const [index, tenant] of queue) {
          results[index] = await runOne(session, tenant, options)
          if ('error' in results[index] && !(await isAlive(session))) return true
        }
        return false
      })
  }
  const workers = Array.from({ length: Math.min(options.concurrency, tenants.length) }, worker)
  const failures = (await Promise.allSettled(workers)).filter((outcome) => outcome.status === 'rejected')
  // Workers take over what another could not begin; without any, nothing has run.
  const [failure] = failures
  if (failure !== undefined && results.length === 0) throw failure.reason
  // Those that nobody was left to take.
  return tenants.map(
    (tenant, index) => results[index] ?? { tenant, error: describe(failure?.reason, tenant), migrations: [] },
  )
}

async function isAlive(session: MigrationSession): Promise<boolean> {
  return session.query('SELECT 1').then(
    () => true,
    () => false,
  )
}

async function runOne(
  session: MigrationSession,
  tenant: Tenant,
  options: FleetOptions,
): Promise<FleetResult> {
  try {
    return { tenant, report: await options.run(session, tenant) }
  } catch (error) {
    // Segments that were committed before the failure stay.
    const migrations = error instanceof TenancyError ? error.committed : []
    return { tenant, error: describe(error, tenant), migrations }
  }
}

function describe(error: unknown, { id }: Tenant): ErrorDocument {
  const known = error instanceof TenancyError ? error : databaseError(error, { tenant: id })
  return (
    known?.toJSON() ?? {
      code: 'MIGRATION_FAILED',
      title: `The run failed on tenant "${id}".`,
      tenant: id,
      detail: messageOf(error),
      fix: [`run it alone: umzug-tenants up --tenant ${id}`],
    }
  )
}
