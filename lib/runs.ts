/** Runs migrations: on which tenants, over which sessions, and what is reported of them. */
import type { Umzug } from 'umzug'

import { schemasAtHead } from './at-head.ts'
import { explainingDatabaseErrors } from './database-errors.ts'
import { retold, type TenancyError } from './errors.ts'
import { checkRun } from './shareable.ts'
import type { Folders } from './folders.ts'
import { HeldEvents } from './held-events.ts'
import { isStopped, notBegun, whileListening, type Interruption } from './interruption.ts'
import type { MigrationContext } from './migrations/context.ts'
import type { MigrationFile } from './migrations/files.ts'
import type { Allowances } from './migrations/integrity.ts'
import { migrate, withPlace } from './migrations/migrator.ts'
import type { MigratorOptions, RunReport, RunRequest } from './migrations/run.ts'
import type { MigrationSession } from './migrations/session.ts'
import { subjectOf } from './migrations/subject.ts'
import { tenantUmzug } from './migrations/umzug.ts'
import { onEach, type Act, type FleetLimits, type Place, type Together } from './on-each.ts'
import type { RedoReport } from './redo.ts'
import {
  downReport,
  upReport,
  type FleetDownReport,
  type FleetOf,
  type FleetUpReport,
  type Named,
  type TenantDownReport,
  type TenantUpReport,
} from './reports.ts'
import { isOne, type Selection } from './selection.ts'
import type { Tenant } from './tenant.ts'

export interface UpOptions extends Interruption {
  /** The last migration to run: a file name, with or without extension, or a revision id. */
  readonly to?: string
  /** How many at most. */
  readonly step?: number
  /** Values for `context.x` of migrations. */
  readonly x?: Readonly<Record<string, string>>
  /**
   * Violations of the set of files that are let through.
   * @defaultValue the configuration's
   */
  readonly allow?: Allowances
}

/** Options of `up` for a fleet. */
export interface FleetUpOptions extends FleetLimits {
  /**
   * Reads every tenant's version table. Else a tenant that the ledger knows at head is left out of the run: what
   * another tool has reverted meanwhile goes unseen.
   * @defaultValue `false`
   */
  readonly verify?: boolean
}

export interface DownOptions extends Interruption {
  /** The last migration to revert, that one included; 0 reverts all. */
  readonly to?: string | 0
  /** How many. @defaultValue 1 */
  readonly step?: number
  /** The migration to arrive at, which stays. */
  readonly backTo?: string
  readonly x?: Readonly<Record<string, string>>
  /**
   * What is let through; of a run down only `missing` matters: it passes over what has no file.
   * @defaultValue the configuration's
   */
  readonly allow?: Allowances
}

/** What `tenancy.sql` takes beside the selection. */
export type ScriptOptions = DownOptions & {
  /** @defaultValue `'up'` */
  readonly direction?: 'up' | 'down'
}

/** Which migrations `redo` reverts and applies again. */
export type RedoOptions = Omit<DownOptions, 'backTo'>

export interface RunsOptions extends MigratorOptions, Place {
  readonly folders: Folders
}

/** What tells a run up from a run down. */
interface Move<Report extends Named> extends Pick<Act<Report>, 'idle'> {
  readonly reportOf: (report: RunReport) => Report
  readonly changesOf: (report: Report) => readonly string[]
}

export class Runs {
  readonly #options: RunsOptions

  constructor(options: RunsOptions) {
    this.#options = options
  }

  up(options: Selection & UpOptions & FleetUpOptions): Promise<TenantUpReport | FleetUpReport> {
    const { to, step, x, allow, signal, cancelSignal, verify = false } = options
    const request: RunRequest = { direction: 'up', to, step, x, allow, signal, cancelSignal }
    const goesToHead = to === undefined && step === undefined
    return this.#move<TenantUpReport>(options, request, {
      reportOf: upReport,
      changesOf: ({ applied }) => applied,
      idle: goesToHead && !verify ? schemasAtHead : undefined,
    })
  }

  down(options: Selection & DownOptions & FleetLimits): Promise<TenantDownReport | FleetDownReport> {
    const { to, step, backTo, x, allow, signal, cancelSignal } = options
    const request: RunRequest = { direction: 'down', to, step, backTo, x, allow, signal, cancelSignal }
    return this.#move<TenantDownReport>(options, request, {
      reportOf: downReport,
      changesOf: ({ reverted }) => reverted,
    })
  }

  async #move<Report extends Named>(
    options: Selection & FleetLimits & Interruption,
    request: RunRequest,
    { reportOf, changesOf, idle }: Move<Report>,
  ): Promise<Report | FleetOf<Report>> {
    const together = isOne(options) ? undefined : this.#together(request)
    const place = together === undefined ? this.#options : { ...this.#options, events: together.events }
    const act: Act<Report> = {
      files: (isShared) => this.#options.folders.migrationsOf(isShared),
      run: async (session, subject, files) =>
        reportOf(await migrate(session, subject, files, request, place)),
      idle,
      isUnchanged: (report) => changesOf(report).length === 0,
      reportOf: ({ id, schema }, { committed }) =>
        reportOf({ id, schema, migrations: committed, durationMs: 0 }),
      together,
    }
    const run = () => onEach(options, act, this.#options)
    if (isOne(options)) return run()
    return this.#options.events.observing({ name: 'fleet', direction: request.direction }, run)
  }

  #together(request: RunRequest): Together | undefined {
    const { transaction, events, lockWaitMs } = this.#options
    if (transaction !== 'fleet') return undefined
    return {
      events: new HeldEvents(events),
      lockWaitMs,
      check: (session, subject, files) => checkRun(session, { subject, files, request }, this.#options),
    }
  }

  async redo(options: Selection & RedoOptions & FleetLimits): Promise<RedoReport | FleetOf<RedoReport>> {
    const { redo } = await import('./redo.ts')
    const { to, step, x, allow, signal, cancelSignal } = options
    const request = { to, step, x, allow, signal, cancelSignal }
    return onEach<RedoReport>(
      options,
      {
        files: (isShared) => this.#options.folders.migrationsOf(isShared),
        run: (session, subject, files) => redo(session, subject, files, request, this.#options),
        isUnchanged: ({ reverted }) => reverted.length === 0,
        reportOf: ({ id, schema }, { reverted, committed }) => ({
          id,
          schema,
          reverted,
          applied: committed,
          durationMs: 0,
        }),
      },
      this.#options,
    )
  }

  /** The script that does what `up` or `down` would do. */
  async sql({ direction = 'up', ...options }: Selection & ScriptOptions): Promise<string> {
    const { to, step, backTo, x, allow } = options
    const run: RunRequest = { direction, to, step, backTo, x, allow }
    const { database, tenants, folders } = this.#options
    const subjects = isOne(options)
      ? [await tenants.subject(options)]
      : (await tenants.select(options)).map(subjectOf)
    const files = await folders.migrationsOf(subjects.some(({ tenant }) => tenant === undefined))
    const { scriptOf } = await import('./offline.ts')
    return explainingDatabaseErrors(async () =>
      scriptOf(await database.sessionOptions(), { subjects, files, run }, this.#options),
    )
  }

  /** Brings `tenant` to the last of `files` for a request that waits, over a session of its own. */
  async upgrade(tenant: Tenant, files: readonly MigrationFile[]): Promise<RunReport> {
    const request: RunRequest = { direction: 'up', inRequest: true }
    return this.#options.database.withSession((session) =>
      migrate(session, subjectOf(tenant), files, request, this.#options),
    )
  }

  /** Brings a tenant that is there now to the last migration; the answer is what was applied. */
  async upgradeNew(
    session: MigrationSession,
    tenant: Tenant,
    interruption: Interruption,
  ): Promise<readonly string[]> {
    if (isStopped(interruption)) throw leftEmpty(tenant)
    const files = await this.#options.folders.migrations()
    const request: RunRequest = { direction: 'up', ...interruption }
    const { migrations } = await whileListening(
      interruption.cancelSignal,
      () => void session.cancel(),
      () => migrate(session, subjectOf(tenant), files, request, this.#options),
    )
    return migrations
  }

  umzug(find: () => Promise<Tenant>): Umzug<MigrationContext> {
    const { database, folders, storage } = this.#options
    const files = () => folders.migrations()
    return tenantUmzug({ files, storage }, async (command, fn) => {
      const subject = subjectOf(await find())
      const found = await files()
      return database.withSession((session) => withPlace(session, subject, found, command, this.#options, fn))
    })
  }
}

function leftEmpty(tenant: Tenant): TenancyError {
  return retold(notBegun(tenant), {
    detail: 'it is registered, and its schema is there',
    fix: [`go on: umzug-tenants up --tenant ${tenant.id}`],
  })
}
