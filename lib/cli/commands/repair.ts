/** `repair`: settles a migration that was interrupted outside a transaction. */
import { show, withTenancy, type Invocation } from '../invocation.ts'
import { readSelection, refuseDryRun, usage, type SelectionFlags } from '../selection.ts'

export interface RepairFlags extends Pick<SelectionFlags, 'x' | 'tenant'> {
  readonly markApplied?: boolean
  readonly markRolledBack?: boolean
}

export async function repair(invocation: Invocation, flags: RepairFlags): Promise<number> {
  refuseDryRun(flags)
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
  )
}
