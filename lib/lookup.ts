/** Remembers the registry's answers for some seconds: bounded, and one question at a time for each key. */
import { LRUCache } from 'lru-cache'

import type { TenantQuery } from './registry.ts'
import { normalizeHost, type Tenant } from './tenant.ts'

/** A known tenant may change its host or schema in another process; an unknown one may be registered any moment. */
const KNOWN_MS = 30_000
const UNKNOWN_MS = 2_000
/** Unknown hosts are as many as attackers like. */
const MAX_ENTRIES = 10_000

interface Answer {
  readonly tenant: Tenant | undefined
}

export class Lookup {
  readonly #answers: LRUCache<string, Answer, TenantQuery>

  constructor(find: (query: TenantQuery) => Promise<Tenant | undefined>) {
    this.#answers = new LRUCache({
      max: MAX_ENTRIES,
      ttl: KNOWN_MS,
      ignoreFetchAbort: true,
      async fetchMethod(_key, _stale, { context, options }) {
        const tenant = await find(context)
        if (tenant === undefined) options.ttl = UNKNOWN_MS
        return { tenant }
      },
    })
  }

  /** The tenant, if it is remembered; asks nobody. */
  remembered(query: TenantQuery): Tenant | undefined {
    return this.#answers.get(keyOf(query))?.tenant
  }

  async find(query: TenantQuery): Promise<Tenant | undefined> {
    const answer = await this.#answers.fetch(keyOf(query), { context: query })
    return answer?.tenant
  }

  clear(): void {
    this.#answers.clear()
  }
}

function keyOf({ id, schema, host }: TenantQuery): string {
  if (id !== undefined) return `id:${id}`
  if (schema !== undefined) return `schema:${schema}`
  return `host:${host === undefined ? '' : (normalizeHost(host) ?? '')}`
}
