/** The connection a session is made of: opened for it alone, limited, and refused if it is not one for its life. */
import type { Options } from 'sequelize'

import { TenancyError } from '../errors.ts'
import type { WireClient } from '../scoped-query.ts'
import type { Tenant } from '../tenant.ts'
import { PinnedSequelize } from './pinned-sequelize.ts'
import { readSettings, type SessionSettings } from './session-settings.ts'
import type { Recorder } from './statements.ts'

export interface SessionOptions {
  /** URL of the migrating role, or the options of the application's Sequelize. */
  readonly connection: string | Options
  /** Runs before each connect, so that passwords which change (tokens) are the application's concern. */
  readonly beforeConnect?: ((config: object) => Promise<void>) | undefined
  /** Runs `fn` where the application's own Sequelize means the tenant, or the shared schemas. */
  readonly enter?: (<T>(tenant: Tenant | undefined, fn: () => T) => T) | undefined
  /** Milliseconds a statement waits for a lock on a table; 0 waits for ever. */
  readonly lockTimeoutMs: number
  /** Milliseconds a statement may run; 0 for no limit. */
  readonly statementTimeoutMs: number
}

/** What a session is made of: a connection of its own, ready for use. */
export interface SessionParts {
  readonly pinned: PinnedSequelize
  readonly client: WireClient
  readonly database: string
  readonly settings: SessionSettings
  readonly openWitness: () => Promise<PinnedSequelize>
  readonly enter: SessionOptions['enter']
  /** Is told of every statement. */
  readonly recorder?: Recorder
}

/** Opens a connection, prepares it, and makes a session of it; closes it if that fails. */
export async function connect<S>(
  options: SessionOptions,
  make: (parts: SessionParts) => S | Promise<S>,
): Promise<S> {
  const pinned = pinnedSequelize(options)
  try {
    const client = await pinned.pin()
    const database = await prepareConnection(client, options)
    const settings = await readSettings(client)
    const openWitness = async () => {
      const witness = pinnedSequelize(options)
      await witness.pin()
      return witness
    }
    return await make({ pinned, client, database, settings, openWitness, enter: options.enter })
  } catch (error) {
    await pinned.close()
    throw error
  }
}

function pinnedSequelize({ connection, beforeConnect }: SessionOptions): PinnedSequelize {
  const pinned = new PinnedSequelize(connection)
  if (beforeConnect !== undefined) pinned.addHook('beforeConnect', beforeConnect)
  return pinned
}

/** Sets the limits of the session, and refuses a connection that is not one server process for its life. */
async function prepareConnection(client: WireClient, options: SessionOptions): Promise<string> {
  const { rows } = (await client.query(
    `SELECT pg_catalog.current_database() AS database, pg_catalog.pg_backend_pid() AS pid,
            pg_catalog.set_config('lock_timeout', $1, false), pg_catalog.set_config('statement_timeout', $2, false)`,
    [String(options.lockTimeoutMs), String(options.statementTimeoutMs)],
  )) as { rows: { database: string; pid: number }[] } // pg's Result
  const server = rows[0]
  if (server === undefined || server.pid !== (client as { processID?: number }).processID) {
    throw new TenancyError(
      'POOLER_DETECTED',
      'A transaction pooler stands between this process and PostgreSQL.',
      {
        fix: [
          'set migrationUrl (MIGRATION_DATABASE_URL) to a direct connection: migrations need one session',
          'requests may keep going through the pooler',
        ],
      },
    )
  }
  // A client that dies in a long statement frees its lock at once instead of at the statement's end. Servers
  // before PostgreSQL 14, or on systems that cannot tell, refuse the setting and are used without it.
  await Promise.resolve(client.query("SET client_connection_check_interval = '500ms'")).catch(() => undefined)
  return server.database
}
