/**
 * Makes every statement on a connection run in its scope. Installed on each client that Sequelize's pool
 * opens, so that models, raw queries, transactions, query interface and direct use of a client are one case.
 *
 * The scope is taken when the statement is handed over, never in a handler of the connection: those run in
 * the context of whoever made the connection.
 */
import type { Sequelize } from 'sequelize'

import type { TenantContext } from './context.ts'
import { TenancyError } from './errors.ts'
import { bindQueryInterface } from './query-interface/bind.ts'
import { scopeClient, type PooledFor } from './scoped-client.ts'
import type { WireClient } from './scoped-query.ts'

/** Scopes every connection of `sequelize` to `context`, and its query interface to the current tenant. */
export function bindSearchPath(sequelize: Sequelize, context: TenantContext): void {
  bindQueryInterface(sequelize, () => context.schema())
  const pooledFor: PooledFor = { context, isAwaited: false }
  // Sequelize types a connection as unknown: it is pg's Client.
  const scope = (connection: unknown): void => {
    scopeClient(connection as WireClient, () => context.scope(), pooledFor)
  }
  sequelize.addHook('afterConnect', scope)
  connectOutsideScopes(sequelize, context)
  adaptQuery(sequelize, pooledFor)
  // Connections that were opened before, by a query at start-up, are scoped when the pool hands them out.
  if (hasConnections(sequelize)) sequelize.addHook('afterPoolAcquire', scope)
}

/**
 * The events of a connection, and with them the callbacks of pg, run in the context of whoever opened it: the first
 * tenant's, for good. So it is opened in nobody's.
 */
function connectOutsideScopes(sequelize: Sequelize, context: TenantContext): void {
  const manager = sequelize.connectionManager as unknown as { connect(config: unknown): Promise<unknown> } // not typed upstream
  const connect = manager.connect.bind(manager)
  manager.connect = (config) => context.leave(() => connect(config))
}

/**
 * Sequelize wraps what a query throws as an error of the database; the library's own errors pass as they are. And it
 * hands a statement over before the first `await` of its `run`: those between are its own.
 */
function adaptQuery(sequelize: Sequelize, pooledFor: PooledFor): void {
  const { dialect } = sequelize as unknown as { dialect: { Query: SequelizeQueryClass } } // not typed upstream
  dialect.Query = class extends dialect.Query {
    override run(sql: string, parameters?: unknown): Promise<unknown> {
      pooledFor.isAwaited = true
      try {
        return super.run(sql, parameters)
      } finally {
        pooledFor.isAwaited = false
      }
    }

    override formatError(error: Error, stack: string): Error {
      return error instanceof TenancyError ? error : super.formatError(error, stack)
    }
  }
}

type SequelizeQueryClass = new (...args: never[]) => {
  run(sql: string, parameters?: unknown): Promise<unknown>
  formatError(error: Error, stack: string): Error
}

function hasConnections(sequelize: Sequelize): boolean {
  const { pool } = sequelize.connectionManager as unknown as { pool: { size?: number } } // not typed upstream
  return pool.size === undefined || pool.size > 0
}
