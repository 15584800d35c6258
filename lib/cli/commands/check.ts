/** `check`: whether a migration is due, and with `--tenants` which tenants are not what the specimen is. */
import { describeOperation } from '../../autogenerate/describe.ts'
import type { CheckReport, DriftReport } from '../../comparison.ts'
import type { DataRequest } from '../../data-check.ts'
import { dataText, dataTroublesText } from '../data-text.ts'
import { show, withTenancy, type Invocation } from '../invocation.ts'
import { readSelection, usage, type SelectionFlags } from '../selection.ts'
import { interruptible } from '../signals.ts'
import { readFleet, type FleetFlags } from '../target.ts'
import type { Style } from '../terminal.ts'
import { problemsText } from './autogenerate.ts'

export interface CheckFlags extends SelectionFlags, FleetFlags {
  readonly specimen?: string
  readonly tenants?: boolean
  readonly accept?: boolean
  /** Whether rows are counted: of the tenants selected, or of all. */
  readonly data?: boolean
  readonly shadowUrl?: string
}

/** Exit code if something is found, as of every check that finds a difference. */
const FOUND = 3

export async function check(invocation: Invocation, flags: CheckFlags): Promise<number> {
  const { specimen, shadowUrl, accept = false, tenants = false } = flags
  if (accept && tenants) throw usage('--accept is about the models, not about --tenants.', 'give one of them')
  const data = readData(flags)
  if (tenants) return checkTenants(invocation, specimen)
  const { terminal, json } = invocation
  const { report, exitCode } = await withTenancy(invocation, (tenancy) =>
    interruptible(terminal, async (interruption) => ({
      report: await tenancy.check({
        specimen,
        shadowUrl,
        accept,
        data: data && { ...data, ...interruption },
      }),
      exitCode: interruption.exitCode,
    })),
  )
  const { differences, problems } = report
  const found = report.data === undefined ? {} : { data: report.data }
  const style = terminal.style.out
  show(invocation, { differences, problems, ...found }, modelsText(report, accept, style) + dataText(report, style)) // prettier-ignore
  if (!json) terminal.err(problemsText(report) + dataTroublesText(report, terminal.style.err))
  if (exitCode !== undefined) return exitCode
  // Of a model that cannot be made nobody knows whether a migration is due.
  return (differences.length > 0 && !accept) || problems.length > 0 ? FOUND : 0
}

/** Whose rows are counted; none are without `--data`. */
function readData(flags: CheckFlags): DataRequest | undefined {
  const selection = readSelection(flags)
  const limits = readFleet(flags)
  if (flags.data !== true) {
    if (selection === undefined && Object.keys(limits).length === 0) return undefined
    throw usage('Tenants are selected to count their rows.', 'add --data')
  }
  if (flags.tenants === true) throw usage('--data is about the models, not about --tenants.', 'give one of them') // prettier-ignore
  if (selection === undefined) return limits
  if ('shared' in selection) throw usage('Rows are counted in tenants, not in the shared schema.', 'select tenants') // prettier-ignore
  return { ...selection, ...limits }
}

async function checkTenants(invocation: Invocation, specimen: string | undefined): Promise<number> {
  const report = await withTenancy(invocation, (tenancy) => tenancy.drift({ specimen }))
  const drifted = report.tenants.filter(({ state }) => state !== 'same')
  const differences = drifted.flatMap((tenant) => tenant.differences)
  show(invocation, { ...report, differences }, tenantsText(report, invocation.terminal.style.out))
  return drifted.length > 0 ? FOUND : 0
}

function modelsText({ specimen, differences }: CheckReport, accept: boolean, style: Style): string {
  if (differences.length === 0) return `no difference between the models and tenant "${specimen}"\n`
  const lines = differences.map((operation) => `${describeOperation(operation)}\n`)
  const count = `${differences.length} difference${differences.length === 1 ? '' : 's'}`
  const end = accept
    ? `${count} accepted\n`
    : `${style('bad', count)} between the models and tenant "${specimen}": umzug-tenants autogenerate -m MESSAGE\n`
  return lines.join('') + end
}

function tenantsText({ specimen, tenants }: DriftReport, style: Style): string {
  const different = tenants.filter(({ state }) => state !== 'same')
  const texts = different.map(({ id, state, differences }) => {
    const lines = differences.map((operation) => `  ${describeOperation(operation)}\n`)
    return `${style('bold', id)} ${style('bad', state)}\n${lines.join('')}`
  })
  const same = tenants.length - different.length
  return `${texts.join('')}${same} of ${tenants.length} tenants are as "${specimen}"\n`
}
