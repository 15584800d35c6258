/** Reports as they are printed: a single tenant's and the shared schema's have the form of a fleet's. */
import { isTenancyError, type ErrorDocument, type TenancyError } from '../errors.ts'
import type { Tenancy } from '../tenancy.ts'

/** What became of one tenant, with the names of the migrations that something was done with. */
export interface TenantOutcome {
  readonly id: string
  readonly schema: string
  readonly applied?: readonly string[]
  readonly reverted?: readonly string[]
  readonly recorded?: readonly string[]
  readonly forgotten?: readonly string[]
  readonly accepted?: readonly string[]
  readonly durationMs?: number
  readonly error?: ErrorDocument
}

/** What commands on tenants print; the library's own reports of fleets are of this type. */
export interface FleetReport<Outcome extends TenantOutcome = TenantOutcome> {
  readonly tenants: readonly (Outcome & { readonly error?: ErrorDocument })[]
  readonly succeeded: number
  readonly unchanged: number
  readonly failed: number
  readonly notRun: number
  /** Ids of those that were not run. */
  readonly remaining?: readonly string[]
}

/** How many migrations something was done with; one that was reverted and applied again is one. */
export function changesOf({ applied, reverted, recorded, forgotten, accepted }: TenantOutcome): number {
  return new Set([applied, reverted, recorded, forgotten, accepted].flatMap((names) => names ?? [])).size
}

type Named = Pick<TenantOutcome, 'id' | 'schema'>

/** What `run` does to the shared schema, as a fleet would report it; `failed` is the report of nothing done. */
export async function sharedReport<Outcome extends TenantOutcome>(
  tenancy: Tenancy,
  run: () => Promise<Outcome>,
  failed: (owner: Named, kept: Pick<TenancyError, 'committed' | 'reverted'>) => Outcome,
): Promise<FleetReport<Outcome>> {
  const { id, schema } = await tenancy.status({ shared: true })
  try {
    const outcome = await run()
    return fleetOf(outcome, changesOf(outcome) > 0 ? { succeeded: 1 } : { unchanged: 1 })
  } catch (error) {
    if (!isTenancyError(error)) throw error
    // Stopped before it began.
    if (error.code === 'RUN_NOT_BEGUN') return { ...NONE, tenants: [], notRun: 1, remaining: [id] }
    const outcome = { ...failed({ id, schema }, error), error: error.toJSON() }
    return fleetOf(outcome, { failed: 1 })
  }
}

const NONE = { succeeded: 0, unchanged: 0, failed: 0, notRun: 0 }

function fleetOf<Outcome extends TenantOutcome>(
  outcome: Outcome,
  counts: Partial<typeof NONE>,
): FleetReport<Outcome> {
  return { tenants: [outcome], ...NONE, ...counts }
}
