/** Reports of commands that change records: printed for people or programs, and turned into an exit code. */
import { TenancyError, type ErrorDocument } from '../errors.ts'
import { show, type Invocation } from './invocation.ts'
import { errorText } from './print.ts'

/** The report of a fleet, as far as printing goes. */
export interface Outcomes {
  readonly dryRun?: boolean
  readonly tenants: readonly { readonly id: string; readonly error?: ErrorDocument }[]
}

/** The report of one schema in the form of a fleet's. */
export function alone<Report>(report: Report, changed: boolean) {
  return {
    tenants: [report],
    succeeded: changed ? 1 : 0,
    unchanged: changed ? 0 : 1,
    failed: 0,
    notRun: 0,
  }
}

/** Exit code of a fleet's run with failures. */
const SOME_FAILED = 4

/** Prints `report`, and each failure after it; the exit code is that of the one, or of a fleet's. */
export function finish(
  invocation: Invocation,
  report: Outcomes,
  { text, one }: { readonly text: string; readonly one: boolean },
): number {
  show(invocation, report, text)
  const failures = report.tenants.flatMap(({ error }) => (error === undefined ? [] : [error]))
  const [first] = failures
  if (first === undefined) return 0
  const { terminal, json } = invocation
  if (!json) for (const failure of failures) terminal.err(errorText(failure, terminal.style.err))
  return one ? new TenancyError(first.code, first.title, { fix: [] }).exitCode : SOME_FAILED
}

/** Says on stderr what somebody should look at. */
export function warn({ terminal, json }: Invocation, id: string, warnings: readonly string[] = []): void {
  if (json) return
  for (const warning of warnings) terminal.err(`warning: ${id}: ${warning}\n`)
}
