/**
 * A statement that carries its own search path: the setting and the statement travel in one message to the
 * server, end with one Sync, and succeed or fail together. Nothing is remembered on the connection, so no
 * rollback, pool or pooler can make the path wrong.
 *
 * The class extends the Query of whichever `pg` the application runs on; the members used here are those its
 * own protocol code calls, unchanged through pg 8.
 */

import type { Scope } from './context.ts'
import { TenancyError } from './errors.ts'
import { BELIEVED_MS, checkedSetting, localSetting, settingsOf, unusable } from './path-setting.ts'
import { quoteIdentifier, SQLSTATE } from './sql.ts'
import { isPlain, type StatementKind } from './statement.ts'

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
  /** The server process, by its own word or by a pooler's invention. */
  readonly processID?: number | null
  /** Statements are sent before the answer to those before them. */
  pipeline?: boolean
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
  handleRowDescription(message: unknown): void
  handleDataRow(message: unknown): void
  handleCommandComplete(message: unknown, connection: WireConnection): void
  handleError(error: WireError, connection: WireConnection): void
}

/** pg's DatabaseError, as far as it is read; its `code` is the SQLSTATE. */
type WireError = Error & { position?: string; code?: unknown }

export type WireQueryClass = new (config: unknown, values: unknown, callback: unknown) => WireQuery

/** What the server last said of a connection's transaction: none, open, or failed; and its search path. */
export interface TransactionState {
  readonly client: Pick<WireClient, 'pipeline'>
  status: 'I' | 'T' | 'E'
  path: string | undefined
  /** How often the server has said so. */
  answers: number
}

export type ScopedQueryClass = new (
  config: unknown,
  values: unknown,
  callback: unknown,
  scope: Scope,
  kind: StatementKind,
  transaction: TransactionState,
) => WireQuery

const SETS_BOTH =
  "SELECT pg_catalog.set_config('search_path', $1, true), pg_catalog.set_config('role', $2, true)"

const HINTS: ReadonlySet<unknown> = new Set([
  SQLSTATE.undefinedTable,
  SQLSTATE.undefinedColumn,
  SQLSTATE.invalidSchemaName,
  SQLSTATE.insufficientPrivilege,
])

function execute(connection: WireConnection, text: string, values: unknown[] = []): void {
  connection.parse({ name: '', text, types: [] })
  connection.bind({ portal: '', statement: '', values })
  connection.execute({ portal: '', rows: 0 })
}

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
    readonly #scope: Scope
    readonly #kind: StatementKind
    readonly #transaction: TransactionState
    /** How many of the statements that set the path the server has not answered yet. */
    #settings = 0
    /** The setting asks for the schema, too. */
    #checks = false
    /** How far the statement was pushed to the right in the text that was sent. */
    #shift = 0

    constructor(
      config: unknown,
      values: unknown,
      callback: unknown,
      scope: Scope,
      kind: StatementKind,
      transaction: TransactionState,
    ) {
      super(config, values, callback)
      this.#scope = scope
      this.#kind = kind
      this.#transaction = transaction
    }

    // pg records a named statement as parsed at the first ParseComplete, which here belongs to the path.
    override get name(): string | undefined {
      return this.#settings > 0 ? undefined : this._statementName
    }

    override set name(name: string | undefined) {
      this._statementName = name
    }

    override submit(connection: WireConnection): Error | null {
      const { path } = this.#scope
      const transaction = this.#transaction
      if (transaction.client.pipeline === true) return pipelined()
      // Only here, when the server is ready for this statement, is it known in which transaction it will run.
      if (transaction.status !== 'I' && transaction.path !== undefined && transaction.path !== path) {
        return crossTenant(this.#scope, transaction.path)
      }
      if (this.#kind === 'begin') transaction.path = path
      this.#checks = this.#isCheckDue()
      if (this.requiresPreparation()) return this.#submitExtended(connection, path)
      const setting = this.#checks ? `${checkedSetting(this.#scope)};` : localSetting(this.#scope)
      this.#shift = setting.length
      this.#settings = this.#checks ? 1 : settingsOf(this.#scope)
      this.text = setting + this.text
      return super.submit(connection)
    }

    /**
     * In a transaction the check, which takes a snapshot, comes with statements that take one themselves: SET
     * TRANSACTION ISOLATION LEVEL must come before any.
     */
    #isCheckDue(): boolean {
      const { usable } = this.#scope
      if (usable === undefined || usable.until > Date.now() || this.#kind !== 'batch') return false
      return this.#transaction.status === 'I' || isPlain(this.text)
    }

    #submitExtended(connection: WireConnection, path: string): Error | null {
      const inTransaction = this.#transaction.status !== 'I'
      const { role } = this.#scope
      connection.stream.cork?.()
      try {
        // SET LOCAL outside a transaction block warns, here and in the server's log, although it holds until
        // the Sync; set_config does the same silently. Inside a block it would take a snapshot, and a later
        // SET TRANSACTION ISOLATION LEVEL would fail, so there it is SET LOCAL.
        if (this.#checks) execute(connection, checkedSetting(this.#scope))
        else if (inTransaction) {
          execute(connection, `SET LOCAL search_path TO ${path}`)
          if (role !== undefined) execute(connection, `SET LOCAL ROLE ${quoteIdentifier(role)}`)
        } else if (role === undefined) {
          execute(connection, "SELECT pg_catalog.set_config('search_path', $1, true)", [path])
        } else {
          execute(connection, SETS_BOTH, [path, role])
        }
        const error = super.submit(connection)
        this.#settings = inTransaction && !this.#checks ? settingsOf(this.#scope) : 1
        return error
      } finally {
        connection.stream.uncork?.()
      }
    }

    override handleRowDescription(message: unknown): void {
      if (this.#settings === 0) super.handleRowDescription(message)
    }

    override handleDataRow(message: unknown): void {
      if (this.#settings === 0) super.handleDataRow(message)
    }

    override handleCommandComplete(message: unknown, connection: WireConnection): void {
      if (this.#settings === 0) super.handleCommandComplete(message, connection)
      else if (--this.#settings === 0 && this.#checks) this.#believe(Date.now() + BELIEVED_MS)
    }

    #believe(until: number): void {
      const { usable } = this.#scope
      if (usable !== undefined) usable.until = until
    }

    override handleError(error: WireError, connection: WireConnection): void {
      if (this.#settings > 0 && this._statementName !== undefined) {
        delete connection.submittedNamedStatements?.[this._statementName]
      }
      const reason = this.#settings > 0 ? unusable(this.#scope, error) : undefined
      this.#settings = 0
      // A table or a schema is not there: perhaps nothing of this tenant is.
      if (HINTS.has(error.code)) this.#believe(0)
      if (reason !== undefined) {
        super.handleError(reason, connection)
        return
      }
      if (this.#shift > 0 && error.position !== undefined) {
        error.position = String(Number(error.position) - this.#shift)
      }
      super.handleError(error, connection)
    }
  }
}

/** The error for a statement of `scope` in a transaction that began on another path. */
export function crossTenant(scope: Scope, transactionPath: string): TenancyError {
  const where = scope.tenant === undefined ? 'the shared schemas' : `tenant "${scope.tenant.id}"`
  return new TenancyError(
    'CROSS_TENANT_TRANSACTION',
    `A transaction on ${transactionPath} was used in the scope of ${where}.`,
    {
      tenant: scope.tenant?.id,
      fix: [
        'begin a transaction of its own inside tenancy.run, or leave the inner run before using this one',
      ],
    },
  )
}

/** The error for a connection on which a statement is sent before it is known in which transaction it will run. */
export function pipelined(): TenancyError {
  return new TenancyError('CLIENT_UNSUPPORTED', 'The connection is set to pipeline its statements.', {
    fix: ["remove pg's option pipeline: true"],
  })
}
