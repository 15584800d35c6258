/** Runs migrations and seed files: on which tenants, over which sessions, and what is reported of them. */
import type { Umzug } from 'umzug'

import type { Database } from './database.ts'
import { explainingDatabaseErrors } from './database-errors.ts'
import { TenancyError } from './errors.ts'
import { runFleet, type FleetResult } from './fleet.ts'
import type { Folders } from './folders.ts'
import type { MigrationContext } from './migrations/context.ts'
import type { MigrationFile } from './migrations/files.ts'
import type { Allowances } from './migrations/integrity.ts'
import { migrate, withPlace } from './migrations/migrator.ts'
import type { MigratorOptions, RunReport, RunRequest } from './migrations/run.ts'
import type { MigrationSession } from './migrations/session.ts'
import { subjectOf } from './migrations/subject.ts'
import { TenantUmzug } from './migrations/umzug.ts'
import { checkConcurrency } from './options.ts'
import { scriptOf } from './offline.ts'
import { repairTenant, type RepairReport, type Settlement } from './repair.ts'
import {
  downReport,
  fleetDownReport,
  fleetUpReport,
  upReport,
  type FleetDownReport,
  type FleetUpReport,
  type TenantDownReport,
  type TenantUpReport,
} from './reports.ts'
import { isOne, type FleetSelection, type OneSelection, type Selection } from './selection.ts'
import { seedStorage } from './storage/sequelize-meta.ts'
import type { Tenant } from './tenant.ts'
import type { Tenants } from './tenants.ts'

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

/** One tenant by id, or many; seed files are never for the shared schema. */
export type SeedSelection = { readonly tenant: string } | FleetSelection

export interface SeedOptions {
  /**
   * `'down'` reverts seed files, which have to say how.
   * @defaultValue `'up'`
   */
  readonly direction?: 'up' | 'down'
  /** The last seed file to apply or to revert, that one included; `down` to 0 reverts all. */
  readonly to?: string | 0
  /** How many. @defaultValue all of them up, 1 down */
  readonly step?: number
  /** These files alone, by name. */
  readonly only?: readonly string[]
  /** Values for `context.x`. */
  readonly x?: Readonly<Record<string, string>>
}

export type SeedUp = SeedOptions & { readonly direction?: 'up'; readonly to?: string }
export type SeedDown = SeedOptions & { readonly direction: 'down' }

/** What `tenancy.sql` takes beside the selection. */
export type ScriptOptions = DownOptions & {
  /** @defaultValue `'up'` */
  readonly direction?: 'up' | 'down'
}

export interface RunsOptions extends MigratorOptions {
  /** Tenants at once, unless the call says otherwise. */
  readonly concurrency: number
}

export class Runs {
  readonly #options: RunsOptions
  readonly #database: Database
  readonly #tenants: Tenants
  readonly #folders: Folders

  constructor(options: RunsOptions, database: Database, tenants: Tenants, folders: Folders) {
    this.#options = options
    this.#database = database
    this.#tenants = tenants
    this.#folders = folders
  }

  async up(options: Selection & UpOptions): Promise<TenantUpReport | FleetUpReport> {
    const { to, step, x, allow } = options
    const request: RunRequest = { direction: 'up', to, step, x, allow }
    if (isOne(options)) return upReport(await this.#runOne(options, this.#migrating(request)))
    return fleetUpReport(await this.#runMany(options, this.#migrating(request)))
  }

  async down(options: Selection & DownOptions): Promise<TenantDownReport | FleetDownReport> {
    const { to, step, backTo, x, allow } = options
    const request: RunRequest = { direction: 'down', to, step, backTo, x, allow }
    if (isOne(options)) return downReport(await this.#runOne(options, this.#migrating(request)))
    return fleetDownReport(await this.#runMany(options, this.#migrating(request)))
  }

  /** The script that does what `up` or `down` would do. */
  async sql({ direction = 'up', ...options }: Selection & ScriptOptions): Promise<string> {
    const { to, step, backTo, x, allow } = options
    const run: RunRequest = { direction, to, step, backTo, x, allow }
    const subjects = isOne(options)
      ? [await this.#tenants.subject(options)]
      : (await this.#tenants.select(options)).map(subjectOf)
    const isShared = subjects.some(({ tenant }) => tenant === undefined)
    const files = await (isShared ? this.#folders.migrationsOf(undefined) : this.#folders.migrations())
    return explainingDatabaseErrors(async () =>
      scriptOf(await this.#database.sessionOptions(), { subjects, files, run }, this.#options),
    )
  }

  /** Brings `tenant` to head over a session of its own. */
  async upgrade(tenant: Tenant): Promise<RunReport> {
    return this.#database.withSession((session) => this.upgradeOn(session, tenant))
  }

  async upgradeOn(session: MigrationSession, tenant: Tenant): Promise<RunReport> {
    const files = await this.#folders.migrations()
    return migrate(session, subjectOf(tenant), files, { direction: 'up' }, this.#options)
  }

  /** The same for seed files, which are recorded apart and never in the ledger: they may change and go. */
  async seed(
    options: SeedSelection & SeedOptions,
  ): Promise<TenantUpReport | FleetUpReport | TenantDownReport | FleetDownReport> {
    const { direction = 'up', to, step, only, x } = options
    if ('shared' in options)
      throw new TenancyError('USAGE', 'Seed files are for tenants.', { fix: ['select tenants'] })
    const work: Work = {
      files: () => this.#folders.seeds(),
      request: { direction, to, step, only, x },
      options: { ...this.#options, storage: seedStorage(), ledger: false },
    }
    if (isOne(options)) {
      const report = await this.#runOne(options, work)
      return direction === 'up' ? upReport(report) : downReport(report)
    }
    const results = await this.#runMany(options, work)
    return direction === 'up' ? fleetUpReport(results) : fleetDownReport(results)
  }

  /** Settles an interrupted migration of `tenant`. */
  async repair(tenant: Tenant, as: Settlement): Promise<RepairReport> {
    const files = await this.#folders.migrations()
    const { storage, lockWaitMs } = this.#options
    return explainingDatabaseErrors(() =>
      this.#database.withSession((session) =>
        repairTenant(session, tenant, { as, files, storage, lockWaitMs }),
      ),
    )
  }

  umzug(find: () => Promise<Tenant>): Umzug<MigrationContext> {
    const files = () => this.#folders.migrations()
    return new TenantUmzug({ files, storage: this.#options.storage }, async (command, fn) => {
      const subject = subjectOf(await find())
      const found = await files()
      return this.#database.withSession((session) =>
        withPlace(session, subject, found, command, this.#options, fn),
      )
    })
  }

  #migrating(request: RunRequest): Work {
    return { files: (tenant) => this.#folders.migrationsOf(tenant), request, options: this.#options }
  }

  async #runOne(selection: OneSelection, { files, request, options }: Work): Promise<RunReport> {
    const subject = await this.#tenants.subject(selection)
    const found = await files(subject.tenant)
    return explainingDatabaseErrors(() =>
      this.#database.withSession((session) => migrate(session, subject, found, request, options)),
    )
  }

  async #runMany(
    selection: FleetSelection,
    { files, request, options }: Work,
  ): Promise<readonly FleetResult[]> {
    const tenants = await this.#tenants.select(selection)
    const [first] = tenants
    const found = first === undefined ? [] : await files(first)
    return runFleet(tenants, {
      concurrency: checkConcurrency(selection.concurrency, this.#options.concurrency),
      withSession: (fn) => this.#database.withSession(fn),
      run: (session, tenant) => migrate(session, subjectOf(tenant), found, request, options),
    })
  }
}

/** What is run: which files, how far, and how it is recorded. */
interface Work {
  /** The files of a tenant, the same for all of them, or of the shared schema. */
  readonly files: (tenant: Tenant | undefined) => Promise<readonly MigrationFile[]>
  readonly request: RunRequest
  readonly options: MigratorOptions
}
