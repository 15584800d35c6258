/** Compares the application's models with its tenants: which tenant, which models, which differences count. */
import { readFile, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'

import { compareModels, generate, type Compared, type Workplace } from './autogenerate/autogenerate.ts'
import { readBaseline, writtenBaseline } from './autogenerate/baseline.ts'
import { selectBy } from './autogenerate/select.ts'
import type { Decide } from './autogenerate/decide.ts'
import { defineModels } from './autogenerate/define-models.ts'
import type { RenameHints } from './autogenerate/hints.ts'
import type { ModelProblem } from './autogenerate/models.ts'
import type { Assessed, HazardKind, Operation } from './autogenerate/operation.ts'
import type { TenantContext } from './context.ts'
import { checkData, type DataPlace, type DataReport, type DataRequest } from './data-check.ts'
import { explainingDatabaseErrors } from './database-errors.ts'
import { findFleetDrift, type DriftReport, type DriftRequest } from './drift.ts'
import { messageOf, TenancyError } from './errors.ts'
import type { Folders } from './folders.ts'
import { createMigrations } from './migrations/create.ts'
import { withSession } from './migrations/session.ts'
import type { MigrationFormat } from './migrations/template.ts'
import type { ResolvedOptions } from './options.ts'
import { assertAtHead, findSpecimen, type SpecimenPlace } from './specimen.ts'
import type { Tenant } from './tenant.ts'

/** What is compared with the models, and where. */
export interface ComparisonRequest {
  /**
   * Id of the tenant that stands for all.
   * @defaultValue the only tenant, else the first one at head
   */
  readonly specimen?: string | undefined
  /** Instead of `autogenerate.shadowUrl`. */
  readonly shadowUrl?: string | undefined
}

export interface CheckRequest extends ComparisonRequest {
  /**
   * `true` writes what is found to the baseline: it does not count from then on.
   * @defaultValue `false`
   */
  readonly accept?: boolean | undefined
  /**
   * Counts the rows of tenants that a migration would break on: of all, or of those selected.
   * @defaultValue `false`
   */
  readonly data?: boolean | DataRequest | undefined
}

export interface CheckReport {
  /** Id of the tenant that was compared. */
  readonly specimen: string
  /** What a migration would have to do; nothing if the models and the specimen agree. */
  readonly differences: readonly Operation[]
  /** Models that could not be made; their tables were compared with nothing. */
  readonly problems: readonly ModelProblem[]
  /** Names of the event triggers that fire for scratch schemas too: what they do outside the transaction stays. */
  readonly eventTriggers: readonly string[]
  /** Rows that the differences would break on, if they were asked for. */
  readonly data?: DataReport
}

export interface AutogenerateRequest extends ComparisonRequest {
  /** What the migration does; its file name is made from it. */
  readonly message: string
  /** @defaultValue what the folder holds most of, else `ts` */
  readonly format?: MigrationFormat | undefined
  /**
   * What was renamed: `{ columns: { 'users.nm': 'name' }, tables: { ps: 'people' } }`; `false` for nothing at all.
   * Without it a pair that looks like a rename is RENAME_UNDECIDED.
   */
  readonly renames?: RenameHints | false | undefined
  /** Is asked about each pair that looks like a rename and that `renames` does not name. */
  readonly decide?: Decide | undefined
  /** Kinds of hazards that are refused. */
  readonly failOn?: readonly HazardKind[] | undefined
  /**
   * `false` leaves out what loses rows or values.
   * @defaultValue `true`
   */
  readonly destructive?: boolean | undefined
  /**
   * `true` writes what would keep others waiting in the forms that do not, in a migration of its own that is run
   * outside a transaction after the other.
   * @defaultValue `false`
   */
  readonly online?: boolean | undefined
}

export interface AutogenerateReport extends CheckReport {
  /** The migration, or the first of two, as an absolute path; none if there is no difference. */
  readonly file?: string
  /** All files, in the order in which they run, of each migration the `up` side first. */
  readonly files: readonly string[]
  readonly operations: readonly Operation[]
  /** The operations with what may go wrong. */
  readonly assessed: readonly Assessed[]
  /** What `destructive: false` has left out. */
  readonly leftOut: readonly Operation[]
}

/** The rooms it works with. */
export interface ComparisonPlace extends DataPlace, SpecimenPlace {
  readonly folders: Folders
}

export class Comparison {
  readonly #options: ResolvedOptions
  readonly #context: TenantContext
  readonly #place: ComparisonPlace
  #models: Promise<void> | undefined

  constructor(options: ResolvedOptions, context: TenantContext, place: ComparisonPlace) {
    this.#options = options
    this.#context = context
    this.#place = place
  }

  async check({ accept = false, data = false, ...request }: CheckRequest): Promise<CheckReport> {
    const { compared, specimen } = await this.#comparing(request, !accept, async (_place, found, { id }) => {
      if (accept) await writeFile(this.#baselinePath, writtenBaseline(found.differences))
      return { compared: found, specimen: id }
    })
    const report = reportOf(specimen, compared)
    if (data === false) return report
    return { ...report, data: await checkData(compared, data === true ? {} : data, this.#place) }
  }

  async autogenerate(request: AutogenerateRequest): Promise<AutogenerateReport> {
    const { message, format, renames, decide, failOn = [], destructive = true, online = false } = request
    return this.#comparing(request, true, async (place, compared, { id }) => {
      const report = { ...reportOf(id, compared), files: [], operations: [], assessed: [], leftOut: [] }
      if (compared.differences.length === 0) return report
      const { migrations: globs, baseDir } = this.#options
      const wanted = { message, renames, decide, failOn, destructive, online }
      return generate(place, compared, wanted, async ({ assessed, leftOut, parts, render }, verify) => {
        const operations = assessed.map(({ operation }) => operation)
        if (operations.length === 0) return { ...report, leftOut }
        const { files } = await createMigrations(
          { name: message, format },
          parts,
          { globs, baseDir },
          async (names, kind) => {
            await verify(render(names, kind, 'try'))
            return render(names, kind, 'write')
          },
        )
        const [file] = files
        return { ...report, ...(file === undefined ? {} : { file }), files, operations, assessed, leftOut }
      })
    })
  }

  /** Which tenants are not what the specimen is, the specimen itself left out. */
  async drift(request: DriftRequest): Promise<DriftReport> {
    const specimen = await findSpecimen(this.#place, request.specimen)
    const tenants = (await this.#place.tenants.all()).filter(({ id }) => id !== specimen.id)
    const options = this.#options
    const select = selectBy({ ...options.autogenerate, accepted: await this.#accepted() })
    const files = await this.#place.folders.migrations()
    const place = { options, database: this.#place.database, events: this.#place.events, files, select }
    return findFleetDrift(place, specimen, tenants, request)
  }

  async #comparing<T>(
    { specimen, shadowUrl }: ComparisonRequest,
    honoursBaseline: boolean,
    fn: (place: Workplace, compared: Compared, tenant: Tenant) => Promise<T>,
  ): Promise<T> {
    const tenant = await findSpecimen(this.#place, specimen)
    await assertAtHead(this.#place, tenant)
    const sequelize = await this.#application()
    const accepted = honoursBaseline ? await this.#accepted() : new Set<string>()
    const rules = { ...this.#options.autogenerate, accepted }
    return explainingDatabaseErrors(() =>
      this.#withWorkplace(shadowUrl, async (place) => {
        const application = { sequelize, context: this.#context }
        return fn(place, await compareModels(place, application, tenant.schema, rules), tenant)
      }),
    )
  }

  async #withWorkplace<T>(shadowUrl: string | undefined, fn: (place: Workplace) => Promise<T>): Promise<T> {
    const { searchPath, lockTimeoutMs, statementTimeoutMs, storage, autogenerate } = this.#options
    const place = { searchPath, lockTimeoutMs, versionTable: storage.table }
    const connection = shadowUrl ?? autogenerate.shadowUrl
    return this.#place.database.withSession(async (session) => {
      const open: Workplace['open'] = (use) => use(session)
      if (connection === undefined) return fn({ ...place, open, openScratch: open })
      return withSession({ connection, lockTimeoutMs, statementTimeoutMs }, (other) =>
        fn({ ...place, open, openScratch: (use) => use(other) }),
      )
    })
  }

  /** The Sequelize on which the models are defined by now. */
  async #application() {
    const sequelize = await this.#place.database.pool()
    const { models, baseDir } = this.#options
    if (models === undefined) return sequelize
    this.#models ??= this.#context.runShared(() => defineModels(resolve(baseDir, models), sequelize))
    await this.#models
    return sequelize
  }

  get #baselinePath(): string {
    return resolve(this.#options.baseDir, this.#options.autogenerate.baseline)
  }

  async #accepted(): Promise<ReadonlySet<string>> {
    const path = this.#baselinePath
    try {
      return readBaseline(await readFile(path, 'utf8'))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Set()
      throw new TenancyError('CONFIG_INVALID', `The baseline cannot be read: ${path}`, {
        detail: messageOf(error),
        fix: ['write it anew: umzug-tenants check --accept'],
        cause: error,
      })
    }
  }
}

function reportOf(specimen: string, { differences, problems, eventTriggers }: Compared): CheckReport {
  return { specimen, differences, problems, eventTriggers: eventTriggers.map(({ name }) => name) }
}
