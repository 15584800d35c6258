/** `down`, `downgrade` and `db:migrate:undo`: reverts migrations, once somebody has confirmed it. */
import type { Tenancy } from '../../tenancy.ts'
import { readAllow, type AllowFlags } from '../allow.ts'
import { confirm } from '../confirm.ts'
import type { Invocation } from '../invocation.ts'
import { fleetOf, outcomeOf, reportRun, type FleetReport } from '../report.ts'
import {
  describeSelection,
  isOne,
  readVariables,
  refuseDryRun,
  requireSelection,
  wordFor,
  type SelectionFlags,
} from '../selection.ts'
import { describeDown, readConcurrency, type DownTarget } from '../target.ts'
import { script, type SqlFlags } from './script.ts'

export interface DownFlags extends SelectionFlags, AllowFlags, SqlFlags {
  readonly concurrency?: string
  readonly yes?: boolean
}

type DownOptions = DownTarget &
  ReturnType<typeof readAllow> & {
    readonly x: Readonly<Record<string, string>>
    readonly concurrency?: number
  }

export async function down(invocation: Invocation, flags: DownFlags, target: DownTarget): Promise<number> {
  refuseDryRun(flags)
  const selection = requireSelection(flags)
  const { x } = readVariables(flags)
  const wanted = { ...target, ...readAllow(flags), x }
  if (flags.sql !== undefined)
    return script(invocation, selection, { ...wanted, direction: 'down' }, flags.sql)
  const options = { ...wanted, ...readConcurrency(flags.concurrency) }
  await confirm(invocation, {
    warning: `This reverts ${describeDown(target)} of ${describeSelection(selection)}, and the data with it.`,
    word: wordFor(selection),
    yes: flags.yes ?? false,
  })
  return reportRun(invocation, {
    command: 'down',
    one: isOne(selection),
    run: (tenancy) =>
      'shared' in selection ? downShared(tenancy, options) : tenancy.down({ ...selection, ...options }),
  })
}

async function downShared(tenancy: Tenancy, options: DownOptions): Promise<FleetReport> {
  const shared = await tenancy.status({ shared: true })
  return fleetOf([await outcomeOf(shared, 'reverted', () => tenancy.down({ shared: true, ...options }))])
}
