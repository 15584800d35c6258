/** Reads, and writes nothing: where tenants stand, what they have had, what `up` would run. */
import { readTables, type TableReport } from './contents.ts'
import type { Database } from './database.ts'
import { explainingDatabaseErrors } from './database-errors.ts'
import type { Folders } from './folders.ts'
import { findInLedger, readLastRuns, readLedger, type LedgerEntry } from './ledger.ts'
import type { ApprovalOptions } from './migrations/approval.ts'
import { readHistory, schemaExists } from './migrations/history.ts'
import type { Allowances } from './migrations/integrity.ts'
import type { Direction, PlanRequest, TransactionMode } from './migrations/plan.ts'
import { subjectOf, type Subject } from './migrations/subject.ts'
import { assertOneTransaction } from './shareable.ts'
import { planMany, planOne, type FleetPlanReport, type PlanReport } from './plans.ts'
import { isOne, orAll, type FleetSelection, type OneSelection, type Selection } from './selection.ts'
import { describeHistory, type TenantHistory } from './tenant-history.ts'
import { describeStatus, KnownHistories, type TenantStatus } from './status.ts'
import type { Tenant } from './tenant.ts'
import type { Tenants } from './tenants.ts'

/** Which run is planned: with the options of `up`, or those of `down`. */
export interface PlanOptions extends PlanRequest {
  /** @defaultValue `'up'` */
  readonly direction?: Direction
  readonly allow?: Allowances | undefined
}

export type StatusSelection = OneSelection | (Partial<FleetSelection> & { readonly verify?: boolean })

export interface InspectionOptions extends ApprovalOptions {
  readonly transaction: TransactionMode
  readonly database: Database
  readonly tenants: Tenants
  readonly folders: Folders
}

export class Inspection {
  readonly #options: InspectionOptions

  constructor(options: InspectionOptions) {
    this.#options = options
  }

  async plan(options: Selection & PlanOptions): Promise<PlanReport | readonly FleetPlanReport[]> {
    const request = { direction: 'up', ...options } as const
    return explainingDatabaseErrors(async () => {
      const { runner } = this.#options.database
      if (isOne(options)) {
        const subject = await this.#options.tenants.subject(options)
        const files = await this.#options.folders.migrationsOf(subject.tenant === undefined)
        return planOne(runner, { subject, files, request }, this.#options)
      }
      const tenants = await this.#options.tenants.select(options)
      const files = await this.#options.folders.migrations()
      const plans = await planMany(runner, tenants, { files, request }, this.#options)
      if (this.#options.transaction === 'fleet') await assertOneTransaction(plans, files)
      return plans
    })
  }

  /** The tables of a tenant, or of the shared schema. */
  async tables(selection: OneSelection): Promise<readonly TableReport[]> {
    return explainingDatabaseErrors(async () => {
      const { schema } = await this.#options.tenants.subject(selection)
      return readTables(this.#options.database.runner, schema)
    })
  }

  async status(options: StatusSelection): Promise<TenantStatus | readonly TenantStatus[]> {
    return explainingDatabaseErrors(async () => {
      if (isOne(options)) return this.#read(await this.#options.tenants.subject(options), undefined)
      return this.#statuses(await this.#options.tenants.select(orAll(options)), options.verify ?? false)
    })
  }

  /** What was applied when, of one schema or of many tenants. */
  async history(options: OneSelection | Partial<FleetSelection>): Promise<TenantHistory | TenantHistory[]> {
    return explainingDatabaseErrors(async () => {
      if (isOne(options)) return this.#historyOf(await this.#options.tenants.subject(options))
      const histories: TenantHistory[] = []
      for (const tenant of await this.#options.tenants.select(orAll(options)))
        histories.push(await this.#historyOf(subjectOf(tenant)))
      return histories
    })
  }

  /** What the ledger cannot tell, the version tables do. */
  async #statuses(tenants: readonly Tenant[], verify: boolean): Promise<readonly TenantStatus[]> {
    const names = (await this.#options.folders.migrations()).map(({ name }) => name)
    const known = new KnownHistories(names)
    const entries = new Map(
      (await readLedger(this.#options.database.runner)).map((entry) => [entry.schema, entry]),
    )
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

  async #historyOf({ id, schema, tenant }: Subject): Promise<TenantHistory> {
    const { runner } = this.#options.database
    const files = await this.#options.folders.migrationsOf(tenant === undefined)
    const { storage } = this.#options
    const exists = await schemaExists(runner, schema)
    const history = exists
      ? await readHistory(runner, schema, files, storage)
      : { executed: [], pending: files.map(({ name }) => name), unknown: [] }
    const runs = await readLastRuns(runner, schema)
    return { id, schema, migrations: describeHistory(history, runs, storage.headOnly === true) }
  }

  async #read({ id, schema, tenant }: Subject, entry: LedgerEntry | undefined): Promise<TenantStatus> {
    const { runner } = this.#options.database
    const files = await this.#options.folders.migrationsOf(tenant === undefined)
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
