/** Changes what is recorded of schemas, and runs nothing: stamp, repair, and the acceptance of changed files. */
import { explainingDatabaseErrors } from './database-errors.ts'
import type { Folders } from './folders.ts'
import type { Interruption } from './interruption.ts'
import type { StampTarget } from './migrations/stamp.ts'
import { onEach, type FleetLimits, type Place } from './on-each.ts'
import { rehashFiles, repairTenant, type RehashReport, type RepairReport, type Settlement } from './repair.ts'
import type { FleetOf } from './reports.ts'
import type { Selection } from './selection.ts'
import { planStamp, stampSchema, type StampReport } from './stamp.ts'
import type { VersionStorage } from './storage/storage.ts'
import type { Tenant } from './tenant.ts'

/** What `stamp` takes beside a selection. */
export interface StampRequest extends Interruption {
  /**
   * Where the schema is to stand: a file name, with or without extension, a revision id, `'head'`, or 0 for before the
   * first migration.
   */
  readonly to: StampTarget
  /**
   * Whether to say what would change, and change nothing.
   * @defaultValue `false`
   */
  readonly dryRun?: boolean
}

export type FleetStampReport = FleetOf<StampReport>
export type FleetRehashReport = FleetOf<RehashReport>

export interface RecordsOptions extends Place {
  readonly folders: Folders
  readonly storage: VersionStorage
  readonly lockWaitMs: number
}

export class Records {
  readonly #options: RecordsOptions

  constructor(options: RecordsOptions) {
    this.#options = options
  }

  stamp(options: Selection & StampRequest & FleetLimits): Promise<StampReport | FleetStampReport> {
    const { to, dryRun = false, signal, cancelSignal } = options
    const write = dryRun ? planStamp : stampSchema
    return onEach<StampReport>(
      options,
      {
        files: (isShared) => this.#options.folders.migrationsOf(isShared),
        run: (session, subject, files) =>
          write(session, subject, { ...this.#options, signal, cancelSignal, to, files }),
        isUnchanged: ({ recorded, forgotten }) => recorded.length + forgotten.length === 0,
        reportOf: ({ id, schema }) => ({ id, schema, recorded: [], forgotten: [] }),
      },
      this.#options,
    )
  }

  rehash(options: Selection & Interruption & FleetLimits): Promise<RehashReport | FleetRehashReport> {
    const { signal, cancelSignal } = options
    return onEach<RehashReport>(
      options,
      {
        files: (isShared) => this.#options.folders.migrationsOf(isShared),
        run: (session, subject, files) =>
          rehashFiles(session, subject, { ...this.#options, signal, cancelSignal, files }),
        isUnchanged: ({ accepted }) => accepted.length === 0,
        reportOf: ({ id, schema }) => ({ id, schema, accepted: [] }),
      },
      this.#options,
    )
  }

  /** Settles an interrupted migration of `tenant`. */
  async repair(tenant: Tenant, as: Settlement): Promise<RepairReport> {
    const { database, folders, storage, lockWaitMs } = this.#options
    const files = await folders.migrations()
    return explainingDatabaseErrors(() =>
      database.withSession((session) => repairTenant(session, tenant, { as, files, storage, lockWaitMs })),
    )
  }
}
