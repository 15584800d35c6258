/** Reads, and writes nothing: where tenants stand, what `up` would run, whether a tenant can be served. */
import type { Database } from './database.ts'
import { explainingDatabaseErrors } from './database-errors.ts'
import type { Folders } from './folders.ts'
import { findInLedger, readLedger, type LedgerEntry } from './ledger.ts'
import { approve, type ApprovalOptions } from './migrations/approval.ts'
import type { MigrationFile } from './migrations/files.ts'
import { readHistory, schemaExists } from './migrations/history.ts'
import type { Allowances } from './migrations/integrity.ts'
import { compareHistory, type PlanRequest } from './migrations/plan.ts'
import type { Subject } from './migrations/subject.ts'
import { isOne, orAll, type FleetSelection, type OneSelection } from './selection.ts'
import { describeStatus, KnownHistories, type TenantStatus } from './status.ts'
import { seedStorage } from './storage/sequelize-meta.ts'
import type { Tenant } from './tenant.ts'
import type { Tenants } from './tenants.ts'

export interface PlanReport {
  readonly id: string
  readonly schema: string
  /** Names that `up` would run, in order. */
  readonly migrations: readonly string[]
}

export type StatusSelection = OneSelection | (Partial<FleetSelection> & { readonly verify?: boolean })

export class Inspection {
  readonly #options: ApprovalOptions
  readonly #database: Database
  readonly #tenants: Tenants
  readonly #folders: Folders
  /** The tenants' migrations as this process serves them; a command reads the folder again. */
  #served: Promise<{ files: readonly MigrationFile[]; known: KnownHistories }> | undefined

  constructor(options: ApprovalOptions, database: Database, tenants: Tenants, folders: Folders) {
    this.#options = options
    this.#database = database
    this.#tenants = tenants
    this.#folders = folders
  }

  async plan(
    options: OneSelection & PlanRequest & { readonly allow?: Allowances | undefined },
  ): Promise<PlanReport> {
    const subject = await this.#tenants.subject(options)
    const { id, schema, tenant } = subject
    const files = await this.#folders.migrationsOf(tenant)
    return explainingDatabaseErrors(async () => {
      const { to, step, allow } = options
      const request = { direction: 'up', to, step, allow } as const
      const { names } = await approve(this.#database.runner, { subject, files, request }, this.#options)
      return { id, schema, migrations: names }
    })
  }

  async status(options: StatusSelection): Promise<TenantStatus | readonly TenantStatus[]> {
    return explainingDatabaseErrors(async () => {
      if (isOne(options)) return this.#read(await this.#tenants.subject(options), undefined)
      return this.#statuses(await this.#tenants.select(orAll(options)), options.verify ?? false)
    })
  }

  /** Which seed files each tenant has had, by what is recorded in its schema. */
  async seedStatus(options: Partial<FleetSelection>): Promise<readonly TenantStatus[]> {
    const names = (await this.#folders.seeds()).map(({ name }) => name)
    const storage = seedStorage()
    const { runner } = this.#database
    return explainingDatabaseErrors(async () => {
      const statuses: TenantStatus[] = []
      for (const { id, schema } of await this.#tenants.select(orAll(options))) {
        const exists = await schemaExists(runner, schema)
        const recorded = exists ? await storage.executed({ sql: runner, schema, history: names }) : []
        const history = exists ? compareHistory(names, recorded) : undefined
        statuses.push(describeStatus({ id, schema, names, history, entry: undefined }))
      }
      return statuses
    })
  }

  /** Whether `tenant` lacks none of the migrations this process serves. */
  async isCurrent(tenant: Tenant): Promise<boolean> {
    this.#served ??= this.#folders.migrations().then((files) => ({
      files,
      known: new KnownHistories(files.map(({ name }) => name)),
    }))
    const { files, known } = await this.#served
    const { runner } = this.#database
    const entry = await findInLedger(runner, 'schema', tenant.schema)
    if (entry?.fingerprint === known.head) return true
    // A newer release may have run more than this one knows.
    if (!(await schemaExists(runner, tenant.schema))) return false
    const history = await readHistory(runner, tenant.schema, files, this.#options.storage)
    return history.pending.length === 0 && files.length > 0
  }

  invalidate(): void {
    this.#served = undefined
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
