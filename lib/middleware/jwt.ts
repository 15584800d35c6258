/** The tenant in a verified token. The application verifies: it knows its keys, issuers and libraries. */
import { messageOf, TenancyError } from '../errors.ts'
import type { TenantQuery } from '../registry.ts'
import { andThen, isPromise, type Awaitable } from './awaitable.ts'
import type { TenantRequest } from './request.ts'
import type { Resolver } from './resolve.ts'

/** What a token claims, once it is verified. */
export type Claims = Readonly<Record<string, unknown>>

/** Answers with the claims of a token that is genuine and in force; otherwise throws, or answers nothing. */
export type VerifyToken<Request extends TenantRequest = TenantRequest> = (
  token: string,
  request: Request,
) => Awaitable<Claims | null | undefined>

const BEARER = /^bearer +(\S+)$/i

/**
 * The tenant whose id is the claim `claim` of the request's bearer token, which `verify` has to find genuine. A request
 * without a token, and a genuine one without the claim, name no tenant.
 *
 * @throws {@link TenancyError} TOKEN_INVALID, answered 401, if `verify` throws or answers nothing, or the claim is no
 * text: no other resolver is asked then. An error with a `status` of its own passes as it is.
 *
 * @example
 * ```ts
 * const verify = async (token: string) => (token === 'secret' ? { tenant: 'acme' } : undefined)
 * app.use(tenantMigrations(tenancy, { resolve: byJwt(verify, 'tenant') }))
 * ```
 */
export function byJwt<Request extends TenantRequest>(
  verify: VerifyToken<Request>,
  claim: string,
): Resolver<Request> {
  return (request) => {
    const token = BEARER.exec(request.headers.authorization ?? '')?.[1]
    if (token === undefined) return undefined
    return andThen(verified(verify, token, request), (claims) => tenantOf(claims, claim))
  }
}

function verified<Request extends TenantRequest>(
  verify: VerifyToken<Request>,
  token: string,
  request: Request,
): Awaitable<Claims | null | undefined> {
  try {
    const claims = verify(token, request)
    return isPromise(claims) ? claims.then(undefined, refuseToken) : claims
  } catch (error) {
    return refuseToken(error)
  }
}

function tenantOf(claims: Claims | null | undefined, claim: string): TenantQuery | undefined {
  if (typeof claims !== 'object' || claims === null) throw invalid('no claims')
  const id = Object.hasOwn(claims, claim) ? claims[claim] : undefined
  if (id === undefined || id === null) return undefined
  if (typeof id !== 'string' || id === '') throw invalid(`claim ${JSON.stringify(claim)} is no text`)
  return { id }
}

/** A status says that something else is wrong than the token, such as 503: its keys cannot be fetched. */
function refuseToken(error: unknown): never {
  if (error instanceof Error && 'status' in error) throw error
  throw invalid(messageOf(error), error)
}

function invalid(detail: string, cause?: unknown): TenancyError {
  return new TenancyError('TOKEN_INVALID', "The request's token is not valid.", {
    detail,
    fix: ['send a token that is genuine and in force: Authorization: Bearer TOKEN'],
    cause,
  })
}
