/** Koa 3. Only its types are imported. */
import type { Middleware, Next, ParameterizedContext } from 'koa'

import type { Tenancy } from '../tenancy.ts'
import type { Tenant } from '../tenant.ts'
import { Admission, type Decision, type TenantMigrationsOptions } from './admission.ts'
import { andThen, type Awaitable } from './awaitable.ts'
import { RefusedRequest } from './refusal.ts'

declare module 'koa' {
  interface DefaultState {
    /** The tenant of the request, behind `tenantMigrations()`. */
    tenant?: Tenant
  }
}

type KoaContext = ParameterizedContext

/**
 * Middleware that runs each request in the context of its tenant, upgraded if it was behind; `ctx.state.tenant` says
 * which. Without a tenancy it makes one from the nearest configuration file, at the first request.
 *
 * Who is not let in is answered by Koa, as by `ctx.throw`: the error's `status`, `headers` and `code`, which is also
 * its message and so the body. Middleware before this one may catch it and answer otherwise; its `cause` says why.
 *
 * @example
 * ```ts
 * import Koa from 'koa'
 *
 * const koa = new Koa()
 * koa.use(tenantMigrations(tenancy, { onMissing: 400 }))
 * ```
 */
export function tenantMigrations(
  tenancy?: Tenancy | Promise<Tenancy>,
  options: TenantMigrationsOptions<KoaContext> = {},
): Middleware {
  const admission = new Admission(tenancy, options)
  return function tenantMiddleware(context, next) {
    return andThen(admission.decide(context), (decision) => act(decision, context, next))
  }
}

function act(decision: Decision, context: KoaContext, next: Next): Awaitable<unknown> {
  if (decision.verdict === 'pass') return next()
  if (decision.verdict === 'refuse') throw new RefusedRequest(decision.refusal)
  context.state.tenant = decision.tenant
  return decision.tenancy.enter(decision.tenant, next)
}
