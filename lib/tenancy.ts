/** `createTenancy`: the public face of the library, over the rooms that do the work. Every door receives a {@link Tenancy}. */
import type { Umzug } from 'umzug'

import type { AdoptReport } from './adopt.ts'
import type { AdoptManyRequest, AdoptRequest, FleetAdoptReport } from './adoptions.ts'
import { assemble, type Rooms } from './assembly.ts'
import type { AutogenerateReport, AutogenerateRequest, CheckReport, CheckRequest } from './comparison.ts'
import type { TableReport } from './contents.ts'
import { CurrentTenant } from './current-tenant.ts'
import type { DriftReport, DriftRequest } from './drift.ts'
import type { DoctorReport } from './doctor/doctor.ts'
import type { ExecOptions, ExecReport } from './exec/exec.ts'
import type { PlanOptions } from './inspection.ts'
import type { Interruption } from './interruption.ts'
import type { MigrationLock } from './locks.ts'
import type { MigrationContext } from './migrations/context.ts'
import { createMigration, type CreateReport, type CreateRequest } from './migrations/create.ts'
import type { MigrationSession } from './migrations/session.ts'
import type { FleetLimits } from './on-each.ts'
import { resolveOptions, type ResolvedOptions, type TenancyConfig } from './options.ts'
import type { FleetPlanReport, PlanReport } from './plans.ts'
import type { ProvisionReport, ProvisionRequest } from './provision.ts'
import type { FleetRehashReport, FleetStampReport, StampRequest } from './records.ts'
import type { RedoReport } from './redo.ts'
import type { RenameReport, RenameRequest } from './rename.ts'
import type { RehashReport, RepairReport, Settlement } from './repair.ts'
import type { FleetDownReport, FleetOf, FleetUpReport, TenantDownReport, TenantUpReport } from './reports.ts'
import type { DownOptions, FleetUpOptions, RedoOptions, ScriptOptions, UpOptions } from './runs.ts'
import type { SeedDown, SeedOptions, SeedSelection, SeedUp } from './seeds.ts'
import type { FleetSelection, OneSelection, Selection } from './selection.ts'
import type { StampReport } from './stamp.ts'
import type { TenantStatus } from './status.ts'
import type { TenantHistory } from './tenant-history.ts'
import { checkId, createTenant, type Tenant } from './tenant.ts'

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

export class Tenancy extends CurrentTenant {
  readonly #options: ResolvedOptions
  readonly #rooms: Rooms

  /** @internal Use {@link createTenancy}. */
  constructor(options: ResolvedOptions) {
    const rooms = assemble(options)
    super(rooms)
    this.#options = options
    this.#rooms = rooms
  }

  // ------------------------------------------------------------------------------------------------- tenants

  /**
   * Registers a tenant, creates its schema and upgrades it. Again it changes nothing; any number of processes
   * may do it at once.
   *
   * @throws {@link TenancyError} TENANT_NAME_INVALID, TENANT_NAME_RESERVED, TENANT_CONFLICT, SCHEMA_NOT_EMPTY.
   */
  async provision({ up = true, signal, cancelSignal, ...input }: ProvisionRequest): Promise<ProvisionReport> {
    const tenant = createTenant(input, this.#options.policy)
    const interruption = { signal, cancelSignal }
    const more = async (session: MigrationSession, created: boolean) => {
      const applied = up ? await this.#rooms.runs.upgradeNew(session, tenant, interruption) : []
      return { ...tenant, created, applied }
    }
    const report = await this.#rooms.tenants.provision(tenant, more, interruption)
    this.#rooms.serving.invalidate(tenant)
    return report
  }

  /**
   * Drops the tenant's schema with everything in it, and its registration.
   *
   * @throws {@link TenancyError} CONFIRMATION_REQUIRED unless `confirm` is the tenant's id.
   */
  async drop(request: { readonly tenant: string; readonly confirm: string }): Promise<Tenant> {
    const tenant = await this.#rooms.tenants.drop(request.tenant, request.confirm)
    this.#rooms.serving.invalidate(tenant)
    return tenant
  }

  /**
   * Makes a schema that exists already a tenant's: its version table says where it stands, and nothing is run. What is
   * in `public` moves to a schema of its own; extensions stay.
   *
   * @throws {@link TenancyError} VERSION_TABLE_MISSING unless `stamp` says where it stands; SCHEMA_MISSING,
   * SCHEMA_EXISTS, TENANT_CONFLICT, TENANT_NAME_RESERVED, CONFIRMATION_REQUIRED; CONFIG_INVALID if extensions in
   * `public` would not be found any more.
   */
  adopt(request: AdoptRequest): Promise<AdoptReport>
  adopt(request: AdoptManyRequest): Promise<FleetAdoptReport>
  async adopt(request: AdoptRequest | AdoptManyRequest): Promise<AdoptReport | FleetAdoptReport> {
    const report = await (await this.#rooms.adoptions()).adopt(request)
    this.invalidate()
    return report
  }

  /**
   * Gives the tenant's schema another name. Other processes remember the old one for up to 30 seconds, in which their
   * statements for this tenant fail; let that time pass before another tenant gets it.
   *
   * @throws {@link TenancyError} SCHEMA_EXISTS, TENANT_CONFLICT; REGISTRY_READ_ONLY if the application's registry has
   * no `rename`.
   */
  async rename({ tenant, schema, dryRun = false }: RenameRequest): Promise<RenameReport> {
    const report = await this.#rooms.tenants.rename(tenant, schema, dryRun)
    this.invalidate()
    return report
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
  up(options: Selection & FleetUpOptions & UpOptions): Promise<TenantUpReport | FleetUpReport> {
    return this.#rooms.runs.up(options)
  }

  /** Reverts migrations: the last one, or as many as `step`, `to` or `backTo` say. */
  down(options: OneSelection & DownOptions): Promise<TenantDownReport>
  down(options: FleetSelection & FleetLimits & DownOptions): Promise<FleetDownReport>
  async down(options: Selection & FleetLimits & DownOptions): Promise<TenantDownReport | FleetDownReport> {
    // Whatever becomes of it, nobody may go on believing that these tenants are at head.
    this.#rooms.serving.invalidate()
    return this.#rooms.runs.down(options)
  }

  /**
   * Reverts the last migration, or as many as `step` and `to` say, and applies it again, in one transaction where the
   * migrations allow that.
   *
   * @throws {@link TenancyError} what `down` and `up` throw; whether the migrations stay reverted stands in `detail`.
   */
  redo(options: OneSelection & RedoOptions): Promise<RedoReport>
  redo(options: FleetSelection & FleetLimits & RedoOptions): Promise<FleetOf<RedoReport>>
  async redo(options: Selection & FleetLimits & RedoOptions): Promise<RedoReport | FleetOf<RedoReport>> {
    this.#rooms.serving.invalidate()
    return this.#rooms.runs.redo(options)
  }

  /**
   * Applies the seed files that a tenant, or each of many, has not had yet; with `direction: 'down'` reverts the last
   * one, or as many as `step`, `to` or `only` say. What was applied is recorded in `SequelizeData`.
   *
   * @throws {@link TenancyError} what {@link up} throws.
   *
   * @example
   * ```ts
   * await tenancy.provision({ id: 'acme' })
   * await tenancy.seed({ tenant: 'acme' })
   * await tenancy.seed({ all: true, direction: 'down', to: 0 })
   * ```
   */
  seed(options: { readonly tenant: string } & SeedUp): Promise<TenantUpReport>
  seed(options: FleetSelection & FleetLimits & SeedUp): Promise<FleetUpReport>
  seed(options: { readonly tenant: string } & SeedDown): Promise<TenantDownReport>
  seed(options: FleetSelection & FleetLimits & SeedDown): Promise<FleetDownReport>
  async seed(
    options: SeedSelection & FleetLimits & SeedOptions,
  ): Promise<TenantUpReport | FleetUpReport | TenantDownReport | FleetDownReport> {
    return (await this.#rooms.seeds()).seed(options)
  }

  /** Which seed files tenants have had, by the `SequelizeData` of each. Writes nothing. */
  async seedStatus(options: Partial<FleetSelection> = {}): Promise<readonly TenantStatus[]> {
    return (await this.#rooms.seeds()).status(options)
  }

  /** The seed files that `seed` would apply or revert on each tenant, or what it would refuse. Writes nothing. */
  async seedPlan(options: FleetSelection & SeedOptions): Promise<readonly FleetPlanReport[]> {
    return (await this.#rooms.seeds()).plan(options)
  }

  // ------------------------------------------------------------------------------------------------- records

  /**
   * Records that a schema stands at `to`, without running anything: what is up to it counts as applied, what is after
   * it as never run.
   *
   * @throws {@link TenancyError} MIGRATION_UNKNOWN, MIGRATION_INTERRUPTED, SCHEMA_MISSING, LOCK_HELD.
   */
  stamp(options: OneSelection & StampRequest): Promise<StampReport>
  stamp(options: FleetSelection & FleetLimits & StampRequest): Promise<FleetStampReport>
  async stamp(options: Selection & FleetLimits & StampRequest): Promise<StampReport | FleetStampReport> {
    return (await this.#rooms.records()).stamp(options)
  }

  /**
   * Settles a migration that a killed process has left in the middle, outside a transaction: it counts as
   * `'applied'`, or as `'rolled-back'`, which also drops INVALID indexes. Without one nothing changes.
   *
   * @throws {@link TenancyError} TENANT_UNKNOWN, LOCK_HELD; MIGRATION_UNKNOWN if the file to record is gone.
   */
  async repair({ tenant, as }: { readonly tenant: string; readonly as: Settlement }): Promise<RepairReport> {
    const found = await this.find({ id: checkId(tenant) })
    this.#rooms.serving.invalidate(found)
    return (await this.#rooms.records()).repair(found, as)
  }

  /** Makes what the files of applied migrations hold now their known content, as `allow.changed` of `up` does. */
  rehash(options: OneSelection & Interruption): Promise<RehashReport>
  rehash(options: FleetSelection & FleetLimits & Interruption): Promise<FleetRehashReport>
  async rehash(options: Selection & FleetLimits & Interruption): Promise<RehashReport | FleetRehashReport> {
    return (await this.#rooms.records()).rehash(options)
  }

  /** Which migrations were applied, when, and how long they took, by the ledger; and which are pending. */
  history(options: OneSelection): Promise<TenantHistory>
  history(options?: Partial<FleetSelection>): Promise<readonly TenantHistory[]>
  async history(
    options: OneSelection | Partial<FleetSelection> = {},
  ): Promise<TenantHistory | readonly TenantHistory[]> {
    return this.#rooms.inspection.history(options)
  }

  /** Where one tenant stands by its version table, or the shared schema. Writes nothing. */
  status(options: OneSelection): Promise<TenantStatus>
  /** Where tenants stand, by the ledger in one query; with `verify` by each version table. Writes nothing. */
  status(options?: Partial<FleetSelection> & { readonly verify?: boolean }): Promise<readonly TenantStatus[]>
  status(
    options: OneSelection | (Partial<FleetSelection> & { readonly verify?: boolean }) = {},
  ): Promise<TenantStatus | readonly TenantStatus[]> {
    return this.#rooms.inspection.status(options)
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
    return this.#rooms.inspection.plan(options)
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
   * await tenancy.provision({ id: 'acme', up: false })
   * const script = await tenancy.sql({ tenant: 'acme' })
   * ```
   */
  async sql(options: Selection & ScriptOptions): Promise<string> {
    return this.#rooms.runs.sql(options)
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
    return this.#rooms.inspection.tables(selection)
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
    const { migrations, sharedMigrations, baseDir } = this.#options
    return createMigration(request, {
      globs: request.shared === true ? sharedMigrations : migrations,
      baseDir,
    })
  }

  /**
   * What the application's models and a specimen tenant differ in: nothing, if no migration is due. With `data` also the
   * rows of all tenants, or of those selected, that the migration would break on.
   *
   * @throws {@link TenancyError} TENANT_PENDING if the specimen is not at head; CONFIG_INVALID without models.
   */
  async check(request: CheckRequest = {}): Promise<CheckReport> {
    return (await this.#rooms.comparison()).check(request)
  }

  /**
   * Which tenants are not what the specimen is, or was at their revision: for that the migrations are run again in a
   * scratch schema, in a transaction that is rolled back. What is wrong with one tenant is in its entry of the report.
   *
   * @throws {@link TenancyError} SCHEMA_MISSING for the specimen's.
   */
  async drift(request: DriftRequest = {}): Promise<DriftReport> {
    return (await this.#rooms.comparison()).drift(request)
  }

  /**
   * Writes the migration that brings a tenant like the specimen to the models, if one is due, once it has been tried
   * out on a copy, up and down.
   *
   * @throws {@link TenancyError} what `check` throws; RENAME_UNDECIDED, HAZARD_REFUSED, VERIFICATION_FAILED.
   *
   * @example
   * ```ts
   * const tenancy = createTenancy({ sequelize }) // on which the models are defined
   * await tenancy.provision({ id: 'acme' })
   * const { file } = await tenancy.autogenerate({ message: 'add avatar', specimen: 'acme' })
   * ```
   */
  async autogenerate(request: AutogenerateRequest): Promise<AutogenerateReport> {
    return (await this.#rooms.comparison()).autogenerate(request)
  }

  /** A real Umzug for the tenant: each command opens its own connection, and `up` and `down` hold the lock. */
  umzug(tenant: string): Umzug<MigrationContext> {
    return this.#rooms.runs.umzug(() => this.find({ id: checkId(tenant) }))
  }

  // ---------------------------------------------------------------------------------------------- operations

  /**
   * Runs a program once for each tenant, with `UMZUG_TENANT`, `UMZUG_TENANT_SCHEMA`, and `PGOPTIONS` that make bare
   * names mean the tenant's schema.
   *
   * @throws {@link TenancyError} TENANT_UNKNOWN, PROGRAM_NOT_STARTED.
   *
   * @example
   * ```ts
   * await tenancy.provision({ id: 'acme' })
   * const { succeeded } = await tenancy.exec({ all: true, command: ['node', '--version'] })
   * ```
   */
  async exec(options: FleetSelection & FleetLimits & ExecOptions): Promise<ExecReport> {
    return (await this.#rooms.operations()).exec(options)
  }

  /**
   * Looks at server, connections, roles, schemas and tenants, and says what is not as it should be. A constant number
   * of queries, however many tenants there are. Writes nothing.
   *
   * @throws {@link TenancyError} DATABASE_UNREACHABLE, DATABASE_REFUSED.
   *
   * @example
   * ```ts
   * const { findings } = await tenancy.doctor()
   * for (const { level, title, fix } of findings) if (level !== 'ok') console.log(title, fix)
   * ```
   */
  async doctor(): Promise<DoctorReport> {
    return (await this.#rooms.operations()).doctor()
  }

  /** Who holds, or waits for, the lock under which a tenant or the shared schema is migrated. */
  async locks(): Promise<readonly MigrationLock[]> {
    return (await this.#rooms.operations()).locks()
  }

  /**
   * Ends the server process that holds or waits for a migration lock; what it has not committed is rolled back.
   *
   * @throws {@link TenancyError} LOCK_NOT_HELD if it does neither.
   */
  async endLockHolder({ pid }: { readonly pid: number }): Promise<MigrationLock> {
    return (await this.#rooms.operations()).endLockHolder(pid)
  }
}
