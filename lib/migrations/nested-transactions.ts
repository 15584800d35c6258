/**
 * A migration's own transactions on a connection that is in a transaction already: each is a savepoint. What a
 * savepoint cannot be (an isolation level of its own, read only) is asked for by running the migration outside.
 */
import { AsyncLocalStorage } from 'node:async_hooks'

import { Transaction, type Sequelize, type TransactionOptions } from 'sequelize'

import { NeedsOwnTransaction } from './treatment.ts'

type Body = (transaction: Transaction) => Promise<unknown>
type Begin = (options: TransactionOptions, body?: Body) => Promise<unknown>

export class NestedTransactions {
  readonly #sequelize: Sequelize
  readonly #begin: Begin
  readonly #connection: () => unknown
  readonly #ended: () => void
  /** The managed transaction in whose callback the caller is. */
  readonly #current = new AsyncLocalStorage<Transaction>()
  #last: Promise<unknown> = Promise.resolve()

  /**
   * @param begin Sequelize's own `transaction`.
   * @param ended is told of each that is no savepoint of another one of the migration's.
   */
  constructor(sequelize: Sequelize, begin: Begin, connection: () => unknown, ended: () => void) {
    this.#sequelize = sequelize
    this.#begin = begin
    this.#connection = connection
    this.#ended = ended
  }

  /** What `sequelize.transaction(options, body)` does inside the run's transaction. */
  begin(options: TransactionOptions, body: Body | undefined): Promise<unknown> {
    assertPossible(options)
    const parent = options.transaction ?? this.#current.getStore()
    if (body === undefined) return this.#unmanaged(options, parent)
    const managed = (outer: Transaction) =>
      this.#begin({ ...options, transaction: outer }, (transaction) =>
        this.#current.run(transaction, () => body(transaction)),
      )
    if (parent !== undefined) return managed(parent)
    // Two that are begun side by side would be savepoints of one another: rolling the first back would take the
    // second with it. So they take turns.
    const result = this.#last.then(() => managed(this.#run())).finally(this.#ended)
    this.#last = result.catch(() => undefined)
    return result
  }

  async #unmanaged(options: TransactionOptions, parent: Transaction | undefined): Promise<unknown> {
    const transaction = (await this.#begin({ ...options, transaction: parent ?? this.#run() })) as Transaction // as upstream
    if (parent !== undefined) return transaction
    const commit = transaction.commit.bind(transaction)
    const rollback = transaction.rollback.bind(transaction)
    transaction.commit = () => commit().finally(this.#ended)
    transaction.rollback = () => rollback().finally(this.#ended)
    return transaction
  }

  /** The run's transaction as Sequelize's object, begun elsewhere: its children are savepoints on the connection. */
  #run(): Transaction {
    const Constructor = Transaction as unknown as new (sequelize: Sequelize, options: object) => Transaction // typed as abstract
    return Object.assign(new Constructor(this.#sequelize, {}), { connection: this.#connection() })
  }
}

function assertPossible({ isolationLevel, readOnly }: TransactionOptions & { readOnly?: boolean }): void {
  if (isolationLevel === undefined && readOnly !== true) return
  throw new NeedsOwnTransaction(
    `a transaction with ${readOnly === true ? 'readOnly' : `isolation level ${String(isolationLevel)}`} cannot be part of another`,
  )
}
