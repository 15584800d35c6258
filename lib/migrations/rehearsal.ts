/**
 * A session that rehearses: a run on it is the real one, statement by statement, in a transaction that is rolled back
 * at the end; what was sent is kept as a script. What wants to be outside a transaction is not sent, only kept.
 */
import {
  controlsTransaction,
  kindOfStatement,
  lastsUntilCommit,
  splitAtTransactionControl,
  withoutLeadingComments,
} from '../statement.ts'
import { connect, type SessionOptions, type SessionParts } from './connection.ts'
import { lockKey } from './lock.ts'
import { MigrationSession, type LockOwner, type Target } from './session.ts'
import { restoreSettings, type SessionSettings } from './session-settings.ts'
import type { Recorder, SendText, Statement } from './statements.ts'
import { migrationPath, sqlStateOf, type Row, type SqlValue } from '../sql.ts'
import { isRefusal } from './treatment.ts'

/** One thing that a script does. */
export type Step =
  | { readonly kind: 'lock' | 'unlock'; readonly key: bigint }
  | { readonly kind: 'begin'; readonly path: string | undefined }
  | { readonly kind: 'commit' }
  | { readonly kind: 'migration'; readonly name: string }
  | { readonly kind: 'path'; readonly path: string | undefined; readonly isLocal?: boolean }
  /** What follows is of another schema than what is before it. */
  | { readonly kind: 'turn' }
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

/**
 * Keeps what is sent. Outside a transaction nothing could be undone: there a migration's own transactions become
 * savepoints, and what wants no transaction at all is kept without being sent.
 */
class Notes implements Recorder {
  isAlone = false
  readonly steps: Step[] = []
  readonly #settings: SessionSettings
  #leavesTraces = false
  /** Whether a transaction of the migration's own is open. */
  #isInOwn = false

  constructor(settings: SessionSettings) {
    this.#settings = settings
  }

  async run(statement: Statement, send: () => Promise<unknown>, sendText: SendText): Promise<unknown> {
    if (this.isAlone) return this.#runAlone(statement, send, sendText)
    const result = await send()
    // What the run itself looks up has been looked up, and its transactions are steps.
    if (statement.isMigration || WRITES.test(statement.text)) this.#keep(statement)
    return result
  }

  async #runAlone(statement: Statement, send: () => Promise<unknown>, sendText: SendText): Promise<unknown> {
    const parts = splitAtTransactionControl(statement.text)
    if (parts !== undefined) {
      const results: unknown[] = []
      for (const text of parts) {
        results.push(await this.#runAlone({ ...statement, text }, () => sendText(text), sendText))
      }
      return results.flat()
    }
    if (controlsTransaction(statement.text)) return this.#control(statement, sendText)
    this.#leavesTraces ||= lastsUntilCommit(statement.text)
    await sendText(`SAVEPOINT ${ALONE}`)
    try {
      const result = await send()
      await sendText(`${this.#isInOwn ? '' : SETTLE}RELEASE SAVEPOINT ${ALONE}`)
      this.#keep(statement)
      return result
    } catch (error) {
      await sendText(`ROLLBACK TO SAVEPOINT ${ALONE}; RELEASE SAVEPOINT ${ALONE}`)
      if (!isRefusal(sqlStateOf(error))) throw error
      this.#keep(statement)
      return nothing()
    }
  }

  /** A real one would end the rehearsal. */
  async #control(statement: Statement, sendText: SendText): Promise<unknown> {
    this.#keep(statement)
    this.#isInOwn = kindOfStatement(statement.text) === 'begin'
    if (this.#isInOwn) return sendText(`SAVEPOINT ${OWN}`)
    const isCommit = /^\s*(?:commit|prepare)\b/i.test(withoutLeadingComments(statement.text))
    await sendText(`${isCommit ? SETTLE : `ROLLBACK TO SAVEPOINT ${OWN}; `}RELEASE SAVEPOINT ${OWN}`)
    // What was set for the time of the transaction ends with it.
    if (this.#leavesTraces) await restoreSettings(sendText, this.#settings)
    this.#leavesTraces = false
    return nothing()
  }

  #keep(statement: Statement): void {
    this.steps.push({ kind: 'statement', ...statement })
  }
}

/** What the run itself writes: version tables and the ledger. */
const WRITES = /^\s*(?:insert|update|delete|create|alter|drop)\b/i

/** What pg answers to a statement without rows. */
function nothing(): unknown {
  return { command: '', rowCount: 0, oid: 0, fields: [], rows: [] }
}

/** What a commit does to deferred constraints: a table for which some wait cannot be altered. */
const SETTLE = 'SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED; '

/** One statement outside a transaction, and a transaction of the migration's own there. */
const ALONE = 'umzug_tenants_alone'
const OWN = 'umzug_tenants_own'

const SAVEPOINT = 'umzug_tenants_rehearsal'

class RehearsalSession extends MigrationSession {
  readonly #notes: Notes
  readonly #held = new Set<bigint>()
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
      return new RehearsalSession(parts, new Notes(parts.settings))
    })
  }

  get steps(): readonly Step[] {
    return this.#notes.steps
  }

  note(step: Step): void {
    this.#notes.steps.push(step)
  }

  /** The run's own statement; one that wants no transaction is kept and not sent. */
  override async query<R extends object = Row>(text: string, values: readonly SqlValue[] = []): Promise<R[]> {
    const before = this.#notes.isAlone
    this.#notes.isAlone ||= /\bconcurrently\b/i.test(text)
    try {
      return await super.query<R>(text, values)
    } finally {
      this.#notes.isAlone = before
    }
  }

  /** A lock that is held already is not worth a line. */
  override async withLock<T>(owner: LockOwner, waitMs: number, fn: () => Promise<T>): Promise<T> {
    const key = lockKey(this.database, owner.schema)
    if (this.#held.has(key)) return super.withLock(owner, waitMs, fn)
    this.#held.add(key)
    return super.withLock(owner, waitMs, async () => {
      this.#notes.steps.push({ kind: 'lock', key })
      const result = await fn()
      this.#notes.steps.push({ kind: 'unlock', key })
      return result
    })
  }

  override async within<T>(target: Target, fn: () => Promise<T>): Promise<T> {
    this.#path = migrationPath([target.schema, ...target.searchPath])
    if (this.inTransaction) this.#notes.steps.push({ kind: 'path', path: this.#path, isLocal: true })
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
    await this.query(`${SETTLE}RELEASE SAVEPOINT ${SAVEPOINT}`)
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

  override async alone<T>(side: () => Promise<T>): Promise<T> {
    this.#notes.steps.push({ kind: 'path', path: this.#path })
    this.#notes.isAlone = true
    try {
      return await side()
    } finally {
      this.#notes.isAlone = false
      this.#notes.steps.push({ kind: 'path', path: undefined })
    }
  }
}
