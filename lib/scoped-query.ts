/**
 * A statement that carries its own search path: the setting and the statement travel in one message to the
 * server, end with one Sync, and succeed or fail together. Nothing is remembered on the connection, so no
 * rollback, pool or pooler can make the path wrong.
 *
 * The class extends the Query of whichever `pg` the application runs on; the members used here are those its
 * own protocol code calls, unchanged through pg 8.
 */

/** pg's wire connection, as far as a query writes to it. */
export interface WireConnection {
  parse(message: { name: string; text: string; types: unknown[] }): void
  bind(message: { portal: string; statement: string; values: unknown[] }): void
  execute(message: { portal: string; rows: number }): void
  submittedNamedStatements?: Record<string, unknown>
  readonly stream: { cork?(): void; uncork?(): void }
  prependListener(event: 'readyForQuery', listener: (message: { status: string }) => void): unknown
  once(event: 'readyForQuery' | 'end', listener: () => void): unknown
  off(event: 'readyForQuery' | 'end', listener: () => void): unknown
}

/** pg's Client, as far as it is used: `query` in all its forms, and the wire below. */
export interface WireClient {
  query: QueryFunction
  readonly connection: WireConnection
  end(): Promise<void>
  /** Sequelize's mark for a connection that may not be used again. */
  _invalid?: boolean
  readonly constructor: Function & { readonly Query?: WireQueryClass }
}

export type QueryFunction = (config: unknown, values?: unknown, callback?: unknown) => unknown

/** pg's Query, as far as it is extended. */
export interface WireQuery {
  text: string
  name: string | undefined
  callback: ((error: Error | null, result?: unknown) => void) | undefined
  requiresPreparation(): boolean
  submit(connection: WireConnection): Error | null
  handleDataRow(message: unknown): void
  handleCommandComplete(message: unknown, connection: WireConnection): void
  handleError(error: Error & { position?: string }, connection: WireConnection): void
}

export type WireQueryClass = new (config: unknown, values: unknown, callback: unknown) => WireQuery

/** What the server last said of a connection's transaction: none, open, or failed; and its search path. */
export interface TransactionState {
  status: 'I' | 'T' | 'E'
  path: string | undefined
  /** How often the server has said so. */
  answers: number
}

export interface Scoping {
  readonly path: string
  readonly begins: boolean
  readonly transaction: TransactionState
  /** The error for a statement of another scope than the transaction it is sent into. */
  readonly refuse: (transactionPath: string) => Error
}

export type ScopedQueryClass = new (
  config: unknown,
  values: unknown,
  callback: unknown,
  scoping: Scoping,
) => WireQuery

const classes = new WeakMap<WireQueryClass, ScopedQueryClass>()

/** The scoped form of `Query`, made once for each copy of pg. */
export function scopedQueryClass(Query: WireQueryClass): ScopedQueryClass {
  let Scoped = classes.get(Query)
  if (Scoped === undefined) {
    Scoped = extend(Query)
    classes.set(Query, Scoped)
  }
  return Scoped
}

function extend(Query: WireQueryClass): ScopedQueryClass {
  return class ScopedQuery extends Query {
    // Declared, not initialised: pg's constructor writes `name` before a field of this class could exist.
    declare _statementName: string | undefined
    readonly #scoping: Scoping
    /** The server has not yet answered the statement that sets the path. */
    #settingPath = false
    /** How far the statement was pushed to the right in the text that was sent. */
    #shift = 0

    constructor(config: unknown, values: unknown, callback: unknown, scoping: Scoping) {
      super(config, values, callback)
      this.#scoping = scoping
    }

    // pg records a named statement as parsed at the first ParseComplete, which here belongs to the path.
    override get name(): string | undefined {
      return this.#settingPath ? undefined : this._statementName
    }

    override set name(name: string | undefined) {
      this._statementName = name
    }

    override submit(connection: WireConnection): Error | null {
      const { path, begins, transaction, refuse } = this.#scoping
      // Only here, when the server is ready for this statement, is it known in which transaction it will run.
      if (transaction.status !== 'I' && transaction.path !== undefined && transaction.path !== path) {
        return refuse(transaction.path)
      }
      if (begins) transaction.path = path
      if (this.requiresPreparation()) return this.#submitExtended(connection, path)
      const setting = `SET LOCAL search_path TO ${path};`
      this.#shift = setting.length
      this.#settingPath = true
      this.text = setting + this.text
      return super.submit(connection)
    }

    #submitExtended(connection: WireConnection, path: string): Error | null {
      const inTransaction = this.#scoping.transaction.status !== 'I'
      connection.stream.cork?.()
      try {
        // SET LOCAL outside a transaction block warns, here and in the server's log, although it holds until
        // the Sync; set_config does the same silently. Inside a block it would take a snapshot, and a later
        // SET TRANSACTION ISOLATION LEVEL would fail, so there it is SET LOCAL.
        const text = inTransaction
          ? `SET LOCAL search_path TO ${path}`
          : "SELECT pg_catalog.set_config('search_path', $1, true)"
        connection.parse({ name: '', text, types: [] })
        connection.bind({ portal: '', statement: '', values: inTransaction ? [] : [path] })
        connection.execute({ portal: '', rows: 0 })
        const error = super.submit(connection)
        this.#settingPath = true
        return error
      } finally {
        connection.stream.uncork?.()
      }
    }

    override handleDataRow(message: unknown): void {
      if (!this.#settingPath) super.handleDataRow(message)
    }

    override handleCommandComplete(message: unknown, connection: WireConnection): void {
      if (this.#settingPath) this.#settingPath = false
      else super.handleCommandComplete(message, connection)
    }

    override handleError(error: Error & { position?: string }, connection: WireConnection): void {
      if (this.#settingPath && this._statementName !== undefined) {
        delete connection.submittedNamedStatements?.[this._statementName]
      }
      this.#settingPath = false
      if (this.#shift > 0 && error.position !== undefined) {
        error.position = String(Number(error.position) - this.#shift)
      }
      super.handleError(error, connection)
    }
  }
}
