/** `check --tenants`: which tenants are not what the specimen is. */
import { describeOperation } from '../../autogenerate/describe.ts'
import type { Drift } from '../../autogenerate/drift.ts'
import type { DriftReport } from '../../drift.ts'
import { show, withTenancy, type Invocation } from '../invocation.ts'
import { withProgress } from '../progress.ts'
import { SOME_FAILED } from '../report.ts'
import { interruptible } from '../signals.ts'
import { readFleet, type FleetFlags } from '../target.ts'
import type { Style } from '../terminal.ts'

export interface CheckTenantsFlags extends FleetFlags {
  readonly specimen?: string
  readonly shadowUrl?: string
}

/** Exit code if a tenant is not the same. */
const FOUND = 3

export async function checkTenants(invocation: Invocation, flags: CheckTenantsFlags): Promise<number> {
  const { specimen, shadowUrl } = flags
  const { terminal, json } = invocation
  return withTenancy(invocation, (tenancy) =>
    interruptible(terminal, async (interruption) => {
      const request = { specimen, shadowUrl, ...readFleet(flags), ...interruption }
      const report = await withProgress(tenancy, terminal, () => tenancy.drift(request))
      const differences = report.tenants.flatMap((tenant) => tenant.differences)
      const document = { ...report, differences, ...(interruption.exitCode ? { interrupted: true } : {}) }
      show(invocation, document, reportText(report, terminal.style.out))
      if (!json) terminal.err(notesText(report))
      return interruption.exitCode ?? exitCodeOf(report)
    }),
  )
}

/** Who could not be read may be anything: that is no answer, and neither is a tenant that was not looked at. */
function exitCodeOf({ tenants, notRun }: DriftReport): number {
  if (notRun > 0 || tenants.some(({ state }) => state === 'failed')) return SOME_FAILED
  return tenants.some(({ state }) => state !== 'same') ? FOUND : 0
}

function reportText({ specimen, tenants, notRun }: DriftReport, style: Style): string {
  const different = tenants.filter(({ state }) => state !== 'same')
  const texts = different.map((drift) => driftText(drift, style))
  const same = tenants.length - different.length
  const total = tenants.length + notRun
  return `${texts.join('')}${same} of ${total} tenants are as "${specimen}"\n`
}

function driftText({ id, state, differences, error }: Drift, style: Style): string {
  const why = error === undefined ? '' : `: ${error.title}${error.detail ? ` ${error.detail}` : ''}`
  const lines = differences.map((operation) => `  ${describeOperation(operation)}\n`)
  return `${style('bold', id)} ${style('bad', state)}${why}\n${lines.join('')}`
}

function notesText({ replayProblem, notRun, tenants }: DriftReport): string {
  const isElsewhere = tenants.some(({ state }) => /^(?:behind|ahead|diverged)$/.test(state))
  const replay =
    replayProblem === undefined || !isElsewhere
      ? ''
      : `tenants at another revision were not compared: ${replayProblem}\n`
  return `${replay}${notRun === 0 ? '' : `${notRun} not looked at\n`}`
}
