/** Ways to find out from a request which tenant it is for. A resolver names a tenant; the registry decides. */
import type { IncomingMessage } from 'node:http'

import type { TenantQuery } from '../registry.ts'
import { normalizeHost } from '../tenant.ts'

/** Names the tenant of a request; nothing if the request names none. */
export type Resolver<Request extends IncomingMessage = IncomingMessage> = (
  request: Request,
) => TenantQuery | undefined | Promise<TenantQuery | undefined>

export interface HostOptions {
  /**
   * The application's own domain: `acme.example.com` is then the tenant with id `acme`, any other host is looked
   * up whole, and the domain itself names no tenant.
   */
  readonly baseDomain?: string
}

/**
 * The tenant of the Host header: case, port and a trailing dot do not count, and an IP address names no tenant.
 * `X-Forwarded-Host` is not read: a client could write it.
 *
 * @example
 * ```ts
 * app.use(tenantMigrations(tenancy, { resolve: byHost({ baseDomain: 'example.com' }) }))
 * ```
 */
export function byHost({ baseDomain }: HostOptions = {}): Resolver {
  const base = baseDomain === undefined ? undefined : normalizeHost(baseDomain)
  return ({ headers }) => {
    const host = headers.host === undefined ? undefined : normalizeHost(headers.host)
    if (host === undefined || host === base || isAddress(host)) return undefined
    return base !== undefined && host.endsWith(`.${base}`)
      ? { id: host.slice(0, -base.length - 1) }
      : { host }
  }
}

/**
 * The tenant whose id is the value of a header. Only for requests from a trusted proxy or service: whoever can
 * send the header chooses the tenant.
 */
export function byHeader(name: string): Resolver {
  const key = name.toLowerCase()
  return ({ headers }) => {
    const value = headers[key]
    return typeof value === 'string' && value !== '' ? { id: value } : undefined
  }
}

/** The first resolver that names a tenant. */
export function firstOf<Request extends IncomingMessage>(
  resolvers: readonly Resolver<Request>[],
): Resolver<Request> {
  return async (request) => {
    for (const resolve of resolvers) {
      const query = await resolve(request)
      if (query !== undefined) return query
    }
    return undefined
  }
}

/** `127.0.0.1`; an IPv6 address, in brackets, is no host name to begin with. */
function isAddress(host: string): boolean {
  return /^[\d.]+$/.test(host)
}
