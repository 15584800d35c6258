/** Serves tenants to requests and jobs: the lazy gate, what it looks at, and the watch over what others change. */
import type { TenantContext } from './context.ts'
import type { Database } from './database.ts'
import { explainingDatabaseErrors } from './database-errors.ts'
import { isTenancyError } from './errors.ts'
import type { Events } from './events.ts'
import type { Folders } from './folders.ts'
import { Gate, type Look } from './gate.ts'
import { readHealth, type HealthReport } from './health.ts'
import { watchForHints } from './hints.ts'
import { Listener } from './listener.ts'
import { readMarks } from './marks.ts'
import type { ResolvedOptions } from './options.ts'
import { learnTypes } from './query-interface/types.ts'
import { Readiness } from './readiness.ts'
import type { Runs } from './runs.ts'
import type { Tenant } from './tenant.ts'
import type { Tenants } from './tenants.ts'
import { Watch } from './watch.ts'

export interface ServingParts {
  readonly events: Events
  readonly context: TenantContext
  readonly database: Database
  readonly tenants: Tenants
  readonly folders: Folders
  readonly runs: Runs
}

/** For how long a tenant's migrations are remembered where nothing is looked at again. */
const REMEMBER_MS = 30_000

export class Serving {
  readonly #options: ResolvedOptions
  readonly #parts: ServingParts
  readonly #readiness: Readiness
  readonly #gate: Gate
  readonly #watch: Watch
  readonly #listener: Listener | undefined
  #prepared: Promise<void> | undefined

  constructor(options: ResolvedOptions, parts: ServingParts) {
    const { storage, transaction, lazy } = options
    const { events, database, folders, tenants } = parts
    this.#options = options
    this.#parts = parts
    const rememberMs = lazy.recheckMs || REMEMBER_MS
    this.#readiness = new Readiness({ storage, transaction, events, rememberMs }, database.runner, folders)
    const learn = (tenant: Tenant) => this.#learn(tenant)
    this.#gate = new Gate({
      ...lazy,
      events,
      learn,
      look: (tenant) => this.#look(tenant),
      upgrade: (tenant) => this.#upgrade(tenant),
      migrationSet: () => this.#readiness.migrationSet(),
      onNewMigrations: () => this.#readiness.invalidate(),
    })
    this.#watch = new Watch({
      events,
      gate: this.#gate,
      recheckMs: lazy.recheckMs,
      learn,
      marksOf: (schemas) => readMarks(database.runner, schemas),
      look: (tenant, verify) => this.#readiness.look(tenant, verify),
      forget: (schemas, isOwner) => {
        for (const schema of schemas) this.#readiness.invalidate({ schema })
        if (isOwner) tenants.forget(schemas)
      },
    })
    if (lazy.listen) {
      this.#listener = new Listener({
        events,
        connection: () => database.sessionOptions(),
        onChange: (schema) => this.#watch.told(schema),
        onListening: () => this.#watch.recheck(),
      })
    }
    // Its ENUM types may be others now, and it may have been taken back.
    events.on('tenant:migrated', (tenant) => this.invalidate(tenant))
    events.on('tenant:stamped', (tenant) => this.invalidate(tenant))
  }

  isReady(tenant: Tenant): boolean {
    return this.#gate.isReady(tenant)
  }

  pass(tenant: Tenant): Promise<void> {
    return this.#gate.pass(tenant)
  }

  async hasMigration(tenant: Tenant, called: string): Promise<boolean> {
    return explainingDatabaseErrors(() => this.#readiness.hasMigration(tenant, called), { tenant: tenant.id })
  }

  async health(): Promise<HealthReport> {
    const files = await this.#readiness.files()
    const names = files.map(({ name }) => name)
    return explainingDatabaseErrors(() => readHealth(this.#parts.database.runner, names))
  }

  /** Forgets what is known of a tenant, or of all and of the migrations on disk. */
  invalidate(tenant?: Pick<Tenant, 'schema'>): void {
    this.#gate.invalidate(tenant)
    this.#readiness.invalidate(tenant)
  }

  /** Stops watching, and waits for running upgrades. */
  async close(): Promise<void> {
    await Promise.all([this.#watch.close(), this.#listener?.close()])
    await this.#gate.idle()
  }

  async #look(tenant: Tenant): Promise<Look> {
    this.#prepared ??= this.#prepare().catch((error: unknown) => {
      this.#prepared = undefined
      throw error
    })
    await this.#prepared
    return explainingDatabaseErrors(() => this.#readiness.look(tenant), { tenant: tenant.id })
  }

  /** Before the first tenant is served. */
  async #prepare(): Promise<void> {
    const pool = await this.#parts.database.pool()
    // A migration may use the application's Sequelize: some of the pool must be left to those who wait for nothing.
    const size = await this.#parts.database.poolSize()
    this.#gate.limitTo(Math.max(1, Math.min(this.#options.lazy.concurrency, size - 1)))
    watchForHints(pool, () => {
      const tenant = this.#parts.context.current()
      if (tenant !== undefined) this.#watch.suspect(tenant)
    })
    this.#watch.begin()
    this.#listener?.begin()
  }

  async #upgrade(tenant: Tenant): Promise<void> {
    try {
      const files = await this.#readiness.files()
      await explainingDatabaseErrors(() => this.#parts.runs.upgrade(tenant, files), { tenant: tenant.id })
    } catch (error) {
      if (isTenancyError(error, 'TENANT_PENDING') && error.migration !== undefined)
        this.#readiness.noteUnfit(error.migration)
      throw error
    }
  }

  async #learn({ schema }: Tenant): Promise<void> {
    const pool = await this.#parts.database.pool()
    await this.#parts.context.runShared(() => learnTypes(pool, schema, { transaction: null }))
  }
}
