/** Turns what pg and Sequelize throw when a server cannot be used into an error with a remedy. */
import { messageOf, TenancyError, type ErrorFacts } from './errors.ts'
import { sqlStateOf } from './sql.ts'

interface Refusal {
  readonly code: 'DATABASE_UNREACHABLE' | 'DATABASE_REFUSED' | 'PRIVILEGE_MISSING'
  readonly title: string
  readonly fix: readonly string[]
}

const NETWORK: Refusal = {
  code: 'DATABASE_UNREACHABLE',
  title: 'PostgreSQL cannot be reached.',
  fix: ['start the server, or correct host and port in url, DATABASE_URL or migrationUrl'],
}

const NETWORK_CODES = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'ETIMEDOUT',
  'ECONNRESET',
  'EAI_AGAIN',
  'EPIPE',
])

const refused = (title: string, ...fix: string[]): Refusal => ({ code: 'DATABASE_REFUSED', title, fix })

/** By SQLSTATE: appendix A of PostgreSQL's manual. */
const REFUSALS: Readonly<Record<string, Refusal>> = {
  '28P01': refused(
    'PostgreSQL refused the password.',
    'correct user and password in url, DATABASE_URL or migrationUrl',
  ),
  '28000': refused('PostgreSQL refused the role.', 'check the role and pg_hba.conf'),
  '3D000': refused(
    'The database does not exist.',
    'create it with CREATE DATABASE, or correct its name in the URL',
  ),
  '53300': refused(
    'PostgreSQL has no connection slots left.',
    'lower concurrency or the pools, or raise max_connections',
  ),
  '53100': refused('The disk of the server is full.', 'free space on the server, then run the command again'),
  '57P01': refused(
    'The server ended the connection.',
    'see the log of the server, then run the command again',
  ),
  '57P03': refused('PostgreSQL is starting up or shutting down.', 'try again in a moment'),
  '25006': refused('The server is read-only, probably a standby.', 'set migrationUrl to the primary'),
  '42501': {
    code: 'PRIVILEGE_MISSING',
    title: 'The role lacks a privilege.',
    fix: [
      'grant it, or set migrationUrl to a role that may CREATE in the database and owns the tenant schemas',
    ],
  },
}

/** The library's error for a server that cannot be used; `undefined` for every other failure. */
export function databaseError(error: unknown, facts: Omit<ErrorFacts, 'fix'> = {}): TenancyError | undefined {
  if (error instanceof TenancyError) return undefined // its cause has been explained already
  const sqlstate = sqlStateOf(error)
  const refusal = sqlstate === undefined ? networkRefusal(error) : REFUSALS[sqlstate]
  if (refusal === undefined) return undefined
  return new TenancyError(refusal.code, refusal.title, {
    ...facts,
    sqlstate,
    detail: messageOf(error) || undefined,
    fix: refusal.fix,
    retryAfterSeconds: refusal.code === 'PRIVILEGE_MISSING' ? undefined : 5,
    cause: error,
  })
}

function networkRefusal(error: unknown): Refusal | undefined {
  for (let level: unknown = error, depth = 0; level instanceof Error && depth < 8; depth++) {
    const { code, original, cause, parent } = level as Error & Record<'code' | 'original' | 'parent', unknown>
    if (typeof code === 'string' && NETWORK_CODES.has(code)) return NETWORK
    if (/connection terminated|timeout expired|connection timed out/i.test(level.message)) return NETWORK
    // A host with several addresses fails with one error for each of them.
    if (level instanceof AggregateError && level.errors.length > 0) level = level.errors[0]
    else level = original ?? parent ?? cause
  }
  return undefined
}

/** Runs `fn`; a server that cannot be used becomes the library's error, everything else passes as it is. */
export async function explainingDatabaseErrors<T>(
  fn: () => Promise<T>,
  facts?: Omit<ErrorFacts, 'fix'>,
): Promise<T> {
  try {
    return await fn()
  } catch (error) {
    throw databaseError(error, facts) ?? error
  }
}
