/** What somebody should look at, though nothing has failed. */
import type { Invocation } from './invocation.ts'

/** Says `warnings` about the tenant `id` on stderr; a document has them already. */
export function warn({ terminal, json }: Invocation, id: string, warnings: readonly string[]): void {
  if (json) return
  for (const warning of warnings) terminal.err(`warning: ${id}: ${warning}\n`)
}
