/** `status` and `db:migrate:status`: where each tenant stands. */
import type { TenantStatus } from '../../status.ts'
import type { Tenancy } from '../../tenancy.ts'
import { show, withTenancy, type Invocation } from '../invocation.ts'
import { statusText } from '../print.ts'
import { isOne, readSelection, readVariables, type Selection, type SelectionFlags } from '../selection.ts'
import { hintIfNobody } from '../warnings.ts'

export interface StatusFlags extends SelectionFlags {
  readonly check?: boolean
  readonly verify?: boolean
}

/** Exit code of `--check` when a tenant is not where it should be. */
const NOT_AT_HEAD = 3

export async function status(invocation: Invocation, flags: StatusFlags): Promise<number> {
  const selection = readSelection(flags) ?? { all: true }
  readVariables(flags) // a pair that cannot be read is a mistake here too
  const tenants = await withTenancy(invocation, (tenancy) =>
    statusesOf(tenancy, selection, flags.verify ?? false),
  )
  show(invocation, { tenants }, statusText(tenants, invocation.terminal.style.out))
  hintIfNobody(invocation, selection, tenants.length)
  return exitCodeOf(tenants, flags)
}

/** The exit code of a command that says where tenants stand. */
export function exitCodeOf(tenants: readonly TenantStatus[], { check }: StatusFlags): number {
  return check === true && !tenants.every(isServable) ? NOT_AT_HEAD : 0
}

export async function statusesOf(
  tenancy: Tenancy,
  selection: Selection,
  verify: boolean,
): Promise<readonly TenantStatus[]> {
  if ('shared' in selection) return [await tenancy.status({ shared: true })]
  // A tenant asked for by name is worth a look at its own version table.
  return tenancy.status({ ...selection, verify: verify || isOne(selection) })
}

/** A database that is ahead has all that this code needs. */
function isServable({ state }: TenantStatus): boolean {
  return state === 'ok' || state === 'ahead'
}
