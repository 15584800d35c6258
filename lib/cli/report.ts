/** Runs and their reports: a single tenant's and the shared schema's have the form of a fleet's. */
import { isTenancyError, TenancyError, type ErrorDocument } from '../errors.ts'
import type { Interruption } from '../interruption.ts'
import type { Tenancy } from '../tenancy.ts'
import { allowedText } from './allow.ts'
import { show, withTenancy, type Invocation } from './invocation.ts'
import { committedText, errorText, failuresText, remainingText, summaryText } from './print.ts'
import { SMALL_FLEET, withProgress } from './progress.ts'
import { interruptible } from './signals.ts'

/** What became of one tenant; `applied` of a run up, `reverted` of one down. */
export interface TenantOutcome {
  readonly id: string
  readonly schema: string
  readonly applied?: readonly string[]
  readonly reverted?: readonly string[]
  readonly durationMs: number
  readonly error?: ErrorDocument
}

/** What `up`, `down` and `seed` print; the library's own reports of fleets are of this type. */
export interface FleetReport {
  readonly tenants: readonly TenantOutcome[]
  readonly succeeded: number
  readonly unchanged: number
  readonly failed: number
  readonly notRun: number
  /** Ids of those that were not run. */
  readonly remaining?: readonly string[]
}

/** What `up` would run on one tenant. */
export interface Plan {
  readonly id: string
  readonly schema: string
  readonly migrations: readonly string[]
  /** Why the run would be refused. */
  readonly error?: ErrorDocument
}

export interface RunRequest {
  readonly command: 'up' | 'down' | 'seed up'
  /** Whether one tenant was asked for by name: its error is then the command's. */
  readonly one: boolean
  /** Asks before anything is done, if that is needed. */
  confirm?(tenancy: Tenancy): Promise<void>
  run(tenancy: Tenancy, interruption: Interruption): Promise<FleetReport>
}

/** Runs `request`, prints its report, and resolves to the exit code. */
export async function reportRun(invocation: Invocation, request: RunRequest): Promise<number> {
  const { terminal, json } = invocation
  return withTenancy(invocation, async (tenancy) => {
    await request.confirm?.(tenancy)
    printAllowed(tenancy, invocation)
    if (!json) printCommitted(tenancy, invocation)
    const startedAt = performance.now()
    return interruptible(terminal, async (interruption) => {
      const report = await withProgress(tenancy, terminal, () => request.run(tenancy, interruption))
      const isInterrupted = interruption.exitCode !== undefined
      const document = { ...report, ...(isInterrupted ? { interrupted: true } : {}) }
      const direction = request.command === 'down' ? 'down' : 'up'
      show(invocation, document, summaryText(report, direction, performance.now() - startedAt))
      if (!json) printTroubles(report, request, invocation)
      return interruption.exitCode ?? exitCodeOf(report, request)
    })
  })
}

function printTroubles(report: FleetReport, { command, one }: RunRequest, { terminal }: Invocation): void {
  const style = terminal.style.err
  const failure = failureOf(report)
  if (failure !== undefined)
    terminal.err(one ? errorText(failure, style) : failuresText(report, command, style))
  terminal.err(remainingText(report, command))
}

function failureOf({ tenants }: FleetReport): ErrorDocument | undefined {
  return tenants.find(({ error }) => error !== undefined)?.error
}

function exitCodeOf(report: FleetReport, { one }: Pick<RunRequest, 'one'>): number {
  const failure = failureOf(report)
  if (failure === undefined) return 0
  return one ? exitCodeOfError(failure) : SOME_FAILED
}

/** Exit code of a fleet's run with failures. */
export const SOME_FAILED = 4

/** Names on stderr what a flag or the configuration has let through. */
export function printAllowed(tenancy: Tenancy, { terminal }: Invocation): void {
  tenancy.on('migration:allowed', (event) => terminal.err(allowedText(event)))
}

/**
 * Prints each tenant's migrations when they are committed, and not before: a rollback takes the ticks back. Of a large
 * fleet nobody reads that.
 */
function printCommitted(tenancy: Tenancy, { terminal }: Invocation): void {
  const durations = new Map<string, Map<string, number>>()
  let isLarge = false
  tenancy.on('fleet:progress', ({ total, unchanged }) => {
    isLarge ||= total - unchanged > SMALL_FLEET
  })
  tenancy.on('migration:success', ({ tenant, migration, durationMs }) => {
    if (isLarge) return
    const ofTenant = durations.get(tenant) ?? new Map<string, number>()
    durations.set(tenant, ofTenant.set(migration, durationMs))
  })
  tenancy.on('tenant:migrated', ({ tenant, schema, direction, migrations }) => {
    if (isLarge) return
    const timed = migrations.map((name) => ({ name, durationMs: durations.get(tenant)?.get(name) ?? 0 }))
    durations.delete(tenant)
    terminal.out(committedText({ tenant, schema, direction, migrations: timed }, terminal.style.out))
  })
}

/** The outcome of a run that throws, as a fleet would report it. */
export async function outcomeOf(
  { id, schema }: { readonly id: string; readonly schema: string },
  side: 'applied' | 'reverted',
  run: () => Promise<TenantOutcome>,
): Promise<TenantOutcome> {
  try {
    return await run()
  } catch (error) {
    if (!isTenancyError(error)) throw error
    return { id, schema, [side]: [], durationMs: 0, error: error.toJSON() }
  }
}

/** The report of a fleet with these outcomes; one that was stopped before it began is not run. */
export function fleetOf(outcomes: readonly TenantOutcome[]): FleetReport {
  const tenants = outcomes.filter(({ error }) => error?.code !== 'RUN_NOT_BEGUN')
  const failed = tenants.filter(({ error }) => error !== undefined).length
  const succeeded = tenants.filter(({ applied, reverted }) => (applied ?? reverted ?? []).length > 0).length
  const unchanged = tenants.length - failed - succeeded
  const notRun = outcomes.length - tenants.length
  const remaining = outcomes.filter((outcome) => !tenants.includes(outcome)).map(({ id }) => id)
  return { tenants, succeeded, unchanged, failed, notRun, ...(notRun === 0 ? {} : { remaining }) }
}

export function exitCodeOfError({ code, title, fix }: ErrorDocument): number {
  return new TenancyError(code, title, { fix }).exitCode
}
