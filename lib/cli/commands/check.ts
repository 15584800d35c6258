/** `check`: whether a migration is due, and with `--tenants` which tenants are not what the specimen is. */
import { describeOperation } from '../../autogenerate/describe.ts'
import type { CheckReport, DriftReport } from '../../comparison.ts'
import { show, withTenancy, type Invocation } from '../invocation.ts'
import { usage } from '../selection.ts'
import type { Style } from '../terminal.ts'
import { problemsText } from './autogenerate.ts'

export interface CheckFlags {
  readonly specimen?: string
  readonly tenants?: boolean
  readonly accept?: boolean
  readonly shadowUrl?: string
}

/** Exit code if something is found, as of every check that finds a difference. */
const FOUND = 3

export async function check(invocation: Invocation, flags: CheckFlags): Promise<number> {
  const { specimen, shadowUrl, accept = false, tenants = false } = flags
  if (accept && tenants) throw usage('--accept is about the models, not about --tenants.', 'give one of them')
  if (tenants) return checkTenants(invocation, specimen)
  const report = await withTenancy(invocation, (tenancy) => tenancy.check({ specimen, shadowUrl, accept }))
  const { differences, problems } = report
  const { terminal, json } = invocation
  show(invocation, { differences, problems }, modelsText(report, accept, terminal.style.out))
  if (!json) terminal.err(problemsText(report))
  // Of a model that cannot be made nobody knows whether a migration is due.
  return (differences.length > 0 && !accept) || problems.length > 0 ? FOUND : 0
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
