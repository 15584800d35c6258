/** What runs answer: of one tenant, or of a fleet with what became of each. */
import type { ErrorDocument } from './errors.ts'
import type { FleetOutcome, Kept } from './fleet.ts'
import type { RunReport } from './migrations/run.ts'

/** What every report says at least. */
export interface Named {
  readonly id: string
  readonly schema: string
}

interface TenantReport extends Named {
  readonly durationMs: number
}

export interface TenantUpReport extends TenantReport {
  readonly applied: readonly string[]
}

export interface TenantDownReport extends TenantReport {
  readonly reverted: readonly string[]
}

export interface FleetCounts {
  /** Tenants on which something was done. */
  readonly succeeded: number
  /** Tenants on which there was nothing to do. */
  readonly unchanged: number
  readonly failed: number
  /** Tenants that were not begun: the run was stopped, or had failed too often. */
  readonly notRun: number
  /** Their ids, if there are any; they are not among `tenants`. */
  readonly remaining?: readonly string[]
}

/** The reports of many tenants; that of one that failed has an error. */
export interface FleetOf<Report extends Named> extends FleetCounts {
  readonly tenants: readonly (Report & { readonly error?: ErrorDocument })[]
}

export type FleetUpReport = FleetOf<TenantUpReport>
export type FleetDownReport = FleetOf<TenantDownReport>

export function upReport({ migrations, ...report }: RunReport): TenantUpReport {
  return { ...report, applied: migrations }
}

export function downReport({ migrations, ...report }: RunReport): TenantDownReport {
  return { ...report, reverted: migrations }
}

/** The report of a fleet; `failed` is that of a tenant which failed after it had committed some migrations. */
export function fleetReport<Report extends Named>(
  { results, notRun, counts: { succeeded, unchanged, failed: failures } }: FleetOutcome<Report>,
  failed: (tenant: Named, kept: Kept) => Report,
): FleetOf<Report> {
  return {
    tenants: results.map((result) =>
      'error' in result ? { ...failed(result.tenant, result.kept), error: result.error } : result.report,
    ),
    succeeded,
    unchanged,
    failed: failures,
    notRun: notRun.length,
    ...(notRun.length === 0 ? {} : { remaining: notRun.map(({ id }) => id) }),
  }
}
