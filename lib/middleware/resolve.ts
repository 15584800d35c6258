/** Ways to find out from a request which tenant it is for. A resolver names a tenant; the registry decides. */
import { TenancyError } from '../errors.ts'
import type { TenantQuery } from '../registry.ts'
import { andThen, type Awaitable } from './awaitable.ts'
import { hostOf, readHost } from './host.ts'
import type { TenantRequest } from './request.ts'

/** Names the tenant of a request; nothing if the request names none. What it throws is the answer to the request. */
export type Resolver<Request extends TenantRequest = TenantRequest> = (
  request: Request,
) => Awaitable<TenantQuery | null | undefined>

export interface HostOptions {
  /**
   * The application's own domain: `acme.example.com` is then the tenant with id `acme`, as by {@link bySubdomain}; any
   * other host is looked up whole, and the domain itself and its `www` name no tenant.
   */
  readonly baseDomain?: string
}

/** The one name below an application's own domain that is never a tenant's. */
const WWW = 'www'

/**
 * The tenant of the request's host: letter case, port and a trailing dot do not count, and an IP address names no
 * tenant. `X-Forwarded-Host` counts only where the framework's own setting trusts the proxy: `trust proxy` (Express),
 * `trustProxy` (Fastify), `app.proxy` (Koa).
 *
 * @throws {@link TenancyError} HOST_INVALID, answered 400, for a host that is none, or several.
 *
 * @example
 * ```ts
 * app.use(tenantMigrations(tenancy, { resolve: byHost({ baseDomain: 'example.com' }) }))
 * ```
 */
export function byHost({ baseDomain }: HostOptions = {}): Resolver {
  const base = baseDomain === undefined ? undefined : domain(baseDomain)
  return (request) => {
    const host = hostOf(request)
    if (host === undefined || host === base) return undefined
    const label = base === undefined ? undefined : labelBelow(base, host)
    if (label !== undefined) return label === WWW ? undefined : { id: label }
    // No tenant can be registered under a name with an underscore, but containers are called so among themselves.
    return host.includes('_') ? undefined : { host }
  }
}

/**
 * The tenant whose id is the one label below the application's own domain: `acme` in `acme.example.com`. The domain
 * itself, its `www`, deeper names and other hosts name no tenant. Ids with capital letters cannot be found so: hosts
 * have none.
 *
 * @throws {@link TenancyError} HOST_INVALID, answered 400, for a host that is none, or several.
 *
 * @example
 * ```ts
 * app.use(tenantMigrations(tenancy, { resolve: bySubdomain('example.com') }))
 * ```
 */
export function bySubdomain(baseDomain: string): Resolver {
  const base = domain(baseDomain)
  return (request) => {
    const host = hostOf(request)
    const label = host === undefined ? undefined : labelBelow(base, host)
    return label === undefined || label === WWW ? undefined : { id: label }
  }
}

/**
 * The tenant whose id is the value of a header. Only for requests from a trusted proxy or service: whoever can
 * send the header chooses the tenant, unless `authorize` says no.
 *
 * @example
 * ```ts
 * app.use(tenantMigrations(tenancy, { resolve: byHeader('x-tenant') }))
 * ```
 */
export function byHeader(name: string): Resolver {
  const key = name.toLowerCase()
  return ({ headers }) => {
    const value = headers[key]
    return typeof value === 'string' && value !== '' ? { id: value } : undefined
  }
}

/** The first resolver that names a tenant. The next one is asked only when the one before has named none. */
export function firstOf<Request extends TenantRequest>(
  resolvers: readonly Resolver<Request>[],
): Resolver<Request> {
  const from =
    (index: number): Resolver<Request> =>
    (request) => {
      const resolve = resolvers[index]
      if (resolve === undefined) return undefined
      return andThen(resolve(request), (query) => query ?? from(index + 1)(request))
    }
  return from(0)
}

/** `acme` of `acme.example.com`; nothing of what is not exactly one label below `base`. */
function labelBelow(base: string, host: string): string | undefined {
  if (!host.endsWith(`.${base}`)) return undefined
  const label = host.slice(0, -base.length - 1)
  return label.includes('.') ? undefined : label
}

function domain(text: string): string {
  const base = readHostOrNothing(text)
  if (base !== undefined) return base
  throw new TenancyError('CONFIG_INVALID', `${JSON.stringify(text)} cannot be a base domain.`, {
    fix: ['use the host name below which tenants have theirs, such as example.com'],
  })
}

function readHostOrNothing(text: string): string | undefined {
  try {
    return readHost(text)
  } catch {
    return undefined
  }
}
