/** Tenants that are not what the specimen is: fingerprints first, details only of those that differ. */
import { TenancyError, type ErrorDocument } from '../errors.ts'
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
 * - `same`: as the specimen is, or was, at the tenant's revision.
 * - `drifted`: not as the specimen of the same revision; `differences` lead from the specimen to the tenant.
 * - `behind`, `ahead`, `diverged`: another revision than the specimen's, which it cannot be compared at.
 * - `missing`: there is no such schema.
 * - `failed`: it could not be read; `error` says why.
 */
export type DriftState = 'same' | 'drifted' | 'behind' | 'ahead' | 'diverged' | 'missing' | 'failed'

export interface Drift {
  readonly id: string
  readonly schema: string
  readonly state: DriftState
  readonly differences: readonly Operation[]
  /** Why the tenant could not be read. */
  readonly error?: ErrorDocument
}

export interface DriftOptions extends ReadOptions {
  /**
   * What the specimen is at another revision, if that can be had: by its migrations, run again up to there. Asked once
   * for each set of executed migrations.
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
    const search = new DriftSearch({ ...specimen, fingerprint: await take(specimen.schema) }, options)
    const found: Drift[] = []
    for (const tenant of tenants) found.push(await search.of({ sql, take }, tenant))
    return found
  })
}

/** What the others are compared with. */
export interface DriftSpecimen extends DriftSubject {
  readonly fingerprint: string
  /** Read when it is needed, if it is not known. */
  readonly snapshot?: Snapshot | undefined
}

/** A connection, and what takes fingerprints on it. */
export interface DriftReader {
  readonly sql: SqlRunner
  readonly take: TakeFingerprint
}

/** What a tenant is measured by; a fingerprint that is known to be of the same, or of which differences, is so again. */
interface Measure {
  /** None until it is needed: the specimen as it is. */
  snapshot: Snapshot | undefined
  readonly known: Map<string, readonly Operation[]>
}

/**
 * Compares tenants with one specimen, on as many connections at once as there are readers. What one of them has learnt
 * is there for the others; what two begin at the same moment is done twice, so that none fails with another's connection.
 */
export class DriftSearch {
  readonly #specimen: DriftSpecimen
  readonly #options: DriftOptions
  readonly #measures = new Map<string, Measure | undefined>()

  constructor(specimen: DriftSpecimen, options: DriftOptions) {
    this.#specimen = specimen
    this.#options = options
  }

  async of(reader: DriftReader, { id, schema, executed }: DriftSubject): Promise<Drift> {
    const fingerprint = await fingerprintIfThere(reader, schema)
    if (fingerprint === undefined) return { id, schema, state: 'missing', differences: [] }
    const measure = await this.#measureAt(executed)
    if (measure === undefined) {
      return { id, schema, state: stateOf(executed, this.#specimen.executed), differences: [] }
    }
    const differences =
      measure.known.get(fingerprint) ?? (await this.#differences(reader.sql, schema, measure))
    measure.known.set(fingerprint, differences)
    return { id, schema, state: differences.length === 0 ? 'same' : 'drifted', differences }
  }

  async #differences(sql: SqlRunner, schema: string, measure: Measure): Promise<readonly Operation[]> {
    measure.snapshot ??= await readSnapshot(sql, this.#specimen.schema, this.#options)
    const snapshot = await readSnapshot(sql, schema, this.#options)
    const differences = compare(measure.snapshot, snapshot, { strict: true })
    return differences.filter(this.#options.keep ?? (() => true))
  }

  async #measureAt(executed: readonly string[]): Promise<Measure | undefined> {
    const key = JSON.stringify(executed.toSorted())
    if (!this.#measures.has(key)) this.#measures.set(key, await this.#makeMeasure(executed))
    return this.#measures.get(key)
  }

  async #makeMeasure(executed: readonly string[]): Promise<Measure | undefined> {
    if (stateOf(executed, this.#specimen.executed) === 'same') {
      return { snapshot: this.#specimen.snapshot, known: new Map([[this.#specimen.fingerprint, []]]) }
    }
    const snapshot = await this.#options.specimenAt?.(executed)
    return snapshot && { snapshot, known: new Map() }
  }
}

async function fingerprintIfThere({ take }: DriftReader, schema: string): Promise<string | undefined> {
  try {
    return await take(schema)
  } catch (error) {
    if (error instanceof TenancyError && error.code === 'SCHEMA_MISSING') return undefined
    throw error
  }
}

/** By what has been executed alone. */
function stateOf(executed: readonly string[], reference: readonly string[]): DriftState {
  const lacks = reference.some((name) => !executed.includes(name))
  const exceeds = executed.some((name) => !reference.includes(name))
  if (lacks) return exceeds ? 'diverged' : 'behind'
  return exceeds ? 'ahead' : 'same'
}
