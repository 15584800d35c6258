/** Scratch schemas: made in a transaction that is always rolled back, so that nothing of them outlives it. */
import { randomBytes } from 'node:crypto'

import { TenancyError } from '../errors.ts'
import type { MigrationSession } from '../migrations/session.ts'
import { quoteIdentifier, SQLSTATE, sqlStateOf } from '../sql.ts'

/** What a scratch schema is for, and where names are looked for that it does not have. */
export interface Scratch {
  readonly purpose: string
  /** Schemas after it, in order. */
  readonly searchPath: readonly string[]
}

/**
 * Makes an empty schema of a name that nobody has and runs `fn` in it: bare names mean it first. It is all one
 * transaction of `session`, which is rolled back.
 */
export async function withScratchSchema<T>(
  session: MigrationSession,
  { purpose, searchPath }: Scratch,
  fn: (schema: string) => Promise<T>,
): Promise<T> {
  const schema = `umzug_tenants_${purpose}_${randomBytes(4).toString('hex')}`
  // The path of its first statement is the path of the transaction.
  return session.within({ tenant: undefined, schema, searchPath }, () =>
    rolledBack(session, async () => {
      await createSchema(session, schema)
      return fn(schema)
    }),
  )
}

function rolledBack<T>(session: MigrationSession, fn: () => Promise<T>): Promise<T> {
  return withoutEffect((inner) => session.transaction(inner), fn)
}

/** Runs `fn` in the open transaction, undoes what it has done, and resolves to its result. */
export function undone<T>(session: MigrationSession, fn: () => Promise<T>): Promise<T> {
  return withoutEffect((inner) => session.undoable(inner), fn)
}

/** `revert` undoes what its function has done if that throws. */
async function withoutEffect<T>(
  revert: (fn: () => Promise<never>) => Promise<unknown>,
  fn: () => Promise<T>,
): Promise<T> {
  let done: { readonly result: T } | undefined
  try {
    await revert(async () => {
      done = { result: await fn() }
      throw new RollBack()
    })
  } catch (error) {
    if (!(error instanceof RollBack)) throw error
  }
  if (done === undefined) throw new TypeError('nothing was run')
  return done.result
}

/** Thrown to end something without its effects. */
class RollBack extends Error {}

async function createSchema(session: MigrationSession, schema: string): Promise<void> {
  try {
    await session.query(`CREATE SCHEMA ${quoteIdentifier(schema)}`)
  } catch (error) {
    throw sqlStateOf(error) === SQLSTATE.insufficientPrivilege ? mayNotCreate(error) : error
  }
}

function mayNotCreate(cause: unknown): TenancyError {
  return new TenancyError('PRIVILEGE_MISSING', 'The role may not create a schema in this database.', {
    sqlstate: SQLSTATE.insufficientPrivilege,
    detail: 'models are compared in a scratch schema, in a transaction that is rolled back',
    fix: [
      'GRANT CREATE ON DATABASE … TO the migrating role',
      'or give another database for it, which has the shared schemas: --shadow-url URL',
    ],
    cause,
  })
}
