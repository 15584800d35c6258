/** `stamp`: records where tenants stand and runs nothing; what would be forgotten must be confirmed. */
import type { StampRequest } from '../../records.ts'
import type { StampReport } from '../../stamp.ts'
import type { Tenancy } from '../../tenancy.ts'
import { confirm } from '../confirm.ts'
import { show, withTenancy, type Invocation } from '../invocation.ts'
import { sharedReport, type FleetReport } from '../outcomes.ts'
import { stampText } from '../records-text.ts'
import { exitCodeOf, reportRun } from '../report.ts'
import {
  describeSelection,
  isOne,
  readVariables,
  requireSelection,
  wordFor,
  type Selection,
  type SelectionFlags,
} from '../selection.ts'
import { readFleet, type FleetFlags, type FleetTarget } from '../target.ts'

export interface StampFlags extends SelectionFlags, FleetFlags {
  readonly dryRun?: boolean
  readonly yes?: boolean
}

type StampOptions = StampRequest & FleetTarget

export async function stamp(invocation: Invocation, flags: StampFlags, to: string): Promise<number> {
  const selection = requireSelection(flags)
  const isPlanned = readVariables(flags).dryRun || flags.dryRun === true
  const options = { to, ...readFleet(flags) }
  if (isPlanned) return preview(invocation, selection, options)
  return reportRun(invocation, {
    command: `stamp ${to}`,
    repeats: false,
    verb: 'stamped',
    selection,
    ...(flags.yes === true
      ? {}
      : { confirm: (tenancy) => confirmForgetting(invocation, tenancy, selection, options) }),
    run: (tenancy, interruption) => stampAll(tenancy, selection, { ...options, ...interruption }),
  })
}

async function preview(invocation: Invocation, selection: Selection, options: StampOptions): Promise<number> {
  const { tenants } = await withTenancy(invocation, (tenancy) =>
    stampAll(tenancy, selection, { ...options, dryRun: true }),
  )
  const { terminal, json } = invocation
  show(invocation, { dryRun: true, tenants }, stampText(tenants, terminal.style.out, 'planned'))
  if (!json) terminal.err('nothing was written\n')
  return exitCodeOf({ tenants }, { one: isOne(selection) })
}

async function stampAll(
  tenancy: Tenancy,
  selection: Selection,
  options: StampOptions,
): Promise<FleetReport<StampReport>> {
  if (!('shared' in selection)) return tenancy.stamp({ ...selection, ...options })
  return sharedReport(
    tenancy,
    () => tenancy.stamp({ shared: true, ...options }),
    (owner) => ({ ...owner, recorded: [], forgotten: [] }),
  )
}

/** A record that is lost cannot be read from the schema again; recording more is as easily taken back. */
async function confirmForgetting(
  invocation: Invocation,
  tenancy: Tenancy,
  selection: Selection,
  options: StampOptions,
): Promise<void> {
  const { tenants } = await stampAll(tenancy, selection, { ...options, dryRun: true })
  const names = new Set(tenants.flatMap(({ forgotten }) => forgotten))
  if (names.size === 0) return
  await confirm(invocation, {
    warning: `This forgets that ${[...names].join(', ')} ran on ${describeSelection(selection)}; what they did stays, and up runs them again.`,
    word: wordFor(selection),
    yes: false,
  })
}
