/**
 * The lazy gate: brings a tenant to head once, before its first use, however many requests and processes ask.
 * Waiters hold no connection; a tenant that fails is left alone for a while; a tenant at head costs one look-up
 * in a map.
 */
import pLimit from 'p-limit'

import { isTenancyError, messageOf, TenancyError } from './errors.ts'
import type { Events } from './events.ts'
import type { LazyMode } from './lazy.ts'
import { unfitForRequest } from './migrations/in-request.ts'
import { isPassing, Refusals, type Before, type Failure } from './refusals.ts'
import type { Mark } from './marks.ts'
import type { Tenant } from './tenant.ts'

/** What a look at a tenant tells. */
export interface Look {
  /** Whether it lacks none of the migrations this process serves. */
  readonly isCurrent: boolean
  /** A migration it lacks that no request may run. */
  readonly unfit?: string | undefined
  /** `undefined`: its schema does not exist. */
  readonly mark?: Mark | undefined
}

export interface GateOptions {
  readonly mode: LazyMode
  /** Upgrades at once in this process. */
  readonly concurrency: number
  /** Milliseconds a caller waits for an upgrade before it is told to come back; the upgrade goes on. */
  readonly maxWaitMs: number
  readonly events: Events
  /** One cheap query, for a tenant at head. */
  look(tenant: Tenant): Promise<Look>
  upgrade(tenant: Tenant): Promise<unknown>
  /** What this process must know of a tenant at head before it is used. */
  learn?(tenant: Tenant): Promise<void>
  /** The migrations on disk, names and contents, in one word. */
  migrationSet?(): Promise<string>
  /** Is called when other migrations are on disk than those that have failed. */
  onNewMigrations?(): void
}

/** A tenant that may be used at once. */
export interface Ready {
  readonly tenant: Tenant
  readonly mark: Mark | undefined
}

/** The upgrade of one tenant that everybody waits for. */
interface Flight {
  readonly looked: Promise<Look>
  readonly done: Promise<void>
  /** What it has seen may have changed meanwhile. */
  isStale: boolean
}

/** Tenants that are remembered at head. */
const MAX_READY = 50_000

/** How often the folder of migrations is read because of tenants that have failed. */
const SET_MS = 1000

export class Gate {
  readonly #options: GateOptions
  readonly #limit: ReturnType<typeof pLimit>
  readonly #ready = new Map<string, Ready>()
  readonly #running = new Map<string, Flight>()
  readonly #refusals = new Refusals()
  #set: { readonly name: Promise<string | undefined>; readonly until: number } | undefined

  constructor(options: GateOptions) {
    this.#options = options
    this.#limit = pLimit(options.concurrency)
  }

  /** Whether `tenant` may be used at once, as far as this process knows. */
  isReady(tenant: Tenant): boolean {
    return this.#ready.has(tenant.schema)
  }

  /** Upgrades at once from now on. */
  limitTo(concurrency: number): void {
    this.#limit.concurrency = concurrency
  }

  /**
   * Resolves when `tenant` is at head.
   *
   * @throws {@link TenancyError} TENANT_PENDING with `retryAfterSeconds` while the upgrade takes longer than
   * `maxWaitMs`, if it needs a fleet's run, or if upgrades are off; TENANT_UNAVAILABLE after a failed upgrade, until
   * the next try is due; DATABASE_UNREACHABLE, DATABASE_REFUSED.
   */
  async pass(tenant: Tenant): Promise<void> {
    if (this.isReady(tenant)) return
    const { id, schema } = tenant
    await this.#options.events.observing({ name: 'gate', tenant: id, schema }, () => this.#admit(tenant))
  }

  /** Forgets what is known of a tenant, or of all. */
  invalidate(tenant?: Pick<Tenant, 'schema'>): void {
    const flights = tenant === undefined ? this.#running.values() : [this.#running.get(tenant.schema)]
    for (const flight of flights) if (flight !== undefined) flight.isStale = true
    if (tenant === undefined) {
      this.#ready.clear()
      this.#refusals.clear()
    } else {
      this.#ready.delete(tenant.schema)
      this.#refusals.delete(tenant.schema)
    }
  }

  /** The tenants that may be used at once, by schema. */
  get ready(): ReadonlyMap<string, Ready> {
    return this.#ready
  }

  /** Schemas of the tenants whose upgrade has failed. */
  failed(): Iterable<string> {
    return this.#refusals.schemas()
  }

  failureOf(schema: string): Failure | undefined {
    return this.#refusals.get(schema)
  }

  /** Notes that `tenant`, if it may still be used, was seen with another mark. */
  keep(tenant: Tenant, mark: Mark | undefined): void {
    if (this.isReady(tenant)) this.#ready.set(tenant.schema, { tenant, mark })
  }

  /** Resolves when no upgrade is under way. */
  async idle(): Promise<void> {
    await Promise.allSettled([...this.#running.values()].map(({ done }) => done))
  }

  async #admit(tenant: Tenant): Promise<void> {
    const { schema } = tenant
    const remembered = this.#refusals.get(schema)
    if (remembered !== undefined && !(await this.#hasNewMigrations(remembered))) {
      const failure = this.#refusals.get(schema)
      // One request tries again when the pause is over; nobody else waits for what has failed before.
      if (failure !== undefined && (failure.retryAt > Date.now() || this.#running.has(schema)))
        throw unavailable(tenant, failure)
    }
    await this.#waitFor(tenant, this.#running.get(schema) ?? this.#start(tenant))
  }

  #start(tenant: Tenant): Flight {
    const { schema } = tenant
    const looked = this.#options.look(tenant)
    const done = this.#bringToHead(tenant, looked).finally(() => this.#running.delete(schema))
    const flight: Flight = { looked, done, isStale: false }
    // Every waiter may have left before it fails.
    done.catch(() => undefined)
    this.#running.set(schema, flight)
    return flight
  }

  async #bringToHead(tenant: Tenant, looked: Promise<Look>): Promise<void> {
    const { schema } = tenant
    let before: Before | undefined
    try {
      let look = await looked
      if (!look.isCurrent) {
        before = { fingerprint: look.mark?.fingerprint, migrationSet: await this.#migrationSet() }
        if (this.#options.mode === 'off') throw pending(tenant)
        if (look.unfit !== undefined) throw unfitForRequest(tenant, look.unfit)
        await this.#limit(() => this.#options.upgrade(tenant))
        // The upgrade itself is a change; what matters is what comes after it.
        const flight = this.#running.get(schema)
        if (flight !== undefined) flight.isStale = false
        look = await this.#options.look(tenant)
      }
      await this.#options.learn?.(tenant)
      this.#refusals.delete(schema)
      if (this.#running.get(schema)?.isStale !== true) this.#setReady(tenant, look.mark)
    } catch (error) {
      before ??= { fingerprint: undefined, migrationSet: await this.#migrationSet() }
      if (!isPending(error)) this.#refusals.note(schema, error, before)
      throw error
    }
  }

  #setReady(tenant: Tenant, mark: Mark | undefined): void {
    this.#ready.set(tenant.schema, { tenant, mark })
    if (this.#ready.size <= MAX_READY) return
    const [oldest] = this.#ready.keys()
    if (oldest !== undefined) this.#ready.delete(oldest)
  }

  async #waitFor(tenant: Tenant, { looked, done }: Flight): Promise<void> {
    const { mode, maxWaitMs } = this.#options
    let timer: NodeJS.Timeout | undefined
    const tooLong = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(stillRunning(tenant)), maxWaitMs)
    })
    const leaving = async () => {
      const { isCurrent, unfit } = await looked
      if (!isCurrent && unfit === undefined) throw stillRunning(tenant)
      return done
    }
    try {
      await Promise.race([mode === 'background' ? leaving() : done, tooLong])
    } catch (error) {
      if (isTenancyError(error, 'TENANT_PENDING')) throw error
      if (isTenancyError(error, 'LOCK_HELD')) throw stillRunning(tenant)
      throw unavailable(tenant, this.#refusals.get(tenant.schema) ?? { error, retryAt: Date.now() })
    } finally {
      clearTimeout(timer)
    }
  }

  /** Whether the folder holds other migrations than those that `failure` is about; then nothing is held against anyone. */
  async #hasNewMigrations({ before }: Failure): Promise<boolean> {
    const now = await this.#migrationSet()
    if (before.migrationSet === undefined || now === undefined || now === before.migrationSet) return false
    this.#refusals.clear()
    this.#options.onNewMigrations?.()
    return true
  }

  /** Asked by every request that is refused, read once in a while. */
  #migrationSet(): Promise<string | undefined> {
    if (this.#set === undefined || this.#set.until <= Date.now()) {
      this.#set = { name: this.#readMigrationSet(), until: Date.now() + SET_MS }
    }
    return this.#set.name
  }

  async #readMigrationSet(): Promise<string | undefined> {
    try {
      return await this.#options.migrationSet?.()
    } catch {
      return undefined // what is wrong with the folder is told by the upgrade
    }
  }
}

/** Nothing that could be held against the tenant. */
function isPending(error: unknown): boolean {
  return isTenancyError(error, 'TENANT_PENDING') || isTenancyError(error, 'LOCK_HELD')
}

function pending(tenant: Tenant): TenancyError {
  return new TenancyError(
    'TENANT_PENDING',
    `Tenant "${tenant.id}" is behind, and upgrades on access are off.`,
    {
      tenant: tenant.id,
      schema: tenant.schema,
      fix: [`upgrade it: umzug-tenants up --tenant ${tenant.id}`, 'or set lazy: true'],
      retryAfterSeconds: 30,
    },
  )
}

function stillRunning(tenant: Tenant): TenancyError {
  return new TenancyError('TENANT_PENDING', `Tenant "${tenant.id}" is being upgraded.`, {
    tenant: tenant.id,
    schema: tenant.schema,
    fix: ['try again in a moment, or raise lazy.maxWaitMs'],
    retryAfterSeconds: 2,
  })
}

function unavailable(tenant: Tenant, { error, retryAt }: Pick<Failure, 'error' | 'retryAt'>): TenancyError {
  if (isTenancyError(error) && isPassing(error)) return error
  return new TenancyError('TENANT_UNAVAILABLE', `Tenant "${tenant.id}" could not be upgraded.`, {
    tenant: tenant.id,
    schema: tenant.schema,
    ...(isTenancyError(error) ? { migration: error.migration, sqlstate: error.sqlstate } : {}),
    detail: messageOf(error),
    fix: isTenancyError(error) ? error.fix : [`see why: umzug-tenants up --tenant ${tenant.id}`],
    retryAfterSeconds: Math.max(1, Math.ceil((retryAt - Date.now()) / 1000)),
    cause: error,
  })
}
