/** `up`, `upgrade` and `db:migrate`: applies pending migrations, or says which it would apply. */
import type { Tenancy } from '../../tenancy.ts'
import { show, withTenancy, type Invocation } from '../invocation.ts'
import { planText } from '../print.ts'
import { fleetOf, outcomeOf, reportRun, type FleetReport, type Plan } from '../report.ts'
import { isOne, readVariables, requireSelection, type Selection, type SelectionFlags } from '../selection.ts'
import { readConcurrency, type UpTarget } from '../target.ts'

export interface UpFlags extends SelectionFlags {
  readonly concurrency?: string
  readonly dryRun?: boolean
}

type UpOptions = UpTarget & { readonly x: Readonly<Record<string, string>>; readonly concurrency?: number }

export async function up(invocation: Invocation, flags: UpFlags, target: UpTarget): Promise<number> {
  const selection = requireSelection(flags)
  const { x, dryRun } = readVariables(flags)
  const options = { ...target, x, ...readConcurrency(flags.concurrency) }
  if (dryRun || flags.dryRun === true) return preview(invocation, selection, target)
  return reportRun(invocation, {
    command: 'up',
    one: isOne(selection),
    run: (tenancy) =>
      'shared' in selection ? upShared(tenancy, options) : tenancy.up({ ...selection, ...options }),
  })
}

async function upShared(tenancy: Tenancy, options: UpOptions): Promise<FleetReport> {
  const shared = await tenancy.status({ shared: true })
  return fleetOf([await outcomeOf(shared, 'applied', () => tenancy.up({ shared: true, ...options }))])
}

async function preview(invocation: Invocation, selection: Selection, target: UpTarget): Promise<number> {
  const tenants = await withTenancy(invocation, (tenancy) => plansOf(tenancy, selection, target))
  const { terminal } = invocation
  show(invocation, { dryRun: true, tenants }, planText(tenants, terminal.style.out))
  if (!invocation.json) terminal.err('nothing was written\n')
  return 0
}

async function plansOf(tenancy: Tenancy, selection: Selection, target: UpTarget): Promise<readonly Plan[]> {
  if ('shared' in selection) return [await tenancy.plan({ shared: true, ...target })]
  const plans: Plan[] = []
  for (const { id } of await tenancy.status(selection)) {
    plans.push(await tenancy.plan({ tenant: id, ...target }))
  }
  return plans
}
