/** Tenants that are not what the specimen is: fingerprints first, details only of those that differ. */
import { TenancyError } from '../errors.ts'
import type { SqlRunner } from '../sql.ts'
import { compare } from './compare.ts'
import { withFingerprints, type TakeFingerprint } from './fingerprint.ts'
import type { Operation } from './operation.ts'
import { readSnapshot, type ReadOptions } from './read.ts'
import type { Snapshot } from './snapshot.ts'

/** A schema, and what its version storage says has been executed there. */
export interface DriftSubject {
  readonly id: string
  readonly schema: string
  readonly executed: readonly string[]
}

/**
 * - `same`: as the specimen.
 * - `drifted`: not as the specimen of the same revision; `differences` lead from the specimen to the tenant.
 * - `behind`, `ahead`, `diverged`: another revision than the specimen's, which it cannot be compared at.
 * - `missing`: there is no such schema.
 */
export type DriftState = 'same' | 'drifted' | 'behind' | 'ahead' | 'diverged' | 'missing'

export interface Drift {
  readonly id: string
  readonly schema: string
  readonly state: DriftState
  readonly differences: readonly Operation[]
}

export interface DriftOptions extends ReadOptions {
  /**
   * What the specimen is at another revision, if that can be had: from a copy of it that was taken down to there.
   * Asked once for each set of executed migrations.
   * @defaultValue tenants of another revision are told by their state alone
   */
  readonly specimenAt?: (executed: readonly string[]) => Promise<Snapshot | undefined>
  /** Leaves out differences that are accepted. */
  readonly keep?: (operation: Operation) => boolean
}

/**
 * Compares `tenants` with `specimen`, in their order, on the one connection that `sql` is. A backend keeps in memory
 * what it has read of each schema: of some hundreds of tenants it should be given another one.
 *
 * @throws {@link TenancyError} SCHEMA_MISSING for the specimen's.
 */
export async function findDrift(
  sql: SqlRunner,
  { specimen, tenants }: { readonly specimen: DriftSubject; readonly tenants: readonly DriftSubject[] },
  options: DriftOptions = {},
): Promise<readonly Drift[]> {
  return withFingerprints(sql, options, async (take) => {
    const search = new DriftSearch(sql, specimen, take, options)
    const found: Drift[] = []
    for (const tenant of tenants) found.push(await search.of(tenant))
    return found
  })
}

/** What a tenant is measured by; a fingerprint that is known to be of the same, or of which differences, is so again. */
interface Measure {
  readonly snapshot: () => Promise<Snapshot>
  readonly known: Map<string, readonly Operation[]>
}

class DriftSearch {
  readonly #sql: SqlRunner
  readonly #specimen: DriftSubject
  readonly #take: TakeFingerprint
  readonly #options: DriftOptions
  readonly #measures = new Map<string, Measure | undefined>()

  constructor(sql: SqlRunner, specimen: DriftSubject, take: TakeFingerprint, options: DriftOptions) {
    this.#sql = sql
    this.#specimen = specimen
    this.#take = take
    this.#options = options
  }

  async of({ id, schema, executed }: DriftSubject): Promise<Drift> {
    const measure = await this.#measureAt(executed)
    const fingerprint = await this.#fingerprint(schema)
    if (fingerprint === undefined) return { id, schema, state: 'missing', differences: [] }
    if (measure === undefined) {
      return { id, schema, state: stateOf(executed, this.#specimen.executed), differences: [] }
    }
    const differences = measure.known.get(fingerprint) ?? (await this.#differences(schema, measure))
    measure.known.set(fingerprint, differences)
    return { id, schema, state: differences.length === 0 ? 'same' : 'drifted', differences }
  }

  async #differences(schema: string, measure: Measure): Promise<readonly Operation[]> {
    const snapshot = await readSnapshot(this.#sql, schema, this.#options)
    const differences = compare(await measure.snapshot(), snapshot, { strict: true })
    return differences.filter(this.#options.keep ?? (() => true))
  }

  async #measureAt(executed: readonly string[]): Promise<Measure | undefined> {
    const key = JSON.stringify(executed.toSorted())
    if (!this.#measures.has(key)) this.#measures.set(key, await this.#makeMeasure(executed))
    return this.#measures.get(key)
  }

  async #makeMeasure(executed: readonly string[]): Promise<Measure | undefined> {
    if (stateOf(executed, this.#specimen.executed) === 'same') {
      const { schema } = this.#specimen
      const fingerprint = await this.#take(schema)
      let snapshot: Promise<Snapshot> | undefined
      return {
        snapshot: () => (snapshot ??= readSnapshot(this.#sql, schema, this.#options)),
        known: new Map([[fingerprint, []]]),
      }
    }
    const snapshot = await this.#options.specimenAt?.(executed)
    return snapshot && { snapshot: () => Promise.resolve(snapshot), known: new Map() }
  }

  async #fingerprint(schema: string): Promise<string | undefined> {
    try {
      return await this.#take(schema)
    } catch (error) {
      if (error instanceof TenancyError && error.code === 'SCHEMA_MISSING') return undefined
      throw error
    }
  }
}

/** By what has been executed alone. */
function stateOf(executed: readonly string[], reference: readonly string[]): DriftState {
  const lacks = reference.some((name) => !executed.includes(name))
  const exceeds = executed.some((name) => !reference.includes(name))
  if (lacks) return exceeds ? 'diverged' : 'behind'
  return exceeds ? 'ahead' : 'same'
}
