/**
 * Express 4 and 5. It uses Node's own request and response, so that it also serves routers like Express's, and imports
 * nothing of Express.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'

import type { Tenancy } from '../tenancy.ts'
import type { Tenant } from '../tenant.ts'
import { Admission, type Decision, type TenantMigrationsOptions } from './admission.ts'
import { isPromise } from './awaitable.ts'

declare global {
  // The name that Express's own types read: https://github.com/DefinitelyTyped/DefinitelyTyped express-serve-static-core
  namespace Express {
    interface Request {
      /** The tenant of the request, behind `tenantMigrations()`. */
      tenant?: Tenant
    }
  }
}

type Next = (error?: unknown) => void
export type TenantMiddleware<Request extends IncomingMessage = IncomingMessage> = (
  request: Request,
  response: ServerResponse,
  next: Next,
) => void

/**
 * Middleware that runs each request in the context of its tenant, upgraded if it was behind. Without a tenancy
 * it makes one from the nearest configuration file, at the first request.
 *
 * It answers by itself, with a code: 404 for an unknown tenant, 400 for a malformed host, and for a missing tenant
 * with `onMissing: 400`, 401 for a token that is not valid, 403 if `authorize` refuses, 503 with `Retry-After` while a
 * tenant is being upgraded or cannot be. Errors of the application's own pass untouched.
 *
 * @example
 * ```ts
 * app.use(tenantMigrations(tenancy, { resolve: byHeader('x-tenant') }))
 * ```
 */
export function tenantMigrations<Request extends IncomingMessage = IncomingMessage>(
  tenancy?: Tenancy | Promise<Tenancy>,
  options: TenantMigrationsOptions<Request> = {},
): TenantMiddleware<Request> {
  const admission = new Admission(tenancy, options)
  return function tenantMiddleware(request, response, next) {
    const decision = admission.decide(request)
    // Only what comes before the application is caught here: its own errors are none of ours.
    if (isPromise(decision)) decision.then((decided) => act(decided, request, response, next), next)
    else act(decision, request, response, next)
  }
}

function act(
  decision: Decision,
  request: IncomingMessage & { tenant?: Tenant },
  response: ServerResponse,
  next: Next,
): void {
  if (decision.verdict === 'pass') return next()
  if (decision.verdict === 'enter') {
    request.tenant = decision.tenant
    return decision.tenancy.enter(decision.tenant, next)
  }
  const { status, headers, body } = decision.refusal
  response.statusCode = status
  response.setHeader('content-type', 'application/json; charset=utf-8')
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  response.end(JSON.stringify(body))
}
