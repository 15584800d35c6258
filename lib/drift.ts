/**
 * Which tenants of a fleet are not what the specimen is: a few connections read them from one queue. First where each
 * stands, then what each is; in between the migrations are run again for those that stand elsewhere than the specimen.
 */
import { DriftSearch, type Drift, type DriftReader, type DriftSpecimen, type DriftSubject } from './autogenerate/drift.ts' // prettier-ignore
import { fingerprintOf, withFingerprints, type TakeFingerprint } from './autogenerate/fingerprint.ts'
import type { Operation } from './autogenerate/operation.ts'
import { readSnapshot, VERSION_TABLES, type ReadOptions } from './autogenerate/read.ts'
import { depthOf, replay, type Replay } from './autogenerate/replay.ts'
import type { Select } from './autogenerate/select.ts'
import type { Snapshot } from './autogenerate/snapshot.ts'
import type { Database } from './database.ts'
import { explainingDatabaseErrors } from './database-errors.ts'
import type { Events } from './events.ts'
import { runFleet, type FleetOutcome } from './fleet.ts'
import type { Interruption } from './interruption.ts'
import type { MigrationFile } from './migrations/files.ts'
import { readHistory, schemaExists } from './migrations/history.ts'
import type { MigrationSession } from './migrations/session.ts'
import type { FleetLimits } from './on-each.ts'
import { checkConcurrency, checkMaxFailures, type ResolvedOptions } from './options.ts'
import type { SqlRunner } from './sql.ts'
import type { Tenant } from './tenant.ts'

export interface DriftRequest extends FleetLimits, Interruption {
  /**
   * Id of the tenant that the others are compared with.
   * @defaultValue the only tenant, else the first one at head
   */
  readonly specimen?: string | undefined
  /** Instead of `autogenerate.shadowUrl`: where the migrations are run again. */
  readonly shadowUrl?: string | undefined
  /** Tenants at once. @defaultValue the configuration's */
  readonly concurrency?: number | undefined
}

export interface DriftReport {
  /** Id of the tenant that the others were compared with. */
  readonly specimen: string
  readonly tenants: readonly Drift[]
  /** Why tenants at another revision than the specimen's could not be compared with what it was there. */
  readonly replayProblem?: string
  /** Tenants that were not begun: the run was stopped, or had failed too often. */
  readonly notRun: number
  /** Their ids, if there are any; they are not among `tenants`. */
  readonly remaining?: readonly string[]
}

export interface DriftPlace {
  readonly options: ResolvedOptions
  readonly database: Database
  readonly events: Events
  readonly files: readonly MigrationFile[]
  /** What is compared, and which differences count. */
  readonly select: Select
}

/**
 * Compares `tenants` with `specimen`. What is wrong with one of them is in its entry of the report.
 *
 * @throws {@link TenancyError} SCHEMA_MISSING for the specimen's; DATABASE_UNREACHABLE.
 */
export async function findFleetDrift(
  place: DriftPlace,
  specimen: Tenant,
  tenants: readonly Tenant[],
  request: DriftRequest,
): Promise<DriftReport> {
  const { database, select } = place
  const keep = (operation: Operation) => select.isKept(operation)
  const reading = readingOf(place)
  return explainingDatabaseErrors(async () => {
    const reference = await database.withSession(async (session) => ({
      ...(await whereItStands(session, specimen, place)),
      fingerprint: await fingerprintOf(session, specimen.schema, reading),
      snapshot: await readSnapshot(session, specimen.schema, reading),
    }))
    const stands = await overFleet(tenants, place, request, ({ sql }, tenant) =>
      whereItStands(sql, tenant, place),
    )
    const standing = reportsOf(stands)
    const { at, problem } = await replayFor(reference, standing, place, request)
    const specimenAt = (executed: readonly string[]) =>
      Promise.resolve(at.get(depthOf(executed, place.files) ?? NOWHERE))
    const search = new DriftSearch(reference, { ...reading, keep, specimenAt })
    const subjects = new Map(standing.map((subject) => [subject.id, subject]))
    const compared = await overFleet(
      tenants.filter(({ id }) => subjects.has(id)),
      place,
      request,
      (reader, { id, schema }) => search.of(reader, subjects.get(id) ?? { id, schema, executed: [] }),
    )
    return {
      ...fleetReport(tenants, [...failuresOf(stands), ...reportsOf(compared), ...failuresOf(compared)]),
      specimen: specimen.id,
      ...(problem === undefined ? {} : { replayProblem: problem }),
    }
  })
}

/** A depth that nothing has. */
const NOWHERE = -1

function readingOf({ options: { storage }, select }: Pick<DriftPlace, 'options' | 'select'>): ReadOptions {
  return { exclude: [...VERSION_TABLES, storage.table], isCompared: (table) => select.isCompared(table) }
}

async function whereItStands(
  sql: SqlRunner,
  { id, schema }: Tenant,
  { files, options: { storage } }: DriftPlace,
): Promise<DriftSubject> {
  if (!(await schemaExists(sql, schema))) return { id, schema, executed: [] }
  const { executed, unknown } = await readHistory(sql, schema, files, storage)
  return { id, schema, executed: [...executed, ...unknown] }
}

/** Nothing is run if all tenants stand where the specimen does. */
async function replayFor(
  reference: DriftSpecimen & { readonly snapshot: Snapshot },
  standing: readonly DriftSubject[],
  { files, options, database, select }: DriftPlace,
  { shadowUrl = options.autogenerate.shadowUrl }: DriftRequest,
): Promise<Replay> {
  const depth = depthOf(reference.executed, files)
  const wanted = standing.map(({ executed }) => executed).filter((each) => depthOf(each, files) !== depth)
  if (wanted.length === 0) return { at: new Map() }
  const session = await database.sessionOptions()
  return replay(shadowUrl === undefined ? session : { ...session, connection: shadowUrl }, {
    files,
    specimen: reference,
    snapshot: reference.snapshot,
    wanted,
    searchPath: options.searchPath,
    reading: readingOf({ options, select }),
    keep: (operation) => select.isKept(operation),
  })
}

/** Does `fn` to each tenant, on a few connections at once, each with hundreds of tenants. */
async function overFleet<Report>(
  tenants: readonly Tenant[],
  place: DriftPlace,
  request: DriftRequest,
  fn: (reader: DriftReader, tenant: Tenant) => Promise<Report>,
): Promise<FleetOutcome<Report>> {
  const { options, database, events } = place
  const takes = new WeakMap<MigrationSession, TakeFingerprint>()
  return runFleet<Report>(tenants, {
    concurrency: checkConcurrency(request.concurrency, options.concurrency),
    maxFailures: checkMaxFailures(request),
    signal: request.signal,
    cancelSignal: request.cancelSignal,
    withSession: (use) =>
      database.withSession((session) =>
        withFingerprints(session, readingOf(place), (take) => {
          takes.set(session, take)
          return use(session)
        }),
      ),
    run: (session, tenant) => {
      const take = takes.get(session)
      if (take === undefined) throw new TypeError('a session of this fleet')
      return fn({ sql: session, take }, tenant)
    },
    isUnchanged: () => true,
    onProgress: (counts) => events.emit('fleet:progress', counts),
  })
}

function reportsOf<Report>({ results }: FleetOutcome<Report>): readonly Report[] {
  return results.flatMap((result) => ('report' in result ? [result.report] : []))
}

function failuresOf({ results }: FleetOutcome<unknown>): readonly Drift[] {
  return results.flatMap((result) => {
    if (!('error' in result)) return []
    const { tenant, error } = result
    return [{ id: tenant.id, schema: tenant.schema, state: 'failed', differences: [], error }]
  })
}

/** In the order of `tenants`; of whom there is nothing to say, the run has not begun. */
function fleetReport(
  tenants: readonly Tenant[],
  drifts: readonly Drift[],
): Pick<DriftReport, 'tenants' | 'notRun' | 'remaining'> {
  const known = new Map(drifts.map((drift) => [drift.id, drift]))
  const remaining = tenants.filter(({ id }) => !known.has(id)).map(({ id }) => id)
  return {
    tenants: tenants.flatMap(({ id }) => known.get(id) ?? []),
    notRun: remaining.length,
    ...(remaining.length === 0 ? {} : { remaining }),
  }
}
