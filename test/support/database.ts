/**
 * A database for each suite, on one server for the whole run. Dropping it checks that nothing is connected any
 * more: a pool that a test left open fails its suite.
 */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

import pg from 'pg'

import { startPostgres, type PostgresServer } from '../../lib/testing/postgres.ts'
import type { Suite } from './suite.ts'

/** Set by run.ts for all files; a file run alone starts a server for itself. */
const SERVER_URL = 'UMZUG_TENANTS_TEST_SERVER'

/** Databases of a run, so that what it leaves behind can be told from what was there. */
export const DATABASE_PREFIX = 'umzug_test_'

export interface TestDatabase {
  /** URL of the suite's own, empty database. */
  readonly url: string
  /** Runs statements from outside, on a connection of their own. */
  query<R extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<R[]>
}

/** Gives `test` a database before its first test and drops it after the last; `onServer` is another server's URL. */
export function testDatabase(test: Suite, onServer?: string): TestDatabase {
  let server: PostgresServer | undefined
  let url: string | undefined
  const database = {
    get url() {
      if (url === undefined) throw new Error('the database exists only while the tests run')
      return url
    },
    query: <R extends pg.QueryResultRow>(text: string, values?: unknown[]) =>
      query<R>(database.url, text, values),
  }
  test.before(async () => {
    server = onServer === undefined ? await serverForTests() : await startPostgres({ url: onServer })
    const name = DATABASE_PREFIX + randomBytes(6).toString('hex')
    await query(server.url, `CREATE DATABASE ${name}`)
    url = withDatabase(server.url, name)
  })
  test.after(async () => {
    if (server === undefined || url === undefined) return
    const name = new URL(url).pathname.slice(1)
    const open = await openConnections(server.url, name)
    await query(server.url, `DROP DATABASE ${name} WITH (FORCE)`)
    await server.stop()
    if (open.length > 0) throw new Error(`connections were left open: ${open.join('; ')}`)
  })
  return database
}

export function useServerForTests(url: string): void {
  process.env[SERVER_URL] = url
}

async function serverForTests(): Promise<PostgresServer> {
  const url = process.env[SERVER_URL] ?? process.env['DATABASE_URL']
  return startPostgres({ url })
}

/** What is connected to the database; closing takes the server a moment. */
async function openConnections(serverUrl: string, name: string): Promise<string[]> {
  for (let attempt = 0; ; attempt++) {
    const rows = await query<{ what: string }>(
      serverUrl,
      `SELECT format('pid %s %s: %s', pid, application_name, left(query, 80)) AS what
         FROM pg_stat_activity WHERE datname = $1 AND backend_type = 'client backend'`,
      [name],
    )
    if (rows.length === 0 || attempt === 40) return rows.map(({ what }) => what)
    await sleep(50)
  }
}

export async function query<R extends pg.QueryResultRow>(
  url: string,
  text: string,
  values: unknown[] = [],
): Promise<R[]> {
  const client = new pg.Client({ connectionString: url, application_name: 'test' })
  await client.connect()
  try {
    return (await client.query<R>(text, values)).rows
  } finally {
    await client.end()
  }
}

export function withDatabase(serverUrl: string, name: string): string {
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return url.href
}
