/**
 * The lazy gate: brings a tenant to head once, before its first use, however many requests and processes ask.
 * Waiters hold no connection; a tenant that fails is left alone for a while; a tenant at head costs one look-up
 * in a set.
 */
import pLimit from 'p-limit'

import { isTenancyError, messageOf, TenancyError } from './errors.ts'
import type { Tenant } from './tenant.ts'

export interface GateOptions {
  /** Upgrades at once in this process. */
  readonly concurrency: number
  /** Milliseconds a caller waits for an upgrade before it is told to come back; the upgrade goes on. */
  readonly maxWaitMs: number
  /** `false`: a tenant behind is refused instead of upgraded. */
  readonly upgrades: boolean
  /** Whether the tenant is at head, or knows of migrations that this code does not; one cheap query. */
  isCurrent(tenant: Tenant): Promise<boolean>
  upgrade(tenant: Tenant): Promise<unknown>
  /** What this process must know of a tenant at head before it is used. */
  learn?(tenant: Tenant): Promise<void>
}

/** How long a failed tenant is left alone: doubled with each failure, between these. */
const FIRST_PAUSE_MS = 1000
const LONGEST_PAUSE_MS = 5 * 60 * 1000

interface Failure {
  readonly error: unknown
  readonly count: number
  readonly retryAt: number
}

export class Gate {
  readonly #options: GateOptions
  readonly #limit: <T>(fn: () => Promise<T>) => Promise<T>
  /** Schemas known to be at head. */
  readonly #ready = new Set<string>()
  readonly #running = new Map<string, Promise<void>>()
  readonly #failures = new Map<string, Failure>()

  constructor(options: GateOptions) {
    this.#options = options
    this.#limit = pLimit(options.concurrency)
  }

  /** Whether `tenant` may be used at once, as far as this process knows. */
  isReady(tenant: Tenant): boolean {
    return this.#ready.has(tenant.schema)
  }

  /**
   * Resolves when `tenant` is at head.
   *
   * @throws {@link TenancyError} TENANT_PENDING with `retryAfterSeconds` while the upgrade takes longer than
   * `maxWaitMs`, or if upgrades are off; TENANT_UNAVAILABLE after a failed upgrade, until the next try is due.
   */
  async pass(tenant: Tenant): Promise<void> {
    if (this.isReady(tenant)) return
    const failure = this.#failures.get(tenant.schema)
    if (failure !== undefined && failure.retryAt > Date.now()) throw unavailable(tenant, failure)
    await this.#waitFor(tenant, this.#running.get(tenant.schema) ?? this.#start(tenant))
  }

  /** Forgets what is known of a tenant, or of all. */
  invalidate(tenant?: Pick<Tenant, 'schema'>): void {
    if (tenant === undefined) {
      this.#ready.clear()
      this.#failures.clear()
    } else {
      this.#ready.delete(tenant.schema)
      this.#failures.delete(tenant.schema)
    }
  }

  /** Resolves when no upgrade is under way. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#running.values())
  }

  #start(tenant: Tenant): Promise<void> {
    const { schema } = tenant
    const run = this.#bringToHead(tenant)
      .then(
        () => {
          this.#ready.add(schema)
          this.#failures.delete(schema)
        },
        (error: unknown) => {
          this.#rememberFailure(schema, error)
          throw error
        },
      )
      .finally(() => this.#running.delete(schema))
    // Every waiter may have left before it fails.
    run.catch(() => undefined)
    this.#running.set(schema, run)
    return run
  }

  async #bringToHead(tenant: Tenant): Promise<void> {
    if (!(await this.#options.isCurrent(tenant))) {
      if (!this.#options.upgrades) throw pending(tenant)
      await this.#limit(() => this.#options.upgrade(tenant))
    }
    await this.#options.learn?.(tenant)
  }

  #rememberFailure(schema: string, error: unknown): void {
    if (isTenancyError(error, 'TENANT_PENDING')) return
    const count = (this.#failures.get(schema)?.count ?? 0) + 1
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (count - 1), LONGEST_PAUSE_MS) * (0.75 + Math.random() / 2)
    this.#failures.set(schema, { error, count, retryAt: Date.now() + pauseMs })
  }

  async #waitFor(tenant: Tenant, run: Promise<void>): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const tooLong = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(stillRunning(tenant)), this.#options.maxWaitMs)
    })
    try {
      await Promise.race([run, tooLong])
    } catch (error) {
      if (isTenancyError(error, 'TENANT_PENDING')) throw error
      throw unavailable(tenant, this.#failures.get(tenant.schema) ?? { error, count: 1, retryAt: Date.now() })
    } finally {
      clearTimeout(timer)
    }
  }
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

function unavailable(tenant: Tenant, { error, retryAt }: Failure): TenancyError {
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
