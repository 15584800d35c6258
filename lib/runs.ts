/** Runs migrations and seed files: on which tenants, over which sessions, and what is reported of them. */
import type { Umzug } from 'umzug'

import { schemasAtHead } from './at-head.ts'
import type { Database } from './database.ts'
import { explainingDatabaseErrors } from './database-errors.ts'
import { runFleet, type FleetOutcome } from './fleet.ts'
import type { Folders } from './folders.ts'
import { isStopped, notBegun, whileListening, type Interruption } from './interruption.ts'
import type { MigrationContext } from './migrations/context.ts'
import type { MigrationFile } from './migrations/files.ts'
import type { Allowances } from './migrations/integrity.ts'
import { migrate, withPlace } from './migrations/migrator.ts'
import type { MigratorOptions, RunReport, RunRequest } from './migrations/run.ts'
import type { MigrationSession } from './migrations/session.ts'
import { subjectOf, type Subject } from './migrations/subject.ts'
import { TenantUmzug } from './migrations/umzug.ts'
import { scriptOf } from './offline.ts'
import { checkConcurrency, checkMaxFailures } from './options.ts'
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
import { isOne, type FleetSelection, type Selection } from './selection.ts'
import { sequelizeMeta } from './storage/sequelize-meta.ts'
import type { VersionStorage } from './storage/storage.ts'
import type { Tenant } from './tenant.ts'
import type { Tenants } from './tenants.ts'

/** When a fleet's run ends before its last tenant. What it leaves, the same call does later. */
export interface FleetLimits {
  /**
   * Whether no tenant is begun after the first that fails: `maxFailures: 1`.
   * @defaultValue `false`
   */
  readonly failFast?: boolean
  /**
   * Failures after which no tenant is begun; those that are running go on to their end.
   * @defaultValue none
   */
  readonly maxFailures?: number
}

export interface UpOptions extends Interruption {
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

/** Options of `up` for a fleet. */
export interface FleetUpOptions extends FleetLimits {
  /**
   * Reads every tenant's version table. Else a tenant that the ledger knows at head is left out of the run: what
   * another tool has reverted meanwhile goes unseen.
   * @defaultValue `false`
   */
  readonly verify?: boolean
}

/** Options of `seed`. */
export interface SeedOptions extends Interruption {
  /** Values for `context.x` of the seed files. */
  readonly x?: Readonly<Record<string, string>>
}

export interface DownOptions extends Interruption {
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

  async up(options: Selection & UpOptions & FleetUpOptions): Promise<TenantUpReport | FleetUpReport> {
    const { to, step, x, allow, signal, cancelSignal } = options
    const request: RunRequest = { direction: 'up', to, step, x, allow, signal, cancelSignal }
    if (isOne(options)) {
      const subject = await this.#tenants.subject(options)
      return upReport(await this.#runOne({ subject, request, files: await this.#filesOf(subject) }))
    }
    const work = { request, files: await this.#folders.migrations() }
    const goesToHead = to === undefined && step === undefined && options.verify !== true
    return fleetUpReport(await this.#observed(work, () => this.#runMany(options, work, goesToHead)))
  }

  async down(options: Selection & DownOptions & FleetLimits): Promise<TenantDownReport | FleetDownReport> {
    const { to, step, backTo, x, allow, signal, cancelSignal } = options
    const request: RunRequest = { direction: 'down', to, step, backTo, x, allow, signal, cancelSignal }
    if (isOne(options)) {
      const subject = await this.#tenants.subject(options)
      return downReport(await this.#runOne({ subject, request, files: await this.#filesOf(subject) }))
    }
    const work = { request, files: await this.#folders.migrations() }
    return fleetDownReport(await this.#observed(work, () => this.#runMany(options, work)))
  }

  async seed(
    options: (FleetSelection | { readonly tenant: string }) & SeedOptions & FleetLimits,
  ): Promise<TenantUpReport | FleetUpReport> {
    const { x, signal, cancelSignal } = options
    const work = {
      request: { direction: 'up', x, signal, cancelSignal } as const,
      files: await this.#folders.seeds(),
      storage: sequelizeMeta('SequelizeData'),
      ledger: false,
    }
    if (!isOne(options)) return fleetUpReport(await this.#runMany(options, work))
    return upReport(await this.#runOne({ ...work, subject: await this.#tenants.subject(options) }))
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

  /** Brings `tenant` to the last of `files` for a request that waits, over a session of its own. */
  async upgrade(tenant: Tenant, files: readonly MigrationFile[]): Promise<RunReport> {
    const request: RunRequest = { direction: 'up', inRequest: true }
    return this.#database.withSession((session) =>
      migrate(session, subjectOf(tenant), files, request, this.#options),
    )
  }

  async upgradeOn(session: MigrationSession, tenant: Tenant): Promise<RunReport> {
    const files = await this.#folders.migrations()
    return migrate(session, subjectOf(tenant), files, { direction: 'up' }, this.#options)
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

  #filesOf({ tenant }: Subject): Promise<readonly MigrationFile[]> {
    return this.#folders.migrationsOf(tenant)
  }

  /** @throws {@link TenancyError} RUN_NOT_BEGUN if the request is stopped already. */
  async #runOne({ subject, ...work }: Work & { readonly subject: Subject }): Promise<RunReport> {
    if (isStopped(work.request)) throw notBegun(subject)
    return explainingDatabaseErrors(() =>
      this.#withSession(work.request, (session) => this.#migrate(session, subject, work)),
    )
  }

  /** With `skipsHead`, tenants that the ledger knows at head are not run. */
  async #runMany(
    selection: FleetSelection & FleetLimits,
    work: Work,
    skipsHead = false,
  ): Promise<FleetOutcome> {
    const concurrency = checkConcurrency(selection.concurrency, this.#options.concurrency)
    const maxFailures = checkMaxFailures(selection)
    const tenants = await this.#tenants.select(selection)
    const isIdle = skipsHead && tenants.length > 0 ? await this.#atHead(work) : undefined
    return runFleet(tenants, {
      ...work.request,
      concurrency,
      maxFailures,
      isIdle,
      withSession: (fn) => this.#withSession(work.request, fn),
      run: (session, tenant) => this.#migrate(session, subjectOf(tenant), work),
      onProgress: (counts) => this.#options.events.emit('fleet:progress', counts),
    })
  }

  /** A function that tells of a tenant whether the ledger knows it at head. */
  async #atHead({ files, request }: Work): Promise<((tenant: Tenant) => boolean) | undefined> {
    if (isStopped(request)) return undefined
    const schemas = await explainingDatabaseErrors(() =>
      this.#database.withSession((session) => schemasAtHead(session, files)),
    )
    return ({ schema }) => schemas.has(schema)
  }

  #observed<T>({ request }: Work, fn: () => Promise<T>): Promise<T> {
    return this.#options.events.observing({ name: 'fleet', direction: request.direction }, fn)
  }

  #migrate(
    session: MigrationSession,
    subject: Subject,
    { files, request, ...own }: Work,
  ): Promise<RunReport> {
    return migrate(session, subject, files, request, { ...this.#options, ...own })
  }

  /** A session whose migrations are cancelled when `request` says so. */
  #withSession<T>({ cancelSignal }: Interruption, fn: (session: MigrationSession) => Promise<T>): Promise<T> {
    return this.#database.withSession((session) =>
      whileListening(
        cancelSignal,
        () => void session.cancel(),
        () => fn(session),
      ),
    )
  }
}

/** What is run on a tenant; storage and ledger are the tenancy's own unless it says otherwise. */
interface Work {
  readonly files: readonly MigrationFile[]
  readonly request: RunRequest
  readonly storage?: VersionStorage
  readonly ledger?: boolean
}
