/** `createTenancy`: builds the rooms from the options and connects them. Every door receives a {@link Tenancy}. */
import type { Umzug } from 'umzug'

import {
  Comparison,
  type AutogenerateReport,
  type AutogenerateRequest,
  type CheckReport,
  type CheckRequest,
  type DriftReport,
} from './comparison.ts'
import { TenantContext, type Namespace } from './context.ts'
import { Database } from './database.ts'
import { explainingDatabaseErrors } from './database-errors.ts'
import { Events, type EventName, type Listener } from './events.ts'
import { Gate } from './gate.ts'
import { Folders } from './folders.ts'
import { Inspection, type PlanReport } from './inspection.ts'
import type { MigrationContext } from './migrations/context.ts'
import { createMigration, type CreateReport, type CreateRequest } from './migrations/create.ts'
import { learnTypes } from './query-interface/types.ts'
import { resolveOptions, type ResolvedOptions, type TenancyConfig } from './options.ts'
import { sourceRegistry, tableRegistry, type TenantQuery } from './registry.ts'
import type { RepairReport, Settlement } from './repair.ts'
import type { FleetDownReport, FleetUpReport, TenantDownReport, TenantUpReport } from './reports.ts'
import { Runs, type DownOptions, type ScriptOptions, type UpOptions } from './runs.ts'
import type { FleetSelection, OneSelection } from './selection.ts'
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
  readonly #comparison: Comparison
  readonly #gate: Gate

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
    this.#comparison = new Comparison(
      options,
      this.#context,
      this.#database,
      this.#tenants,
      this.#inspection,
      folders,
    )
    this.#gate = new Gate({
      concurrency: options.lazy.concurrency,
      maxWaitMs: options.lazy.maxWaitMs,
      upgrades: options.lazy.enabled,
      isCurrent: (tenant) =>
        explainingDatabaseErrors(() => this.#inspection.isCurrent(tenant), { tenant: tenant.id }),
      upgrade: (tenant) => this.#runs.upgrade(tenant),
      learn: async ({ schema }) => {
        const pool = await this.#database.pool()
        await this.#context.runShared(() => learnTypes(pool, schema, { transaction: null }))
      },
    })
    // Its ENUM types may be others now, and another process may have taken it back.
    events.on('tenant:migrated', (tenant) => this.#gate.invalidate(tenant))
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
    await this.#gate.pass(known)
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
    this.#gate.invalidate(tenant)
    return report
  }

  /**
   * Drops the tenant's schema with everything in it, and its registration.
   *
   * @throws {@link TenancyError} CONFIRMATION_REQUIRED unless `confirm` is the tenant's id.
   */
  async drop(request: { readonly tenant: string; readonly confirm: string }): Promise<Tenant> {
    const tenant = await this.#tenants.drop(request.tenant, request.confirm)
    this.#gate.invalidate(tenant)
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
  up(options: FleetSelection & UpOptions): Promise<FleetUpReport>
  up(options: (OneSelection | FleetSelection) & UpOptions): Promise<TenantUpReport | FleetUpReport> {
    return this.#runs.up(options)
  }

  /** Reverts migrations: the last one, or as many as `step`, `to` or `backTo` say. */
  down(options: OneSelection & DownOptions): Promise<TenantDownReport>
  down(options: FleetSelection & DownOptions): Promise<FleetDownReport>
  async down(
    options: (OneSelection | FleetSelection) & DownOptions,
  ): Promise<TenantDownReport | FleetDownReport> {
    // Whatever becomes of it, nobody may go on believing that these tenants are at head.
    this.#gate.invalidate()
    return this.#runs.down(options)
  }

  /** Applies the seed files a tenant has not had yet. */
  async seed({ tenant }: { readonly tenant: string }): Promise<TenantUpReport> {
    return this.#runs.seed(await this.find({ id: checkId(tenant) }))
  }

  /**
   * Settles a migration that a killed process has left in the middle, outside a transaction: it counts as
   * `'applied'`, or as `'rolled-back'`, which also drops INVALID indexes. Without one nothing changes.
   *
   * @throws {@link TenancyError} TENANT_UNKNOWN, LOCK_HELD; MIGRATION_UNKNOWN if the file to record is gone.
   */
  async repair({ tenant, as }: { readonly tenant: string; readonly as: Settlement }): Promise<RepairReport> {
    const found = await this.find({ id: checkId(tenant) })
    this.#gate.invalidate(found)
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
   * The migrations that `up` would run. Writes nothing.
   *
   * @throws {@link TenancyError} what `up` would refuse, such as MIGRATION_CHANGED.
   */
  async plan(options: OneSelection & UpOptions): Promise<PlanReport> {
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

  /**
   * What the application's models and a specimen tenant differ in: nothing, if no migration is due.
   *
   * @throws {@link TenancyError} TENANT_PENDING if the specimen is not at head; CONFIG_INVALID without models.
   */
  async check(request: CheckRequest = {}): Promise<CheckReport> {
    return this.#comparison.check(request)
  }

  /**
   * Which tenants are not what the specimen is: drifted by hand, or at another revision. It writes nothing.
   *
   * @throws {@link TenancyError} SCHEMA_MISSING for the specimen's.
   */
  async drift(request: Pick<CheckRequest, 'specimen'> = {}): Promise<DriftReport> {
    return this.#comparison.drift(request)
  }

  /**
   * Writes the migration that brings a tenant like the specimen to the models, if one is due, once it has been tried
   * out on a copy, up and down.
   *
   * @throws {@link TenancyError} what `check` throws; RENAME_UNDECIDED, HAZARD_REFUSED, VERIFICATION_FAILED.
   *
   * @example
   * ```ts
   * const { file } = await tenancy.autogenerate({ message: 'add avatar', specimen: 'acme' })
   * ```
   */
  async autogenerate(request: AutogenerateRequest): Promise<AutogenerateReport> {
    return this.#comparison.autogenerate(request)
  }

  /** A real Umzug for the tenant: each command opens its own connection, and `up` and `down` hold the lock. */
  umzug(tenant: string): Umzug<MigrationContext> {
    return this.#runs.umzug(() => this.find({ id: checkId(tenant) }))
  }

  // ------------------------------------------------------------------------------------------------ the rest

  /** Calls `listener` at each event `name`; the returned function ends that. See docs/events.md. */
  on<Name extends EventName>(name: Name, listener: Listener<Name>): () => void {
    return this.#events.on(name, listener)
  }

  /** Forgets what is remembered of tenants and of who is at head: after another program changed them. */
  invalidate(): void {
    this.#tenants.invalidate()
    this.#gate.invalidate()
    this.#inspection.invalidate()
  }

  /** Waits for running upgrades and closes the connections this object opened. The application's Sequelize stays. */
  async close(): Promise<void> {
    await this.#gate.idle()
    await this.#database.close()
  }

  /** @internal The tenant, if it can be used at once: no promise is made on the warm path of a request. */
  readyTenant(query: TenantQuery): Tenant | undefined {
    const tenant = this.#tenants.remembered(query)
    return tenant !== undefined && this.#gate.isReady(tenant) ? tenant : undefined
  }

  /** @internal Enters a tenant that has passed the gate. */
  enter<T>(tenant: Tenant, fn: () => T): T {
    return this.#context.run(tenant, fn)
  }

  /** @internal Finds a tenant and brings it to head. */
  async admit(query: TenantQuery): Promise<Tenant> {
    const tenant = await this.find(query)
    await this.#gate.pass(tenant)
    return tenant
  }

  /** An application's registry may use its Sequelize, which must be scoped before its first query. */
  async #inSharedScope<T>(fn: () => T): Promise<Awaited<T>> {
    await this.#database.pool()
    return await this.#context.runShared(fn)
  }
}
