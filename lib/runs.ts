/** Up, down, seed, status and plan: which tenants, over which sessions, and what is reported of them. */
import type { Umzug } from 'umzug'

import type { Database } from './database.ts'
import { explainingDatabaseErrors } from './database-errors.ts'
import { TenancyError, type ErrorDocument } from './errors.ts'
import type { Events } from './events.ts'
import { runFleet, type FleetResult } from './fleet.ts'
import { findInLedger, readLedger, type LedgerEntry } from './ledger.ts'
import type { MigrationContext } from './migrations/context.ts'
import { findMigrations, type MigrationFile } from './migrations/files.ts'
import { migrate, withPlace } from './migrations/migrator.ts'
import type { MigratorOptions, RunReport, RunRequest } from './migrations/run.ts'
import { schemaExists } from './migrations/history.ts'
import { approve } from './migrations/approval.ts'
import { readHistory } from './migrations/history.ts'
import type { Allowances } from './migrations/integrity.ts'
import type { PlanRequest } from './migrations/plan.ts'
import type { MigrationSession } from './migrations/session.ts'
import { subjectOf, type Subject } from './migrations/subject.ts'
import { TenantUmzug } from './migrations/umzug.ts'
import { checkConcurrency, type ResolvedOptions } from './options.ts'
import type { Registry, TenantQuery } from './registry.ts'
import { repairTenant, type RepairReport, type Settlement } from './repair.ts'
import { describeStatus, KnownHistories, type TenantStatus } from './status.ts'
import { sequelizeMeta } from './storage/sequelize-meta.ts'
import { checkId, type Tenant } from './tenant.ts'

/** One tenant by id, or the shared schema. */
export type OneSelection = { readonly tenant: string } | { readonly shared: true }

/** Many tenants: all, those named, or those whose id matches a pattern with `*` and `?`. */
export type FleetSelection = (
  { readonly all: true } | { readonly tenants: readonly string[] } | { readonly match: string }
) & {
  /** Tenants at once. @defaultValue the configuration's */
  readonly concurrency?: number
}

type Selection = OneSelection | FleetSelection

export interface UpOptions {
  /** The last migration to run: a file name, with or without extension, or a revision id. */
  readonly to?: string
  /** How many at most. */
  readonly step?: number
  /** Values for `context.x` of migrations. */
  readonly x?: Readonly<Record<string, string>>
  /**
   * Violations of the set of files that are let through.
   * @defaultValue the configuration's
   */
  readonly allow?: Allowances
}

export interface DownOptions {
  /** The last migration to revert, that one included; 0 reverts all. */
  readonly to?: string | 0
  /** How many. @defaultValue 1 */
  readonly step?: number
  /** The migration to arrive at, which stays. */
  readonly backTo?: string
  readonly x?: Readonly<Record<string, string>>
  /**
   * What is let through; of a run down only `missing` matters: it passes over what has no file.
   * @defaultValue the configuration's
   */
  readonly allow?: Allowances
}

interface TenantReport {
  readonly id: string
  readonly schema: string
  readonly durationMs: number
}

export interface TenantUpReport extends TenantReport {
  readonly applied: readonly string[]
}

export interface TenantDownReport extends TenantReport {
  readonly reverted: readonly string[]
}

interface FleetCounts {
  /** Tenants on which something was run. */
  readonly succeeded: number
  /** Tenants that had nothing to run. */
  readonly unchanged: number
  readonly failed: number
  readonly notRun: number
}

export interface FleetUpReport extends FleetCounts {
  readonly tenants: readonly (TenantUpReport & { readonly error?: ErrorDocument })[]
}

export interface FleetDownReport extends FleetCounts {
  readonly tenants: readonly (TenantDownReport & { readonly error?: ErrorDocument })[]
}

/** What the shared schema is called where a tenant has its id. */
const SHARED_ID = 'shared'

export class Runs {
  readonly #options: ResolvedOptions
  readonly #database: Database
  readonly #registry: Registry
  readonly #find: (query: TenantQuery) => Promise<Tenant>
  readonly #migrator: MigratorOptions
  /** The tenants' migrations as this process serves them; a command reads the folder again. */
  #served: Promise<{ files: readonly MigrationFile[]; known: KnownHistories }> | undefined

  constructor(
    options: ResolvedOptions,
    database: Database,
    registry: Registry,
    events: Events,
    find: (query: TenantQuery) => Promise<Tenant>,
  ) {
    this.#options = options
    this.#database = database
    this.#registry = registry
    this.#find = find
    const { storage, transaction, lockWaitMs, searchPath, allow, guard } = options
    this.#migrator = { storage, transaction, lockWaitMs, searchPath, allow, guard, events, ledger: true }
  }

  async all(): Promise<readonly Tenant[]> {
    const tenants = await explainingDatabaseErrors(() => this.#registry.list())
    return tenants.toSorted((a, b) => (a.id < b.id ? -1 : 1))
  }

  async up(options: Selection & UpOptions): Promise<TenantUpReport | FleetUpReport> {
    const { to, step, x, allow } = options
    const request: RunRequest = { direction: 'up', to, step, x, allow }
    if (isOne(options)) return upReport(await this.#runOne(options, request))
    const results = await this.#runMany(options, request)
    return {
      tenants: results.map((result) => ({ ...reportOf(result), applied: migrationsOf(result) })),
      ...count(results),
    }
  }

  async down(options: Selection & DownOptions): Promise<TenantDownReport | FleetDownReport> {
    const { to, step, backTo, x, allow } = options
    const request: RunRequest = { direction: 'down', to, step, backTo, x, allow }
    if (isOne(options)) {
      const { migrations, ...report } = await this.#runOne(options, request)
      return { ...report, reverted: migrations }
    }
    const results = await this.#runMany(options, request)
    return {
      tenants: results.map((result) => ({ ...reportOf(result), reverted: migrationsOf(result) })),
      ...count(results),
    }
  }

  /** Brings `tenant` to head over a session of its own. */
  async upgrade(tenant: Tenant): Promise<RunReport> {
    return this.#database.withSession((session) => this.upgradeOn(session, tenant))
  }

  async upgradeOn(session: MigrationSession, tenant: Tenant): Promise<RunReport> {
    return migrate(session, subjectOf(tenant), await this.#files(), { direction: 'up' }, this.#migrator)
  }

  async seed(tenant: Tenant): Promise<TenantUpReport> {
    const files = await findMigrations(this.#options.seeders, this.#options.baseDir)
    const options = { ...this.#migrator, storage: sequelizeMeta('SequelizeData'), ledger: false }
    return upReport(
      await this.#database.withSession((session) =>
        migrate(session, subjectOf(tenant), files, { direction: 'up' }, options),
      ),
    )
  }

  async plan(
    options: OneSelection & PlanRequest & Pick<UpOptions, 'allow'>,
  ): Promise<{ id: string; schema: string; migrations: readonly string[] }> {
    const subject = await this.#subject(options)
    const { id, schema, tenant } = subject
    const files = await this.#filesOf(tenant)
    return explainingDatabaseErrors(async () => {
      const { to, step, allow } = options
      const request = { direction: 'up', to, step, allow } as const
      const { names } = await approve(this.#database.runner, { subject, files, request }, this.#migrator)
      return { id, schema, migrations: names }
    })
  }

  async status(
    options: OneSelection | (Partial<FleetSelection> & { readonly verify?: boolean }),
  ): Promise<TenantStatus | readonly TenantStatus[]> {
    return explainingDatabaseErrors(async () => {
      if (isOne(options)) return this.#read(await this.#subject(options), undefined)
      const tenants = await this.#tenants(hasSelection(options) ? options : { all: true })
      return this.#statuses(tenants, options.verify ?? false)
    })
  }

  /** Settles an interrupted migration of `tenant`. */
  async repair(tenant: Tenant, as: Settlement): Promise<RepairReport> {
    const files = await this.#files()
    const { storage, lockWaitMs } = this.#options
    return explainingDatabaseErrors(() =>
      this.#database.withSession((session) =>
        repairTenant(session, tenant, { as, files, storage, lockWaitMs }),
      ),
    )
  }

  umzug(find: () => Promise<Tenant>): Umzug<MigrationContext> {
    const { storage } = this.#options
    return new TenantUmzug({ files: () => this.#files(), storage }, async (command, fn) => {
      const subject = subjectOf(await find())
      const files = await this.#files()
      return this.#database.withSession((session) =>
        withPlace(session, subject, files, command, this.#migrator, fn),
      )
    })
  }

  /** Whether `tenant` lacks none of the migrations this process serves. */
  async isCurrent(tenant: Tenant): Promise<boolean> {
    this.#served ??= this.#files().then((files) => ({
      files,
      known: new KnownHistories(files.map(({ name }) => name)),
    }))
    const { files, known } = await this.#served
    const entry = await findInLedger(this.#database.runner, 'schema', tenant.schema)
    if (entry?.fingerprint === known.head) return true
    // A newer release may have run more than this one knows.
    if (!(await schemaExists(this.#database.runner, tenant.schema))) return false
    const history = await readHistory(this.#database.runner, tenant.schema, files, this.#options.storage)
    return history.pending.length === 0 && files.length > 0
  }

  invalidate(): void {
    this.#served = undefined
  }

  async #runOne(selection: OneSelection, request: RunRequest): Promise<RunReport> {
    const subject = await this.#subject(selection)
    const files = await this.#filesOf(subject.tenant)
    return explainingDatabaseErrors(() =>
      this.#database.withSession((session) => migrate(session, subject, files, request, this.#migrator)),
    )
  }

  async #runMany(selection: FleetSelection, request: RunRequest): Promise<readonly FleetResult[]> {
    const tenants = await this.#tenants(selection)
    const files = await this.#files()
    return runFleet(tenants, {
      concurrency: checkConcurrency(selection.concurrency, this.#options.concurrency),
      withSession: (fn) => this.#database.withSession(fn),
      run: (session, tenant) => migrate(session, subjectOf(tenant), files, request, this.#migrator),
    })
  }

  async #tenants(selection: FleetSelection): Promise<readonly Tenant[]> {
    if ('tenants' in selection) {
      const ids = [...new Set(selection.tenants)]
      return Promise.all(ids.map((id) => this.#find({ id: checkId(id) })))
    }
    const tenants = await this.all()
    if (!('match' in selection)) return tenants
    const pattern = patternOf(selection.match)
    return tenants.filter(({ id }) => pattern.test(id))
  }

  async #subject(selection: OneSelection): Promise<Subject> {
    if ('tenant' in selection) return subjectOf(await this.#find({ id: checkId(selection.tenant) }))
    return { id: SHARED_ID, schema: this.#options.sharedSchema, tenant: undefined }
  }

  #files(): Promise<readonly MigrationFile[]> {
    return findMigrations(this.#options.migrations, this.#options.baseDir)
  }

  #filesOf(tenant: Tenant | undefined): Promise<readonly MigrationFile[]> {
    return tenant === undefined
      ? findMigrations(this.#options.sharedMigrations, this.#options.baseDir)
      : this.#files()
  }

  /** What the ledger cannot tell, the version tables do. */
  async #statuses(tenants: readonly Tenant[], verify: boolean): Promise<readonly TenantStatus[]> {
    const names = (await this.#files()).map(({ name }) => name)
    const known = new KnownHistories(names)
    const entries = new Map((await readLedger(this.#database.runner)).map((entry) => [entry.schema, entry]))
    const statuses: TenantStatus[] = []
    for (const { id, schema } of tenants) {
      const entry = entries.get(schema)
      const history = verify ? undefined : known.find(entry?.fingerprint ?? null)
      statuses.push(
        history === undefined
          ? await this.#read({ id, schema, tenant: { id, schema } }, entry)
          : describeStatus({ id, schema, names, history, entry }),
      )
    }
    return statuses
  }

  async #read({ id, schema, tenant }: Subject, entry: LedgerEntry | undefined): Promise<TenantStatus> {
    const { runner } = this.#database
    const files = await this.#filesOf(tenant)
    const exists = await schemaExists(runner, schema)
    return describeStatus({
      id,
      schema,
      names: files.map(({ name }) => name),
      history: exists ? await readHistory(runner, schema, files, this.#options.storage) : undefined,
      entry: entry ?? (tenant && (await findInLedger(runner, 'schema', schema))),
    })
  }
}

function isOne(selection: object): selection is OneSelection {
  return 'tenant' in selection || 'shared' in selection
}

function hasSelection(selection: object): selection is FleetSelection {
  return 'all' in selection || 'tenants' in selection || 'match' in selection
}

/** A pattern of `*` and `?` over whole ids. */
function patternOf(match: string): RegExp {
  if (match === '')
    throw new TenancyError('USAGE', 'An empty pattern matches no tenant.', { fix: ["use e.g. 'acme*'"] })
  const escaped = match
    .replace(/[\\^$.|+()[\]{}]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${escaped}$`, 'u')
}

function upReport({ migrations, ...report }: RunReport): TenantUpReport {
  return { ...report, applied: migrations }
}

function migrationsOf(result: FleetResult): readonly string[] {
  return 'report' in result ? result.report.migrations : result.migrations
}

function reportOf(result: FleetResult): TenantReport & { readonly error?: ErrorDocument } {
  const { id, schema } = result.tenant
  if ('error' in result) return { id, schema, durationMs: 0, error: result.error }
  return { id, schema, durationMs: result.report.durationMs }
}

function count(results: readonly FleetResult[]): FleetCounts {
  const failed = results.filter((result) => 'error' in result).length
  const unchanged = results.filter(
    (result) => 'report' in result && result.report.migrations.length === 0,
  ).length
  return { succeeded: results.length - failed - unchanged, unchanged, failed, notRun: 0 }
}
