/**
 * Which host a request is for. Hosts decide whose rows are served, so what can be read in two ways is refused: a proxy
 * in front may have read it in the other way.
 */
import { TenancyError } from '../errors.ts'
import { hasSeveralHosts, targetHost, type TenantRequest } from './request.ts'

/** An IPv6 address in brackets, or anything else, and perhaps a port. */
const AUTHORITY = /^(?:\[([\da-f:.]+)\]|([^:[\]]+))(?::\d{0,5})?$/i
/**
 * Labels with dots between them. Letters are compared before they are made small: some of other scripts become ASCII by
 * it. One expression and no list of labels, because every request is read by it.
 */
const NAME = /^(?:[a-z\d_](?:[a-z\d_-]{0,61}[a-z\d_])?\.)*[a-z\d_](?:[a-z\d_-]{0,61}[a-z\d_])?$/i
/** What browsers and libraries take for an IPv4 address by its last part: 127.0.0.1, 127.1, 2130706433, 0x7f000001. */
const NUMBER = /^(?:\d+|0x[\da-f]*)$/i
const MAX_NAME = 253

/**
 * The host name in `text`, as hosts are compared: small letters, without port and trailing dot. Nothing for an IP
 * address, however it is written.
 *
 * @throws {@link TenancyError} HOST_INVALID if it is neither a host name nor an address.
 *
 * @example
 * ```ts
 * readHost('Acme.Example.Com.:8080') // 'acme.example.com'
 * ```
 */
export function readHost(text: string): string | undefined {
  const authority = AUTHORITY.exec(text)
  if (authority === null) throw invalid('The Host header is not a host.')
  const found = authority[2]
  if (found === undefined) return undefined
  const name = found.endsWith('.') ? found.slice(0, -1) : found
  if (name.length > MAX_NAME || !NAME.test(name)) throw invalid('The Host header is not a host.')
  return NUMBER.test(name.slice(name.lastIndexOf('.') + 1)) ? undefined : name.toLowerCase()
}

/**
 * The host name that `request` is for: its Host header's, or `X-Forwarded-Host` where the framework says so, because
 * the application trusts its proxy. Nothing if it is for an IP address, or names no host.
 *
 * @throws {@link TenancyError} HOST_INVALID also if the request names two.
 */
export function hostOf(request: TenantRequest): string | undefined {
  const { headers } = request
  if (hasSeveralHosts(request)) throw invalid('The request has several Host headers.')
  const own = headers.host ?? authorityOf(headers)
  const host = own === undefined || own === '' ? undefined : readHost(own)
  const target = targetHost(request)
  if (target !== undefined && readHost(target) !== host)
    throw invalid('The request is for another host than its Host header says.')
  const forwarded = headers['x-forwarded-host']
  return forwarded === undefined ? host : trustedHost(request, String(forwarded), host)
}

/** HTTP/2's name for the Host header. */
function authorityOf(headers: TenantRequest['headers']): string | undefined {
  const authority = headers[':authority']
  return typeof authority === 'string' ? authority : undefined
}

/**
 * Whether a proxy is trusted is the framework's to know (`trust proxy`, `trustProxy`, `app.proxy`): if it sees another
 * host than the request's own, it has taken the forwarded one. Of several Express and Koa take the first and Fastify
 * the last, and any but the nearest proxy's could be the client's, so they have to be the same.
 */
function trustedHost(
  { hostname }: TenantRequest,
  forwarded: string,
  own: string | undefined,
): string | undefined {
  if (hostname === undefined || hostname === '' || readHost(hostname) === own) return own
  const [host, ...others] = forwarded.split(',').map((entry) => readHost(entry.trim()))
  if (others.some((other) => other !== host) || readHost(hostname) !== host)
    throw invalid('X-Forwarded-Host names several hosts.')
  return host
}

function invalid(title: string): TenancyError {
  return new TenancyError('HOST_INVALID', title, {
    fix: [
      'send one host name, such as acme.example.com',
      'a proxy must replace X-Forwarded-Host, not add to it',
    ],
  })
}
