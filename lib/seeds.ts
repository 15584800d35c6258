/** Seed files: applied, reverted and shown. They are recorded apart and never in the ledger: they may change and go. */
import { explainingDatabaseErrors } from './database-errors.ts'
import { TenancyError } from './errors.ts'
import type { Folders } from './folders.ts'
import type { Interruption } from './interruption.ts'
import { readHistory, schemaExists } from './migrations/history.ts'
import { migrate } from './migrations/migrator.ts'
import type { MigratorOptions, RunRequest } from './migrations/run.ts'
import { onEach, type Act, type FleetLimits, type Place } from './on-each.ts'
import { planMany, type FleetPlanReport } from './plans.ts'
import {
  downReport,
  upReport,
  type FleetDownReport,
  type FleetUpReport,
  type TenantDownReport,
  type TenantUpReport,
} from './reports.ts'
import { orAll, type FleetSelection } from './selection.ts'
import { describeStatus, type TenantStatus } from './status.ts'
import { seedStorage } from './storage/sequelize-meta.ts'

/** One tenant by id, or many; seed files are never for the shared schema. */
export type SeedSelection = { readonly tenant: string } | FleetSelection

/** Options of `seed`. */
export interface SeedOptions extends Interruption {
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

export interface SeedsOptions extends MigratorOptions, Place {
  readonly folders: Folders
}

export class Seeds {
  readonly #options: SeedsOptions

  constructor(options: SeedsOptions) {
    this.#options = { ...options, storage: seedStorage(), ledger: false }
  }

  async seed(
    options: SeedSelection & SeedOptions & FleetLimits,
  ): Promise<TenantUpReport | FleetUpReport | TenantDownReport | FleetDownReport> {
    const { direction = 'up', to, step, only, x, signal, cancelSignal } = options
    if ('shared' in options)
      throw new TenancyError('USAGE', 'Seed files are for tenants.', { fix: ['select tenants'] })
    const request: RunRequest = { direction, to, step, only, x, signal, cancelSignal }
    return direction === 'up'
      ? onEach(options, this.#up(request), this.#options)
      : onEach(options, this.#down(request), this.#options)
  }

  /** What {@link seed} would apply or revert. */
  async plan(options: FleetSelection & SeedOptions): Promise<readonly FleetPlanReport[]> {
    const { direction = 'up', to, step, only } = options
    const { database, tenants, folders } = this.#options
    const work = { files: await folders.seeds(), request: { direction, to, step, only } }
    return explainingDatabaseErrors(async () =>
      planMany(database.runner, await tenants.select(options), work, this.#options),
    )
  }

  /** Which seed files each tenant has had, by what is recorded in its schema. */
  async status(options: Partial<FleetSelection>): Promise<readonly TenantStatus[]> {
    const { database, tenants, folders, storage } = this.#options
    const { runner } = database
    const files = await folders.seeds()
    const names = files.map(({ name }) => name)
    return explainingDatabaseErrors(async () => {
      const statuses: TenantStatus[] = []
      for (const { id, schema } of await tenants.select(orAll(options))) {
        const exists = await schemaExists(runner, schema)
        const history = exists ? await readHistory(runner, schema, files, storage) : undefined
        statuses.push(describeStatus({ id, schema, names, history, entry: undefined }))
      }
      return statuses
    })
  }

  #up(request: RunRequest): Act<TenantUpReport> {
    return {
      files: () => this.#options.folders.seeds(),
      run: async (session, subject, files) =>
        upReport(await migrate(session, subject, files, request, this.#options)),
      isUnchanged: ({ applied }) => applied.length === 0,
      reportOf: ({ id, schema }, { committed }) => ({ id, schema, applied: committed, durationMs: 0 }),
    }
  }

  #down(request: RunRequest): Act<TenantDownReport> {
    return {
      files: () => this.#options.folders.seeds(),
      run: async (session, subject, files) =>
        downReport(await migrate(session, subject, files, request, this.#options)),
      isUnchanged: ({ reverted }) => reverted.length === 0,
      reportOf: ({ id, schema }, { committed }) => ({ id, schema, reverted: committed, durationMs: 0 }),
    }
  }
}
