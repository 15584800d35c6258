/** `createTenancy`: builds the rooms from the options and connects them. Every door receives a {@link Tenancy}. */
import type { Umzug } from 'umzug'

import { TenantContext, type Namespace } from './context.ts'
import type { TableReport } from './contents.ts'
import { Database } from './database.ts'
import { Events, type EventName, type Listener, type Observer } from './events.ts'
import { Folders } from './folders.ts'
import type { HealthReport } from './health.ts'
import { Inspection, type FleetPlanReport, type PlanOptions, type PlanReport } from './inspection.ts'
import type { MigrationContext } from './migrations/context.ts'
import { createMigration, type CreateReport, type CreateRequest } from './migrations/create.ts'
import { resolveOptions, type ResolvedOptions, type TenancyConfig } from './options.ts'
import { sourceRegistry, tableRegistry, type TenantQuery } from './registry.ts'
import type { RepairReport, Settlement } from './repair.ts'
import type { FleetDownReport, FleetUpReport, TenantDownReport, TenantUpReport } from './reports.ts'
import {
  Runs,
  type DownOptions,
  type FleetLimits,
  type FleetUpOptions,
  type ScriptOptions,
  type SeedOptions,
  type UpOptions,
} from './runs.ts'
import type { FleetSelection, OneSelection, Selection } from './selection.ts'
import { Serving } from './serving.ts'
import type { TenantStatus } from './status.ts'
import { checkId, createTenant, type Tenant, type TenantInput } from './tenant.ts'
import { Tenants } from './tenants.ts'

/** What `provision` takes: who the tenant is, and whether to upgrade it. */
export interface ProvisionRequest extends TenantInput {
  /**
   * `false` leaves the schema empty.
   * @defaultValue `true`
   */
  readonly up?: boolean
}

/** What `provision` did. */
export interface ProvisionReport {
  readonly id: string
  readonly schema: string
  readonly host?: string
  /** Whether the tenant or its schema is new. */
  readonly created: boolean
  /** Migrations that were applied. */
  readonly applied: readonly string[]
}

/**
 * A tenancy: one database, its tenants, their context and their migrations. Nothing is opened until it is used.
 *
 * @throws {@link TenancyError} CONFIG_INVALID naming the wrong option.
 *
 * @example
 * ```ts
 * const tenancy = createTenancy({ sequelize })
 * await tenancy.provision({ id: 'acme', host: 'acme.example.com' })
 * await tenancy.run('acme', async () => User.findAll())
 * await tenancy.close()
 * ```
 */
export function createTenancy(
  config: TenancyConfig = {},
  { baseDir }: { readonly baseDir?: string } = {},
): Tenancy {
  return new Tenancy(resolveOptions(config, baseDir))
}

export class Tenancy {
  readonly #options: ResolvedOptions
  readonly #events = new Events()
  readonly #context: TenantContext
  readonly #database: Database
  readonly #tenants: Tenants
  readonly #inspection: Inspection
  readonly #runs: Runs
  readonly #serving: Serving

  /** @internal Use {@link createTenancy}. */
  constructor(options: ResolvedOptions) {
    const events = this.#events
    this.#options = options
    this.#context = new TenantContext(options)
    this.#database = new Database(options, this.#context)
    const registry =
      options.tenants === undefined
        ? tableRegistry(this.#database.runner, options.policy)
        : sourceRegistry(options.tenants, options.policy, (fn) => this.#inSharedScope(fn))
    this.#tenants = new Tenants(options, this.#database, registry, events)
    const folders = new Folders(options)
    const running = { ...options, events, ledger: true }
    this.#inspection = new Inspection(running, this.#database, this.#tenants, folders)
    this.#runs = new Runs(running, this.#database, this.#tenants, folders)
    this.#serving = new Serving(options, {
      events,
      context: this.#context,
      database: this.#database,
      tenants: this.#tenants,
      folders,
      runs: this.#runs,
    })
  }

  // ------------------------------------------------------------------------------------------ current tenant

  /**
   * Runs `fn` with `tenant` as the current tenant, for everything it starts, and resolves to its result. A
   * tenant that is behind is upgraded first, unless `lazy` is off.
   *
   * @throws {@link TenancyError} TENANT_UNKNOWN, TENANT_PENDING, TENANT_UNAVAILABLE.
   */
  async run<T>(tenant: string | Tenant, fn: (tenant: Tenant) => T | Promise<T>): Promise<T> {
    const known = typeof tenant === 'string' ? await this.find({ id: tenant }) : tenant
    await this.#serving.pass(known)
    return this.#context.run(known, () => fn(known))
  }

  /** Runs `fn` without a tenant: its statements see the shared schemas. */
  runShared<T>(fn: () => T): T {
    return this.#context.runShared(fn)
  }

  /** The current tenant, if any. */
  current(): Tenant | undefined {
    return this.#context.current()
  }

  /** @throws {@link TenancyError} TENANT_CONTEXT_MISSING if there is no current tenant. */
  require(): Tenant {
    return this.#context.require()
  }

  /** `fn`, which always runs with today's tenant: for event handlers, streams and callbacks. */
  bind<F extends (...args: never[]) => unknown>(fn: F): F {
    return this.#context.bind(fn)
  }

  /** The namespace to hand to `Sequelize.useCLS`: the one configured, or one on AsyncLocalStorage. */
  namespace(): Namespace {
    return this.#context.namespace()
  }

  // ------------------------------------------------------------------------------------------------- tenants

  /**
   * The tenant with this id, schema or host. Answers are remembered for some seconds.
   *
   * @throws {@link TenancyError} TENANT_UNKNOWN; DATABASE_UNREACHABLE if the registry cannot be asked.
   */
  async find(query: TenantQuery): Promise<Tenant> {
    return this.#tenants.find(query)
  }

  /** All tenants, by id. */
  async list(): Promise<readonly Tenant[]> {
    return this.#tenants.all()
  }

  /**
   * Registers a tenant, creates its schema and upgrades it. Again it changes nothing; any number of processes
   * may do it at once.
   *
   * @throws {@link TenancyError} TENANT_NAME_INVALID, TENANT_NAME_RESERVED, TENANT_CONFLICT, SCHEMA_NOT_EMPTY.
   */
  async provision({ up = true, ...input }: ProvisionRequest): Promise<ProvisionReport> {
    const tenant = createTenant(input, this.#options.policy)
    const report = await this.#tenants.provision(tenant, async (session, created) => {
      const { migrations } = up ? await this.#runs.upgradeOn(session, tenant) : { migrations: [] }
      return { ...tenant, created, applied: migrations }
    })
    this.#serving.invalidate(tenant)
    return report
  }

  /**
   * Drops the tenant's schema with everything in it, and its registration.
   *
   * @throws {@link TenancyError} CONFIRMATION_REQUIRED unless `confirm` is the tenant's id.
   */
  async drop(request: { readonly tenant: string; readonly confirm: string }): Promise<Tenant> {
    const tenant = await this.#tenants.drop(request.tenant, request.confirm)
    this.#serving.invalidate(tenant)
    return tenant
  }

  // ---------------------------------------------------------------------------------------------- migrations

  /**
   * Applies pending migrations: to one tenant, whose failure is thrown, or to many, whose failures are in the
   * report; `{ shared: true }` means the shared schema.
   *
   * @throws {@link TenancyError} MIGRATION_FAILED, LOCK_HELD, SCHEMA_MISSING and others; docs/errors.md.
   */
  up(options: OneSelection & UpOptions): Promise<TenantUpReport>
  up(options: FleetSelection & FleetUpOptions & UpOptions): Promise<FleetUpReport>
  up(
    options: (OneSelection | FleetSelection) & FleetUpOptions & UpOptions,
  ): Promise<TenantUpReport | FleetUpReport> {
    return this.#runs.up(options)
  }

  /** Reverts migrations: the last one, or as many as `step`, `to` or `backTo` say. */
  down(options: OneSelection & DownOptions): Promise<TenantDownReport>
  down(options: FleetSelection & FleetLimits & DownOptions): Promise<FleetDownReport>
  async down(
    options: (OneSelection | FleetSelection) & FleetLimits & DownOptions,
  ): Promise<TenantDownReport | FleetDownReport> {
    // Whatever becomes of it, nobody may go on believing that these tenants are at head.
    this.#serving.invalidate()
    return this.#runs.down(options)
  }

  /** Applies the seed files that a tenant, or each of many, has not had yet. */
  seed(options: { readonly tenant: string } & SeedOptions): Promise<TenantUpReport>
  seed(options: FleetSelection & FleetLimits & SeedOptions): Promise<FleetUpReport>
  seed(
    options: ({ readonly tenant: string } | FleetSelection) & FleetLimits & SeedOptions,
  ): Promise<TenantUpReport | FleetUpReport> {
    return this.#runs.seed(options)
  }

  /**
   * Settles a migration that a killed process has left in the middle, outside a transaction: it counts as
   * `'applied'`, or as `'rolled-back'`, which also drops INVALID indexes. Without one nothing changes.
   *
   * @throws {@link TenancyError} TENANT_UNKNOWN, LOCK_HELD; MIGRATION_UNKNOWN if the file to record is gone.
   */
  async repair({ tenant, as }: { readonly tenant: string; readonly as: Settlement }): Promise<RepairReport> {
    const found = await this.find({ id: checkId(tenant) })
    this.#serving.invalidate(found)
    return this.#runs.repair(found, as)
  }

  /** Where one tenant stands by its version table, or the shared schema. Writes nothing. */
  status(options: OneSelection): Promise<TenantStatus>
  /** Where tenants stand, by the ledger in one query; with `verify` by each version table. Writes nothing. */
  status(options?: Partial<FleetSelection> & { readonly verify?: boolean }): Promise<readonly TenantStatus[]>
  status(
    options: OneSelection | (Partial<FleetSelection> & { readonly verify?: boolean }) = {},
  ): Promise<TenantStatus | readonly TenantStatus[]> {
    return this.#inspection.status(options)
  }

  /**
   * The migrations that `up` would run, or `down` with `direction: 'down'`. Of a fleet each tenant says what it would
   * refuse. Writes nothing.
   *
   * @throws {@link TenancyError} what the run of one tenant would refuse, such as MIGRATION_CHANGED.
   */
  plan(options: OneSelection & PlanOptions): Promise<PlanReport>
  plan(options: FleetSelection & PlanOptions): Promise<readonly FleetPlanReport[]>
  plan(options: Selection & PlanOptions): Promise<PlanReport | readonly FleetPlanReport[]> {
    return this.#inspection.plan(options)
  }

  /**
   * A script for psql that does what `up`, or with `direction: 'down'` what `down` would do, version tables and ledger
   * included. The run is rehearsed in a transaction that is rolled back, so it needs the rights and takes the locks of
   * the run itself; what wants no transaction is written without being run. A migration that has read rows is told as
   * the event `migration:reads`: what it did next may be right for this database only.
   *
   * @throws {@link TenancyError} what the run would throw.
   *
   * @example
   * ```ts
   * const script = await tenancy.sql({ tenant: 'acme' })
   * ```
   */
  async sql(options: (OneSelection | FleetSelection) & ScriptOptions): Promise<string> {
    return this.#runs.sql(options)
  }

  /**
   * The tables of a tenant, or of the shared schema, with about how many rows they have: what would be lost with it.
   * Writes nothing.
   *
   * @example
   * ```ts
   * for (const { name, rows } of await tenancy.tables({ shared: true })) console.log(name, rows ?? 'unknown')
   * ```
   */
  async tables(selection: OneSelection): Promise<readonly TableReport[]> {
    return this.#inspection.tables(selection)
  }

  /**
   * Writes a new, empty migration of the tenants: `YYYYMMDDHHMMSS_name`, in the folder of the first glob.
   *
   * @throws {@link TenancyError} USAGE, MIGRATION_EXISTS; CONFIG_INVALID if the globs would not find the file.
   *
   * @example
   * ```ts
   * const { files } = await tenancy.create({ name: 'add users', format: 'sql' })
   * ```
   */
  async create(request: CreateRequest): Promise<CreateReport> {
    const { migrations: globs, baseDir } = this.#options
    return createMigration(request, { globs, baseDir })
  }

  /** A real Umzug for the tenant: each command opens its own connection, and `up` and `down` hold the lock. */
  umzug(tenant: string): Umzug<MigrationContext> {
    return this.#runs.umzug(() => this.find({ id: checkId(tenant) }))
  }

  // ------------------------------------------------------------------------------------------------ the rest

  /**
   * Whether a tenant, the current one unless another is named, has had a migration: by file name, with or without
   * extension, or by revision id. The file need not be here, so that a release can ask for what the next one brings.
   * Answers are remembered for `lazy.recheckMs`, unless a change is noticed before.
   *
   * @throws {@link TenancyError} TENANT_CONTEXT_MISSING without a tenant; TENANT_UNKNOWN.
   */
  async hasMigration(name: string, { tenant }: { readonly tenant?: string } = {}): Promise<boolean> {
    const subject = tenant === undefined ? this.require() : await this.find({ id: checkId(tenant) })
    return this.#serving.hasMigration(subject, name)
  }

  /**
   * How the fleet stands, by one query to the ledger: how many tenants lack migrations, how many could not be
   * upgraded.
   *
   * @throws {@link TenancyError} DATABASE_UNREACHABLE, DATABASE_REFUSED.
   */
  async health(): Promise<HealthReport> {
    return this.#serving.health()
  }

  /** Calls `listener` at each event `name`; the returned function ends that. See docs/events.md. */
  on<Name extends EventName>(name: Name, listener: Listener<Name>): () => void {
    return this.#events.on(name, listener)
  }

  /** @internal Shows what takes time to `observer`; the returned function ends that. See umzug-tenants/otel. */
  observe(observer: Observer): () => void {
    return this.#events.observe(observer)
  }

  /** Forgets what is remembered of tenants and of who is at head: after another program changed them. */
  invalidate(): void {
    this.#tenants.invalidate()
    this.#serving.invalidate()
  }

  /** Waits for running upgrades and closes the connections this object opened. The application's Sequelize stays. */
  async close(): Promise<void> {
    await this.#serving.close()
    await this.#database.close()
  }

  /** @internal The tenant, if it can be used at once: no promise is made on the warm path of a request. */
  readyTenant(query: TenantQuery): Tenant | undefined {
    const tenant = this.#tenants.remembered(query)
    return tenant !== undefined && this.#serving.isReady(tenant) ? tenant : undefined
  }

  /** @internal Enters a tenant that has passed the gate. */
  enter<T>(tenant: Tenant, fn: () => T): T {
    return this.#context.run(tenant, fn)
  }

  /** @internal Finds a tenant and brings it to head. */
  async admit(query: TenantQuery): Promise<Tenant> {
    const tenant = await this.find(query)
    await this.#serving.pass(tenant)
    return tenant
  }

  /** An application's registry may use its Sequelize, which must be scoped before its first query. */
  async #inSharedScope<T>(fn: () => T): Promise<Awaited<T>> {
    await this.#database.pool()
    return await this.#context.runShared(fn)
  }
}
