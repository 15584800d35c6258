/** `stamp`: records where tenants stand and runs nothing; what would be forgotten must be confirmed. */
import type { FleetStampReport } from '../../records.ts'
import type { Tenancy } from '../../tenancy.ts'
import { confirm } from '../confirm.ts'
import { withTenancy, type Invocation } from '../invocation.ts'
import { alone, finish } from '../outcomes.ts'
import { stampText } from '../records-text.ts'
import {
  describeSelection,
  isOne,
  readVariables,
  requireSelection,
  wordFor,
  type Selection,
  type SelectionFlags,
} from '../selection.ts'
import { readConcurrency } from '../target.ts'

export interface StampFlags extends SelectionFlags {
  readonly concurrency?: string
  readonly dryRun?: boolean
  readonly yes?: boolean
}

interface StampOptions {
  readonly to: string
  readonly concurrency?: number
}

export async function stamp(invocation: Invocation, flags: StampFlags, to: string): Promise<number> {
  const selection = requireSelection(flags)
  const isPlanned = readVariables(flags).dryRun || flags.dryRun === true
  const options = { to, ...readConcurrency(flags.concurrency) }
  const style = invocation.terminal.style.out
  const one = isOne(selection)
  return withTenancy(invocation, async (tenancy) => {
    if (isPlanned) {
      const { tenants } = await stampAll(tenancy, selection, { ...options, dryRun: true })
      const code = finish(
        invocation,
        { dryRun: true, tenants },
        { text: stampText(tenants, style, true), one },
      )
      if (!invocation.json) invocation.terminal.err('nothing was written\n')
      return code
    }
    if (flags.yes !== true) await confirmForgetting(invocation, tenancy, selection, options)
    const report = await stampAll(tenancy, selection, options)
    const changed = report.tenants.filter(({ error }) => error === undefined)
    return finish(invocation, report, { text: stampText(changed, style, false), one })
  })
}

async function stampAll(
  tenancy: Tenancy,
  selection: Selection,
  options: StampOptions & { readonly dryRun?: boolean },
): Promise<FleetStampReport> {
  if (!('shared' in selection)) return tenancy.stamp({ ...selection, ...options })
  const report = await tenancy.stamp({ shared: true, ...options })
  return alone(report, report.recorded.length + report.forgotten.length > 0)
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
