/**
 * The Express middleware: resolve the tenant, wait until it is at head, and run the rest of the request in its
 * context. It uses Node's own request and response, so that it also serves routers like Express's.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'

import { loadConfig } from '../config.ts'
import { isTenancyError, TenancyError } from '../errors.ts'
import type { TenantQuery } from '../registry.ts'
import { createTenancy, type Tenancy } from '../tenancy.ts'
import type { Tenant } from '../tenant.ts'
import { byHost, firstOf, type Resolver } from './resolve.ts'

declare global {
  // The name that Express's own types read: https://github.com/DefinitelyTyped/DefinitelyTyped express-serve-static-core
  namespace Express {
    interface Request {
      /** The tenant of the request, behind `tenantMigrations()`. */
      tenant?: Tenant
    }
  }
}

export interface TenantMigrationsOptions<Request extends IncomingMessage = IncomingMessage> {
  /**
   * How the tenant is found; of several, the first that names one.
   * @defaultValue `byHost()`
   */
  readonly resolve?: Resolver<Request> | readonly Resolver<Request>[]
  /**
   * What a request without a tenant meets: `'next'` passes it on without a tenant, where queries fail, and 400
   * refuses it.
   * @defaultValue `'next'`
   */
  readonly onMissing?: 'next' | 400
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
 * It answers by itself: 404 for an unknown tenant, 400 for a missing one with `onMissing: 400`, 503 with
 * `Retry-After` while a tenant is being upgraded or cannot be. Errors of the application's own pass untouched.
 *
 * @example
 * ```ts
 * app.use(tenantMigrations(tenancy, { resolve: byHeader('x-tenant') }))
 * ```
 */
export function tenantMigrations<Request extends IncomingMessage = IncomingMessage>(
  tenancy?: Tenancy | Promise<Tenancy>,
  { resolve = byHost(), onMissing = 'next' }: TenantMigrationsOptions<Request> = {},
): TenantMiddleware<Request> {
  const resolveTenant: Resolver<Request> = typeof resolve === 'function' ? resolve : firstOf(resolve)
  let ready: Tenancy | undefined
  let loading: Promise<Tenancy> | undefined
  const load = async (): Promise<Tenancy> => {
    loading ??= Promise.resolve(tenancy ?? fromConfigFile())
    try {
      ready = await loading
      return ready
    } catch (error) {
      loading = undefined // a database or file that is missing now may be there at the next request
      throw error
    }
  }

  return function tenantMiddleware(request, response, next) {
    const query = ready === undefined ? undefined : resolveTenant(request)
    if (ready !== undefined && query !== undefined && !(query instanceof Promise)) {
      const tenant = ready.readyTenant(query)
      if (tenant !== undefined) return enter(ready, tenant, request, next)
    }
    // Only what comes before the application is caught here: its own errors are none of ours.
    admit(load, resolveTenant, request).then(
      (admitted) => {
        if (admitted.tenant !== undefined) enter(admitted.tenancy, admitted.tenant, request, next)
        else if (onMissing === 400) refuse(missing(), response, next)
        else next()
      },
      (error: unknown) => refuse(error, response, next),
    )
  }
}

async function fromConfigFile(): Promise<Tenancy> {
  const { config, baseDir } = await loadConfig()
  return createTenancy(config, { baseDir })
}

async function admit<Request extends IncomingMessage>(
  load: () => Promise<Tenancy>,
  resolveTenant: Resolver<Request>,
  request: Request,
): Promise<{ tenancy: Tenancy; tenant: Tenant | undefined }> {
  const tenancy = await load()
  const query: TenantQuery | undefined = await resolveTenant(request)
  return { tenancy, tenant: query === undefined ? undefined : await tenancy.admit(query) }
}

function enter(
  tenancy: Tenancy,
  tenant: Tenant,
  request: IncomingMessage & { tenant?: Tenant },
  next: Next,
): void {
  request.tenant = tenant
  tenancy.enter(tenant, next)
}

/** Answers with the error's code alone: titles and details name schemas, hosts and statements. */
function refuse(error: unknown, response: ServerResponse, next: Next): void {
  if (!isTenancyError(error) || error.status === 500) return next(error)
  response.statusCode = error.status
  response.setHeader('content-type', 'application/json; charset=utf-8')
  if (error.retryAfterSeconds !== undefined)
    response.setHeader('retry-after', String(error.retryAfterSeconds))
  response.end(JSON.stringify({ error: { code: error.code } }))
}

function missing(): TenancyError {
  return new TenancyError('TENANT_REQUIRED', 'The request names no tenant.', {
    fix: ["send the tenant's host or header, or mount the route before tenantMigrations()"],
  })
}
