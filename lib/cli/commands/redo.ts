/** `redo`: reverts the last migrations and applies them again, once somebody has confirmed it. */
import type { FleetOf } from '../../on-each.ts'
import type { RedoReport } from '../../redo.ts'
import type { RedoOptions } from '../../runs.ts'
import type { Tenancy } from '../../tenancy.ts'
import { readAllow, type AllowFlags } from '../allow.ts'
import { confirm } from '../confirm.ts'
import { withTenancy, type Invocation } from '../invocation.ts'
import { alone, finish } from '../outcomes.ts'
import { redoText } from '../records-text.ts'
import { printAllowed } from '../report.ts'
import {
  describeSelection,
  isOne,
  readVariables,
  refuseDryRun,
  requireSelection,
  wordFor,
  type Selection,
  type SelectionFlags,
} from '../selection.ts'
import { describeDown, readConcurrency, readDownTarget, type TargetFlags } from '../target.ts'

export interface RedoFlags extends SelectionFlags, AllowFlags, TargetFlags {
  readonly concurrency?: string
  readonly yes?: boolean
}

export async function redo(invocation: Invocation, flags: RedoFlags): Promise<number> {
  refuseDryRun(flags)
  const selection = requireSelection(flags)
  const { x } = readVariables(flags)
  const target = readDownTarget(flags)
  const options = { ...target, ...readAllow(flags), x, ...readConcurrency(flags.concurrency) }
  await confirm(invocation, {
    warning: `This reverts ${describeDown(target)} of ${describeSelection(selection)}, and the data with it, and applies it again.`,
    word: wordFor(selection),
    yes: flags.yes ?? false,
  })
  const report = await withTenancy(invocation, (tenancy) => {
    printAllowed(tenancy, invocation)
    return redoAll(tenancy, selection, options)
  })
  const done = report.tenants.filter(({ error }) => error === undefined)
  return finish(invocation, report, {
    text: redoText(done, invocation.terminal.style.out),
    one: isOne(selection),
  })
}

async function redoAll(
  tenancy: Tenancy,
  selection: Selection,
  options: RedoOptions & { readonly concurrency?: number },
): Promise<FleetOf<RedoReport>> {
  if (!('shared' in selection)) return tenancy.redo({ ...selection, ...options })
  const report = await tenancy.redo({ shared: true, ...options })
  return alone(report, report.reverted.length > 0)
}
