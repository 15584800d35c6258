/**
 * Makes every statement on a connection run in its scope. Installed on each client that Sequelize's pool
 * opens, so that models, raw queries, transactions, query interface and direct use of a client are one case.
 *
 * The scope is taken when the statement is handed over, never in a handler of the connection: those run in
 * the context of whoever made the connection.
 */
import type { Sequelize } from 'sequelize'

import { AloneStatements, answer } from './alone-statements.ts'
import type { Scope, TenantContext } from './context.ts'
import { TenancyError } from './errors.ts'
import { bindQueryInterface } from './query-interface/bind.ts'
import {
  scopedQueryClass,
  type QueryFunction,
  type TransactionState,
  type WireClient,
  type WireConnection,
  type WireQuery,
} from './scoped-query.ts'
import { kindOfStatement, splitAtTransactionControl } from './statement.ts'

const scoped = new WeakSet<WireClient>()

/** Scopes every connection of `sequelize` to `context`, and its query interface to the current tenant. */
export function bindSearchPath(sequelize: Sequelize, context: TenantContext): void {
  bindQueryInterface(sequelize, () => context.schema())
  // Sequelize types a connection as unknown: it is pg's Client.
  const scope = (connection: unknown): void => {
    scopeClient(connection as WireClient, () => context.scope())
  }
  sequelize.addHook('afterConnect', scope)
  passOwnErrors(sequelize)
  // Connections that were opened before, by a query at start-up, are scoped when the pool hands them out.
  if (hasConnections(sequelize)) sequelize.addHook('afterPoolAcquire', scope)
}

/** Sequelize wraps what a query throws as an error of the database; the library's own errors pass as they are. */
function passOwnErrors(sequelize: Sequelize): void {
  const { dialect } = sequelize as unknown as { dialect: { Query: SequelizeQueryClass } } // not typed upstream
  dialect.Query = class extends dialect.Query {
    override formatError(error: Error, stack: string): Error {
      return error instanceof TenancyError ? error : super.formatError(error, stack)
    }
  }
}

type SequelizeQueryClass = new (...args: never[]) => { formatError(error: Error, stack: string): Error }

function hasConnections(sequelize: Sequelize): boolean {
  const { pool } = sequelize.connectionManager as unknown as { pool: { size?: number } } // not typed upstream
  return pool.size === undefined || pool.size > 0
}

/**
 * Makes each statement of `client` run in the scope that `scopeOf` names when the statement is handed over. The
 * answer follows the connection's transaction; a client that is scoped already has none.
 *
 * @throws {@link TenancyError} CLIENT_UNSUPPORTED for pg-native, which hides the protocol.
 */
export function scopeClient(client: WireClient, scopeOf: () => Scope): TransactionState | undefined {
  if (scoped.has(client)) return undefined
  const Query = client.constructor.Query
  if (Query === undefined || typeof client.connection?.prependListener !== 'function') {
    throw new TenancyError(
      'CLIENT_UNSUPPORTED',
      'The connection is not one of the JavaScript client of pg.',
      {
        fix: ['remove pg-native and the option native: true'],
      },
    )
  }
  scoped.add(client)
  const ScopedQuery = scopedQueryClass(Query)
  const send: QueryFunction = client.query.bind(client)
  const transaction = watchTransaction(client.connection)
  const alone = new AloneStatements(client, send)

  const sendIn = (takeScope: () => Scope, config: unknown, values?: unknown, callback?: unknown): unknown => {
    const kind = kindOfStatement(textOf(config))
    if (kind === 'control') return send(config, values, callback)
    const scope = takeScope()
    if (isSubmittable(config)) {
      assertStreamable(transaction, scope)
      return send(config, values, callback)
    }
    if (kind === 'alone' && transaction.status === 'I') return alone.run(scope, config, values, callback)
    return submit(
      send,
      new ScopedQuery(config, values, callback, {
        path: scope.path,
        begins: kind === 'begin',
        transaction,
        refuse: (path) => crossTenant(scope, path),
      }),
    )
  }
  client.query = (config: unknown, values?: unknown, callback?: unknown) => {
    const parts = splitAtTransactionControl(textOf(config))
    if (parts === undefined) return sendIn(scopeOf, config, values, callback)
    const scope = scopeOf()
    const results = eachInTurn(parts, (part) => sendIn(() => scope, part))
    return answer(results, values, callback)
  }
  return transaction
}

/**
 * A path that is set with a text ends with the transaction that the text ends: what comes after would be looked up
 * elsewhere. So the parts are sent one by one, each with its own path; the answer is that of them all, as from pg.
 */
async function eachInTurn(
  parts: readonly string[],
  send: (part: string) => unknown,
): Promise<readonly unknown[]> {
  const results: unknown[] = []
  for (const part of parts) results.push(await send(part))
  return results.flat()
}

/** pg answers a query object through its callback only; callers without one get a promise, as from pg. */
function submit(send: QueryFunction, query: WireQuery): unknown {
  if (query.callback !== undefined) {
    send(query)
    return undefined
  }
  return new Promise((resolve, reject) => {
    query.callback = (error, result) => {
      if (error === null) resolve(result)
      else reject(error)
    }
    send(query)
  })
}

/** The server's own word on the connection's transaction, which comes with each ReadyForQuery. */
function watchTransaction(connection: WireConnection): TransactionState {
  const state: TransactionState = { status: 'I', path: undefined, answers: 0 }
  // Before the client's own listener, which sends the next statement of the queue at once.
  connection.prependListener('readyForQuery', ({ status }) => {
    state.answers++
    state.status = status === 'T' || status === 'E' ? status : 'I'
    if (state.status === 'I') state.path = undefined
  })
  return state
}

/** A cursor or stream reads in many messages, so its path must be that of an open transaction. */
function assertStreamable(transaction: TransactionState, scope: Scope): void {
  if (transaction.status === 'I' || transaction.path === undefined) {
    throw new TenancyError(
      'STREAM_OUTSIDE_TRANSACTION',
      'A cursor, stream or COPY was started outside a transaction.',
      {
        tenant: scope.tenant?.id,
        fix: ['begin a transaction in the tenant first, and read from its connection'],
      },
    )
  }
  if (transaction.path !== scope.path) throw crossTenant(scope, transaction.path)
}

function crossTenant(scope: Scope, transactionPath: string): TenancyError {
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

function textOf(config: unknown): string {
  if (typeof config === 'string') return config
  if (typeof config !== 'object' || config === null) return ''
  const { text, cursor } = config as { text?: unknown; cursor?: { text?: unknown } } // any of pg's query forms
  return typeof text === 'string' ? text : typeof cursor?.text === 'string' ? cursor.text : ''
}

function isSubmittable(config: unknown): boolean {
  return typeof (config as { submit?: unknown } | null)?.submit === 'function'
}
