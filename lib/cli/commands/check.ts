/** `check`: whether a migration is due, and with `--tenants` which tenants are not what the specimen is. */
import { describeOperation } from '../../autogenerate/describe.ts'
import type { CheckReport } from '../../comparison.ts'
import type { DataRequest } from '../../data-check.ts'
import { dataText, dataTroublesText } from '../data-text.ts'
import { show, withTenancy, type Invocation } from '../invocation.ts'
import { readSelection, usage, type SelectionFlags } from '../selection.ts'
import { interruptible } from '../signals.ts'
import { readFleet } from '../target.ts'
import type { Style } from '../terminal.ts'
import { problemsText } from './autogenerate.ts'
import { checkTenants, type CheckTenantsFlags } from './check-tenants.ts'

export interface CheckFlags extends CheckTenantsFlags, SelectionFlags {
  readonly tenants?: boolean
  readonly accept?: boolean
  /** Whether rows are counted: of the tenants selected, or of all. */
  readonly data?: boolean
}

/** Exit code if something is found, as of every check that finds a difference. */
const FOUND = 3

export async function check(invocation: Invocation, flags: CheckFlags): Promise<number> {
  const { specimen, shadowUrl, accept = false, tenants = false } = flags
  if (accept && tenants) throw usage('--accept is about the models, not about --tenants.', 'give one of them')
  const data = readData(flags)
  if (tenants) return checkTenants(invocation, flags)
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
  const { differences, problems, eventTriggers } = report
  const found = report.data === undefined ? {} : { data: report.data }
  const style = terminal.style.out
  show(invocation, { differences, problems, eventTriggers, ...found }, modelsText(report, accept, style) + dataText(report, style)) // prettier-ignore
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
    if (selection === undefined && (flags.tenants === true || Object.keys(limits).length === 0))
      return undefined
    throw usage('Tenants are selected to count their rows.', 'add --data')
  }
  if (flags.tenants === true) throw usage('--data is about the models, not about --tenants.', 'give one of them') // prettier-ignore
  if (selection === undefined) return limits
  if ('shared' in selection) throw usage('Rows are counted in tenants, not in the shared schema.', 'select tenants') // prettier-ignore
  return { ...selection, ...limits }
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
