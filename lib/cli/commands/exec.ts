/** `exec`: runs a program once for each tenant. */
import { constants } from 'node:os'

import type { ExecReport, TenantExecReport } from '../../exec/exec.ts'
import { SignalRelay } from '../relay.ts'
import { withTenancy, type Invocation } from '../invocation.ts'
import { durationText, errorText, jsonText } from '../print.ts'
import { exitCodeOfError, SOME_FAILED } from '../report.ts'
import {
  isOne,
  refuseDryRun,
  requireSelection,
  usage,
  type FleetSelection,
  type SelectionFlags,
} from '../selection.ts'
import { readFleet, type FleetFlags, type FleetTarget } from '../target.ts'

export type ExecFlags = SelectionFlags & FleetFlags

export async function exec(
  invocation: Invocation,
  flags: ExecFlags,
  ...command: readonly string[]
): Promise<number> {
  refuseDryRun(flags)
  const selection = requireSelection(flags, false)
  if ('shared' in selection)
    throw usage('exec runs a program for tenants.', 'select: --tenant, --match or --all')
  const one = isOne(selection)
  const relay = new SignalRelay(one)
  const request = {
    one,
    command,
    ...readFleet(flags),
    signal: relay.signal,
    onStart: () => relay.watch(),
  }
  try {
    const report = await runFor(invocation, selection, request)
    print(invocation, relay.by === undefined ? report : { ...report, interrupted: true }, one)
    return exitCodeFor(report, one, relay)
  } finally {
    relay.end()
  }
}

interface Request extends FleetTarget {
  readonly one: boolean
  readonly command: readonly string[]
  readonly signal: AbortSignal
  readonly onStart: () => void
}

function runFor(
  invocation: Invocation,
  selection: FleetSelection,
  { one, ...options }: Request,
): Promise<ExecReport> {
  const { terminal, json } = invocation
  return withTenancy(invocation, async (tenancy) => {
    if (one) return tenancy.exec({ ...selection, ...options, output: json ? 'stderr' : 'inherit' })
    return tenancy.exec({
      ...selection,
      ...options,
      output({ id }, { stream, text }) {
        const side = stream === 'stdout' && !json ? 'out' : 'err'
        terminal[side](`${terminal.style[side]('dim', `${id} |`)} ${text}\n`)
      },
    })
  })
}

interface Ended extends ExecReport {
  /** A signal has ended the programs early. */
  readonly interrupted?: true
}

function print({ terminal, json }: Invocation, report: Ended, one: boolean): void {
  if (json) {
    terminal.out(jsonText(report))
    return
  }
  for (const { error } of report.tenants)
    if (error !== undefined) terminal.err(errorText(error, terminal.style.err))
  if (one) return
  const { tenants, failed, notRun } = report
  for (const tenant of tenants) if (isFailed(tenant)) terminal.err(failureLine(tenant))
  const counts = [`${failed} failed`, ...(notRun > 0 ? [`${notRun} not run`] : [])]
  terminal.err(`${report.succeeded} of ${tenants.length + notRun} tenants done · ${counts.join(' · ')}\n`)
}

function isFailed({ code, signal }: TenantExecReport): boolean {
  return signal !== undefined || (code !== null && code !== 0)
}

function failureLine({ id, code, signal, durationMs }: TenantExecReport): string {
  const how = signal === undefined ? `exit code ${code}` : `ended by ${signal}`
  return `✖ ${id}: ${how} after ${durationText(durationMs)}\n`
}

function exitCodeFor({ tenants, failed }: ExecReport, one: boolean, { by }: SignalRelay): number {
  const [first] = tenants
  const own = one && first !== undefined ? codeOf(first) : undefined
  if (own !== undefined) return own
  if (by !== undefined) return 128 + constants.signals[by]
  return failed > 0 ? SOME_FAILED : 0
}

/** The program's own exit code, or the one a shell gives to what a signal has ended; none if it was not run. */
function codeOf({ code, signal, error }: TenantExecReport): number | undefined {
  if (error !== undefined) return exitCodeOfError(error)
  return signal === undefined ? (code ?? undefined) : 128 + constants.signals[signal]
}
