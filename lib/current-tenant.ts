/** The current tenant: who it is for the code that runs, how a tenant becomes it, and how all of it ends. */
import type { Rooms } from './assembly.ts'
import type { Namespace } from './context.ts'
import type { EventName, Listener, Observer } from './events.ts'
import type { HealthReport } from './health.ts'
import type { TenantQuery } from './registry.ts'
import { checkId, type Tenant } from './tenant.ts'

/** JavaScript may call with anything: `undefined` above all, where no tenant was found. */
function checkTenant(tenant: Tenant): Tenant {
  if (typeof tenant !== 'object' || tenant === null) checkId(tenant)
  return tenant
}

/** What an application does with its tenants while it serves; the rest of it is {@link Tenancy}. */
export class CurrentTenant {
  readonly #rooms: Rooms

  /** @internal */
  constructor(rooms: Rooms) {
    this.#rooms = rooms
  }

  /**
   * Runs `fn` with `tenant` as the current tenant, for everything it starts, and resolves to its result. A
   * tenant that is behind is upgraded first, unless `lazy` is off.
   *
   * @throws {@link TenancyError} TENANT_UNKNOWN, TENANT_PENDING, TENANT_UNAVAILABLE; TENANT_NAME_INVALID for what is no
   * tenant, such as an id that was never set.
   */
  async run<T>(tenant: string | Tenant, fn: (tenant: Tenant) => T | Promise<T>): Promise<T> {
    const known = typeof tenant === 'string' ? await this.find({ id: tenant }) : checkTenant(tenant)
    await this.#rooms.serving.pass(known)
    return this.#rooms.context.run(known, () => fn(known))
  }

  /** Runs `fn` without a tenant: its statements see the shared schemas. */
  runShared<T>(fn: () => T): T {
    return this.#rooms.context.runShared(fn)
  }

  /** The current tenant, if any. */
  current(): Tenant | undefined {
    return this.#rooms.context.current()
  }

  /** @throws {@link TenancyError} TENANT_CONTEXT_MISSING if there is no current tenant. */
  require(): Tenant {
    return this.#rooms.context.require()
  }

  /** `fn`, which always runs with today's tenant: for event handlers, streams and callbacks. */
  bind<F extends (...args: never[]) => unknown>(fn: F): F {
    return this.#rooms.context.bind(fn)
  }

  /** The namespace to hand to `Sequelize.useCLS`: the one configured, or one on AsyncLocalStorage. */
  namespace(): Namespace {
    return this.#rooms.context.namespace()
  }

  /**
   * The tenant with this id, schema or host. Answers are remembered for some seconds.
   *
   * @throws {@link TenancyError} TENANT_UNKNOWN; DATABASE_UNREACHABLE if the registry cannot be asked.
   */
  async find(query: TenantQuery): Promise<Tenant> {
    return this.#rooms.tenants.find(query)
  }

  /** All tenants, by id. */
  async list(): Promise<readonly Tenant[]> {
    return this.#rooms.tenants.all()
  }

  /** @internal The tenant, if it can be used at once: no promise is made on the warm path of a request. */
  readyTenant(query: TenantQuery): Tenant | undefined {
    const tenant = this.#rooms.tenants.remembered(query)
    return tenant !== undefined && this.#rooms.serving.isReady(tenant) ? tenant : undefined
  }

  /** @internal Enters a tenant that has passed the gate. */
  enter<T>(tenant: Tenant, fn: () => T): T {
    return this.#rooms.context.run(tenant, fn)
  }

  /** @internal Brings a tenant to head. */
  async pass(tenant: Tenant): Promise<void> {
    await this.#rooms.serving.pass(tenant)
  }

  /**
   * Whether a tenant, the current one unless another is named, has had a migration: by file name, with or without
   * extension, or by revision id. The file need not be here, so that a release can ask for what the next one brings.
   * Answers are remembered for `lazy.recheckMs`, unless a change is noticed before.
   *
   * @throws {@link TenancyError} TENANT_CONTEXT_MISSING without a tenant; TENANT_UNKNOWN.
   *
   * @example
   * ```ts
   * await tenancy.provision({ id: 'acme' })
   * if (await tenancy.hasMigration('20260101120000_add_avatar', { tenant: 'acme' })) console.log('it has avatars')
   * ```
   */
  async hasMigration(name: string, { tenant }: { readonly tenant?: string } = {}): Promise<boolean> {
    const subject = tenant === undefined ? this.require() : await this.find({ id: checkId(tenant) })
    return this.#rooms.serving.hasMigration(subject, name)
  }

  /**
   * How the fleet stands, by one query to the ledger: how many tenants lack migrations, how many could not be
   * upgraded.
   *
   * @throws {@link TenancyError} DATABASE_UNREACHABLE, DATABASE_REFUSED.
   *
   * @example
   * ```ts
   * const { behind, failing } = await tenancy.health()
   * if (failing > 0) console.error(`${failing} tenants cannot be upgraded, ${behind} wait`)
   * ```
   */
  async health(): Promise<HealthReport> {
    return this.#rooms.serving.health()
  }

  // ------------------------------------------------------------------------------------------------ the rest

  /** Calls `listener` at each event `name`; the returned function ends that. See docs/events.md. */
  on<Name extends EventName>(name: Name, listener: Listener<Name>): () => void {
    return this.#rooms.events.on(name, listener)
  }

  /** @internal Shows what takes time to `observer`; the returned function ends that. See umzug-tenants/otel. */
  observe(observer: Observer): () => void {
    return this.#rooms.events.observe(observer)
  }

  /** Forgets what is remembered of tenants and of who is at head: after another program changed them. */
  invalidate(): void {
    this.#rooms.tenants.invalidate()
    this.#rooms.serving.invalidate()
  }

  /** Waits for running upgrades and closes the connections this object opened. The application's Sequelize stays. */
  async close(): Promise<void> {
    await this.#rooms.serving.close()
    await this.#rooms.database.close()
  }
}
