/** `seed up`: applies the seed files that tenants have not had yet. */
import type { Invocation } from '../invocation.ts'
import { reportRun } from '../report.ts'
import {
  isOne,
  readVariables,
  refuseDryRun,
  requireSelection,
  usage,
  type SelectionFlags,
} from '../selection.ts'
import { readFleet, type FleetFlags } from '../target.ts'

export type SeedFlags = SelectionFlags & FleetFlags

export async function seed(invocation: Invocation, flags: SeedFlags): Promise<number> {
  refuseDryRun(flags)
  const selection = requireSelection(flags)
  if ('shared' in selection)
    throw usage('Seed files are for tenants.', 'select tenants: --tenant, --match or --all')
  const { x } = readVariables(flags)
  const options = { x, ...readFleet(flags) }
  return reportRun(invocation, {
    command: 'seed up',
    repeats: false,
    verb: 'up to date',
    one: isOne(selection),
    run: (tenancy, interruption) => tenancy.seed({ ...selection, ...options, ...interruption }),
  })
}
