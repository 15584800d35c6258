/**
 * The two ways to the server: the application's pool, scoped to the context, and sessions for migrating. Both
 * are opened by their first use.
 */
import { QueryTypes, Sequelize, type Options } from 'sequelize'

import type { TenantContext } from './context.ts'
import { TenancyError } from './errors.ts'
import type { SessionOptions } from './migrations/connection.ts'
import { joinRuns } from './migrations/pinned-sequelize.ts'
import { withSession, type MigrationSession } from './migrations/session.ts'
import { bindSearchPath } from './search-path.ts'
import type { Row, SqlRunner, SqlValue } from './sql.ts'

export interface DatabaseOptions {
  readonly url: string | undefined
  readonly sequelize: Sequelize | (() => Sequelize | Promise<Sequelize>) | undefined
  readonly migrationUrl: string | undefined
  readonly lockTimeoutMs: number
  readonly statementTimeoutMs: number
}

/** Of Sequelize, for an application that says nothing. */
const DEFAULT_POOL_SIZE = 5

/** Where a Sequelize says whose it is: for every copy of this package that is loaded, so that two cannot both bind it. */
const CONTEXT = Symbol.for('umzug-tenants.context')

/** Members of Sequelize that its types leave out. */
interface Untyped {
  readonly options: Options & { readonly dialectOptions?: { readonly prependSearchPath?: boolean } }
  readonly config: { readonly [key in 'database' | 'username' | 'password' | 'host' | 'port']?: string }
  runHooks(name: string, ...args: unknown[]): Promise<void>
}

const untyped = (sequelize: Sequelize) => sequelize as unknown as Untyped

export class Database {
  readonly #options: DatabaseOptions
  readonly #context: TenantContext
  #pool: Promise<Sequelize> | undefined
  #isOwn = false

  constructor(options: DatabaseOptions, context: TenantContext) {
    this.#options = options
    this.#context = context
    if (options.sequelize instanceof Sequelize) this.#pool = Promise.resolve(this.#bind(options.sequelize))
  }

  /** The application's Sequelize, or one made from the URL. */
  pool(): Promise<Sequelize> {
    this.#pool ??= this.#openPool()
    return this.#pool
  }

  /** Connections that the pool opens at most. */
  async poolSize(): Promise<number> {
    return untyped(await this.pool()).options.pool?.max ?? DEFAULT_POOL_SIZE
  }

  /** Runs statements on the pool, without a tenant and outside any transaction of the caller. */
  readonly runner: SqlRunner = {
    query: async <R extends object = Row>(text: string, values: readonly SqlValue[] = []): Promise<R[]> => {
      const sequelize = await this.pool()
      return this.#context.runShared(() =>
        sequelize.query<R>(text, {
          // Without values a $1 is part of a quoted name, not a parameter.
          ...(values.length === 0 ? {} : { bind: [...values] }),
          type: QueryTypes.SELECT,
          transaction: null,
          logging: false,
        }),
      )
    },
  }

  /** Runs `fn` on one connection of the pool, with the server process it was told of when it was opened. */
  async withConnection<T>(fn: (sql: SqlRunner, processId: number | undefined) => Promise<T>): Promise<T> {
    const sequelize = await this.pool()
    return this.#context.runShared(async () => {
      // A transaction keeps its connection, also behind a pooler.
      const transaction = await sequelize.transaction()
      const { connection } = transaction as unknown as { connection?: { processID?: number } } // not typed upstream
      try {
        const query = <R extends object = Row>(text: string, values: readonly SqlValue[] = []) =>
          sequelize.query<R>(text, {
            ...(values.length === 0 ? {} : { bind: [...values] }),
            type: QueryTypes.SELECT,
            transaction,
            logging: false,
          })
        return await fn({ query }, connection?.processID)
      } finally {
        await transaction.rollback()
      }
    })
  }

  /** Opens a session for migrating, for the time of `fn`. */
  async withSession<T>(fn: (session: MigrationSession) => Promise<T>): Promise<T> {
    return withSession(await this.sessionOptions(), fn)
  }

  /** Closes what this object has opened; the application's own Sequelize stays open. */
  async close(): Promise<void> {
    if (this.#isOwn) await (await this.pool()).close()
  }

  async #openPool(): Promise<Sequelize> {
    const { sequelize, url } = this.#options
    if (typeof sequelize === 'function') return this.#bind(await sequelize())
    if (url === undefined) throw noDatabase()
    this.#isOwn = true
    return this.#bind(new Sequelize(url, { dialect: 'postgres', logging: false }))
  }

  #bind(sequelize: Sequelize): Sequelize {
    if (untyped(sequelize).options.dialectOptions?.prependSearchPath === true) {
      throw new TenancyError(
        'CONFIG_INVALID',
        'dialectOptions.prependSearchPath sets a search path of its own.',
        {
          fix: ['remove prependSearchPath and searchPath from the options of Sequelize'],
        },
      )
    }
    const bound = sequelize as Sequelize & { [CONTEXT]?: TenantContext } // a mark of our own
    const context = bound[CONTEXT]
    if (context !== undefined && context !== this.#context) {
      throw new TenancyError('CONFIG_INVALID', 'This Sequelize belongs to another tenancy already.', {
        fix: [
          'create one tenancy and share it: a connection can obey one context only',
          'if there is but one, the package may be installed twice: npm ls umzug-tenants',
        ],
      })
    }
    if (context === undefined) {
      bindSearchPath(sequelize, this.#context)
      joinRuns(sequelize)
    }
    bound[CONTEXT] = this.#context
    return sequelize
  }

  /** How a session for migrating is opened. */
  async sessionOptions(): Promise<SessionOptions> {
    const { migrationUrl, lockTimeoutMs, statementTimeoutMs } = this.#options
    const enter: SessionOptions['enter'] = (tenant, fn) =>
      tenant === undefined ? this.#context.runShared(fn) : this.#context.run(tenant, fn)
    const limits = { lockTimeoutMs, statementTimeoutMs, enter }
    if (migrationUrl !== undefined) return { connection: migrationUrl, ...limits }
    const sequelize = await this.pool()
    return {
      connection: connectionOf(sequelize),
      beforeConnect: (config) => untyped(sequelize).runHooks('beforeConnect', config),
      ...limits,
    }
  }
}

/** The options that open the same database with the same dialect and data types. */
function connectionOf(sequelize: Sequelize): Options {
  const { options, config } = untyped(sequelize)
  const { database, username, password, host, port } = config
  return { ...options, ...defined({ database, username, password, host, port: port && Number(port) }) }
}

function defined(record: Record<string, string | number | null | undefined>): Options {
  return Object.fromEntries(
    Object.entries(record).filter(([, value]) => value !== undefined && value !== null),
  )
}

function noDatabase(): TenancyError {
  return new TenancyError('CONFIG_INVALID', 'No database is configured.', {
    fix: [
      'set DATABASE_URL=postgres://user:password@host/database',
      'or give url or sequelize in the configuration',
    ],
  })
}
