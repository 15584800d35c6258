/** What `up`, `down` and `seed` answer: of one tenant, or of a fleet with what became of each. */
import type { ErrorDocument } from './errors.ts'
import type { FleetOutcome, FleetResult } from './fleet.ts'
import type { RunReport } from './migrations/run.ts'

interface TenantReport {
  readonly id: string
  readonly schema: string
  readonly durationMs: number
}

export interface TenantUpReport extends TenantReport {
  readonly applied: readonly string[]
}

export interface TenantDownReport extends TenantReport {
  readonly reverted: readonly string[]
}

interface FleetCounts {
  /** Tenants on which something was run. */
  readonly succeeded: number
  /** Tenants that had nothing to run. */
  readonly unchanged: number
  readonly failed: number
  /** Tenants that were not begun: the run was stopped, or had failed too often. */
  readonly notRun: number
  /** Their ids, if there are any; they are not among `tenants`. */
  readonly remaining?: readonly string[]
}

export interface FleetUpReport extends FleetCounts {
  readonly tenants: readonly (TenantUpReport & { readonly error?: ErrorDocument })[]
}

export interface FleetDownReport extends FleetCounts {
  readonly tenants: readonly (TenantDownReport & { readonly error?: ErrorDocument })[]
}

export function upReport({ migrations, ...report }: RunReport): TenantUpReport {
  return { ...report, applied: migrations }
}

export function downReport({ migrations, ...report }: RunReport): TenantDownReport {
  return { ...report, reverted: migrations }
}

export function fleetUpReport(outcome: FleetOutcome): FleetUpReport {
  return {
    tenants: outcome.results.map((result) => ({ ...reportOf(result), applied: migrationsOf(result) })),
    ...count(outcome),
  }
}

export function fleetDownReport(outcome: FleetOutcome): FleetDownReport {
  return {
    tenants: outcome.results.map((result) => ({ ...reportOf(result), reverted: migrationsOf(result) })),
    ...count(outcome),
  }
}

function migrationsOf(result: FleetResult): readonly string[] {
  return 'report' in result ? result.report.migrations : result.migrations
}

function reportOf(result: FleetResult): TenantReport & { readonly error?: ErrorDocument } {
  const { id, schema } = result.tenant
  if ('error' in result) return { id, schema, durationMs: 0, error: result.error }
  return { id, schema, durationMs: result.report.durationMs }
}

function count({ results, notRun }: FleetOutcome): FleetCounts {
  const failed = results.filter((result) => 'error' in result).length
  const unchanged = results.filter(
    (result) => 'report' in result && result.report.migrations.length === 0,
  ).length
  return {
    succeeded: results.length - failed - unchanged,
    unchanged,
    failed,
    notRun: notRun.length,
    ...(notRun.length === 0 ? {} : { remaining: notRun.map(({ id }) => id) }),
  }
}
