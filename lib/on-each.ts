/** Does something to one schema, whose failure is thrown, or to many tenants, whose failures are in the report. */
import type { Database } from './database.ts'
import { explainingDatabaseErrors } from './database-errors.ts'
import type { ErrorDocument } from './errors.ts'
import { runFleet } from './fleet.ts'
import type { MigrationSession } from './migrations/session.ts'
import { subjectOf, type Subject } from './migrations/subject.ts'
import { checkConcurrency } from './options.ts'
import { count, type FleetCounts } from './reports.ts'
import { isOne, type FleetSelection, type Selection } from './selection.ts'
import type { Tenants } from './tenants.ts'

/** What every report says at least. */
interface Named {
  readonly id: string
  readonly schema: string
}

/** The reports of many tenants; one that failed has an error. */
export interface FleetOf<Report extends Named> extends FleetCounts {
  readonly tenants: readonly (Report & { readonly error?: ErrorDocument })[]
}

export interface Act<Report extends Named> {
  /** What a report says of a tenant that failed. */
  readonly nothing: Omit<Report, keyof Named>
  readonly run: (session: MigrationSession, subject: Subject) => Promise<Report>
  /** Migrations that the report says something was done with; none: the tenant is unchanged. */
  readonly changed: (report: Report) => readonly string[]
}

export interface OnEachOptions {
  readonly database: Database
  readonly tenants: Tenants
  readonly concurrency: number
}

export async function onEach<Report extends Named>(
  selection: Selection,
  act: Act<Report>,
  options: OnEachOptions,
): Promise<Report | FleetOf<Report>> {
  if (!isOne(selection)) return onMany(selection, act, options)
  const { database, tenants } = options
  const subject = await tenants.subject(selection)
  return explainingDatabaseErrors(() => database.withSession((session) => act.run(session, subject)), {
    tenant: subject.id,
  })
}

async function onMany<Report extends Named>(
  selection: FleetSelection,
  { nothing, run, changed }: Act<Report>,
  { database, tenants, concurrency }: OnEachOptions,
): Promise<FleetOf<Report>> {
  const reports = new Map<string, Report>()
  const results = await runFleet(await tenants.select(selection), {
    concurrency: checkConcurrency(selection.concurrency, concurrency),
    withSession: (fn) => database.withSession(fn),
    async run(session, tenant) {
      const report = await run(session, subjectOf(tenant))
      reports.set(tenant.id, report)
      return { id: tenant.id, schema: tenant.schema, migrations: changed(report), durationMs: 0 }
    },
  })
  return {
    tenants: results.map((result) => {
      const { id, schema } = result.tenant
      const report = reports.get(id) ?? ({ id, schema, ...nothing } as Report) // `nothing` is the rest of it
      return 'error' in result ? { ...report, error: result.error } : report
    }),
    ...count(results),
  }
}
