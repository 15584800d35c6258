/** What those who operate a tenancy ask of it, apart from migrating: programs that are run for tenants. */
import type { Database } from './database.ts'
import { explainingDatabaseErrors } from './database-errors.ts'
import { execForEach, type ExecOptions, type ExecReport } from './exec/exec.ts'
import { checkConcurrency, type ResolvedOptions } from './options.ts'
import type { FleetSelection } from './selection.ts'
import type { Tenants } from './tenants.ts'

export class Operations {
  readonly #options: ResolvedOptions
  readonly #database: Database
  readonly #tenants: Tenants

  constructor(options: ResolvedOptions, database: Database, tenants: Tenants) {
    this.#options = options
    this.#database = database
    this.#tenants = tenants
  }

  async exec(options: FleetSelection & ExecOptions): Promise<ExecReport> {
    const tenants = await this.#tenants.select(options)
    return explainingDatabaseErrors(() =>
      execForEach(tenants, options, {
        sql: this.#database.runner,
        searchPath: this.#options.searchPath,
        concurrency: checkConcurrency(options.concurrency, this.#options.concurrency),
        env: process.env,
      }),
    )
  }
}
