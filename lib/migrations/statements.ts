/**
 * The statements of a pinned connection: one at a time, in the order they were handed over, whether anybody
 * waits for them or not. Two at once on one connection are an error from pg 9 on.
 */
import { setImmediate as turn } from 'node:timers/promises'

import { answer } from '../alone-statements.ts'
import type { TransactionState, WireClient } from '../scoped-query.ts'
import { controlsTransaction, kindOfStatement, lastsUntilCommit } from '../statement.ts'
import { NeedsOwnTransaction } from './treatment.ts'

const SAVEPOINT = 'umzug_tenants_statement'

/** A statement as it was handed over, with the values for its parameters. */
export interface Statement {
  readonly text: string
  readonly values: readonly unknown[]
  /** Whether a migration sends it; else the run itself does. */
  readonly isMigration: boolean
}

/** Stands between those who hand over statements and the connection, and answers for it. */
export interface Recorder {
  /**
   * @param send sends the statement as it would be sent without a recorder.
   * @param sendText sends another text instead, or beside it.
   */
  run(statement: Statement, send: () => Promise<unknown>, sendText: SendText): Promise<unknown>
}

export type SendText = (text: string, values?: readonly unknown[]) => Promise<unknown>

export class StatementQueue {
  /**
   * Whether each statement in a transaction has a savepoint of its own, so that one that fails can be caught and
   * the migration goes on, as it would without a transaction. Two more round trips a statement.
   */
  savepoints = false
  /** Whether the open transaction is not the migration's to end. */
  lendsTransaction = false
  /** Whether the migration has done what ends with a transaction only. */
  leavesTraces = false
  #tracesAreOver = false
  /** Whether statements are a migration's. */
  isMigration = false

  /** What every statement fails with instead of being sent; but ROLLBACK, which is the way out, is sent. */
  refusal: Error | undefined

  readonly #transaction: TransactionState
  readonly #client: WireClient
  readonly #query: WireClient['query']
  #last: Promise<unknown> = Promise.resolve()
  #failures: unknown[] = []
  readonly #recorder: Recorder | undefined

  /** Puts the queue before `client`: from now on its `query` waits for its turn. */
  constructor(client: WireClient, transaction: TransactionState, recorder?: Recorder) {
    this.#transaction = transaction
    this.#recorder = recorder
    this.#client = client
    this.#query = client.query.bind(client)
    client.query = (config: unknown, values?: unknown, callback?: unknown) =>
      this.#take(config, values, callback)
  }

  /** What statements have failed with since {@link forgetFailures}, caught by their callers or not. */
  get failures(): readonly unknown[] {
    return this.#failures
  }

  forgetFailures(): void {
    this.#failures = []
    this.leavesTraces = false
    this.#tracesAreOver = false
  }

  /** A transaction of the migration's own has ended: what it did for its own time should have ended with it. */
  ownTransactionEnded(): void {
    this.#tracesAreOver = this.leavesTraces
  }

  /** Whether the server has given up on the transaction: every statement but ROLLBACK fails now. */
  get isAborted(): boolean {
    return this.#transaction.status === 'E'
  }

  /** Resolves when no statement is under way or waiting, those included that follow from the last ones. */
  async drain(): Promise<void> {
    let last: Promise<unknown>
    do {
      last = this.#last
      await last
      // Whoever waited for that statement may hand over the next one: they all come first.
      await turn()
    } while (last !== this.#last)
  }

  #take(config: unknown, values: unknown, callback: unknown): unknown {
    // A cursor or stream is its own answer, at once.
    if (typeof (config as { submit?: unknown } | null)?.submit === 'function')
      return this.#query(config, values, callback)
    const parameters = Array.isArray(values) ? (values as unknown[]) : undefined
    const result = this.#last.then(() => this.#run(config, parameters))
    this.#last = result.catch((error: unknown) => this.#failures.push(error))
    return answer(result, values, callback)
  }

  async #send(config: unknown, values?: unknown[]): Promise<unknown> {
    const { answers } = this.#transaction
    try {
      return await this.#query(config, values)
    } catch (error) {
      if ((error as { severity?: unknown } | null)?.severity === 'ERROR') await this.#answerAfter(answers)
      throw error
    }
  }

  /** An error is sent before the server has settled what becomes of the transaction: that follows on its own. */
  async #answerAfter(answers: number): Promise<void> {
    if (this.#transaction.answers > answers) return
    const { connection } = this.#client
    await new Promise<void>((resolve) => {
      const done = () => {
        connection.off('readyForQuery', done)
        connection.off('end', done)
        resolve()
      }
      connection.once('readyForQuery', done)
      connection.once('end', done)
    })
  }

  async #run(config: unknown, values: unknown[] | undefined): Promise<unknown> {
    if (this.refusal !== undefined && !isRollback(config)) throw this.refusal
    if (this.lendsTransaction && controlsTransaction(textOf(config)))
      throw new NeedsOwnTransaction('it begins or ends a transaction by itself')
    if (this.lendsTransaction && this.#tracesAreOver && !isControl(config))
      throw new NeedsOwnTransaction('it goes on after a transaction of its own that must have ended')
    if (this.lendsTransaction && lastsUntilCommit(textOf(config))) this.leavesTraces = true
    const send = () => this.#sendSafely(config, values)
    if (this.#recorder === undefined) return send()
    const { isMigration } = this
    const statement = { text: textOf(config), values: valuesOf(config, values), isMigration }
    return this.#recorder.run(statement, send, (text, parameters) =>
      this.#send(text, parameters && [...parameters]),
    )
  }

  async #sendSafely(config: unknown, values: unknown[] | undefined): Promise<unknown> {
    if (!this.savepoints || this.#transaction.status !== 'T' || isControl(config))
      return this.#send(config, values)
    await this.#send(`SAVEPOINT ${SAVEPOINT}`)
    try {
      const result = await this.#send(config, values)
      await this.#send(`RELEASE SAVEPOINT ${SAVEPOINT}`)
      return result
    } catch (error) {
      await this.#send(`ROLLBACK TO SAVEPOINT ${SAVEPOINT}`)
      await this.#send(`RELEASE SAVEPOINT ${SAVEPOINT}`)
      throw error
    }
  }
}

function valuesOf(config: unknown, values: readonly unknown[] | undefined): readonly unknown[] {
  const own = (config as { values?: unknown } | null)?.values
  return values ?? (Array.isArray(own) ? (own as unknown[]) : [])
}

function isControl(config: unknown): boolean {
  return kindOfStatement(textOf(config)) === 'control'
}

function isRollback(config: unknown): boolean {
  return /^\s*ROLLBACK\b/i.test(textOf(config))
}

function textOf(config: unknown): string {
  const text = typeof config === 'string' ? config : (config as { text?: unknown } | null)?.text
  return typeof text === 'string' ? text : ''
}
