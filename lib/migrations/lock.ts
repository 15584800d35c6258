/** The key of a tenant's advisory lock. */
import { createHash } from 'node:crypto'

/**
 * 64 bits of SHA-256 over database and schema. Fewer would make two tenants of a large fleet share a key, which
 * is safe and slow: with 32 bits and 100,000 tenants a collision is more likely than not.
 */
export function lockKey(database: string, schema: string): bigint {
  const digest = createHash('sha256')
    .update(JSON.stringify(['umzug-tenants', database, schema]))
    .digest()
  return digest.readBigInt64BE(0)
}
