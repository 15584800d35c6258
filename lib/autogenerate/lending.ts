/**
 * Lends a session's connection to the application's Sequelize: every query that a function causes goes there, also that
 * of a hook which says nothing of a transaction. What others ask meanwhile goes where it always goes.
 */
import { AsyncLocalStorage } from 'node:async_hooks'

import type { Sequelize, Transaction } from 'sequelize'

import { messageOf } from '../errors.ts'
import type { MigrationSession } from '../migrations/session.ts'

export interface Loan {
  /** Runs something in a savepoint; the answer is why it failed. */
  attempt(fn: (transaction: Transaction) => Promise<unknown>): Promise<Error | undefined>
  /**
   * The statements that `fn` would change something with, none of which is sent. What it asks is answered as an empty
   * schema would.
   */
  collect(fn: () => Promise<unknown>): Promise<readonly string[]>
}

type Borrower = { readonly transaction: Transaction } | { readonly texts: string[] }

/** One for all: each that was ever used is carried along by every promise of the process from then on. */
const borrowers = new AsyncLocalStorage<Borrower>()

/** Lends for the time of `fn`. */
export async function lending<T>(
  sequelize: Sequelize,
  session: MigrationSession,
  fn: (loan: Loan) => Promise<T>,
): Promise<T> {
  const query = Reflect.get(sequelize, 'query') as Query // its overloads, in one
  const lent: Query = function (this: unknown, sql, options) {
    const borrower = borrowers.getStore()
    if (borrower === undefined) return query.call(this, sql, options)
    if ('texts' in borrower) return note(borrower.texts, sql, options)
    return query.call(this, sql, { ...options, transaction: borrower.transaction, logging: false })
  }
  const isOwn = Object.hasOwn(sequelize, 'query')
  Object.assign(sequelize, { query: lent })
  try {
    return await fn({
      attempt: (body) =>
        failureOf(() =>
          session.sequelize.transaction((transaction) =>
            borrowers.run({ transaction }, () => body(transaction)),
          ),
        ),
      async collect(body) {
        const texts: string[] = []
        await borrowers.run({ texts }, body)
        return texts
      },
    })
  } finally {
    if (isOwn) Object.assign(sequelize, { query })
    else Reflect.deleteProperty(sequelize, 'query')
  }
}

interface QueryOptions {
  readonly plain?: boolean
  readonly bind?: unknown
  readonly replacements?: unknown
}

type Query = (this: unknown, sql: unknown, options?: QueryOptions) => Promise<unknown>

/** Answers a question with nothing, and keeps everything else. */
async function note(
  texts: string[],
  sql: unknown,
  { plain, bind, replacements }: QueryOptions = {},
): Promise<unknown> {
  if (typeof sql !== 'string' || bind !== undefined || replacements !== undefined)
    throw new TypeError('only whole statements can be kept')
  if (/^\s*SELECT\b/i.test(sql)) return plain === true ? null : []
  texts.push(sql)
  return [[], undefined]
}

/** Why `fn` has failed, if it has. */
export async function failureOf(fn: () => Promise<unknown>): Promise<Error | undefined> {
  try {
    await fn()
    return undefined
  } catch (error) {
    return error instanceof Error ? error : new Error(messageOf(error))
  }
}
