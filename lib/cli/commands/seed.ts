/** `seed up`: applies the seed files that tenants have not had yet, one tenant after another. */
import type { Invocation } from '../invocation.ts'
import { fleetOf, outcomeOf, reportRun, type TenantOutcome } from '../report.ts'
import { isOne, refuseDryRun, requireSelection, usage, type SelectionFlags } from '../selection.ts'

export async function seed(invocation: Invocation, flags: SelectionFlags): Promise<number> {
  refuseDryRun(flags)
  const selection = requireSelection(flags)
  if ('shared' in selection)
    throw usage('Seed files are for tenants.', 'select tenants: --tenant, --match or --all')
  return reportRun(invocation, {
    command: 'seed up',
    one: isOne(selection),
    async run(tenancy) {
      const outcomes: TenantOutcome[] = []
      for (const tenant of await tenancy.status(selection)) {
        outcomes.push(await outcomeOf(tenant, 'applied', () => tenancy.seed({ tenant: tenant.id })))
      }
      return fleetOf(outcomes)
    },
  })
}
