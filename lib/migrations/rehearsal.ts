/**
 * A session that rehearses: a run on it is the real one, statement by statement, in a transaction that is rolled back
 * at the end; what was sent is kept as a script. What wants to be outside a transaction is not sent, only kept.
 */
import { kindOfStatement } from '../statement.ts'
import { lockKey } from './lock.ts'
import {
  connect,
  MigrationSession,
  type LockOwner,
  type SessionOptions,
  type SessionParts,
  type Target,
} from './session.ts'
import type { Recorder, Statement } from './statements.ts'
import { searchPath, type Row, type SqlValue } from '../sql.ts'

/** One thing that a script does. */
export type Step =
  | { readonly kind: 'lock' | 'unlock'; readonly key: bigint }
  | { readonly kind: 'begin'; readonly path: string | undefined }
  | { readonly kind: 'commit' }
  | { readonly kind: 'migration'; readonly name: string }
  | { readonly kind: 'path'; readonly path: string | undefined }
  | ({ readonly kind: 'statement' } & Statement)

/**
 * Rehearses `fn`, whose changes are all undone.
 *
 * @throws what `fn` throws.
 */
export async function rehearse<T>(
  options: SessionOptions,
  fn: (session: MigrationSession, note: (step: Step) => void) => Promise<T>,
): Promise<{ readonly result: T; readonly steps: readonly Step[] }> {
  const session = await RehearsalSession.openRehearsal(options)
  try {
    return { result: await fn(session, (step) => session.note(step)), steps: session.steps }
  } finally {
    await session.query('ROLLBACK').catch(() => undefined) // the connection may be what failed
    await session.close()
  }
}

class Notes implements Recorder {
  holdsBack = false
  readonly steps: Step[] = []

  note(statement: Statement): void {
    // Savepoints and the like are the run's own affair, or are replaced by steps.
    const isControl = kindOfStatement(statement.text) === 'control'
    if (!isControl || statement.isMigration) this.steps.push({ kind: 'statement', ...statement })
  }
}

const SAVEPOINT = 'umzug_tenants_rehearsal'

class RehearsalSession extends MigrationSession {
  readonly #notes: Notes
  #path: string | undefined
  /** How many steps there were when the open transaction began. */
  #began = 0

  private constructor(parts: SessionParts, notes: Notes) {
    super({ ...parts, recorder: notes })
    this.#notes = notes
  }

  static openRehearsal(options: SessionOptions): Promise<RehearsalSession> {
    return connect(options, async (parts) => {
      // Before the connection is scoped: this transaction is of no tenant, and all that follows is in it.
      await parts.client.query('BEGIN')
      return new RehearsalSession(parts, new Notes())
    })
  }

  get steps(): readonly Step[] {
    return this.#notes.steps
  }

  note(step: Step): void {
    this.#notes.steps.push(step)
  }

  /** The run's own statement; one that wants no transaction is kept like a migration's. */
  override async query<R extends object = Row>(text: string, values: readonly SqlValue[] = []): Promise<R[]> {
    const before = this.#notes.holdsBack
    this.#notes.holdsBack = kindOfStatement(text) === 'alone'
    try {
      return await super.query<R>(text, values)
    } finally {
      this.#notes.holdsBack = before
    }
  }

  override async withLock<T>(owner: LockOwner, waitMs: number, fn: () => Promise<T>): Promise<T> {
    return super.withLock(owner, waitMs, async () => {
      const key = lockKey(this.database, owner.schema)
      this.#notes.steps.push({ kind: 'lock', key })
      const result = await fn()
      this.#notes.steps.push({ kind: 'unlock', key })
      return result
    })
  }

  override async within<T>(target: Target, fn: () => Promise<T>): Promise<T> {
    this.#path = searchPath([target.schema, ...target.searchPath])
    try {
      return await super.within(target, fn)
    } finally {
      this.#path = undefined
    }
  }

  protected override async begin(): Promise<void> {
    await this.query(`SAVEPOINT ${SAVEPOINT}`)
    this.#began = this.#notes.steps.length
    this.#notes.steps.push({ kind: 'begin', path: this.#path })
  }

  protected override async commit(): Promise<void> {
    await this.query(`RELEASE SAVEPOINT ${SAVEPOINT}`)
    this.#notes.steps.push({ kind: 'commit' })
  }

  protected override async rollBack(): Promise<void> {
    this.#notes.steps.length = this.#began
    await this.query(`ROLLBACK TO SAVEPOINT ${SAVEPOINT}; RELEASE SAVEPOINT ${SAVEPOINT}`)
  }

  override async undoable<T>(fn: () => Promise<T>): Promise<T> {
    const { length } = this.#notes.steps
    try {
      return await super.undoable(fn)
    } catch (error) {
      this.#notes.steps.length = length
      throw error
    }
  }

  /** What runs outside a transaction could not be undone. */
  override async alone<T>(side: () => Promise<T>): Promise<T> {
    this.#notes.steps.push({ kind: 'path', path: this.#path })
    this.#notes.holdsBack = true
    try {
      return await side()
    } finally {
      this.#notes.holdsBack = false
      this.#notes.steps.push({ kind: 'path', path: undefined })
    }
  }
}
