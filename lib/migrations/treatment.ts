/**
 * What a migration turns out to need that its file does not say. It is learnt from the way it fails in the run's
 * transaction, which is rolled back, so that the migration can be run again from the start in the way it needs:
 * written for a connection without a transaction, most run in one as they are, and these are the others.
 */
import { messageOf } from '../errors.ts'
import { SQLSTATE } from '../sql.ts'

/**
 * - `outside`: no transaction around it. CREATE INDEX CONCURRENTLY, VACUUM, a transaction with an isolation level.
 * - `apart`: what is before it must be committed. It uses a value that ALTER TYPE … ADD VALUE has added, or changes a
 *   table whose deferred constraints have not been checked.
 * - `savepoints`: one for each statement. It catches the failure of a statement and goes on.
 */
export type Treatment = 'outside' | 'apart' | 'savepoints'

/** A migration asks for a transaction that the run's cannot be. */
export class NeedsOwnTransaction extends Error {
  override readonly name = 'NeedsOwnTransaction'
}

/** A migration was undone, since what it needs is not to be had where it ran: what came before it stays. */
export class NeedsTreatment extends Error {
  override readonly name = 'NeedsTreatment'

  constructor(cause: unknown) {
    super(`${messageOf(cause)}; tenancy.up gives it a transaction of its own, or none`, { cause })
  }
}

/** A run in a transaction around it would have to commit in its middle, or run outside. */
export class NeedsCommit extends Error {
  override readonly name = 'NeedsCommit'
  override readonly message = 'it cannot run in one transaction with what is before it'
  /** Which cannot. */
  readonly migration: string

  constructor(migration: string) {
    super()
    this.migration = migration
  }
}

/** How a migration failed in the run's transaction. */
export interface Symptoms {
  readonly migration: string
  /** Whether it was the first of its transaction. */
  readonly isFirst: boolean
  /** SQLSTATEs of all its statements that failed, whether it caught them or not. */
  readonly failedWith: readonly (string | undefined)[]
  /** The failure it ended with came from a transaction that an earlier, caught failure had aborted. */
  readonly wasCaught: boolean
  /** It began a transaction that cannot be a savepoint. */
  readonly needsOwnTransaction: boolean
}

const WANTS_NONE: ReadonlySet<string | undefined> = new Set([
  SQLSTATE.activeTransaction,
  SQLSTATE.invalidTransactionTermination,
])

const WANTS_COMMIT: ReadonlySet<string | undefined> = new Set([
  SQLSTATE.unsafeNewEnumValue,
  SQLSTATE.objectInUse,
])

/** Whether a statement was refused for no other reason than the transaction it was in. */
export function isRefusal(sqlState: string | undefined): boolean {
  return WANTS_NONE.has(sqlState) || WANTS_COMMIT.has(sqlState)
}

export class Treatments {
  readonly #known = new Map<string, Set<Treatment>>()

  has(migration: string, treatment: Treatment): boolean {
    return this.#known.get(migration)?.has(treatment) ?? false
  }

  /** Notes what is known without a failure. */
  note(migration: string, treatment: Treatment): void {
    this.#known.set(migration, (this.#known.get(migration) ?? new Set()).add(treatment))
  }

  /** The treatment that the symptoms ask for, if it has not been tried: then another attempt is worth it. */
  learn(symptoms: Symptoms): Treatment | undefined {
    const treatment = treatmentFor(symptoms)
    if (treatment === undefined || this.has(symptoms.migration, treatment)) return undefined
    this.note(symptoms.migration, treatment)
    return treatment
  }
}

function treatmentFor(symptoms: Symptoms): Treatment | undefined {
  const { isFirst, failedWith, wasCaught, needsOwnTransaction } = symptoms
  // Those that were caught count too: without the transaction there would have been nothing to catch.
  if (needsOwnTransaction || failedWith.some((state) => WANTS_NONE.has(state))) return 'outside'
  if (failedWith.some((state) => WANTS_COMMIT.has(state))) return isFirst ? 'outside' : 'apart'
  return wasCaught ? 'savepoints' : undefined
}
