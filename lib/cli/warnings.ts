/** What somebody should look at, though nothing has failed. */
import type { Invocation } from './invocation.ts'
import { describeNobody, type Selection } from './selection.ts'

/** Says `warnings` about the tenant `id` on stderr; a document has them already. */
export function warn({ terminal, json }: Invocation, id: string, warnings: readonly string[]): void {
  if (json) return
  for (const warning of warnings) terminal.err(`warning: ${id}: ${warning}\n`)
}

/** Says why there is nothing to see, if `selection` has found nobody. */
export function hintIfNobody({ terminal, json }: Invocation, selection: Selection, found: number): void {
  if (found === 0 && !json) terminal.err(`${describeNobody(selection)}\n`)
}
