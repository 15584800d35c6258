/** What finding a tenant reads of a request, in the words that Node, Express, Fastify and Koa have in common. */
import type { IncomingHttpHeaders } from 'node:http'

/** A request of any framework, and one of `node:http`. */
export interface TenantRequest {
  readonly headers: IncomingHttpHeaders
  readonly url?: string | undefined
  /** What the client asked for, where a router takes away the path it is mounted at. */
  readonly originalUrl?: string | undefined
  /** The host as the framework sees it: with `X-Forwarded-Host` if the application trusts its proxy. */
  readonly hostname?: string | undefined
  /** Every header as it was sent. */
  readonly rawHeaders?: readonly string[] | undefined
  /** Node's request below Fastify's. */
  readonly raw?: { readonly rawHeaders?: readonly string[] | undefined } | undefined
  /** Node's request below Koa's. */
  readonly req?: { readonly rawHeaders?: readonly string[] | undefined } | undefined
}

/** `http://host/path`: how proxies are asked, and what a server must understand too. */
const ABSOLUTE_FORM = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i

/** The host in the request's target, if it has one: `GET http://acme.example.com/ HTTP/1.1`. */
export function targetHost({ originalUrl, url }: TenantRequest): string | undefined {
  const target = originalUrl ?? url ?? '/'
  return target.startsWith('/') ? undefined : ABSOLUTE_FORM.exec(target)?.[1]
}

/** The path that was asked for, still encoded, without the query. */
export function targetPath({ originalUrl, url }: TenantRequest): string {
  const target = originalUrl ?? url ?? '/'
  const path = target.startsWith('/') ? target : target.replace(ABSOLUTE_FORM, '')
  return path.replace(/[?#].*$/s, '')
}

/** Whether the request has several Host headers: Node takes the first, a proxy before it may have taken the last. */
export function hasSeveralHosts({ rawHeaders, raw, req }: TenantRequest): boolean {
  const sent = rawHeaders ?? raw?.rawHeaders ?? req?.rawHeaders ?? []
  let count = 0
  for (let index = 0; index < sent.length; index += 2) {
    const name = sent[index]
    if (name?.length === 4 && name.toLowerCase() === 'host') count++
  }
  return count > 1
}
