/** `redo`: reverts the last migrations and applies them again, once somebody has confirmed it. */
import type { RedoReport } from '../../redo.ts'
import { readAllow, type AllowFlags } from '../allow.ts'
import { assertConfirmable, confirm } from '../confirm.ts'
import type { Invocation } from '../invocation.ts'
import { lossesOfDown } from '../losses.ts'
import { sharedReport } from '../outcomes.ts'
import { reportRun } from '../report.ts'
import {
  describeSelection,
  readVariables,
  refuseDryRun,
  requireSelection,
  wordFor,
  type SelectionFlags,
} from '../selection.ts'
import { describeDown, readDownTarget, readFleet, type FleetFlags, type TargetFlags } from '../target.ts'

export interface RedoFlags extends SelectionFlags, AllowFlags, TargetFlags, FleetFlags {
  readonly yes?: boolean
}

export async function redo(invocation: Invocation, flags: RedoFlags): Promise<number> {
  refuseDryRun(flags)
  const selection = requireSelection(flags)
  const { x } = readVariables(flags)
  const { backTo: _none, ...target } = readDownTarget(flags)
  const wanted = { ...target, ...readAllow(flags) }
  const options = { ...wanted, x, ...readFleet(flags) }
  const destruction = {
    warning: `This reverts ${describeDown(target)} of ${describeSelection(selection)}, and the data with it, and applies it again.`,
    word: wordFor(selection),
    yes: flags.yes ?? false,
  }
  assertConfirmable(invocation, destruction)
  return reportRun(invocation, {
    command: 'redo',
    repeats: true,
    verb: 'redone',
    selection,
    confirm: (tenancy) => confirm(invocation, destruction, () => lossesOfDown(tenancy, selection, wanted)),
    run: (tenancy, interruption) =>
      'shared' in selection
        ? sharedReport<RedoReport>(
            tenancy,
            () => tenancy.redo({ shared: true, ...options, ...interruption }),
            (owner, { reverted, committed }) => ({ ...owner, reverted, applied: committed, durationMs: 0 }),
          )
        : tenancy.redo({ ...selection, ...options, ...interruption }),
  })
}
