/** What those who operate a tenancy ask of it, apart from migrating: programs, locks, an examination. */
import { explainingDatabaseErrors } from './database-errors.ts'
import { examine, type DoctorReport } from './doctor/doctor.ts'
import { execForEach, type ExecOptions, type ExecReport } from './exec/exec.ts'
import type { Folders } from './folders.ts'
import { endLockHolder, readLocks, type MigrationLock } from './locks.ts'
import type { LockOwner } from './migrations/session.ts'
import type { FleetLimits, Place } from './on-each.ts'
import { checkConcurrency, checkMaxFailures, type ResolvedOptions } from './options.ts'
import type { FleetSelection } from './selection.ts'
import type { VersionStorage } from './storage/storage.ts'

export interface OperationsOptions extends Place {
  readonly sharedSchema: string
  readonly searchPath: readonly string[]
  readonly storage: VersionStorage
  readonly migrationUrl: ResolvedOptions['migrationUrl']
  readonly folders: Folders
}

export class Operations {
  readonly #options: OperationsOptions

  constructor(options: OperationsOptions) {
    this.#options = options
  }

  async doctor(): Promise<DoctorReport> {
    const { sharedSchema, searchPath, storage, migrationUrl } = this.#options
    const shared = await this.#options.folders.migrationsOf(true)
    return explainingDatabaseErrors(() =>
      examine({
        sql: this.#options.database.runner,
        withConnection: (fn) => this.#options.database.withConnection(fn),
        withSession: (fn) => this.#options.database.withSession(fn),
        isSeparate: migrationUrl !== undefined,
        tenants: () => this.#options.tenants.all(),
        names: { sharedSchema, searchPath, hasSharedMigrations: shared.length > 0 },
        versionTable: storage.table,
      }),
    )
  }

  async locks(): Promise<readonly MigrationLock[]> {
    const owners = await this.#lockOwners()
    return explainingDatabaseErrors(() => readLocks(this.#options.database.runner, owners))
  }

  async endLockHolder(pid: number): Promise<MigrationLock> {
    const owners = await this.#lockOwners()
    return explainingDatabaseErrors(() => endLockHolder(this.#options.database.runner, owners, pid))
  }

  async #lockOwners(): Promise<readonly LockOwner[]> {
    const { id, schema } = await this.#options.tenants.subject({ shared: true })
    return [...(await this.#options.tenants.all()), { id, schema }]
  }

  async exec(options: FleetSelection & FleetLimits & ExecOptions): Promise<ExecReport> {
    const tenants = await this.#options.tenants.select(options)
    return explainingDatabaseErrors(() =>
      execForEach(tenants, options, {
        sql: this.#options.database.runner,
        searchPath: this.#options.searchPath,
        concurrency: checkConcurrency(options.concurrency, this.#options.concurrency),
        maxFailures: checkMaxFailures(options),
        env: process.env,
      }),
    )
  }
}
