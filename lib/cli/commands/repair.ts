/** `repair`: settles a migration that was interrupted outside a transaction, or accepts files that have changed. */
import type { RehashReport } from '../../repair.ts'
import { show, withTenancy, type Invocation } from '../invocation.ts'
import { sharedReport } from '../outcomes.ts'
import { reportRun } from '../report.ts'
import { readSelection, refuseDryRun, requireSelection, usage, type SelectionFlags } from '../selection.ts'
import { readFleet, type FleetFlags } from '../target.ts'

export interface RepairFlags extends SelectionFlags, FleetFlags {
  readonly rehash?: boolean
  readonly markApplied?: boolean
  readonly markRolledBack?: boolean
}

export async function repair(invocation: Invocation, flags: RepairFlags): Promise<number> {
  refuseDryRun(flags)
  if (flags.rehash === true) return rehash(invocation, flags)
  const tenant = tenantOf(flags)
  const as = settlementOf(flags)
  const report = await withTenancy(invocation, (tenancy) => tenancy.repair({ tenant, as }))
  const { id, migration } = report
  show(
    invocation,
    report,
    migration === null
      ? `nothing to repair: no migration of ${id} was interrupted\n`
      : `${migration} of ${id} counts as ${as} now\n`,
  )
  return 0
}

/** Each file that is accepted is named as what a flag lets through is. */
async function rehash(invocation: Invocation, flags: RepairFlags): Promise<number> {
  if (flags.markApplied === true || flags.markRolledBack === true)
    throw usage('--rehash and --mark-… exclude each other.', 'give one of them')
  const selection = requireSelection(flags)
  const options = readFleet(flags)
  return reportRun(invocation, {
    command: 'repair --rehash',
    repeats: false,
    verb: 'rehashed',
    selection,
    run: (tenancy, interruption) =>
      'shared' in selection
        ? sharedReport<RehashReport>(
            tenancy,
            () => tenancy.rehash({ shared: true, ...interruption }),
            (owner) => ({ ...owner, accepted: [] }),
          )
        : tenancy.rehash({ ...selection, ...options, ...interruption }),
  })
}

function tenantOf(flags: RepairFlags): string {
  const selection = readSelection(flags)
  const [tenant, ...others] = selection !== undefined && 'tenants' in selection ? selection.tenants : []
  if (tenant === undefined || others.length > 0) throw usage('repair settles one tenant.', 'add --tenant ID')
  return tenant
}

function settlementOf({
  markApplied = false,
  markRolledBack = false,
}: RepairFlags): 'applied' | 'rolled-back' {
  if (markApplied !== markRolledBack) return markApplied ? 'applied' : 'rolled-back'
  throw usage(
    'repair needs to know what the interrupted migration is to count as.',
    'after you have undone what it did: --mark-rolled-back',
    'after you have finished it by hand: --mark-applied',
    'to accept files that have changed since they were applied: --rehash',
  )
}
