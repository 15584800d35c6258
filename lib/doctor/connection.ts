/** The server, and what stands between it and this process: version, pooler, encryption. */
import type { SqlRunner } from '../sql.ts'
import { error, ok, warning, type Finding } from './finding.ts'

export interface ConnectionFacts {
  /** As a number: 150018 is 15.18. */
  readonly versionNumber: number
  readonly version: string
  /** The process that answers, and the one that has greeted: they differ behind a pooler. */
  readonly pid: number
  readonly processId: number | undefined
  readonly encrypted: boolean
  /** Whether the server is asked from its own machine. */
  readonly isLocal: boolean
}

/** The connections of a tenancy: the application's, and the one that migrates if it can be opened. */
export interface Connections {
  readonly application: ConnectionFacts
  /** `'pooled'`: it was refused, because a pooler stands between. */
  readonly migrating: ConnectionFacts | 'pooled'
  /** Whether `migrationUrl` leads elsewhere than the application's. */
  readonly isSeparate: boolean
}

/** SQL for whether the server is asked from its own machine. */
export const IS_LOCAL = `coalesce(pg_catalog.inet_client_addr() <<= inet '127.0.0.0/8'
  OR pg_catalog.inet_client_addr() IN (inet '::1', pg_catalog.inet_server_addr()), true)`

export async function readConnection(
  sql: SqlRunner,
  processId: number | undefined,
): Promise<ConnectionFacts> {
  const [facts] = await sql.query<Omit<ConnectionFacts, 'processId'>>(
    `SELECT pg_catalog.current_setting('server_version_num')::integer AS "versionNumber",
            pg_catalog.current_setting('server_version') AS version, pg_catalog.pg_backend_pid() AS pid,
            coalesce((SELECT ssl FROM pg_catalog.pg_stat_ssl WHERE pid = pg_catalog.pg_backend_pid()), false) AS encrypted,
            ${IS_LOCAL} AS "isLocal"`,
  )
  if (facts === undefined) throw new TypeError('the server has answered nothing')
  return { ...facts, processId }
}

export function judgeConnections(connections: Connections): readonly Finding[] {
  return [
    judgeVersion(connections.application),
    ...judgePooler(connections),
    judgeEncryption(connections.application),
  ]
}

/** CREATE INDEX CONCURRENTLY is watched in a view of PostgreSQL 12; older than 15 nothing here is tested. */
const OLDEST = 120_000
const OLDEST_TESTED = 150_000

function judgeVersion({ versionNumber, version }: ConnectionFacts): Finding {
  if (versionNumber < OLDEST)
    return error('version', `PostgreSQL ${version} is too old.`, { fix: ['use PostgreSQL 15 or newer'] })
  if (versionNumber < OLDEST_TESTED)
    return warning('version', `PostgreSQL ${version} is older than what this package is tested with.`, {
      fix: ['use PostgreSQL 15 or newer'],
    })
  return ok('version', `PostgreSQL ${version}`)
}

function judgePooler({ application, migrating, isSeparate }: Connections): readonly Finding[] {
  const isPooled = application.pid !== application.processId
  if (migrating === 'pooled') {
    return [
      error('connection', 'Migrations would go through a pooler, and are refused.', {
        detail: 'another server process answers than the one that has greeted',
        fix: [
          'set migrationUrl (MIGRATION_DATABASE_URL) to a direct connection',
          'requests may keep going through the pooler',
        ],
      }),
    ]
  }
  const direct = ok('connection', 'migrations have a direct connection')
  if (!isSeparate) return [direct]
  return [direct, ok('connection', `requests have a ${isPooled ? 'pooler between' : 'direct connection'}`)]
}

function judgeEncryption({ encrypted, isLocal }: ConnectionFacts): Finding {
  if (encrypted) return ok('tls', 'the connection is encrypted')
  if (isLocal) return ok('tls', 'the connection is not encrypted, and does not leave this machine')
  return warning('tls', 'The connection is not encrypted.', {
    detail: 'whoever is on the way reads and changes passwords and rows',
    fix: ['add sslmode=verify-full to the URL', 'or set ssl in the dialectOptions of Sequelize'],
  })
}
