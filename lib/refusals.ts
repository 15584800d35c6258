/**
 * What is remembered of tenants whose upgrade has failed: each is left alone for a while that grows with every
 * failure, so that a broken migration is not run by every request. A server that cannot be reached is no tenant's
 * fault: the pause after that is short, and does not grow.
 */
import { LRUCache } from 'lru-cache'

import { CACHE_BOUNDS } from './cache-bounds.ts'
import { isTenancyError, type ErrorCode } from './errors.ts'

export interface Failure {
  readonly error: unknown
  readonly count: number
  readonly retryAt: number
  /** What the ledger said of the tenant, and which migrations were on disk, before the upgrade. */
  readonly before: Before
}

export interface Before {
  readonly fingerprint: string | undefined
  readonly migrationSet: string | undefined
}

/** How long a failed tenant is left alone: doubled with each failure, between these, a quarter more or less. */
const FIRST_PAUSE_MS = 1000
const LONGEST_PAUSE_MS = 5 * 60 * 1000

/** Failures that say nothing about the tenant. */
const PASSING: ReadonlySet<ErrorCode> = new Set([
  'DATABASE_UNREACHABLE',
  'DATABASE_REFUSED',
  'RUN_CANCELLED',
  'RUN_NOT_BEGUN',
])

export class Refusals {
  readonly #failures = new LRUCache<string, Failure>(CACHE_BOUNDS)

  get(schema: string): Failure | undefined {
    return this.#failures.get(schema)
  }

  /** Notes that the upgrade of `schema` has failed, once more. */
  note(schema: string, error: unknown, before: Before): void {
    const known = this.#failures.get(schema)?.count ?? 0
    const count = isPassing(error) ? known : known + 1
    const pauseMs = isPassing(error) ? FIRST_PAUSE_MS : pauseAfter(count)
    this.#failures.set(schema, { error, count, retryAt: Date.now() + jittered(pauseMs), before })
  }

  delete(schema: string): void {
    this.#failures.delete(schema)
  }

  clear(): void {
    this.#failures.clear()
  }

  schemas(): Iterable<string> {
    return this.#failures.keys()
  }
}

export function isPassing(error: unknown): boolean {
  return isTenancyError(error) && PASSING.has(error.code)
}

function pauseAfter(count: number): number {
  return Math.min(FIRST_PAUSE_MS * 2 ** (count - 1), LONGEST_PAUSE_MS)
}

/** Many processes that failed together must not come back together. */
function jittered(ms: number): number {
  return ms * (0.75 + Math.random() / 2)
}
