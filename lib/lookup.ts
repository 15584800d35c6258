/**
 * Remembers the registry's answers for some seconds, and protects the registry from those who ask for what does not
 * exist: unknown hosts are as many as attackers like, known ones are as many as there are tenants. The two are
 * remembered apart, so that the first cannot push out the second, and only the first are rationed.
 */
import { LRUCache } from 'lru-cache'
import pLimit from 'p-limit'

import { CACHE_BOUNDS } from './cache-bounds.ts'
import { TenancyError } from './errors.ts'
import type { TenantQuery } from './registry.ts'
import { normalizeHost, type Tenant } from './tenant.ts'

/** A known tenant may change its host or schema in another process; an unknown one may be registered any moment. */
const KNOWN_MS = 30_000
const UNKNOWN_MS = 2_000

/** Questions to the registry at once: fewer than an ordinary pool has connections. */
const AT_ONCE = 4
/** Questions that wait for those; a start-up with thousands of tenants must find room, a flood must not. */
const MAX_WAITING = 10_000

/** Unknown names the registry is asked about: so many at once, and so many a second after that. */
const UNKNOWN_BURST = 500
const UNKNOWN_PER_SECOND = 50

interface Answer {
  readonly tenant: Tenant
  readonly until: number
}

export class Lookup {
  readonly #ask: (query: TenantQuery) => Promise<Tenant | undefined>
  readonly #known = new LRUCache<string, Answer>(CACHE_BOUNDS)
  readonly #unknown = new LRUCache<string, true>({ ...CACHE_BOUNDS, ttl: UNKNOWN_MS })
  /** Questions under way, so that one serves everybody. */
  #asking = new Map<string, Promise<Tenant | undefined>>()
  readonly #limit = pLimit(AT_ONCE)
  #ration = UNKNOWN_BURST
  #rationedAt = Date.now()

  constructor(ask: (query: TenantQuery) => Promise<Tenant | undefined>) {
    this.#ask = ask
  }

  /** The tenant, if it is remembered; asks nobody. */
  remembered(query: TenantQuery): Tenant | undefined {
    // Most hosts come as they are remembered, and making one so is most of the work.
    const { id, schema, host } = query
    const isHost = host !== undefined && id === undefined && schema === undefined
    const asIs = isHost ? this.#known.get(`host:${host}`) : undefined
    const answer = asIs ?? this.#known.get(keyOf(query))
    return answer !== undefined && answer.until > Date.now() ? answer.tenant : undefined
  }

  /**
   * The tenant; `undefined` for an unknown one.
   *
   * @throws {@link TenancyError} REGISTRY_BUSY if too many unknown names are asked for to look up one more.
   */
  async find(query: TenantQuery): Promise<Tenant | undefined> {
    const remembered = this.remembered(query)
    if (remembered !== undefined) return remembered
    const key = keyOf(query)
    if (this.#unknown.has(key)) return undefined
    return this.#asking.get(key) ?? this.#begin(key, query)
  }

  /** Forgets everything; questions that are under way are answered, and not remembered. */
  clear(): void {
    this.#known.clear()
    this.#unknown.clear()
    this.#asking = new Map()
  }

  /** Forgets the tenants of these schemas, and who is unknown: it may have become one of them. */
  forget(schemas: ReadonlySet<string>): void {
    for (const [key, { tenant }] of this.#known) if (schemas.has(tenant.schema)) this.#known.delete(key)
    this.#unknown.clear()
    // What was asked before the change may be answered by what was before it.
    this.#asking = new Map()
  }

  #begin(key: string, query: TenantQuery): Promise<Tenant | undefined> {
    const asking = this.#asking
    // Who was known is asked about again whatever a flood does: there are no more of those than tenants.
    const wasKnown = this.#known.has(key)
    if (!wasKnown && this.#limit.pendingCount >= MAX_WAITING) throw busy()
    const question = this.#limit(async () => {
      if (!wasKnown) this.#takeRation()
      const tenant = await this.#ask(query)
      if (tenant !== undefined && !wasKnown) this.#ration++
      if (asking === this.#asking) this.#remember(key, tenant)
      return tenant
    }).finally(() => asking.delete(key))
    asking.set(key, question)
    return question
  }

  #remember(key: string, tenant: Tenant | undefined): void {
    if (tenant === undefined) {
      this.#known.delete(key)
      this.#unknown.set(key, true)
    } else {
      this.#unknown.delete(key)
      this.#known.set(key, { tenant, until: Date.now() + KNOWN_MS })
    }
  }

  /** Every question may be one about nobody; what turns out to be a tenant is given back. */
  #takeRation(): void {
    const now = Date.now()
    const refill = ((now - this.#rationedAt) / 1000) * UNKNOWN_PER_SECOND
    this.#ration = Math.min(UNKNOWN_BURST, this.#ration + refill)
    this.#rationedAt = now
    if (this.#ration < 1) throw busy()
    this.#ration--
  }
}

function keyOf({ id, schema, host }: TenantQuery): string {
  if (id !== undefined) return `id:${id}`
  if (schema !== undefined) return `schema:${schema}`
  return `host:${host === undefined ? '' : (normalizeHost(host) ?? '')}`
}

function busy(): TenancyError {
  return new TenancyError('REGISTRY_BUSY', 'Too many unknown tenants are asked for.', {
    fix: ['try again in a second; if it lasts, stop at the proxy what asks for hosts that do not exist'],
    retryAfterSeconds: 1,
  })
}
