/** What `up`, `down` and `seed` answer: of one tenant, or of a fleet with what became of each. */
import type { ErrorDocument } from './errors.ts'
import type { FleetResult } from './fleet.ts'
import type { RunReport } from './migrations/run.ts'

export interface TenantReport {
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

export interface FleetCounts {
  /** Tenants on which something was run. */
  readonly succeeded: number
  /** Tenants that had nothing to run. */
  readonly unchanged: number
  readonly failed: number
  readonly notRun: number
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

export function fleetUpReport(results: readonly FleetResult[]): FleetUpReport {
  return {
    tenants: results.map((result) => ({ ...reportOf(result), applied: migrationsOf(result) })),
    ...count(results),
  }
}

export function fleetDownReport(results: readonly FleetResult[]): FleetDownReport {
  return {
    tenants: results.map((result) => ({ ...reportOf(result), reverted: migrationsOf(result) })),
    ...count(results),
  }
}

function migrationsOf(result: FleetResult): readonly string[] {
  return 'report' in result ? result.report.migrations : result.migrations
}

/** What every report says of a tenant. */
export function reportOf(result: FleetResult): TenantReport & { readonly error?: ErrorDocument } {
  const { id, schema } = result.tenant
  if ('error' in result) return { id, schema, durationMs: 0, error: result.error }
  return { id, schema, durationMs: result.report.durationMs }
}

/** How many tenants ended in which way. */
export function count(results: readonly FleetResult[]): FleetCounts {
  const failed = results.filter((result) => 'error' in result).length
  const unchanged = results.filter(
    (result) => 'report' in result && result.report.migrations.length === 0,
  ).length
  return { succeeded: results.length - failed - unchanged, unchanged, failed, notRun: 0 }
}
