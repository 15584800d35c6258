/**
 * Notices what other processes do to tenants that are served here: told by the ledger's notifications, by looking
 * again once in a while, and by queries that fail as if their tenant had changed. No request waits for any of it; who
 * turns out to be behind is looked at by its next request.
 */
import type { Events } from './events.ts'
import type { Gate, Look } from './gate.ts'
import type { Mark } from './marks.ts'
import type { Tenant } from './tenant.ts'

export interface WatchOptions {
  readonly events: Events
  readonly gate: Gate
  /** Milliseconds after which tenants are looked at again; 0: never. */
  readonly recheckMs: number
  /** One query for all of them. */
  marksOf(schemas: readonly string[]): Promise<ReadonlyMap<string, Mark>>
  look(tenant: Tenant, verify: boolean): Promise<Look>
  /** What this process must know of a tenant again that has changed. */
  learn(tenant: Tenant): Promise<void>
  /** Forgets what else is remembered of these tenants: `isOwner` if even their names may mean others now. */
  forget(schemas: ReadonlySet<string>, isOwner: boolean): void
}

/** Schemas that one query asks about. */
const CHUNK = 5000

/** Notifications of a fleet's run come by hundreds: those of so many milliseconds are one question. */
const GATHER_MS = 20

/** A table that the code misspells fails as one that is gone: a tenant is suspected so often, and no more. */
const SUSPICION_MS = 5000

export class Watch {
  readonly #options: WatchOptions
  readonly #suspected = new Map<string, number>()
  #told = new Set<string>()
  #gathering: NodeJS.Timeout | undefined
  #timer: NodeJS.Timeout | undefined
  #working: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(options: WatchOptions) {
    this.#options = options
  }

  /** Looks again once in a while from now on; again it changes nothing. */
  begin(): void {
    const { recheckMs } = this.#options
    if (this.#isClosed || this.#timer !== undefined || recheckMs === 0) return
    // Earlier, not later: the stated time is what it takes at most. Processes that were started together spread out.
    this.#timer = setTimeout(() => this.recheck(), recheckMs * (0.8 + Math.random() / 5))
    this.#timer.unref()
  }

  /** Looks again at everybody who is served or refused, now. */
  recheck(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const { gate } = this.#options
    const schemas = new Set([...gate.ready.keys(), ...gate.failed()])
    void this.#work(() => this.#compare([...schemas])).then(() => this.begin())
  }

  /** Another process has changed the ledger row of `schema`, or with '' of anybody. */
  told(schema: string): void {
    if (this.#isClosed) return
    this.#told.add(schema)
    this.#gathering ??= setTimeout(() => {
      const told = this.#told
      this.#told = new Set()
      this.#gathering = undefined
      if (told.has('')) this.recheck()
      else void this.#work(() => this.#compareTold(told))
    }, GATHER_MS).unref()
  }

  /** A query of `tenant` has failed as if it were not at head: its version table is read. */
  suspect(tenant: Tenant): void {
    const { gate } = this.#options
    const now = Date.now()
    if (this.#isClosed || !gate.isReady(tenant) || (this.#suspected.get(tenant.schema) ?? 0) > now) return
    for (const [schema, until] of this.#suspected) if (until <= now) this.#suspected.delete(schema)
    this.#suspected.set(tenant.schema, now + SUSPICION_MS)
    void this.#work(() => this.#lookAgain(tenant, true))
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    clearTimeout(this.#gathering)
    await this.#working
  }

  /** One thing after another; what cannot be found out now is asked again later, by whoever comes next. */
  #work(fn: () => Promise<void>): Promise<void> {
    this.#working = this.#working.then(() => (this.#isClosed ? undefined : fn())).catch(() => undefined)
    return this.#working
  }

  async #compareTold(told: ReadonlySet<string>): Promise<void> {
    const { gate } = this.#options
    const others = new Set([...told].filter((schema) => !gate.ready.has(schema)))
    // What was seen before does not count. A failure does: it may be what the ledger tells of.
    for (const schema of others) if (gate.failureOf(schema) === undefined) gate.invalidate({ schema })
    if (others.size > 0) this.#options.forget(others, true)
    await this.#compare([...told])
  }

  async #compare(schemas: readonly string[]): Promise<void> {
    for (let begun = 0; begun < schemas.length && !this.#isClosed; begun += CHUNK) {
      const chunk = schemas.slice(begun, begun + CHUNK)
      const marks = await this.#options.marksOf(chunk)
      // One after another: the pool is the application's.
      for (const schema of chunk) await this.#compareOne(schema, marks.get(schema)).catch(() => undefined)
    }
  }

  async #compareOne(schema: string, mark: Mark | undefined): Promise<void> {
    if (this.#isClosed) return
    const { gate } = this.#options
    const ready = gate.ready.get(schema)
    if (ready === undefined) {
      const failure = gate.failureOf(schema)
      if (failure !== undefined && failure.before.fingerprint !== mark?.fingerprint)
        gate.invalidate({ schema })
    } else if (ready.mark?.owner !== mark?.owner) this.#drop(ready.tenant, true)
    else if (ready.mark?.content !== mark?.content) await this.#lookAgain(ready.tenant, false)
  }

  async #lookAgain(tenant: Tenant, verify: boolean): Promise<void> {
    const { isCurrent, mark } = await this.#options.look(tenant, verify)
    this.#options.forget(new Set([tenant.schema]), false)
    if (!isCurrent) return this.#drop(tenant, mark === undefined)
    await this.#options.learn(tenant)
    this.#options.gate.keep(tenant, mark)
  }

  #drop(tenant: Tenant, isOwner: boolean): void {
    const { id, schema } = tenant
    this.#options.gate.invalidate(tenant)
    this.#options.forget(new Set([schema]), isOwner)
    this.#options.events.emit('tenant:stale', { tenant: id, schema })
  }
}
