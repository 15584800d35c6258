/**
 * A Sequelize that has one connection and gives it to every query, inside a transaction or not, and that knows
 * nothing of the application's CLS namespace: a migration run in a request must not join the request's
 * transaction.
 */
import { AsyncLocalStorage } from 'node:async_hooks'

import { Sequelize, type Options, type Transaction, type TransactionOptions } from 'sequelize'

import { TenancyError } from '../errors.ts'
import { bindQueryInterface } from '../query-interface/bind.ts'
import { keepModelsApart } from '../query-interface/models.ts'
import type { WireClient } from '../scoped-query.ts'
import { NestedTransactions } from './nested-transactions.ts'

/** Members of Sequelize that its types leave out. */
interface ConnectionManager {
  getConnection(options?: object): Promise<unknown>
  releaseConnection(connection: unknown): unknown
}

type Queries = (sql: unknown, options: { transaction?: Transaction | null }) => Promise<unknown>
type Transactions = (options: TransactionOptions, body: TransactionBody | undefined) => Promise<unknown>

/**
 * In whose migration the caller is. A module that keeps the query interface of one tenant's run in a variable may
 * be running for several tenants at once: what it kept means the tenant it is running for now.
 */
const active = new AsyncLocalStorage<PinnedSequelize>()

export class PinnedSequelize extends Sequelize {
  /** Shadows the namespace that `Sequelize.useCLS` puts on the base class. */
  static readonly _cls: undefined = undefined

  /** The schema that bare table names mean in helpers. */
  schema: string | undefined
  /** Whether a transaction is open already, so that one begun now must be a savepoint in it. */
  nestTransactions = false
  /** Is told when a transaction that a migration has begun, and that is a savepoint here, has ended. */
  onOwnTransactionEnd: (() => void) | undefined

  #client: WireClient | undefined
  readonly #queries: Queries
  readonly #transactions: Transactions

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
    const schemaOf = () => this.#current().schema
    bindQueryInterface(this, schemaOf)
    keepModelsApart(this, schemaOf)
    this.#queries = this.#ownQueries()
    this.#transactions = this.#ownTransactions()
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

  /** Runs a migration's `side`: whatever Sequelize of a run it uses, it uses this one. */
  running<T>(side: () => T): T {
    return active.run(this, side)
  }

  /** The connection of the migration that the caller is in; outside any, this one's. */
  get client(): WireClient {
    const client = this.#current().#client
    if (client === undefined) throw new TypeError('the connection is not open')
    return client
  }

  #current(): PinnedSequelize {
    return active.getStore() ?? this
  }

  #release: () => unknown = () => undefined

  /** Without a transaction of its own a query is the run's; with one of another Sequelize it would go elsewhere. */
  #ownQueries(): Queries {
    const query = super.query.bind(this) as (sql: unknown, options?: object) => Promise<unknown>
    const own: (sql: unknown, options?: object) => Promise<unknown> = (sql, options = {}) =>
      this.#current().#queries(sql, options)
    this.query = own as Sequelize['query'] // its overloads differ only in what they promise
    return async (sql, options) => {
      const transaction = options.transaction ?? null
      if (transaction !== null && ownerOf(transaction) !== this) throw foreignTransaction()
      return query(sql, { ...options, transaction })
    }
  }

  #ownTransactions(): Transactions {
    const stock = super.transaction.bind(this) as (...args: unknown[]) => Promise<unknown>
    const begin: Transactions = (options, body) =>
      body === undefined ? stock(options) : stock(options, body)
    const nested = new NestedTransactions(
      this,
      begin,
      () => this.#client,
      () => this.onOwnTransactionEnd?.(),
    )
    const own = async (first?: TransactionOptions | TransactionBody, second?: TransactionBody) => {
      const body = typeof first === 'function' ? first : second
      return this.#current().#transactions(typeof first === 'function' ? {} : { ...first }, body)
    }
    this.transaction = own as Sequelize['transaction'] // its overloads, in one
    return async (options, body) =>
      this.nestTransactions ? nested.begin(options, body) : begin(options, body)
  }
}

/**
 * Makes the application's Sequelize mean the run while a migration runs: its models and queries go over the run's
 * connection, in its transaction. Over a connection of their own they could not see what the run has done so far, or
 * would wait for its locks for ever.
 */
export function joinRuns(application: Sequelize): void {
  const stock = {
    query: application.query.bind(application) as (sql: unknown, options?: object) => Promise<unknown>,
    transaction: application.transaction.bind(application) as (...args: unknown[]) => Promise<unknown>,
  }
  const own: typeof stock = {
    query: (sql, options) => {
      const run = active.getStore() as typeof stock | undefined
      return run === undefined ? stock.query(sql, options) : run.query(sql, options)
    },
    transaction: (...args) => {
      const run = active.getStore() as typeof stock | undefined
      return run === undefined ? stock.transaction(...args) : run.transaction(...args)
    },
  }
  Object.assign(application, own)
}

type TransactionBody = (transaction: Transaction) => Promise<unknown>

function withApplicationName(dialectOptions: object | undefined): object {
  return { application_name: 'umzug-tenants', ...dialectOptions }
}

function ownerOf(transaction: Transaction): unknown {
  return (transaction as unknown as { sequelize: unknown }).sequelize // not typed upstream
}

function foreignTransaction(): TenancyError {
  return new TenancyError(
    'CROSS_TENANT_TRANSACTION',
    'A migration used a transaction of another Sequelize.',
    {
      fix: ["begin it with the migration's own: queryInterface.sequelize.transaction, or context.sequelize"],
    },
  )
}
