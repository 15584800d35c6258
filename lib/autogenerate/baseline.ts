/** The file of accepted differences: what each is, and the digest by which it is known again. Pure. */
import type { Operation } from './operation.ts'
import { acceptanceOf } from './select.ts'
import { sqlOf } from './sql.ts'

/** The text of a baseline that accepts `operations`. */
export function writtenBaseline(operations: readonly Operation[]): string {
  const accepted = operations
    .map((operation) => ({ id: acceptanceOf(operation), what: sqlOf(operation).join('; ') }))
    .toSorted((a, b) => (a.what < b.what ? -1 : 1))
  return `${JSON.stringify({ accepted }, null, 2)}\n`
}

/**
 * The digests in a baseline.
 *
 * @throws what JSON.parse throws, and a TypeError for a document of another form.
 */
export function readBaseline(text: string): ReadonlySet<string> {
  const { accepted } = JSON.parse(text) as { accepted?: unknown } // checked below
  if (!Array.isArray(accepted)) throw new TypeError('it has no list "accepted"')
  return new Set(
    accepted.map((each: unknown) => {
      const id = typeof each === 'object' && each !== null && 'id' in each ? each.id : undefined
      if (typeof id === 'string') return id
      throw new TypeError('an entry of "accepted" has no "id"')
    }),
  )
}
