/**
 * Every error the library throws: a stable code, what happened, to which tenant and migration, and what to
 * do next. An error is part of the interface, so codes are never renamed or reused (docs/errors.md).
 */

interface Meaning {
  /** Exit code of the command line (docs/cli.md). */
  readonly exitCode: number
  /** HTTP status when the error answers a request. */
  readonly status: number
}

const MEANINGS = {
  CONFIG_NOT_FOUND: { exitCode: 2, status: 500 },
  CONFIG_INVALID: { exitCode: 2, status: 500 },
  USAGE: { exitCode: 2, status: 500 },

  TENANT_UNKNOWN: { exitCode: 9, status: 404 },
  TENANT_REQUIRED: { exitCode: 9, status: 400 },
  HOST_INVALID: { exitCode: 9, status: 400 },
  TOKEN_INVALID: { exitCode: 9, status: 401 },
  TENANT_FORBIDDEN: { exitCode: 9, status: 403 },
  TENANT_NAME_INVALID: { exitCode: 9, status: 422 },
  TENANT_NAME_RESERVED: { exitCode: 9, status: 422 },
  TENANT_CONFLICT: { exitCode: 9, status: 409 },
  REGISTRY_BUSY: { exitCode: 6, status: 503 },
  REGISTRY_READ_ONLY: { exitCode: 2, status: 500 },
  SCHEMA_MISSING: { exitCode: 9, status: 503 },
  SCHEMA_NOT_EMPTY: { exitCode: 9, status: 409 },
  SCHEMA_EXISTS: { exitCode: 9, status: 409 },
  VERSION_TABLE_MISSING: { exitCode: 9, status: 409 },
  CONFIRMATION_REQUIRED: { exitCode: 10, status: 409 },

  TENANT_CONTEXT_MISSING: { exitCode: 1, status: 500 },
  CROSS_TENANT_TRANSACTION: { exitCode: 1, status: 500 },
  STREAM_OUTSIDE_TRANSACTION: { exitCode: 1, status: 500 },
  CLIENT_UNSUPPORTED: { exitCode: 7, status: 500 },
  FOREIGN_SCHEMA: { exitCode: 1, status: 500 },

  TENANT_PENDING: { exitCode: 3, status: 503 },
  TENANT_UNAVAILABLE: { exitCode: 1, status: 503 },

  MIGRATION_FAILED: { exitCode: 1, status: 503 },
  MIGRATION_INTERRUPTED: { exitCode: 1, status: 503 },
  INDEX_INVALID: { exitCode: 1, status: 503 },
  OUTSIDE_SCHEMA: { exitCode: 1, status: 503 },
  MIGRATION_UNKNOWN: { exitCode: 2, status: 500 },
  MIGRATION_DUPLICATE: { exitCode: 8, status: 503 },
  MIGRATION_MISSING: { exitCode: 8, status: 503 },
  MIGRATION_CHANGED: { exitCode: 8, status: 503 },
  MIGRATION_OUT_OF_ORDER: { exitCode: 8, status: 503 },
  MIGRATION_INVALID: { exitCode: 8, status: 503 },
  MIGRATION_IRREVERSIBLE: { exitCode: 8, status: 500 },
  MIGRATION_EXISTS: { exitCode: 2, status: 500 },
  LOCK_HELD: { exitCode: 5, status: 503 },
  RUN_CANCELLED: { exitCode: 1, status: 503 },
  RUN_NOT_BEGUN: { exitCode: 1, status: 503 },
  LOCK_NOT_HELD: { exitCode: 2, status: 409 },

  FLEET_TRANSACTION_REFUSED: { exitCode: 2, status: 500 },

  PROGRAM_NOT_STARTED: { exitCode: 2, status: 500 },

  RENAME_UNDECIDED: { exitCode: 3, status: 500 },
  HAZARD_REFUSED: { exitCode: 3, status: 500 },
  VERIFICATION_FAILED: { exitCode: 1, status: 500 },
  SCRATCH_REFUSED: { exitCode: 7, status: 500 },
  ROWS_NOT_COUNTED: { exitCode: 1, status: 500 },

  DATABASE_UNREACHABLE: { exitCode: 6, status: 503 },
  DATABASE_REFUSED: { exitCode: 6, status: 503 },
  POOLER_DETECTED: { exitCode: 7, status: 500 },
  PRIVILEGE_MISSING: { exitCode: 7, status: 500 },

  UNEXPECTED: { exitCode: 1, status: 500 },
} as const satisfies Record<string, Meaning>

/** The codes of {@link TenancyError}; each has a section in docs/errors.md. */
export type ErrorCode = keyof typeof MEANINGS

/** Every code there is, in the order of the catalogue. */
export const ERROR_CODES = Object.keys(MEANINGS) as readonly ErrorCode[]

/** What an error looks like in `--json` output and in a report. */
export interface ErrorDocument {
  readonly code: ErrorCode
  /** One sentence: what happened. */
  readonly title: string
  readonly tenant?: string
  readonly migration?: string
  readonly sqlstate?: string
  /** The server's or the migration's own words. */
  readonly detail?: string
  /** What to do next, most likely first. */
  readonly fix: readonly string[]
}

/** The values of an error, apart from its code and title. */
export interface ErrorFacts {
  readonly tenant?: string | undefined
  readonly schema?: string | undefined
  readonly migration?: string | undefined
  readonly direction?: 'up' | 'down' | undefined
  readonly sqlstate?: string | undefined
  readonly detail?: string | undefined
  readonly fix: readonly string[]
  /** Migrations of the same run that were committed before the failure. */
  readonly committed?: readonly string[] | undefined
  /** Of a redo: migrations that were reverted, and that was committed before the failure. */
  readonly reverted?: readonly string[] | undefined
  /** Seconds after which trying again may help; becomes `Retry-After`. */
  readonly retryAfterSeconds?: number | undefined
  readonly cause?: unknown
}

/**
 * The one class of error the library throws. Tell errors apart by {@link TenancyError.code}; the message holds
 * the title, the detail and the remedies, so that a plain log line is enough to act on.
 *
 * @example
 * ```ts
 * const error = new TenancyError('TENANT_UNKNOWN', 'No tenant "x" is registered.', { tenant: 'x', fix: [] })
 * error.status // 404
 * ```
 */
export class TenancyError extends Error {
  override readonly name = 'TenancyError'
  readonly code: ErrorCode
  /** HTTP status for this error; Express and Koa read this name, and Koa sets it: it cannot be a getter. */
  readonly status: number
  readonly title: string
  readonly tenant: string | undefined
  readonly schema: string | undefined
  readonly migration: string | undefined
  readonly direction: 'up' | 'down' | undefined
  readonly sqlstate: string | undefined
  readonly detail: string | undefined
  readonly fix: readonly string[]
  readonly committed: readonly string[]
  readonly reverted: readonly string[]
  readonly retryAfterSeconds: number | undefined

  constructor(code: ErrorCode, title: string, facts: ErrorFacts) {
    const lines = [title, ...(facts.detail ? [facts.detail] : []), ...facts.fix.map((step) => `fix: ${step}`)]
    super(lines.join('\n  '), facts.cause === undefined ? undefined : { cause: facts.cause })
    this.code = code
    this.status = MEANINGS[code].status
    this.title = title
    this.tenant = facts.tenant
    this.schema = facts.schema
    this.migration = facts.migration
    this.direction = facts.direction
    this.sqlstate = facts.sqlstate
    this.detail = facts.detail
    this.fix = facts.fix
    this.committed = facts.committed ?? []
    this.reverted = facts.reverted ?? []
    this.retryAfterSeconds = facts.retryAfterSeconds
  }

  /** Exit code of the command line for this error. */
  get exitCode(): number {
    return MEANINGS[this.code].exitCode
  }

  /** The error as data, without stack and cause: neither SQL nor credentials can leak through it. */
  toJSON(): ErrorDocument {
    return {
      code: this.code,
      title: this.title,
      ...(this.tenant === undefined ? {} : { tenant: this.tenant }),
      ...(this.migration === undefined ? {} : { migration: this.migration }),
      ...(this.sqlstate === undefined ? {} : { sqlstate: this.sqlstate }),
      ...(this.detail === undefined ? {} : { detail: this.detail }),
      fix: this.fix,
    }
  }
}

/** Whether `error` is a {@link TenancyError}, also one of another copy of the package. */
export function isTenancyError(error: unknown, code?: ErrorCode): error is TenancyError {
  return (
    error instanceof Error &&
    error.name === 'TenancyError' &&
    'code' in error &&
    (code === undefined || error.code === code)
  )
}

/** `error`, of which `facts` say something else. */
export function retold(error: TenancyError, facts: Partial<ErrorFacts>): TenancyError {
  const { code, title, tenant, schema, migration, direction, sqlstate, detail, fix } = error
  const { committed, reverted, retryAfterSeconds, cause } = error
  const own = { tenant, schema, migration, direction, sqlstate, detail, fix }
  return new TenancyError(code, title, { ...own, committed, reverted, retryAfterSeconds, cause, ...facts })
}

/** The text of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
