/**
 * A client of pg whose every statement runs in a scope, however it is handed over: as a text or an object, with a promise
 * or a callback, as a stream.
 */
import { AloneStatements, answer, callbacksOf, parametersOf, withoutCallback } from './alone-statements.ts'
import type { Scope, TenantContext } from './context.ts'
import { TenancyError } from './errors.ts'
import { LeftBehind } from './left-behind.ts'
import { localSetting } from './path-setting.ts'
import {
  crossTenant,
  pipelined,
  scopedQueryClass,
  type QueryFunction,
  type TransactionState,
  type WireClient,
  type WireConnection,
  type WireQuery,
} from './scoped-query.ts'
import {
  isOrdinary,
  kindOfStatement,
  splitAtTransactionControl,
  staysOnConnection,
  type StatementKind,
} from './statement.ts'

const scoped = new WeakSet<WireClient>()

/** The pool that a connection is of. */
export interface PooledFor {
  readonly context: TenantContext
  /** Sequelize hands over a statement and awaits it: an `await` goes on where it was, without our help. */
  isAwaited: boolean
}

/**
 * Makes each statement of `client` run in the scope that `scopeOf` names when the statement is handed over. The
 * answer follows the connection's transaction; a client that is scoped already has none.
 *
 * @throws {@link TenancyError} CLIENT_UNSUPPORTED for pg-native, which hides the protocol.
 */
export function scopeClient(
  client: WireClient,
  scopeOf: () => Scope,
  pooledFor?: PooledFor,
): TransactionState | undefined {
  if (scoped.has(client)) return undefined
  const Query = client.constructor.Query
  if (Query === undefined || typeof client.connection?.prependListener !== 'function') throw nativeClient()
  if (client.pipeline === true) throw pipelined()
  scoped.add(client)
  const ScopedQuery = scopedQueryClass(Query)
  const send: QueryFunction = client.query.bind(client)
  const transaction = watchTransaction(client)
  const alone = new AloneStatements(client, send)
  const left = new LeftBehind(client, send)

  const sendScoped = (
    scope: Scope,
    kind: StatementKind,
    config: unknown,
    values?: unknown,
    callback?: unknown,
  ): unknown => {
    const query = new ScopedQuery(config, values, callback, scope, kind, transaction)
    if (query.callback !== undefined && pooledFor?.isAwaited === false)
      query.callback = pooledFor.context.resume(query.callback)
    return submit(send, query)
  }
  const sendIn = (
    scope: Scope | undefined,
    text: string,
    config: unknown,
    values?: unknown,
    callback?: unknown,
  ): unknown => {
    const kind = kindOfStatement(text)
    if (kind === 'control') return send(config, values, callback)
    const taken = scope ?? scopeOf()
    if (isSubmittable(config)) return sendStream(send, config, values, callback, taken, transaction)
    if (pooledFor !== undefined) {
      if (left.by !== undefined && transaction.status === 'I' && left.concerns(taken)) {
        return answer(
          left.clear().then(() => sendIn(taken, text, withoutCallback(config), parametersOf(values))),
          ...callbacksOf(config, values, callback),
        )
      }
      if (left.by === undefined && staysOnConnection(text)) {
        return answer(
          alone.assertDirect(taken).then(() => {
            left.by = taken.path
            return sendIn(taken, text, withoutCallback(config), parametersOf(values))
          }),
          ...callbacksOf(config, values, callback),
        )
      }
    }
    if (kind === 'alone' && transaction.status === 'I') return alone.run(taken, config, values, callback)
    return sendScoped(taken, kind, config, values, callback)
  }
  client.query = (config: unknown, values?: unknown, callback?: unknown) => {
    if (client.pipeline === true) throw pipelined()
    const text = textOf(config)
    // Nearly every statement of an application ends here: nothing is made for it but its query.
    if (left.by === undefined && isOrdinary(text) && !isSubmittable(config))
      return sendScoped(scopeOf(), 'batch', config, values, callback)
    const parts = splitAtTransactionControl(text)
    if (parts === undefined) return sendIn(undefined, text, config, values, callback)
    if (isSubmittable(config)) throw streamInTransactionText()
    const scope = scopeOf()
    const results = eachInTurn(parts, (part) => sendIn(scope, part, part))
    return answer(results, ...callbacksOf(config, values, callback))
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
function watchTransaction(client: WireClient): TransactionState {
  const state: TransactionState = { client, status: 'I', path: undefined, answers: 0 }
  // Before the client's own listener, which sends the next statement of the queue at once.
  client.connection.prependListener('readyForQuery', ({ status }) => {
    state.answers++
    state.status = status === 'T' || status === 'E' ? status : 'I'
    if (state.status === 'I') state.path = undefined
  })
  return state
}

/**
 * A cursor or stream reads in many messages, so its path must be that of an open transaction: it is set once more right
 * before, since the application may have set another, and COMMIT AND CHAIN begins on none.
 */
function sendStream(
  send: QueryFunction,
  stream: Submittable,
  values: unknown,
  callback: unknown,
  scope: Scope,
  transaction: TransactionState,
): unknown {
  const refusal = streamRefusal(transaction, scope)
  if (refusal !== undefined) throw refusal
  const submitStream = stream.submit.bind(stream)
  // A COMMIT that waited in the queue has been run meanwhile.
  stream.submit = (connection) => streamRefusal(transaction, scope) ?? submitStream(connection)
  // If it fails the transaction has failed, and the stream says so.
  Promise.resolve(send(localSetting(scope).slice(0, -1))).catch(() => undefined)
  return send(stream, values, callback)
}

function streamRefusal(transaction: TransactionState, scope: Scope): TenancyError | undefined {
  if (transaction.status === 'I' || transaction.path === undefined) {
    return new TenancyError(
      'STREAM_OUTSIDE_TRANSACTION',
      'A cursor, stream or COPY was started outside a transaction.',
      {
        tenant: scope.tenant?.id,
        fix: ['begin a transaction in the tenant first, and read from its connection'],
      },
    )
  }
  return transaction.path === scope.path ? undefined : crossTenant(scope, transaction.path)
}

function streamInTransactionText(): TenancyError {
  return new TenancyError(
    'STREAM_OUTSIDE_TRANSACTION',
    'The text of a cursor, stream or COPY begins or ends a transaction.',
    { fix: ['send BEGIN and COMMIT as statements of their own, before and after'] },
  )
}

function nativeClient(): TenancyError {
  return new TenancyError('CLIENT_UNSUPPORTED', 'The connection is not one of the JavaScript client of pg.', {
    fix: ['remove pg-native and the option native: true'],
  })
}

function textOf(config: unknown): string {
  if (typeof config === 'string') return config
  if (typeof config !== 'object' || config === null) return ''
  const { text, cursor } = config as { text?: unknown; cursor?: { text?: unknown } } // any of pg's query forms
  return typeof text === 'string' ? text : typeof cursor?.text === 'string' ? cursor.text : ''
}

interface Submittable {
  submit(connection: WireConnection): unknown
}

function isSubmittable(config: unknown): config is Submittable {
  return (
    typeof config === 'object' && config !== null && 'submit' in config && typeof config.submit === 'function'
  )
}
