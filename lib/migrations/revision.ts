/** A migration's names: the file name it is recorded by, its identity across extensions, its revision id. */
import { createHash } from 'node:crypto'

/** Extensions of migration files. */
const EXTENSION = /\.(?:[cm]?[jt]s|sql)$/

/**
 * The revision id: the leading token of the file name up to the first `_`, `-` or `.`.
 *
 * @example
 * ```ts
 * revisionOf('d6ba8c13303e_create_users.ts') // 'd6ba8c13303e'
 * ```
 */
export function revisionOf(name: string): string {
  return name.slice(0, name.search(/[_.-]|$/))
}

/** The name without its extension: `.ts` in development and `.js` after a build are the same migration. */
export function identityOf(name: string): string {
  return name.replace(EXTENSION, '')
}

/** Whether a file of this name is a migration's `up` side. */
export function isMigrationName(name: string): boolean {
  return EXTENSION.test(name) && !/\.(?:d\.[cm]?ts|down\.sql)$/.test(name) && !name.startsWith('.')
}

/** By code point, the same on every machine and in every locale. */
export function compareNames(a: string, b: string): number {
  // Bytes of UTF-8 sort as code points do; JavaScript's `<` compares UTF-16 units.
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

/** A digest of a set of executed migrations, equal for equal sets whatever their extensions and order. */
export function fingerprintOf(names: readonly string[]): string {
  const identities = names.map(identityOf).toSorted(compareNames)
  return createHash('sha256').update(identities.join('\n')).digest('hex')
}
