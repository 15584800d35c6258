/**
 * One run on one schema, under its lock: chooses, and executes segment by segment, each with its version rows and
 * its ledger row in one transaction. What fails leaves nothing of its segment.
 */
import { setTimeout as sleep } from 'node:timers/promises'

import { Sequelize } from 'sequelize'

import { isTenancyError, type TenancyError } from '../errors.ts'
import type { Events } from '../events.ts'
import { ensureLedger, findInLedger, recordFailure } from '../ledger.ts'
import { quoteIdentifier, SQLSTATE, sqlStateOf } from '../sql.ts'
import type { VersionStorage } from '../storage/storage.ts'
import type { Tenant } from '../tenant.ts'
import type { Interruption } from '../interruption.ts'
import { approve, orderOf, type Approval } from './approval.ts'
import { Lookout, readHolders, type Blocker } from './blockers.ts'
import { assertFitForRequest, unfitForRequest } from './in-request.ts'
import { createMigrationContext, type MigrationContext } from './context.ts'
import { Attempts } from './attempts.ts'
import type { GuardMode } from './guard.ts'
import { explainFailure } from './failure.ts'
import { loadMigration, type LoadedMigration, type MigrationFile } from './files.ts'
import { readHistory, schemaExists, schemaMissing } from './history.ts'
import type { Allowances } from './integrity.ts'
import {
  divide,
  type Direction,
  type History,
  type PlanRequest,
  type Segment,
  type TransactionMode,
} from './plan.ts'
import { writeProgress } from './progress.ts'
import { dropInvalidIndexes, interrupted, markRunning, readRunning } from './outside.ts'
import type { MigrationSession, Target } from './session.ts'
import type { Subject } from './subject.ts'
import { NeedsCommit, NeedsTreatment, Treatments } from './treatment.ts'
import { irreversible, noting, schemaUmzug, type Done, type UmzugPlace } from './umzug.ts'
import { isMigrationError } from './umzug-package.ts'

/** What the runs of one tenancy have in common. */
export interface MigratorOptions {
  readonly storage: VersionStorage
  readonly transaction: TransactionMode
  readonly lockWaitMs: number
  readonly events: Events
  /** Schemas after the tenant's own, in order. */
  readonly searchPath: readonly string[]
  readonly guard: GuardMode
  /** Whether runs are written to the ledger; seed files are not. */
  readonly ledger: boolean
  /** Violations of the set of files that are let through. */
  readonly allow: Allowances
}

export interface RunRequest extends PlanRequest, Interruption {
  readonly direction: Direction
  readonly x?: Readonly<Record<string, string>> | undefined
  /** A request waits for it: what takes long, or cannot be rolled back, is left to a fleet's run. */
  readonly inRequest?: boolean
  /** Instead of the options' own. */
  readonly allow?: Allowances | undefined
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

export class Run {
  readonly #session: MigrationSession
  readonly #subject: Subject
  readonly #files: readonly MigrationFile[]
  readonly #request: RunRequest
  readonly #options: MigratorOptions
  readonly #target: Target
  /** Migrations of the segments that have ended well. */
  readonly #committed: string[] = []
  readonly #treatments = new Treatments()
  #accepted: Approval['accepted'] = []
  /** Whom this run has waited for in vain. */
  #blockers: readonly Blocker[] = []

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
    const attempts = new Attempts(this.#session, this.#subject, this.#options, this.#treatments)
    const { direction } = this.#request
    const { database } = this.#session
    const { id: tenant } = this.#subject
    const watching: UmzugPlace['watching'] = (migration, side) =>
      this.#options.events.observing(
        { name: 'migration', tenant, schema, direction, database, migration },
        () => attempts.run(migration, side),
      )
    return { sql: this.#session, schema, context: this.#context(), inTransaction, watching }
  }

  async lend<T>(fn: (place: UmzugPlace) => Promise<T>): Promise<T> {
    await this.#prepare()
    await this.#approve()
    const isUp = this.#request.direction === 'up'
    const inOrder = isUp ? undefined : await orderOf(this.#session, this.#subject, this.#options)
    const done: Done[] = []
    return this.#session.within(this.#target, () =>
      this.#session.transaction(async () => {
        const result = await fn({ ...noting(done, this.place()), inOrder })
        await this.#recordProgress(done)
        return result
      }),
    )
  }

  execute(): Promise<RunReport> {
    const { id: tenant, schema } = this.#subject
    const { direction } = this.#request
    const { database } = this.#session
    return this.#options.events.observing({ name: 'run', tenant, schema, direction, database }, () =>
      this.#run(),
    )
  }

  async #run(): Promise<RunReport> {
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
    const names = await this.#approve()
    const migrations = await this.#load(names)
    if (this.#request.inRequest === true)
      assertFitForRequest(this.#subject, migrations, this.#options.transaction)
    try {
      if (migrations.length === 0) await this.#recordNothingToDo()
      await this.#runAll(migrations)
      return names
    } catch (error) {
      if (isTenancyError(error, 'TENANT_PENDING')) throw error // nothing is wrong with the tenant
      const { direction } = this.#request
      const failure = explainFailure(error, this.#subject, {
        direction,
        committed: this.#committed,
        isCancelled: this.#session.isCancelled,
        blockers: await this.#blockersOf(error),
      })
      await this.#recordFailure(failure)
      throw failure
    }
  }

  async #approve(): Promise<readonly string[]> {
    const proposal = { subject: this.#subject, files: this.#files, request: this.#request }
    const { names, accepted } = await approve(this.#session, proposal, this.#options)
    this.#accepted = accepted
    return names
  }

  /** Segment by segment; one ends early before a migration that turns out to need another treatment. */
  async #runAll(migrations: readonly LoadedMigration[]): Promise<void> {
    const isInside = this.#session.inTransaction
    let left = migrations
    for (;;) {
      const [segment] = divide(left, this.#options.transaction, this.#treatments)
      if (segment === undefined) return
      // In a transaction that is not the run's own there is nothing to divide.
      if (isInside && (!segment.transaction || left !== migrations))
        throw new NeedsCommit(segment.names[0] ?? '')
      // Some turn out to want no transaction only when they are run in one.
      if (this.#request.inRequest === true && !segment.transaction)
        throw unfitForRequest(this.#subject, segment.names[0] ?? '')
      const done = await this.#runSegment(segment)
      this.#committed.push(...done)
      left = left.slice(done.length)
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
    // Learnt from a failure it would cost a second run, which leaves gaps in sequences.
    for (const { name, catches } of migrations) if (catches) this.#treatments.note(name, 'savepoints')
    return migrations
  }

  /** A schema that another tool has brought to head gets its ledger row without a run. */
  async #recordNothingToDo(): Promise<void> {
    await this.#session.transaction(() => this.#recordProgress([]))
  }

  /** Runs `segment`, or as much of it as can share its transaction; the answer is what was run. */
  async #runSegment({ transaction, names }: Segment): Promise<readonly string[]> {
    const execute = async () => {
      const done = await this.#runMigrations(names)
      if (done.length > 0) await this.#recordProgress(done)
      return done.map(({ name }) => name)
    }
    if (!transaction) return this.#runOutside(names[0] ?? '', execute)
    const lookout = new Lookout(this.#session)
    try {
      for (let attempt = 1; ; attempt++) {
        try {
          return await this.#session.within(this.#target, () => this.#atomically(execute))
        } catch (error) {
          if (attempt === MAX_TRIES || !RETRYABLE.has(sqlStateOf(error))) throw error
          if (sqlStateOf(error) === SQLSTATE.lockNotAvailable) lookout.begin()
          await sleep(2 ** attempt * 50 * (0.5 + Math.random()))
        }
      }
    } finally {
      this.#blockers = await lookout.end()
    }
  }

  /** In a transaction of its own; in one that is open already, so that it is undone and tried again alone. */
  #atomically<T>(fn: () => Promise<T>): Promise<T> {
    return this.#session.inTransaction ? this.#session.undoable(fn) : this.#session.transaction(fn)
  }

  /** Whom the failed run has waited for; where nobody was seen, who holds tables of its schema now. */
  async #blockersOf(error: unknown): Promise<readonly Blocker[]> {
    if (sqlStateOf(error) !== SQLSTATE.lockNotAvailable || this.#blockers.length > 0) return this.#blockers
    return readHolders(this.#session, this.#subject.schema).catch(() => []) // the connection may be what failed
  }

  /** What happens now cannot be rolled back: the tenant is marked meanwhile, and a process that dies leaves the mark. */
  async #runOutside<T>(migration: string, execute: () => Promise<T>): Promise<T> {
    const tenant = this.#ledgerTenant
    if (tenant === undefined) return this.#session.within(this.#target, execute)
    const entry = await findInLedger(this.#session, 'schema', tenant.schema)
    if (entry?.error?.migration === migration) await dropInvalidIndexes(this.#session, tenant.schema)
    await markRunning(this.#session, tenant, migration)
    try {
      return await this.#session.within(this.#target, execute)
    } finally {
      // A dead connection leaves the mark: nobody knows then how far the server has got.
      await markRunning(this.#session, tenant, null).catch(() => undefined)
    }
  }

  /** @throws {@link TenancyError} MIGRATION_INTERRUPTED if a runner was killed in the middle of a migration. */
  async #assertNotInterrupted(): Promise<void> {
    const tenant = this.#ledgerTenant
    const running = tenant && (await readRunning(this.#session, tenant))
    if (tenant === undefined || running === undefined) return
    const { executed } = await this.#history()
    // Killed after the version was recorded, a migration is done.
    if (!executed.includes(running)) throw interrupted(tenant, running)
    await markRunning(this.#session, tenant, null)
  }

  async #runMigrations(names: readonly string[]): Promise<readonly Done[]> {
    const { id: tenant, schema } = this.#subject
    const { direction } = this.#request
    const { events, storage } = this.#options
    const place = this.place()
    const umzug = schemaUmzug({ files: this.#files, storage, place: () => place })
    const done: Done[] = []
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
    try {
      await umzug[direction]({ migrations: [...names] })
    } catch (error) {
      if (!(isMigrationError(error) && error.cause instanceof NeedsTreatment)) throw error
    }
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
      sql: (text, values) => this.#session.queryForMigration(text, values),
      x: this.#request.x ?? {},
    })
  }

  /** The tenant whose ledger row this run writes. */
  get #ledgerTenant(): Tenant | undefined {
    return this.#options.ledger ? this.#subject.tenant : undefined
  }

  async #recordProgress(done: readonly Done[]): Promise<void> {
    if (!this.#options.ledger) return
    const progress = { direction: this.#request.direction, done, accepted: this.#accepted }
    await writeProgress(this.#session, this.#subject, this.#files, this.#options.storage, progress)
  }

  async #recordFailure(failure: TenancyError): Promise<void> {
    const { id, schema } = this.#subject
    const tenant = this.#ledgerTenant
    const error = failure.toJSON()
    this.#options.events.emit('tenant:failed', { tenant: id, schema, error })
    // The connection may be what failed, and the failure itself is what must be reported.
    if (tenant !== undefined) await recordFailure(this.#session, tenant, error).catch(() => undefined)
  }

  async #prepare(): Promise<void> {
    await this.#session.renew()
    await this.#ensureSchemaExists()
    if (this.#options.ledger) await ensureLedger(this.#session, (fn) => this.#session.transaction(fn))
    await this.#assertNotInterrupted()
  }

  async #ensureSchemaExists(): Promise<void> {
    const { schema, tenant } = this.#subject
    if (await schemaExists(this.#session, schema)) return
    // The shared schema belongs to the application as a whole; a tenant's is made by provision alone.
    if (tenant === undefined) {
      await this.#session.query(`CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(schema)}`)
      return
    }
    throw schemaMissing(this.#subject)
  }
}
