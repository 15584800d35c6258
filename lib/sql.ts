/**
 * The words of SQL: quoting identifiers, the one way to run a statement that rooms below the engine need, and
 * PostgreSQL's error codes by meaning. Identifiers reach SQL only through {@link quoteIdentifier}.
 */

/** What a statement may carry as a value. */
export type SqlValue = string | number | bigint | boolean | null | Date | readonly string[]

export type Row = Record<string, unknown>

/** Something that runs one statement: a pinned connection or a pool. Values go as parameters `$1`, `$2` … */
export interface SqlRunner {
  query<R extends object = Row>(text: string, values?: readonly SqlValue[]): Promise<R[]>
}

/**
 * `name` as a quoted identifier, safe in any statement.
 *
 * @throws RangeError for an empty name or one with a NUL character, which PostgreSQL has no spelling for.
 *
 * @example
 * ```ts
 * quoteIdentifier('a"b') // '"a""b"'
 * ```
 */
export function quoteIdentifier(name: string): string {
  if (name === '' || name.includes('\0')) throw new RangeError('an identifier cannot be empty or contain NUL')
  return `"${name.replaceAll('"', '""')}"`
}

/** `schema.table`, each part quoted. */
export function qualify(schema: string, table: string): string {
  return `${quoteIdentifier(schema)}.${quoteIdentifier(table)}`
}

/**
 * The value of `search_path` for these schemas, in order. `pg_temp` stands last: named nowhere it would be
 * searched first, and a temporary table could take the place of a tenant's (CVE-2018-1058 and its kin).
 */
export function searchPath(schemas: readonly string[]): string {
  return [...schemas.map(quoteIdentifier), 'pg_temp'].join(', ')
}

/**
 * The same for migrations, which run alone on their connection: temporary tables, theirs all of them, are found
 * first, as in any session. `pg_temp` is not named: named first, it would be where tables are created.
 */
export function migrationPath(schemas: readonly string[]): string {
  return schemas.map(quoteIdentifier).join(', ')
}

/** PostgreSQL's error codes that decide what happens next (appendix A of its manual). */
export const SQLSTATE = {
  uniqueViolation: '23505',
  duplicateSchema: '42P06',
  duplicateTable: '42P07',
  undefinedTable: '42P01',
  undefinedColumn: '42703',
  invalidSchemaName: '3F000',
  insufficientPrivilege: '42501',
  lockNotAvailable: '55P03',
  /** The statement cannot run inside a transaction block. */
  activeTransaction: '25001',
  /** COMMIT or ROLLBACK inside a DO block or a procedure that was called in a transaction. */
  invalidTransactionTermination: '2D000',
  /** The transaction was aborted by an earlier failure. */
  failedTransaction: '25P02',
  /** The table has constraint triggers that wait for the end of the transaction, or an open cursor. */
  objectInUse: '55006',
  /** An enum value must be committed before it can be used. */
  unsafeNewEnumValue: '55P04',
  /** The server's memory for locks, most likely. */
  outOfMemory: '53200',
  deadlockDetected: '40P01',
  serializationFailure: '40001',
} as const

/** The SQLSTATE of anything thrown by pg or Sequelize, which keeps pg's error as `original` or `parent`. */
export function sqlStateOf(error: unknown): string | undefined {
  for (let level: unknown = error, depth = 0; isObject(level) && depth < 8; depth++) {
    // No class of SQLSTATEs begins with E, as Node's EPIPE and EPERM do.
    if (typeof level['code'] === 'string' && /^(?!E)[0-9A-Z]{5}$/.test(level['code'])) return level['code']
    level = level['original'] ?? level['parent'] ?? level['cause']
  }
  return undefined
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
