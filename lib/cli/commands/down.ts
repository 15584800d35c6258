/** `down`, `downgrade` and `db:migrate:undo`: reverts migrations, once somebody has confirmed it. */
import type { Tenancy } from '../../tenancy.ts'
import type { Interruption } from '../../interruption.ts'
import { readAllow, type AllowFlags } from '../allow.ts'
import { assertConfirmable, confirm } from '../confirm.ts'
import type { Invocation } from '../invocation.ts'
import { lossesOfDown } from '../losses.ts'
import { sharedReport, type FleetReport } from '../outcomes.ts'
import { reportRun } from '../report.ts'
import {
  describeSelection,
  readVariables,
  refuseDryRun,
  requireSelection,
  wordFor,
  type SelectionFlags,
} from '../selection.ts'
import { describeDown, readFleet, type DownTarget, type FleetFlags, type FleetTarget } from '../target.ts'
import { script, type SqlFlags } from './script.ts'

export interface DownFlags extends SelectionFlags, AllowFlags, FleetFlags, SqlFlags {
  readonly yes?: boolean
}

type DownOptions = DownTarget &
  FleetTarget &
  Interruption &
  ReturnType<typeof readAllow> & { readonly x: Readonly<Record<string, string>> }

export async function down(invocation: Invocation, flags: DownFlags, target: DownTarget): Promise<number> {
  refuseDryRun(flags)
  const selection = requireSelection(flags)
  const { x } = readVariables(flags)
  const wanted = { ...target, ...readAllow(flags) }
  if (flags.sql !== undefined)
    return script(invocation, selection, { ...wanted, x, direction: 'down' }, flags.sql)
  const options = { ...wanted, x, ...readFleet(flags) }
  const destruction = {
    warning: `This reverts ${describeDown(target)} of ${describeSelection(selection)}, and the data with it.`,
    word: wordFor(selection),
    yes: flags.yes ?? false,
  }
  assertConfirmable(invocation, destruction)
  return reportRun(invocation, {
    command: 'down',
    repeats: true,
    verb: 'reverted',
    selection,
    confirm: (tenancy) => confirm(invocation, destruction, () => lossesOfDown(tenancy, selection, wanted)),
    run: (tenancy, interruption) =>
      'shared' in selection
        ? downShared(tenancy, { ...options, ...interruption })
        : tenancy.down({ ...selection, ...options, ...interruption }),
  })
}

function downShared(tenancy: Tenancy, options: DownOptions): Promise<FleetReport> {
  return sharedReport(
    tenancy,
    () => tenancy.down({ shared: true, ...options }),
    (owner, { committed }) => ({ ...owner, reverted: committed, durationMs: 0 }),
  )
}
