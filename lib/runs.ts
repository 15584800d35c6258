/** Runs migrations and seed files: on which tenants, over which sessions, and what is reported of them. */
import type { Umzug } from 'umzug'

import type { Database } from './database.ts'
import { explainingDatabaseErrors } from './database-errors.ts'
import { runFleet, type FleetResult } from './fleet.ts'
import type { Folders } from './folders.ts'
import type { MigrationContext } from './migrations/context.ts'
import type { Allowances } from './migrations/integrity.ts'
import { migrate, withPlace } from './migrations/migrator.ts'
import type { MigratorOptions, RunReport, RunRequest } from './migrations/run.ts'
import type { MigrationSession } from './migrations/session.ts'
import { subjectOf } from './migrations/subject.ts'
import { TenantUmzug } from './migrations/umzug.ts'
import { onEach, type Act, type FleetOf } from './on-each.ts'
import { checkConcurrency } from './options.ts'
import { redo, type RedoReport } from './redo.ts'
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
import { sequelizeMeta } from './storage/sequelize-meta.ts'
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

/** Which migrations `redo` reverts and applies again. */
export type RedoOptions = Omit<DownOptions, 'backTo'>

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
    if (isOne(options)) return upReport(await this.#runOne(options, request))
    return fleetUpReport(await this.#runMany(options, request))
  }

  async down(options: Selection & DownOptions): Promise<TenantDownReport | FleetDownReport> {
    const { to, step, backTo, x, allow } = options
    const request: RunRequest = { direction: 'down', to, step, backTo, x, allow }
    if (isOne(options)) return downReport(await this.#runOne(options, request))
    return fleetDownReport(await this.#runMany(options, request))
  }

  redo(options: Selection & RedoOptions): Promise<RedoReport | FleetOf<RedoReport>> {
    const { to, step, x, allow } = options
    const act: Act<RedoReport> = {
      nothing: { reverted: [], applied: [], durationMs: 0 },
      run: async (session, subject) => {
        const files = await this.#folders.migrationsOf(subject.tenant)
        return redo(session, subject, files, { to, step, x, allow }, this.#options)
      },
      changed: ({ reverted }) => reverted,
    }
    const { concurrency } = this.#options
    return onEach(options, act, { database: this.#database, tenants: this.#tenants, concurrency })
  }

  /** Brings `tenant` to head over a session of its own. */
  async upgrade(tenant: Tenant): Promise<RunReport> {
    return this.#database.withSession((session) => this.upgradeOn(session, tenant))
  }

  async upgradeOn(session: MigrationSession, tenant: Tenant): Promise<RunReport> {
    const files = await this.#folders.migrations()
    return migrate(session, subjectOf(tenant), files, { direction: 'up' }, this.#options)
  }

  async seed(tenant: Tenant): Promise<TenantUpReport> {
    const files = await this.#folders.seeds()
    const options = { ...this.#options, storage: sequelizeMeta('SequelizeData'), ledger: false }
    return upReport(
      await this.#database.withSession((session) =>
        migrate(session, subjectOf(tenant), files, { direction: 'up' }, options),
      ),
    )
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

  async #runOne(selection: OneSelection, request: RunRequest): Promise<RunReport> {
    const subject = await this.#tenants.subject(selection)
    const files = await this.#folders.migrationsOf(subject.tenant)
    return explainingDatabaseErrors(() =>
      this.#database.withSession((session) => migrate(session, subject, files, request, this.#options)),
    )
  }

  async #runMany(selection: FleetSelection, request: RunRequest): Promise<readonly FleetResult[]> {
    const tenants = await this.#tenants.select(selection)
    const files = await this.#folders.migrations()
    return runFleet(tenants, {
      concurrency: checkConcurrency(selection.concurrency, this.#options.concurrency),
      withSession: (fn) => this.#database.withSession(fn),
      run: (session, tenant) => migrate(session, subjectOf(tenant), files, request, this.#options),
    })
  }
}
