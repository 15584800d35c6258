/** How a request is refused: a status, headers and a code. Titles and details name schemas, hosts and statements. */
import { isTenancyError, TenancyError, type ErrorCode } from '../errors.ts'
import type { Tenant } from '../tenant.ts'

export interface Refusal {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: { readonly error: { readonly code: ErrorCode } }
  /** Why, for logs; never for the client. */
  readonly error: TenancyError
}

/** After a failure that says nothing of when to try again, such as a registry that cannot be asked. */
const RETRY_AFTER_SECONDS = 5

/** The refusal that `error` means; nothing if it is the application's own, or a mistake of whoever runs it. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (!isTenancyError(error) || error.status === 500) return undefined
  const { status, code, retryAfterSeconds = RETRY_AFTER_SECONDS } = error
  return { status, headers: headersOf(status, retryAfterSeconds), body: { error: { code } }, error }
}

function headersOf(status: number, retryAfterSeconds: number): Record<string, string> {
  if (status === 503) return { 'retry-after': String(retryAfterSeconds) }
  return status === 401 ? { 'www-authenticate': 'Bearer error="invalid_token"' } : {}
}

/**
 * The refusal as an error for frameworks that answer errors themselves: its message is the code, and whoever logs it
 * finds the reason as its cause.
 */
export class RefusedRequest extends Error {
  override readonly name = 'RefusedRequest'
  readonly code: ErrorCode
  /** Koa's word, and Express's. */
  readonly status: number
  /** Fastify's word, and Express's. */
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string>>
  /** The message may be shown to the client. */
  readonly expose = true

  constructor({ status, headers, error }: Refusal) {
    super(error.code, { cause: error })
    this.code = error.code
    this.status = status
    this.statusCode = status
    this.headers = headers
  }
}

export function missingTenant(): TenancyError {
  return new TenancyError('TENANT_REQUIRED', 'The request names no tenant.', {
    fix: ["send the tenant's host or header, or mount the route before tenantMigrations()"],
  })
}

export function forbiddenTenant({ id, schema }: Tenant): TenancyError {
  return new TenancyError('TENANT_FORBIDDEN', `The request may not use tenant "${id}".`, {
    tenant: id,
    schema,
    fix: ['the function authorize of tenantMigrations() decides this: it answers true to let a request in'],
  })
}
