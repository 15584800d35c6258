/** Does something to one schema, whose failure is thrown, or to many tenants, whose failures are in the report. */
import type { Database } from './database.ts'
import { explainingDatabaseErrors } from './database-errors.ts'
import type { Events } from './events.ts'
import { NOTHING, runFleet, type FleetOptions, type Kept } from './fleet.ts'
import { runInOneTransaction, type FleetTransactionOptions } from './fleet-transaction.ts'
import { isStopped, notBegun, whileListening, type Interruption } from './interruption.ts'
import type { MigrationFile } from './migrations/files.ts'
import type { MigrationSession } from './migrations/session.ts'
import { subjectOf, type Subject } from './migrations/subject.ts'
import { checkConcurrency, checkMaxFailures } from './options.ts'
import { fleetReport, type FleetOf, type Named } from './reports.ts'
import { isOne, type FleetSelection, type OneSelection, type Selection } from './selection.ts'
import type { Tenants } from './tenants.ts'

/** When a fleet's run ends before its last tenant. What it leaves, the same call does later. */
export interface FleetLimits {
  /**
   * Whether no tenant is begun after the first that fails: `maxFailures: 1`.
   * @defaultValue `false`
   */
  readonly failFast?: boolean
  /**
   * Failures after which no tenant is begun; those that are running go on to their end.
   * @defaultValue none
   */
  readonly maxFailures?: number
}

/** What is done to each schema, and how it is reported. */
export interface Act<Report extends Named> {
  /** Files for the shared schema, or for the tenants: one list for all of them, read once. */
  files(isShared: boolean): Promise<readonly MigrationFile[]>
  run(session: MigrationSession, subject: Subject, files: readonly MigrationFile[]): Promise<Report>
  /** Schemas that are known to have nothing to run. */
  readonly idle?:
    ((session: MigrationSession, files: readonly MigrationFile[]) => Promise<ReadonlySet<string>>) | undefined
  /** Whether a report says that nothing was done. */
  isUnchanged(report: Report): boolean
  /** The report of a schema on which `kept` is all that was done. */
  reportOf(owner: Named, kept: Kept): Report
  /** Of a fleet: it is done in one transaction to all tenants, or to none. */
  readonly together?: Together | undefined
}

/** What a fleet's transaction needs to know beside what is done in it. */
export interface Together extends Pick<FleetTransactionOptions<never>, 'lockWaitMs' | 'events'> {
  /** Throws what stands in the way of a run, before anybody's has begun. */
  check(session: MigrationSession, subject: Subject, files: readonly MigrationFile[]): Promise<void>
}

/** Where it is done. */
export interface Place {
  readonly database: Database
  readonly tenants: Tenants
  readonly events: Events
  /** Tenants at once, unless the call says otherwise. */
  readonly concurrency: number
}

/**
 * Does `act` to what `options` select.
 *
 * @throws {@link TenancyError} of one schema what `act` throws, and RUN_NOT_BEGUN if it is stopped before it begins.
 */
export async function onEach<Report extends Named>(
  options: Selection & FleetLimits & Interruption,
  act: Act<Report>,
  place: Place,
): Promise<Report | FleetOf<Report>> {
  return isOne(options) ? onOne(options, act, place) : onMany(options, act, place)
}

async function onOne<Report extends Named>(
  options: OneSelection & Interruption,
  act: Act<Report>,
  { database, tenants }: Place,
): Promise<Report> {
  const subject = await tenants.subject(options)
  const files = await act.files(subject.tenant === undefined)
  if (isStopped(options)) throw notBegun(subject)
  return explainingDatabaseErrors(
    () => withSession(database, options, (session) => act.run(session, subject, files)),
    { tenant: subject.id },
  )
}

/** The same for tenants alone. */
export async function onMany<Report extends Named>(
  options: FleetSelection & FleetLimits & Interruption,
  act: Act<Report>,
  { database, tenants, events, concurrency }: Place,
): Promise<FleetOf<Report>> {
  const limits = {
    concurrency: checkConcurrency(options.concurrency, concurrency),
    maxFailures: checkMaxFailures(options),
  }
  const files = await act.files(false)
  const selected = await tenants.select(options)
  const { idle, together } = act
  const isNeeded = selected.length > 0 && !isStopped(options)
  const schemas =
    idle === undefined || !isNeeded
      ? new Set<string>()
      : await explainingDatabaseErrors(() => database.withSession((session) => idle(session, files)))
  const fleet: FleetOptions<Report> = {
    ...limits,
    signal: options.signal,
    cancelSignal: options.cancelSignal,
    withSession: (fn) => withSession(database, options, fn),
    run: (session, tenant) => act.run(session, subjectOf(tenant), files),
    isUnchanged: (report) => act.isUnchanged(report),
    idle: (tenant) => (schemas.has(tenant.schema) ? act.reportOf(tenant, NOTHING) : undefined),
    onProgress: (counts) => events.emit('fleet:progress', counts),
  }
  const outcome = await (together === undefined
    ? runFleet(selected, fleet)
    : runInOneTransaction(selected, {
        ...fleet,
        ...together,
        check: (session, tenant) => together.check(session, subjectOf(tenant), files),
      }))
  return fleetReport(outcome, ({ id, schema }, kept) => act.reportOf({ id, schema }, kept))
}

/** A session whose migrations are cancelled when the signal says so. */
function withSession<T>(
  database: Database,
  { cancelSignal }: Interruption,
  fn: (session: MigrationSession) => Promise<T>,
): Promise<T> {
  return database.withSession((session) =>
    whileListening(
      cancelSignal,
      () => void session.cancel(),
      () => fn(session),
    ),
  )
}
