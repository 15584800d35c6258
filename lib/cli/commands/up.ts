/** `up`, `upgrade` and `db:migrate`: applies pending migrations, or says which it would apply. */
import type { Tenancy } from '../../tenancy.ts'
import type { Interruption } from '../../interruption.ts'
import { readAllow, type AllowFlags } from '../allow.ts'
import { show, withTenancy, type Invocation } from '../invocation.ts'
import { sharedReport, type FleetReport } from '../outcomes.ts'
import { planText } from '../print.ts'
import { exitCodeOf, printAllowed, reportRun, type Plan } from '../report.ts'
import { isOne, readVariables, requireSelection, type Selection, type SelectionFlags } from '../selection.ts'
import { readFleet, type FleetFlags, type FleetTarget, type UpTarget } from '../target.ts'
import { script, type SqlFlags } from './script.ts'

export interface UpFlags extends SelectionFlags, AllowFlags, FleetFlags, SqlFlags {
  readonly dryRun?: boolean
  readonly verify?: boolean
}

type UpOptions = UpPlan &
  FleetTarget &
  Interruption & { readonly x: Readonly<Record<string, string>>; readonly verify: boolean }

type UpPlan = UpTarget & ReturnType<typeof readAllow>

export async function up(invocation: Invocation, flags: UpFlags, target: UpTarget): Promise<number> {
  const selection = requireSelection(flags)
  const { x, dryRun } = readVariables(flags)
  const wanted = { ...target, ...readAllow(flags) }
  // A tenant asked for by name is worth a look at its own version table.
  const verify = flags.verify === true || isOne(selection)
  const options = { ...wanted, x, verify, ...readFleet(flags) }
  if (dryRun || flags.dryRun === true) return preview(invocation, selection, wanted)
  if (flags.sql !== undefined) return script(invocation, selection, { ...wanted, x }, flags.sql)
  return reportRun(invocation, {
    command: 'up',
    repeats: false,
    verb: 'up to date',
    selection,
    run: (tenancy, interruption) =>
      'shared' in selection
        ? upShared(tenancy, { ...options, ...interruption })
        : tenancy.up({ ...selection, ...options, ...interruption }),
  })
}

function upShared(tenancy: Tenancy, options: UpOptions): Promise<FleetReport> {
  return sharedReport(
    tenancy,
    () => tenancy.up({ shared: true, ...options }),
    (owner, { committed }) => ({ ...owner, applied: committed, durationMs: 0 }),
  )
}

async function preview(invocation: Invocation, selection: Selection, wanted: UpPlan): Promise<number> {
  const tenants = await withTenancy(invocation, (tenancy) => {
    printAllowed(tenancy, invocation)
    return plansOf(tenancy, selection, wanted)
  })
  const { terminal } = invocation
  show(invocation, { dryRun: true, tenants }, planText(tenants, terminal.style.out))
  if (!invocation.json) terminal.err('nothing was written\n')
  return exitCodeOf({ tenants }, { one: isOne(selection) })
}

async function plansOf(tenancy: Tenancy, selection: Selection, wanted: UpPlan): Promise<readonly Plan[]> {
  if ('shared' in selection) return [await tenancy.plan({ shared: true, ...wanted })]
  return tenancy.plan({ ...selection, ...wanted })
}
