/** Applies seed files, which are recorded apart and never in the ledger: they may change and go. */
import type { Folders } from './folders.ts'
import type { Interruption } from './interruption.ts'
import { migrate } from './migrations/migrator.ts'
import type { MigratorOptions, RunRequest } from './migrations/run.ts'
import { onEach, type FleetLimits, type Place } from './on-each.ts'
import { upReport, type FleetUpReport, type TenantUpReport } from './reports.ts'
import type { FleetSelection } from './selection.ts'
import { sequelizeMeta } from './storage/sequelize-meta.ts'

/** Options of `seed`. */
export interface SeedOptions extends Interruption {
  /** Values for `context.x` of the seed files. */
  readonly x?: Readonly<Record<string, string>>
}

export interface SeedsOptions extends MigratorOptions, Place {
  readonly folders: Folders
}

export class Seeds {
  readonly #options: SeedsOptions

  constructor(options: SeedsOptions) {
    this.#options = { ...options, storage: sequelizeMeta('SequelizeData'), ledger: false }
  }

  seed(
    options: (FleetSelection | { readonly tenant: string }) & SeedOptions & FleetLimits,
  ): Promise<TenantUpReport | FleetUpReport> {
    const { x, signal, cancelSignal } = options
    const request: RunRequest = { direction: 'up', x, signal, cancelSignal }
    return onEach<TenantUpReport>(
      options,
      {
        files: () => this.#options.folders.seeds(),
        run: async (session, subject, files) =>
          upReport(await migrate(session, subject, files, request, this.#options)),
        isUnchanged: ({ applied }) => applied.length === 0,
        reportOf: ({ id, schema }, applied) => ({ id, schema, applied, durationMs: 0 }),
      },
      this.#options,
    )
  }
}
