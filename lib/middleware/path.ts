/** The tenant in the path of a request. */
import { TenancyError } from '../errors.ts'
import { targetPath } from './request.ts'
import type { Resolver } from './resolve.ts'

const TENANT = ':tenant'

/**
 * The tenant whose id stands in the path, where `pattern` has `:tenant`; what follows it does not matter. The path is
 * the one that the client asked for, whatever a router was mounted at. Who can type an address chooses the tenant:
 * decide with `authorize` who may.
 *
 * @throws {@link TenancyError} CONFIG_INVALID unless `pattern` begins with `/` and has one part `:tenant`, the others
 * being words.
 *
 * @example
 * ```ts
 * app.use('/t/:tenant', tenantMigrations(tenancy, { resolve: byPath('/t/:tenant') }))
 * ```
 */
export function byPath(pattern: string): Resolver {
  const parts = partsOf(pattern)
  const place = parts.indexOf(TENANT)
  return (request) => {
    const asked = targetPath(request).split('/')
    const matches = parts.every((part, index) => index === place || part === asked[index])
    const id = matches ? decoded(asked[place] ?? '') : ''
    return id === '' ? undefined : { id }
  }
}

/** The parts between the slashes, up to `:tenant`; the first is empty. */
function partsOf(pattern: string): readonly string[] {
  const parts = pattern.replace(/\/$/, '').split('/')
  const words = parts.slice(1).filter((part) => part !== TENANT)
  if (parts[0] === '' && parts.length === words.length + 2 && words.every((word) => /^[\w.~-]+$/.test(word)))
    return parts
  throw new TenancyError('CONFIG_INVALID', `${JSON.stringify(pattern)} cannot be the path of a tenant.`, {
    fix: ["write it like '/t/:tenant': words, and :tenant once"],
  })
}

/** What cannot be decoded keeps its `%`, which no id has: an unknown tenant. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
