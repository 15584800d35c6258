/** The structure of a schema in one word: two tenants that have the same are the same. */
import { createHash } from 'node:crypto'

import type { SqlRunner } from '../sql.ts'
import { hashesOf, withHashes } from './catalog.ts'
import { isRead, type ReadOptions } from './read.ts'

/** Takes fingerprints on one connection. */
export type TakeFingerprint = (schema: string) => Promise<string>

/**
 * Gives `fn` what takes fingerprints, at one statement each, computed by the server. It has in it what a snapshot has,
 * but for the order of columns; of expressions it has the text, so that two may differ that mean the same.
 */
export async function withFingerprints<T>(
  sql: SqlRunner,
  options: ReadOptions,
  fn: (take: TakeFingerprint) => Promise<T>,
): Promise<T> {
  return withHashes(sql, () =>
    fn(async (schema) => {
      const hashes = await hashesOf(sql, schema)
      const lines = hashes
        .filter(({ parent }) => isRead(parent, options))
        .map(({ parent, hash }) => `${hash} ${parent}`)
      return createHash('sha256').update(lines.toSorted().join('\n')).digest('hex').slice(0, 16)
    }),
  )
}

/** One fingerprint. */
export async function fingerprintOf(
  sql: SqlRunner,
  schema: string,
  options: ReadOptions = {},
): Promise<string> {
  return withFingerprints(sql, options, (take) => take(schema))
}
