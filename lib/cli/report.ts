/** Runs and their reports: a single tenant's and the shared schema's have the form of a fleet's. */
import { isTenancyError, TenancyError, type ErrorDocument } from '../errors.ts'
import type { Tenancy } from '../tenancy.ts'
import { allowedText } from './allow.ts'
import { show, withTenancy, type Invocation } from './invocation.ts'
import { committedText, errorText, failuresText, summaryText } from './print.ts'

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
}

/** What `up` would run on one tenant. */
export interface Plan {
  readonly id: string
  readonly schema: string
  readonly migrations: readonly string[]
}

export interface RunRequest {
  readonly command: 'up' | 'down' | 'seed up' | 'seed down'
  /** Whether one tenant was asked for by name: its error is then the command's. */
  readonly one: boolean
  run(tenancy: Tenancy): Promise<FleetReport>
}

/** Runs `request`, prints its report, and resolves to the exit code. */
export async function reportRun(invocation: Invocation, request: RunRequest): Promise<number> {
  const { terminal, json } = invocation
  const direction = request.command.endsWith('down') ? 'down' : 'up'
  const report = await withTenancy(invocation, async (tenancy) => {
    printAllowed(tenancy, invocation)
    if (!json) printCommitted(tenancy, invocation)
    const startedAt = performance.now()
    const result = await request.run(tenancy)
    show(invocation, result, summaryText(result, direction, performance.now() - startedAt))
    return result
  })
  const failure = report.tenants.find(({ error }) => error !== undefined)?.error
  if (failure === undefined) return 0
  if (!json) {
    const style = terminal.style.err
    terminal.err(request.one ? errorText(failure, style) : failuresText(report, request.command, style))
  }
  return request.one ? exitCodeOf(failure) : SOME_FAILED
}

/** Exit code of a fleet's run with failures. */
const SOME_FAILED = 4

/** Names on stderr what a flag or the configuration has let through. */
export function printAllowed(tenancy: Tenancy, { terminal }: Invocation): void {
  tenancy.on('migration:allowed', (event) => terminal.err(allowedText(event)))
}

/** Prints each tenant's migrations when they are committed, and not before: a rollback takes the ticks back. */
function printCommitted(tenancy: Tenancy, { terminal }: Invocation): void {
  const durations = new Map<string, Map<string, number>>()
  tenancy.on('migration:success', ({ tenant, migration, durationMs }) => {
    const ofTenant = durations.get(tenant) ?? new Map<string, number>()
    durations.set(tenant, ofTenant.set(migration, durationMs))
  })
  tenancy.on('tenant:migrated', ({ tenant, schema, direction, migrations }) => {
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

/** The report of a fleet with these outcomes. */
export function fleetOf(tenants: readonly TenantOutcome[]): FleetReport {
  const failed = tenants.filter(({ error }) => error !== undefined).length
  const succeeded = tenants.filter(({ applied, reverted }) => (applied ?? reverted ?? []).length > 0).length
  return { tenants, succeeded, unchanged: tenants.length - failed - succeeded, failed, notRun: 0 }
}

/** The exit code of a command that ends with this error. */
export function exitCodeOf({ code, title, fix }: ErrorDocument): number {
  return new TenancyError(code, title, { fix }).exitCode
}
