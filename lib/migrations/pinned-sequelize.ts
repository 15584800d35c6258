/**
 * A Sequelize that has one connection and gives it to every query, inside a transaction or not, and that knows
 * nothing of the application's CLS namespace: a migration run in a request must not join the request's
 * transaction.
 */
import { setImmediate as turn } from 'node:timers/promises'

import { Sequelize, Transaction, type Options, type TransactionOptions } from 'sequelize'

import { bindQueryGenerator } from '../query-generator.ts'
import type { WireClient } from '../search-path.ts'

/** Members of Sequelize that its types leave out. */
interface ConnectionManager {
  getConnection(options?: object): Promise<unknown>
  releaseConnection(connection: unknown): unknown
}

export class PinnedSequelize extends Sequelize {
  /** Shadows the namespace that `Sequelize.useCLS` puts on the base class. */
  static readonly _cls: undefined = undefined

  /** The schema that bare table names mean in helpers. */
  schema: string | undefined
  /** Whether a transaction is open already, so that one begun now must be a savepoint in it. */
  nestTransactions = false

  #client: WireClient | undefined
  #last: Promise<unknown> = Promise.resolve()

  constructor(connection: string | Options) {
    const settings: Options = {
      logging: false,
      replication: false,
      hooks: {},
      // One connection that is never given back: no time-out may take it away.
      pool: { max: 1, min: 0, idle: 2 ** 31 - 1, evict: 2 ** 31 - 1 },
    }
    if (typeof connection === 'string')
      super(connection, { ...settings, dialect: 'postgres', dialectOptions: withApplicationName({}) })
    else super({ ...connection, ...settings, dialectOptions: withApplicationName(connection.dialectOptions) })
    bindQueryGenerator(this, () => this.schema)
    this.#serialise()
    this.#nest()
  }

  /** Opens the connection and keeps it. */
  async pin(): Promise<WireClient> {
    const connections = this.connectionManager as unknown as ConnectionManager // typed with less than it has
    const client = (await connections.getConnection()) as WireClient
    const release = connections.releaseConnection.bind(connections)
    connections.getConnection = () => Promise.resolve(client)
    connections.releaseConnection = () => undefined
    this.#client = client
    this.#release = () => release(client)
    return client
  }

  override async close(): Promise<void> {
    if (this.#client !== undefined) this.#release()
    this.#client = undefined
    await super.close()
  }

  async drain(): Promise<void> {
    let last: Promise<unknown>
    do {
      last = this.#last
      await last
      // Whoever waited for that query may send the next one: they all come first.
      await turn()
    } while (last !== this.#last)
  }

  #release: () => unknown = () => undefined

  /** One statement at a time: two at once on one connection are an error from pg 9 on. */
  #serialise(): void {
    const query = super.query.bind(this) as (sql: unknown, options?: object) => Promise<unknown>
    const inTurn = (sql: unknown, options: { transaction?: Transaction | null } = {}) => {
      const result = this.#last.then(() =>
        query(sql, { ...options, transaction: options.transaction ?? null }),
      )
      this.#last = result.catch(() => undefined)
      return result
    }
    this.query = inTurn as Sequelize['query'] // its overloads differ only in what they promise
  }

  /** A migration's own transaction is a savepoint of the run's. */
  #nest(): void {
    const transaction = super.transaction.bind(this) as (...args: unknown[]) => Promise<unknown>
    const nested = (first?: TransactionOptions | TransactionBody, second?: TransactionBody) => {
      const body = typeof first === 'function' ? first : second
      const options = typeof first === 'function' ? {} : { ...first }
      if (this.nestTransactions) options.transaction ??= this.#runTransaction()
      return body === undefined ? transaction(options) : transaction(options, body)
    }
    this.transaction = nested as Sequelize['transaction'] // its overloads, in one
  }

  /** The run's transaction as Sequelize's object, begun elsewhere: its children are savepoints on the connection. */
  #runTransaction(): Transaction {
    const Constructor = Transaction as unknown as new (sequelize: Sequelize, options: object) => Transaction
    return Object.assign(new Constructor(this, {}), { connection: this.#client })
  }
}

type TransactionBody = (transaction: Transaction) => Promise<unknown>

function withApplicationName(dialectOptions: object | undefined): object {
  return { application_name: 'umzug-tenants', ...dialectOptions }
}
