/**
 * Runs migrations on one schema: takes its lock, chooses, and executes segment by segment, each with its version
 * rows and its ledger row in one transaction. What fails leaves nothing of its segment.
 */
import { setTimeout as sleep } from 'node:timers/promises'

import { Sequelize } from 'sequelize'
import { MigrationError } from 'umzug'

import { databaseError } from '../database-errors.ts'
import { messageOf, TenancyError, type ErrorFacts } from '../errors.ts'
import type { Events } from '../events.ts'
import { ensureLedger, recordFailure, recordProgress } from '../ledger.ts'
import { quoteIdentifier, SQLSTATE, sqlStateOf, type SqlRunner } from '../sql.ts'
import type { VersionStorage } from '../storage/storage.ts'
import type { Tenant } from '../tenant.ts'
import { createMigrationContext, type MigrationContext } from './context.ts'
import { loadMigration, type LoadedMigration, type MigrationFile } from './files.ts'
import {
  choose,
  compareHistory,
  divide,
  type Direction,
  type History,
  type PlanRequest,
  type Segment,
  type TransactionMode,
} from './plan.ts'
import { fingerprintOf } from './revision.ts'
import type { MigrationSession, Target } from './session.ts'
import { irreversible, SchemaUmzug, type UmzugPlace } from './umzug.ts'

/** What the runs of one tenancy have in common. */
export interface MigratorOptions {
  readonly storage: VersionStorage
  readonly transaction: TransactionMode
  readonly lockWaitMs: number
  readonly events: Events
  /** Schemas after the tenant's own, in order. */
  readonly searchPath: readonly string[]
  /** Whether runs are written to the ledger; seed files are not. */
  readonly ledger: boolean
}

/** One schema to migrate: a tenant's, or the shared one, which has no tenant. */
export interface Subject {
  /** The tenant's id, or a name for the shared schema; what reports and events call it. */
  readonly id: string
  readonly schema: string
  readonly tenant: Tenant | undefined
}

export interface RunRequest extends PlanRequest {
  readonly direction: Direction
  readonly x?: Readonly<Record<string, string>> | undefined
}

/** What a run did. */
export interface RunReport {
  readonly id: string
  readonly schema: string
  readonly migrations: readonly string[]
  readonly durationMs: number
}

/** A run that lost a race for locks is tried again as a whole: its transaction was rolled back. */
const RETRYABLE: ReadonlySet<string | undefined> = new Set([
  SQLSTATE.lockNotAvailable,
  SQLSTATE.deadlockDetected,
  SQLSTATE.serializationFailure,
])
const MAX_TRIES = 5

export function subjectOf(tenant: Tenant): Subject {
  return { id: tenant.id, schema: tenant.schema, tenant }
}

/**
 * Runs `request` on `subject` over an open session.
 *
 * @throws {@link TenancyError} SCHEMA_MISSING, LOCK_HELD, MIGRATION_FAILED, MIGRATION_UNKNOWN,
 * MIGRATION_IRREVERSIBLE, MIGRATION_INVALID.
 */
export async function migrate(
  session: MigrationSession,
  subject: Subject,
  files: readonly MigrationFile[],
  request: RunRequest,
  options: MigratorOptions,
): Promise<RunReport> {
  const run = new Run(session, subject, files, request, options)
  return session.withLock(subject, options.lockWaitMs, () => run.execute())
}

/**
 * Gives `fn` the place for one Umzug command. Commands that change the schema hold its lock and a transaction,
 * and leave their ledger row.
 */
export async function withPlace<T>(
  session: MigrationSession,
  subject: Subject,
  files: readonly MigrationFile[],
  command: string,
  options: MigratorOptions,
  fn: (place: UmzugPlace) => Promise<T>,
): Promise<T> {
  const direction = command === 'down' ? 'down' : 'up'
  const run = new Run(session, subject, files, { direction }, options)
  if (command !== 'up' && command !== 'down') return fn(run.place())
  return session.withLock(subject, options.lockWaitMs, () => run.lend(fn))
}

/** What is recorded in `schema` against what is on disk. Reads only. */
export async function readHistory(
  sql: SqlRunner,
  schema: string,
  files: readonly MigrationFile[],
  storage: VersionStorage,
): Promise<History> {
  const names = files.map(({ name }) => name)
  return compareHistory(names, await storage.executed({ sql, schema, history: names }))
}

export async function schemaExists(sql: SqlRunner, schema: string): Promise<boolean> {
  const rows = await sql.query('SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1', [schema])
  return rows.length > 0
}

class Run {
  readonly #session: MigrationSession
  readonly #subject: Subject
  readonly #files: readonly MigrationFile[]
  readonly #request: RunRequest
  readonly #options: MigratorOptions
  readonly #target: Target
  /** Migrations of the segments that have ended well. */
  readonly #committed: string[] = []

  constructor(
    session: MigrationSession,
    subject: Subject,
    files: readonly MigrationFile[],
    request: RunRequest,
    options: MigratorOptions,
  ) {
    this.#session = session
    this.#subject = subject
    this.#files = files
    this.#request = request
    this.#options = options
    this.#target = { tenant: subject.tenant, schema: subject.schema, searchPath: options.searchPath }
  }

  place(): UmzugPlace {
    const { schema } = this.#subject
    const { inTransaction } = this.#session
    const drain = () => this.#session.drain()
    return { sql: this.#session, schema, context: this.#context(), inTransaction, drain }
  }

  async lend<T>(fn: (place: UmzugPlace) => Promise<T>): Promise<T> {
    await this.#prepare()
    return this.#session.within(this.#target, () =>
      this.#session.transaction(async () => {
        const result = await fn(this.place())
        await this.#recordProgress([])
        return result
      }),
    )
  }

  async execute(): Promise<RunReport> {
    const startedAt = performance.now()
    await this.#prepare()
    const names = await this.#execute()
    const durationMs = Math.round(performance.now() - startedAt)
    const { id, schema } = this.#subject
    const { direction } = this.#request
    if (names.length > 0) {
      this.#options.events.emit('tenant:migrated', {
        tenant: id,
        schema,
        direction,
        migrations: names,
        durationMs,
      })
    }
    return { id, schema, migrations: names, durationMs }
  }

  async #execute(): Promise<readonly string[]> {
    // What was asked for can be wrong without anything being wrong with the tenant.
    const names = choose(this.#request.direction, await this.#history(), this.#request)
    const migrations = await this.#load(names)
    try {
      if (migrations.length === 0) await this.#recordNothingToDo()
      for (const segment of divide(migrations, this.#options.transaction)) {
        await this.#runSegment(segment)
        this.#committed.push(...segment.names)
      }
      return names
    } catch (error) {
      const failure = this.#explain(error)
      await this.#recordFailure(failure)
      throw failure
    }
  }

  #history(): Promise<History> {
    return readHistory(this.#session, this.#subject.schema, this.#files, this.#options.storage)
  }

  /** Loads all that will run before any of it runs: what cannot be loaded or reverted must not fail half way. */
  async #load(names: readonly string[]): Promise<readonly LoadedMigration[]> {
    const chosen = names
      .map((name) => this.#files.find((file) => file.name === name))
      .filter((file) => file !== undefined)
    const migrations: LoadedMigration[] = []
    for (const file of chosen) migrations.push(await loadMigration(file))
    if (this.#request.direction === 'down') {
      const without = migrations.find(({ down }) => down === undefined)
      if (without !== undefined) throw irreversible(without.name)
    }
    return migrations
  }

  /** A schema that another tool has brought to head gets its ledger row without a run. */
  async #recordNothingToDo(): Promise<void> {
    await this.#session.transaction(() => this.#recordProgress([]))
  }

  async #runSegment(segment: Segment): Promise<void> {
    const { transaction, names } = segment
    const execute = async () => this.#recordProgress(await this.#runMigrations(names))
    if (!transaction) return this.#session.within(this.#target, execute)
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#session.within(this.#target, () => this.#session.transaction(execute))
      } catch (error) {
        if (attempt === MAX_TRIES || !RETRYABLE.has(sqlStateOf(error))) throw error
        await sleep(2 ** attempt * 50 * (0.5 + Math.random()))
      }
    }
  }

  async #runMigrations(names: readonly string[]): Promise<{ name: string; durationMs: number }[]> {
    const { id: tenant, schema } = this.#subject
    const { direction } = this.#request
    const { events, storage } = this.#options
    const place = this.place()
    const umzug = new SchemaUmzug({ files: this.#files, storage, place: () => place })
    const done: { name: string; durationMs: number }[] = []
    let startedAt = 0
    umzug.on(direction === 'up' ? 'migrating' : 'reverting', ({ name }) => {
      startedAt = performance.now()
      events.emit('migration:start', { tenant, schema, migration: name, direction })
    })
    umzug.on(direction === 'up' ? 'migrated' : 'reverted', ({ name }) => {
      const durationMs = Math.round(performance.now() - startedAt)
      done.push({ name, durationMs })
      events.emit('migration:success', { tenant, schema, migration: name, direction, durationMs })
    })
    await umzug[direction]({ migrations: [...names] })
    return done
  }

  #context(): MigrationContext {
    const { sequelize } = this.#session
    return createMigrationContext({
      queryInterface: sequelize.getQueryInterface(),
      sequelize,
      Sequelize,
      tenant: this.#subject.tenant,
      schema: this.#subject.schema,
      sql: (text, values) => this.#session.query(text, values),
      x: this.#request.x ?? {},
    })
  }

  /** The tenant whose ledger row this run writes. */
  get #ledgerTenant(): Tenant | undefined {
    return this.#options.ledger ? this.#subject.tenant : undefined
  }

  async #recordProgress(done: readonly { name: string; durationMs: number }[]): Promise<void> {
    const tenant = this.#ledgerTenant
    if (tenant === undefined) return
    const { executed, unknown } = await this.#history()
    await recordProgress(this.#session, tenant, {
      head: executed.at(-1),
      fingerprint: fingerprintOf([...executed, ...unknown]),
      direction: this.#request.direction,
      migrations: done,
    })
  }

  async #recordFailure(failure: TenancyError): Promise<void> {
    const { id, schema } = this.#subject
    const tenant = this.#ledgerTenant
    const error = failure.toJSON()
    this.#options.events.emit('tenant:failed', { tenant: id, schema, error })
    // The connection may be what failed, and the failure itself is what must be reported.
    if (tenant !== undefined) await recordFailure(this.#session, tenant, error).catch(() => undefined)
  }

  #explain(error: unknown): TenancyError {
    if (error instanceof TenancyError) return error
    const { id, schema } = this.#subject
    const { direction } = this.#request
    const facts: Omit<ErrorFacts, 'fix'> = { tenant: id, schema, direction, committed: this.#committed }
    if (!(error instanceof MigrationError)) return databaseError(error, facts) ?? this.#failed(error, facts)
    const { cause, migration } = error
    if (cause instanceof TenancyError) return cause
    return this.#failed(cause ?? error, { ...facts, migration: migration.name })
  }

  #failed(error: unknown, facts: Omit<ErrorFacts, 'fix'>): TenancyError {
    const { id } = this.#subject
    const which = facts.migration === undefined ? 'The run' : `Migration "${facts.migration}"`
    const where = this.#subject.tenant === undefined ? 'the shared schema' : `tenant "${id}"`
    const sqlstate = sqlStateOf(error)
    return new TenancyError(
      'MIGRATION_FAILED',
      `${which} failed on ${where}${sqlstate ? ` (${sqlstate})` : ''}.`,
      {
        ...facts,
        sqlstate,
        detail: messageOf(error),
        fix: [
          sqlstate === SQLSTATE.lockNotAvailable
            ? 'end the transactions that hold the table (pg_stat_activity), or raise timeouts.lockMs'
            : `correct the migration or the data, then: umzug-tenants up ${this.#selection()}`,
        ],
        cause: error,
      },
    )
  }

  #selection(): string {
    return this.#subject.tenant === undefined ? '--shared' : `--tenant ${this.#subject.id}`
  }

  async #prepare(): Promise<void> {
    await this.#ensureSchemaExists()
    if (this.#ledgerTenant !== undefined)
      await ensureLedger(this.#session, (fn) => this.#session.transaction(fn))
  }

  async #ensureSchemaExists(): Promise<void> {
    const { id, schema, tenant } = this.#subject
    if (await schemaExists(this.#session, schema)) return
    // The shared schema belongs to the application as a whole; a tenant's is made by provision alone.
    if (tenant === undefined) {
      await this.#session.query(`CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(schema)}`)
      return
    }
    throw new TenancyError('SCHEMA_MISSING', `Schema "${schema}" of tenant "${id}" does not exist.`, {
      tenant: id,
      schema,
      fix: [`create it: umzug-tenants tenants create ${id} --schema ${schema} --up`],
    })
  }
}
