/** One tenant's migrations: which were applied, in which order, when and how long it took, and which are pending. Pure. */
import type { LastRun } from './ledger.ts'
import { inOrderOfApplication } from './migrations/integrity.ts'
import type { History } from './migrations/plan.ts'
import { compareNames, identityOf } from './migrations/revision.ts'

/** One migration of a tenant. */
export interface MigrationEntry {
  readonly name: string
  /** `unknown`: recorded, and no file has that name. */
  readonly state: 'executed' | 'pending' | 'unknown'
  /** When it was applied, as ISO 8601; `null` if that is not known: another tool applied it. */
  readonly appliedAt: string | null
  /** How long it took, in milliseconds; 0 if it was recorded and not run, `null` if that is not known. */
  readonly durationMs: number | null
}

export interface TenantHistory {
  readonly id: string
  readonly schema: string
  /** First applied first, then what is pending in the order in which it will run. */
  readonly migrations: readonly MigrationEntry[]
}

/** @param headOnly whether the storage tells no order but that of the files. */
export function describeHistory(
  { executed, pending, unknown }: History,
  runs: readonly LastRun[],
  headOnly: boolean,
): readonly MigrationEntry[] {
  const lastRuns = new Map(runs.map((run) => [identityOf(run.migration), run]))
  const recorded = [...executed, ...unknown]
  const inOrder = headOnly
    ? recorded.toSorted(compareNames)
    : inOrderOfApplication(recorded, runs.map((run) => ({ ...run, hash: null }))) // prettier-ignore
  const entryOf = (name: string): MigrationEntry => {
    const run = lastRuns.get(identityOf(name))
    const state = unknown.includes(name) ? 'unknown' : 'executed'
    // What we reverted last was applied again by another tool.
    if (run?.direction !== 'up') return { name, state, appliedAt: null, durationMs: null }
    return { name, state, appliedAt: run.finishedAt.toISOString(), durationMs: run.durationMs }
  }
  return [
    ...inOrder.map(entryOf),
    ...pending.map((name): MigrationEntry => ({ name, state: 'pending', appliedAt: null, durationMs: null })),
  ]
}
