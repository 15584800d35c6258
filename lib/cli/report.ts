/** Runs a command on tenants from the first question to the exit code, and prints what becomes of it meanwhile. */
import { isTenancyError, TenancyError, type ErrorDocument } from '../errors.ts'
import type { Interruption } from '../interruption.ts'
import type { Tenancy } from '../tenancy.ts'
import { allowedText } from './allow.ts'
import { show, showError, withTenancy, type Invocation } from './invocation.ts'
import { errorText, failuresText, remainingText, summaryText, type Verb } from './print.ts'
import { printDone } from './done.ts'
import type { FleetReport } from './outcomes.ts'
import { withProgress } from './progress.ts'
import { isOne, type Selection } from './selection.ts'
import { interruptible, type Interruptible } from './signals.ts'
import { hintIfNobody } from './warnings.ts'

/** What `up` would run on one tenant. */
export interface Plan {
  readonly id: string
  readonly schema: string
  readonly migrations: readonly string[]
  /** Why the run would be refused. */
  readonly error?: ErrorDocument
}

export interface RunRequest {
  /** What was typed, without the selection: how to run it again for some of the tenants. */
  readonly command: string
  /** Whether it does more when it is run again for tenants that it was run for already. */
  readonly repeats: boolean
  /** Of one tenant that was asked for by name the error is the command's. */
  readonly selection: Selection
  /** Asks before anything is done, if that is needed. */
  confirm?(tenancy: Tenancy): Promise<void>
  run(tenancy: Tenancy, interruption: Interruption): Promise<FleetReport>
  /** What it makes of a tenant. */
  readonly verb: Verb
}

/** Runs `request`, prints its report, and resolves to the exit code. */
export async function reportRun(invocation: Invocation, request: RunRequest): Promise<number> {
  const { terminal, json } = invocation
  return withTenancy(invocation, async (tenancy) => {
    await request.confirm?.(tenancy)
    printAllowed(tenancy, invocation)
    if (!json) printDone(tenancy, terminal)
    const startedAt = performance.now()
    return interruptible(terminal, async (interruption) => {
      const report = await withProgress(tenancy, terminal, () => request.run(tenancy, interruption))
      const isInterrupted = interruption.exitCode !== undefined
      const document = { ...report, ...(isInterrupted ? { interrupted: true } : {}) }
      show(invocation, document, summaryText(report, request.verb, performance.now() - startedAt))
      if (!json) printTroubles(report, request, invocation)
      return interruption.exitCode ?? exitCodeOf(report, { one: isOne(request.selection) })
    })
  })
}

/**
 * Does `work`, which signals can end early: the exit code is that of the signal then, whether the work has come to its end or
 * says how to go on.
 */
export function interruptibly(
  invocation: Invocation,
  work: (tenancy: Tenancy, interruption: Interruptible) => Promise<number>,
): Promise<number> {
  return withTenancy(invocation, (tenancy) =>
    interruptible(invocation.terminal, async (interruption) => {
      try {
        const exitCode = await work(tenancy, interruption)
        return interruption.exitCode ?? exitCode
      } catch (error) {
        if (interruption.exitCode === undefined || !isTenancyError(error)) throw error
        showError(invocation, error)
        return interruption.exitCode
      }
    }),
  )
}

function printTroubles(
  report: FleetReport,
  { command, repeats, selection }: RunRequest,
  invocation: Invocation,
): void {
  const { terminal } = invocation
  const style = terminal.style.err
  const failure = failureOf(report)
  if (failure !== undefined)
    terminal.err(isOne(selection) ? errorText(failure, style) : failuresText(report, command, style))
  terminal.err(remainingText(report, command, repeats))
  hintIfNobody(invocation, selection, report.tenants.length + report.notRun)
}

function failureOf({ tenants }: Pick<FleetReport, 'tenants'>): ErrorDocument | undefined {
  return tenants.find(({ error }) => error !== undefined)?.error
}

/** That of the one tenant's error; a fleet has its own. */
export function exitCodeOf(report: Pick<FleetReport, 'tenants'>, { one }: { readonly one: boolean }): number {
  const failure = failureOf(report)
  if (failure === undefined) return 0
  return one ? exitCodeOfError(failure) : SOME_FAILED
}

/** Exit code of a fleet with failures. */
export const SOME_FAILED = 4

/** Names on stderr what a flag or the configuration has let through. */
export function printAllowed(tenancy: Tenancy, { terminal }: Invocation): void {
  tenancy.on('migration:allowed', (event) => terminal.err(allowedText(event)))
}

export function exitCodeOfError({ code, title, fix }: ErrorDocument): number {
  return new TenancyError(code, title, { fix }).exitCode
}
