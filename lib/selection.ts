/** Which tenants a call is about: one, some, those that match, all, or the shared schema. */
import { TenancyError } from './errors.ts'

/** One tenant by id, or the shared schema. */
export type OneSelection = { readonly tenant: string } | { readonly shared: true }

/** Many tenants: all, those named, or those whose id matches a pattern with `*` and `?`. */
export type FleetSelection = (
  { readonly all: true } | { readonly tenants: readonly string[] } | { readonly match: string }
) & {
  /** Tenants at once. @defaultValue the configuration's */
  readonly concurrency?: number
  /** Ids of tenants to leave out. One that nobody is registered by is refused: it may be meant for another. */
  readonly skip?: readonly string[]
}

export type Selection = OneSelection | FleetSelection

export function isOne(selection: object): selection is OneSelection {
  return 'tenant' in selection || 'shared' in selection
}

/** `selection`, or all tenants where it names none. */
export function orAll(selection: Partial<FleetSelection>): FleetSelection {
  const isMade = 'all' in selection || 'tenants' in selection || 'match' in selection
  return isMade ? (selection as FleetSelection) : { ...selection, all: true } // one of the three is there
}

/** `tenants` but those whose ids are in `skip`. */
export function without<T extends { readonly id: string }>(
  tenants: readonly T[],
  skip: readonly string[],
): readonly T[] {
  const skipped = new Set(skip)
  return tenants.filter(({ id }) => !skipped.has(id))
}

/**
 * A pattern of `*` and `?` over whole ids.
 *
 * @throws {@link TenancyError} USAGE for an empty one.
 */
export function patternOf(match: string): RegExp {
  if (match === '')
    throw new TenancyError('USAGE', 'An empty pattern matches no tenant.', { fix: ["use e.g. 'acme*'"] })
  const escaped = match
    .replace(/[\\^$.|+()[\]{}]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${escaped}$`, 'u')
}
