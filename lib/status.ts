/** Where tenants stand: from the ledger in one query for a fleet, from the version table for one tenant. */
import type { LedgerEntry } from './ledger.ts'
import { compareHistory, stateOf, type History, type TenantState } from './migrations/plan.ts'
import { fingerprintOf } from './migrations/revision.ts'

/** One tenant's standing. */
export interface TenantStatus {
  readonly id: string
  readonly schema: string
  /** Name of the last executed migration. */
  readonly current: string | null
  /** Name of the last migration on disk. */
  readonly head: string | null
  /** How many are executed. */
  readonly executed: number
  /** Names on disk that are not executed, in order. */
  readonly pending: readonly string[]
  readonly state: TenantState
}

/** Names, and how each number of executed migrations from the first on looks in the ledger. */
export class KnownHistories {
  readonly #names: readonly string[]
  readonly #lengths: ReadonlyMap<string, number>

  constructor(names: readonly string[]) {
    this.#names = names
    this.#lengths = new Map(
      Array.from({ length: names.length + 1 }, (_, length) => [
        fingerprintOf(names.slice(0, length)),
        length,
      ]),
    )
  }

  /** The fingerprint of a tenant at head. */
  get head(): string {
    return fingerprintOf(this.#names)
  }

  /** The history behind `fingerprint`, if it is the first migrations without a gap. */
  find(fingerprint: string | null): History | undefined {
    const length = fingerprint === null ? undefined : this.#lengths.get(fingerprint)
    return length === undefined ? undefined : compareHistory(this.#names, this.#names.slice(0, length))
  }
}

export interface Standing {
  readonly id: string
  readonly schema: string
  readonly names: readonly string[]
  /** `undefined`: the schema does not exist. */
  readonly history: History | undefined
  readonly entry: LedgerEntry | undefined
}

export function describeStatus({ id, schema, names, history, entry }: Standing): TenantStatus {
  const head = names.at(-1) ?? null
  if (history === undefined) {
    return { id, schema, current: null, head, executed: 0, pending: names, state: 'missing' }
  }
  const { executed, pending, unknown } = history
  const state = stateOf(history)
  return {
    id,
    schema,
    current: unknown.at(-1) ?? executed.at(-1) ?? null,
    head,
    executed: executed.length + unknown.length,
    pending,
    state: entry?.state === 'failed' && state !== 'ok' ? 'failed' : state,
  }
}
