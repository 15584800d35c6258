/**
 * One connection, pinned for a run: the lock, the migration's statements, the version row and the ledger row
 * all go through it. It is opened for a block and closed with it, and can serve many tenants one after another.
 */
import { setTimeout as sleep } from 'node:timers/promises'

import { QueryTypes, type Sequelize } from 'sequelize'

import type { Scope } from '../context.ts'
import { explainingDatabaseErrors } from '../database-errors.ts'
import { messageOf } from '../errors.ts'
import { isStopped, notBegun, type Interruption } from '../interruption.ts'
import type { TransactionState, WireClient } from '../scoped-query.ts'
import { scopeClient } from '../scoped-client.ts'
import { migrationPath, searchPath, sqlStateOf, type Row, type SqlRunner, type SqlValue } from '../sql.ts'
import type { Tenant } from '../tenant.ts'
import { lockHeld } from './blockers.ts'
import { connect, type SessionOptions, type SessionParts } from './connection.ts'
import { comesFrom, watchForgotten } from './forgotten.ts'
import { lockKey } from './lock.ts'
import type { PinnedSequelize } from './pinned-sequelize.ts'
import { restoreSettings, type SessionSettings } from './session-settings.ts'
import { StatementQueue } from './statements.ts'
import { isRefusal, NeedsOwnTransaction } from './treatment.ts'

/** The schema that statements mean now, and where they look after it. */
export interface Target {
  readonly tenant: Tenant | undefined
  readonly schema: string
  /** Schemas after the own one, in order. */
  readonly searchPath: readonly string[]
}

/** Whose lock it is: a tenant, or the shared schema under the name it is called by. */
export interface LockOwner {
  readonly id: string
  readonly schema: string
}

const SAVEPOINT = 'umzug_tenants_migration'

/** No schema at all: what the session's own statements need, since they qualify every name. */
const NOWHERE: Scope = Object.freeze({ tenant: undefined, path: searchPath([]) })

/**
 * Opens a session, gives it to `fn`, and closes it whatever happens.
 *
 * @throws {@link TenancyError} DATABASE_UNREACHABLE, DATABASE_REFUSED; POOLER_DETECTED if a transaction pooler
 * stands between, through which neither session locks nor CONCURRENTLY can be right.
 */
export async function withSession<T>(
  options: SessionOptions,
  fn: (session: MigrationSession) => Promise<T>,
): Promise<T> {
  const session = await explainingDatabaseErrors(() => MigrationSession.open(options))
  try {
    return await fn(session)
  } finally {
    await session.close()
  }
}

export class MigrationSession implements SqlRunner {
  readonly sequelize: Sequelize
  /** Name of the database, part of every lock's key. */
  readonly database: string
  readonly #pinned: PinnedSequelize
  readonly #client: WireClient
  readonly #statements: StatementQueue
  readonly #transaction: TransactionState
  #scope: Scope = NOWHERE
  #inTransaction = false
  #forgotten: { readonly error: unknown } | undefined
  readonly #stopWatching: () => void
  readonly #settings: SessionSettings
  #isUsed = false
  readonly #enter: SessionOptions['enter']
  readonly #openWitness: () => Promise<PinnedSequelize>
  #witness: Promise<PinnedSequelize> | undefined
  #isWatching = false
  #cancelling: Promise<void> | undefined

  protected constructor({ pinned, client, database, settings, openWitness, enter, recorder }: SessionParts) {
    this.#settings = settings
    this.#enter = enter
    this.#openWitness = openWitness
    this.sequelize = pinned
    this.#pinned = pinned
    this.#client = client
    this.database = database
    const transaction = scopeClient(client, () => this.#scope)
    if (transaction === undefined) throw new TypeError('a session needs a connection of its own')
    this.#transaction = transaction
    this.#statements = new StatementQueue(client, transaction, recorder)
    pinned.onOwnTransactionEnd = () => this.#statements.ownTransactionEnded()
    this.#stopWatching = watchForgotten({
      owns: (reason) => comesFrom(reason, this.#statements.failures),
      take: (error) => (this.#forgotten ??= { error }),
    })
  }

  static open(options: SessionOptions): Promise<MigrationSession> {
    return connect(options, (parts) => new MigrationSession(parts))
  }

  async close(): Promise<void> {
    this.#stopWatching()
    await this.#cancelling
    await this.#pinned.close()
    await (await this.#witness)?.close()
  }

  /** Runs one statement with values, or a text of many; the rows are those of the last statement with any. */
  async query<R extends object = Row>(text: string, values: readonly SqlValue[] = []): Promise<R[]> {
    return rowsFrom(this.#client, text, values)
  }

  /** The same for a migration: on the connection of the run that the caller is in. */
  async queryForMigration<R extends object = Row>(
    text: string,
    values: readonly SqlValue[] = [],
  ): Promise<R[]> {
    return rowsFrom(this.#pinned.client, text, values)
  }

  /** Undoes what the migrations of an earlier run have done to the session: settings, roles, temporary tables. */
  async renew(): Promise<void> {
    if (!this.#isUsed) return
    this.#isUsed = false
    await restoreSettings((text, values) => this.query(text, values), this.#settings)
  }

  /** Whether the migration before has done what only the end of the transaction undoes. */
  get hasTraces(): boolean {
    return this.#statements.leavesTraces
  }

  /** Makes bare names mean `target`'s schema while `fn` runs; the transaction of several runs goes along. */
  async within<T>(target: Target, fn: () => Promise<T>): Promise<T> {
    const outer = this.#scope
    const { path } = this.#transaction
    this.#scope = { tenant: target.tenant, path: migrationPath([target.schema, ...target.searchPath]) }
    this.#pinned.schema = target.schema
    if (this.#inTransaction) this.#transaction.path = this.#scope.path
    try {
      return await fn()
    } finally {
      this.#scope = outer
      if (this.#inTransaction) this.#transaction.path = path
      this.#pinned.schema = undefined
    }
  }

  get inTransaction(): boolean {
    return this.#inTransaction
  }

  /** Runs `fn` in a transaction; inside one already, in that one. */
  async transaction<T>(fn: () => Promise<T>): Promise<T> {
    if (this.#inTransaction) return fn()
    await this.begin()
    this.#inTransaction = true
    this.#pinned.nestTransactions = true
    try {
      const result = await fn()
      await this.drain()
      await this.commit()
      return result
    } catch (error) {
      await this.drain()
      await this.rollBack().catch(() => undefined) // the connection may be what failed: its error is the one to report
      throw error
    } finally {
      this.#inTransaction = false
      this.#pinned.nestTransactions = false
    }
  }

  protected async begin(): Promise<void> {
    await this.query('START TRANSACTION')
  }

  protected async commit(): Promise<void> {
    await this.query('COMMIT')
  }

  protected async rollBack(): Promise<void> {
    await this.query('ROLLBACK')
  }

  /** Runs `fn` in the open transaction so that its failure undoes what it has done, and nothing before it. */
  async undoable<T>(fn: () => Promise<T>): Promise<T> {
    await this.query(`SAVEPOINT ${SAVEPOINT}`)
    try {
      const result = await fn()
      await this.query(`RELEASE SAVEPOINT ${SAVEPOINT}`)
      return result
    } catch (error) {
      const undo = `ROLLBACK TO SAVEPOINT ${SAVEPOINT}; RELEASE SAVEPOINT ${SAVEPOINT}`
      await this.query(undo).catch(() => undefined) // the connection may be what failed
      throw error
    }
  }

  /** Resolves when no statement is under way, awaited by its caller or not. */
  async drain(): Promise<void> {
    await this.#statements.drain()
  }

  /**
   * Runs one migration's `side` and waits for everything it has started. With `savepoints` a statement that fails
   * may be caught; else a caught failure is {@link CaughtFailure}, because the transaction is lost.
   *
   * @throws what the side throws, or the failure of a statement that nobody waited for; outside a transaction also
   * an error for one that the side has begun and not ended.
   */
  async watching<T>(savepoints: boolean, side: () => Promise<T>): Promise<T> {
    this.#isUsed = true
    this.#statements.savepoints = savepoints
    this.#statements.lendsTransaction = this.#inTransaction
    this.#statements.isMigration = true
    this.#statements.forgetFailures()
    this.#forgotten = undefined
    this.#isWatching = true
    try {
      this.#assertNotCancelled()
      const { tenant } = this.#scope
      const running = () => this.#pinned.running(side)
      const result = await (this.#enter === undefined ? running() : this.#enter(tenant, running))
      await this.drain()
      this.#assertNotCancelled()
      this.#assertNothingForgotten()
      if (this.#statements.isAborted || this.#wasRefused()) throw new CaughtFailure()
      return result
    } finally {
      await this.drain()
      this.#isWatching = false
      this.#statements.refusal = undefined
      this.#statements.savepoints = false
      this.#statements.lendsTransaction = false
      this.#statements.isMigration = false
    }
  }

  /** Runs `side` outside a transaction: one that it begins is its own, and must have ended with it. */
  async alone<T>(side: () => Promise<T>): Promise<T> {
    const isOpen = () => this.#transaction.status !== 'I'
    try {
      const result = await side()
      if (!isOpen()) return result
      throw new Error('it has begun a transaction and not ended it, so what was done in it is rolled back')
    } finally {
      if (isOpen()) await this.query('ROLLBACK').catch(() => undefined) // the connection may be what failed
    }
  }

  /** Whether a statement was refused for no other reason than the transaction it was in, and that was caught. */
  #wasRefused(): boolean {
    return this.#inTransaction && (this.needsOwnTransaction || this.failedWith.some(isRefusal))
  }

  /** Whether the current migration has asked for a transaction that the run's cannot be. */
  get needsOwnTransaction(): boolean {
    return this.#statements.failures.some((failure) => failure instanceof NeedsOwnTransaction)
  }

  #assertNothingForgotten(): void {
    if (this.#forgotten !== undefined) throw forgottenFailure(this.#forgotten.error)
  }

  /** The server's process of this session. */
  get pid(): number {
    return (this.#client as { processID?: number }).processID ?? 0 // pg's types leave it out; opening has compared it
  }

  /** Whether {@link cancel} was called: no migration is begun on this session any more. */
  get isCancelled(): boolean {
    return this.#cancelling !== undefined
  }

  /**
   * Cancels the migration under way: its statement on the server, and each it may hand over after that. Its
   * transaction is rolled back by whoever began it, so what is recorded after a failure still goes through.
   */
  async cancel(): Promise<void> {
    this.#cancelling ??= this.#cancelStatements().catch(() => undefined)
    await this.#cancelling
  }

  /** Again and again: a backend that has not read the statement yet is idle, and passes over a request to cancel. */
  async #cancelStatements(): Promise<void> {
    if (!this.#isWatching) return
    this.#statements.refusal = new CancelledRun()
    const canceller = await this.#openWitness()
    try {
      while (this.#isWatching) {
        await canceller.query('SELECT pg_catalog.pg_cancel_backend($1::integer)', { bind: [this.pid] })
        await sleep(100)
      }
    } finally {
      await canceller.close()
    }
  }

  #assertNotCancelled(): void {
    if (this.isCancelled) throw new CancelledRun()
  }

  /** Another connection, outside the session's transaction: it sees what is committed. Opened when first asked for. */
  async witness(): Promise<SqlRunner> {
    this.#witness ??= this.#openWitness()
    const witness = await this.#witness
    return {
      query: <R extends object = Row>(text: string, values: readonly SqlValue[] = []) =>
        witness.query<R>(text, { bind: [...values], type: QueryTypes.SELECT }),
    }
  }

  /** SQLSTATEs of the statements that have failed in the current migration, caught or not. */
  get failedWith(): readonly (string | undefined)[] {
    return this.#statements.failures.map(sqlStateOf)
  }

  /**
   * Holds the lock of `owner`'s schema while `fn` runs. It is asked for again and again rather than waited for: a
   * waiting backend holds a snapshot, and CREATE INDEX CONCURRENTLY of the lock's holder would wait for it.
   *
   * @throws {@link TenancyError} LOCK_HELD when another runner still holds it after `waitMs`; RUN_NOT_BEGUN if
   * `interruption` stops the wait.
   */
  async withLock<T>(
    owner: LockOwner,
    waitMs: number,
    fn: () => Promise<T>,
    interruption: Interruption = {},
  ): Promise<T> {
    const key = String(lockKey(this.database, owner.schema))
    const deadline = Date.now() + waitMs
    for (let pauseMs = 20; !(await this.#tryLock(key)); pauseMs = Math.min(pauseMs * 2, 500)) {
      if (isStopped(interruption)) throw notBegun(owner)
      const leftMs = deadline - Date.now()
      if (leftMs <= 0) throw await lockHeld(this, key, owner, waitMs)
      await sleep(Math.min(pauseMs, leftMs))
    }
    try {
      return await fn()
    } finally {
      // A connection that died has lost the lock already.
      await this.query('SELECT pg_catalog.pg_advisory_unlock($1::bigint)', [key]).catch(() => undefined)
    }
  }

  async #tryLock(key: string): Promise<boolean> {
    const [row] = await this.query<{ locked: boolean }>(
      'SELECT pg_catalog.pg_try_advisory_lock($1::bigint) AS locked',
      [key],
    )
    return row?.locked === true
  }
}

async function rowsFrom<R extends object>(
  client: WireClient,
  text: string,
  values: readonly SqlValue[],
): Promise<R[]> {
  const result = await (values.length === 0 ? client.query(text) : client.query(text, [...values]))
  const results = (Array.isArray(result) ? result : [result]) as { rows: R[] }[] // pg's Result, one for each statement
  return results.findLast(({ rows }) => rows.length > 0)?.rows ?? []
}

/** A migration caught the failure of a statement, and the transaction it ran in can only be rolled back. */
export class CaughtFailure extends Error {
  override readonly name = 'CaughtFailure'
  override readonly message = 'a statement failed, was caught, and has aborted the transaction'
}

function forgottenFailure(error: unknown): Error {
  return new Error(`a statement that nobody waits for failed: ${messageOf(error)}`, { cause: error })
}

/** The migration was cancelled, whatever it has made of the failures of its statements. */
export class CancelledRun extends Error {
  override readonly name = 'CancelledRun'
  override readonly message = 'the run was cancelled'
}
