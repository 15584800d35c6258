/**
 * One migration's side at a time, on the run's connection: guarded, undone alone if it fails, and tried again in
 * another way where the way it fails says that it needs one.
 */
import type { Events } from '../events.ts'
import { SQLSTATE, sqlStateOf } from '../sql.ts'
import { Guard, outsideSchema, type GuardMode } from './guard.ts'
import { watchingIndexes } from './outside.ts'
import { CaughtFailure, type MigrationSession } from './session.ts'
import type { Subject } from './subject.ts'
import { NeedsOwnTransaction, NeedsTreatment, type Symptoms, type Treatments } from './treatment.ts'

export interface AttemptOptions {
  readonly events: Events
  /** Schemas after the own one, in order. */
  readonly searchPath: readonly string[]
  readonly guard: GuardMode
}

export class Attempts {
  readonly #session: MigrationSession
  readonly #subject: Subject
  readonly #options: AttemptOptions
  readonly #treatments: Treatments
  readonly #guard: Guard | undefined
  /** How many have ended well here. */
  #done = 0
  /** The last one has set something for the time of its transaction: nothing may follow in it. */
  #mustEnd = false

  constructor(session: MigrationSession, subject: Subject, options: AttemptOptions, treatments: Treatments) {
    this.#session = session
    this.#subject = subject
    this.#options = options
    this.#treatments = treatments
    const { schema, tenant } = subject
    // The shared migrations are where the database as a whole is changed.
    const schemas = [schema, ...options.searchPath, ...(tenant === undefined ? [''] : [])]
    this.#guard = options.guard === 'off' ? undefined : new Guard(session, schemas)
  }

  /**
   * Runs `side` of `migration`.
   *
   * @throws what it throws; {@link NeedsTreatment} if it was undone because it cannot run in this transaction.
   */
  async run<T>(migration: string, side: () => Promise<T>): Promise<T> {
    if (this.#session.inTransaction && this.#mustEnd)
      throw new NeedsTreatment(new Error('what comes before it must be committed'))
    const attempt = () => this.#session.watching(this.#treatments.has(migration, 'savepoints'), side)
    const result = await (this.#session.inTransaction
      ? this.#inside(migration, attempt)
      : this.#outside(migration, attempt))
    this.#done++
    this.#mustEnd = this.#session.hasTraces
    return result
  }

  async #inside<T>(migration: string, attempt: () => Promise<T>): Promise<T> {
    const undoable = () => this.#undoably(migration, attempt)
    if (this.#guard === undefined) return undoable()
    const { result, outside } = await this.#guard.watch(undoable)
    if (outside.length > 0 && this.#options.guard === 'schema')
      throw outsideSchema(migration, this.#subject.schema, outside)
    this.#tell(migration, outside)
    return result
  }

  /** In the run's transaction; what catches failures gets its second attempt there. */
  async #undoably<T>(migration: string, attempt: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await this.#session.undoable(attempt)
      } catch (error) {
        const treatment = this.#treatments.learn(this.#symptomsOf(error, migration))
        if (treatment === undefined) throw error
        if (treatment !== 'savepoints') throw new NeedsTreatment(error)
      }
    }
  }

  /** Outside a transaction there is nothing to roll back: what was changed elsewhere can only be told. */
  async #outside<T>(migration: string, attempt: () => Promise<T>): Promise<T> {
    const { schema } = this.#subject
    const alone = () => watchingIndexes(this.#session, schema, migration, () => this.#session.alone(attempt))
    if (this.#guard === undefined) return alone()
    const { result, outside } = await this.#guard.compare(alone)
    this.#tell(migration, outside)
    return result
  }

  #tell(migration: string, objects: readonly string[]): void {
    const { id, schema } = this.#subject
    if (objects.length > 0)
      this.#options.events.emit('migration:outside', { tenant: id, schema, migration, objects })
  }

  #symptomsOf(error: unknown, migration: string): Symptoms {
    const { failedWith, needsOwnTransaction } = this.#session
    return {
      migration,
      isFirst: this.#done === 0,
      failedWith,
      wasCaught: error instanceof CaughtFailure || sqlStateOf(error) === SQLSTATE.failedTransaction,
      needsOwnTransaction: needsOwnTransaction || error instanceof NeedsOwnTransaction,
    }
  }
}
