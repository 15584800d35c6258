/** `check`: whether a migration is due, and with `--tenants` which tenants are not what the specimen is. */
import { describeOperation } from '../../autogenerate/describe.ts'
import type { CheckReport } from '../../comparison.ts'
import { show, withTenancy, type Invocation } from '../invocation.ts'
import { usage } from '../selection.ts'
import type { Style } from '../terminal.ts'
import { problemsText } from './autogenerate.ts'
import { checkTenants, type CheckTenantsFlags } from './check-tenants.ts'

export interface CheckFlags extends CheckTenantsFlags {
  readonly tenants?: boolean
  readonly accept?: boolean
}

/** Exit code if something is found, as of every check that finds a difference. */
const FOUND = 3

export async function check(invocation: Invocation, flags: CheckFlags): Promise<number> {
  const { specimen, shadowUrl, accept = false, tenants = false } = flags
  if (accept && tenants) throw usage('--accept is about the models, not about --tenants.', 'give one of them')
  if (tenants) return checkTenants(invocation, flags)
  const report = await withTenancy(invocation, (tenancy) => tenancy.check({ specimen, shadowUrl, accept }))
  const { differences, problems, eventTriggers } = report
  const { terminal, json } = invocation
  show(invocation, { differences, problems, eventTriggers }, modelsText(report, accept, terminal.style.out))
  if (!json) terminal.err(problemsText(report))
  // Of a model that cannot be made nobody knows whether a migration is due.
  return (differences.length > 0 && !accept) || problems.length > 0 ? FOUND : 0
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
