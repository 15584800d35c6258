/** Reads, and writes nothing: where tenants stand, and what `up` would run. */
import { schemasAtHead } from './at-head.ts'
import { readTables, type TableReport } from './contents.ts'
import type { Database } from './database.ts'
import { explainingDatabaseErrors } from './database-errors.ts'
import { isTenancyError, type ErrorDocument } from './errors.ts'
import type { Folders } from './folders.ts'
import { findInLedger, readLedger, type LedgerEntry } from './ledger.ts'
import { approve, type ApprovalOptions } from './migrations/approval.ts'
import type { MigrationFile } from './migrations/files.ts'
import { readHistory, schemaExists, schemaMissing } from './migrations/history.ts'
import type { Allowances } from './migrations/integrity.ts'
import type { Direction, PlanRequest } from './migrations/plan.ts'
import { subjectOf, type Subject } from './migrations/subject.ts'
import { isOne, orAll, type FleetSelection, type OneSelection, type Selection } from './selection.ts'
import { describeStatus, KnownHistories, type TenantStatus } from './status.ts'
import type { Tenant } from './tenant.ts'
import type { Tenants } from './tenants.ts'

export interface PlanReport {
  readonly id: string
  readonly schema: string
  /** Names that would run or be reverted, in this order. */
  readonly migrations: readonly string[]
}

/** One tenant of a fleet's plan; with an error, the run would refuse it. */
export interface FleetPlanReport extends PlanReport {
  readonly error?: ErrorDocument
}

/** Which run is planned: with the options of `up`, or those of `down`. */
export interface PlanOptions extends PlanRequest {
  /** @defaultValue `'up'` */
  readonly direction?: Direction
  readonly allow?: Allowances | undefined
}

export type StatusSelection = OneSelection | (Partial<FleetSelection> & { readonly verify?: boolean })

export class Inspection {
  readonly #options: ApprovalOptions
  readonly #database: Database
  readonly #tenants: Tenants
  readonly #folders: Folders

  constructor(options: ApprovalOptions, database: Database, tenants: Tenants, folders: Folders) {
    this.#options = options
    this.#database = database
    this.#tenants = tenants
    this.#folders = folders
  }

  async plan(options: Selection & PlanOptions): Promise<PlanReport | readonly FleetPlanReport[]> {
    return explainingDatabaseErrors(async () => {
      if (!isOne(options)) return this.#planMany(await this.#tenants.select(options), options)
      const subject = await this.#tenants.subject(options)
      return this.#planOne(subject, await this.#folders.migrationsOf(subject.tenant), options)
    })
  }

  async #planMany(tenants: readonly Tenant[], options: PlanOptions): Promise<readonly FleetPlanReport[]> {
    const { direction = 'up', to, step } = options
    const files = await this.#folders.migrations()
    const goesToHead = direction === 'up' && to === undefined && step === undefined
    const atHead = goesToHead ? await schemasAtHead(this.#database.runner, files) : new Set()
    const plans: FleetPlanReport[] = []
    for (const tenant of tenants) {
      const { id, schema } = tenant
      const isIdle = atHead.has(schema)
      plans.push(
        isIdle ? { id, schema, migrations: [] } : await this.#planOrError(subjectOf(tenant), files, options),
      )
    }
    return plans
  }

  /** What is wrong with one tenant hides no other. */
  async #planOrError(
    subject: Subject,
    files: readonly MigrationFile[],
    options: PlanOptions,
  ): Promise<FleetPlanReport> {
    try {
      return await this.#planOne(subject, files, options)
    } catch (error) {
      if (!isTenancyError(error)) throw error
      return { id: subject.id, schema: subject.schema, migrations: [], error: error.toJSON() }
    }
  }

  async #planOne(
    subject: Subject,
    files: readonly MigrationFile[],
    { direction = 'up', to, step, backTo, allow }: PlanOptions,
  ): Promise<PlanReport> {
    const { id, schema, tenant } = subject
    const { runner } = this.#database
    // The shared schema is made by its first run.
    if (tenant !== undefined && !(await schemaExists(runner, schema))) throw schemaMissing(subject)
    const request = { direction, to, step, backTo, allow }
    const { names } = await approve(runner, { subject, files, request }, this.#options)
    return { id, schema, migrations: names }
  }

  /** The tables of a tenant, or of the shared schema. */
  async tables(selection: OneSelection): Promise<readonly TableReport[]> {
    return explainingDatabaseErrors(async () => {
      const { schema } = await this.#tenants.subject(selection)
      return readTables(this.#database.runner, schema)
    })
  }

  async status(options: StatusSelection): Promise<TenantStatus | readonly TenantStatus[]> {
    return explainingDatabaseErrors(async () => {
      if (isOne(options)) return this.#read(await this.#tenants.subject(options), undefined)
      return this.#statuses(await this.#tenants.select(orAll(options)), options.verify ?? false)
    })
  }

  /** What the ledger cannot tell, the version tables do. */
  async #statuses(tenants: readonly Tenant[], verify: boolean): Promise<readonly TenantStatus[]> {
    const names = (await this.#folders.migrations()).map(({ name }) => name)
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
    const files = await this.#folders.migrationsOf(tenant)
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
