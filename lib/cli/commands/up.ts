/** `up`, `upgrade` and `db:migrate`: applies pending migrations, or says which it would apply. */
import type { Tenancy } from '../../tenancy.ts'
import { readAllow, type AllowFlags } from '../allow.ts'
import { show, withTenancy, type Invocation } from '../invocation.ts'
import { planText } from '../print.ts'
import { fleetOf, outcomeOf, printAllowed, reportRun, type FleetReport, type Plan } from '../report.ts'
import { isOne, readVariables, requireSelection, type Selection, type SelectionFlags } from '../selection.ts'
import { readConcurrency, type UpTarget } from '../target.ts'
import { script, type SqlFlags } from './script.ts'

export interface UpFlags extends SelectionFlags, AllowFlags, SqlFlags {
  readonly concurrency?: string
  readonly dryRun?: boolean
}

type UpOptions = UpPlan & { readonly x: Readonly<Record<string, string>>; readonly concurrency?: number }

type UpPlan = UpTarget & ReturnType<typeof readAllow>

export async function up(invocation: Invocation, flags: UpFlags, target: UpTarget): Promise<number> {
  const selection = requireSelection(flags)
  const { x, dryRun } = readVariables(flags)
  const wanted = { ...target, ...readAllow(flags) }
  const options = { ...wanted, x, ...readConcurrency(flags.concurrency) }
  if (dryRun || flags.dryRun === true) return preview(invocation, selection, wanted)
  if (flags.sql !== undefined) return script(invocation, selection, { ...wanted, x }, flags.sql)
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

async function preview(invocation: Invocation, selection: Selection, wanted: UpPlan): Promise<number> {
  const tenants = await withTenancy(invocation, (tenancy) => {
    printAllowed(tenancy, invocation)
    return plansOf(tenancy, selection, wanted)
  })
  const { terminal } = invocation
  show(invocation, { dryRun: true, tenants }, planText(tenants, terminal.style.out))
  if (!invocation.json) terminal.err('nothing was written\n')
  return 0
}

async function plansOf(tenancy: Tenancy, selection: Selection, wanted: UpPlan): Promise<readonly Plan[]> {
  if ('shared' in selection) return [await tenancy.plan({ shared: true, ...wanted })]
  const plans: Plan[] = []
  for (const { id } of await tenancy.status(selection)) {
    plans.push(await tenancy.plan({ tenant: id, ...wanted }))
  }
  return plans
}
