/** What differences between models and tenants would break on: the rows of many tenants, counted. */
import { measureSchema, type SchemaFindings } from './autogenerate/measure.ts'
import { measuresOf } from './autogenerate/measures.ts'
import type { Operation } from './autogenerate/operation.ts'
import type { Snapshot } from './autogenerate/snapshot.ts'
import type { Interruption } from './interruption.ts'
import { schemaExists, schemaMissing } from './migrations/history.ts'
import { onMany, type Act, type FleetLimits, type Place } from './on-each.ts'
import type { FleetOf, Named } from './reports.ts'
import { orAll, type FleetSelection } from './selection.ts'

/** Whose rows are counted. @defaultValue those of all tenants */
export type DataRequest = Partial<FleetSelection> & FleetLimits & Interruption

/** Rows of one tenant that the differences would break on; `succeeded` are tenants that have some, or lack a table. */
export interface TenantFindings extends Named, SchemaFindings {}

export interface DataReport extends FleetOf<TenantFindings> {
  /** Differences that may fail because of rows in a way that cannot be counted. */
  readonly unmeasured: readonly Operation[]
}

export interface DataPlace extends Place {
  /** Schemas after a tenant's own, in order. */
  readonly searchPath: readonly string[]
}

/** @param models What `differences` lead to. */
export async function checkData(
  { differences, models }: { readonly differences: readonly Operation[]; readonly models: Snapshot },
  request: DataRequest,
  place: DataPlace,
): Promise<DataReport> {
  const { measures, unmeasured } = measuresOf(differences, models)
  const act: Act<TenantFindings> = {
    files: () => Promise.resolve([]),
    run: async (session, subject) => {
      const { id, schema } = subject
      if (!(await schemaExists(session, schema))) throw schemaMissing(subject)
      const where = { schema, searchPath: place.searchPath }
      return { id, schema, ...(await measureSchema(session, where, measures)) }
    },
    isUnchanged: ({ findings, absent }) => findings.length + absent.length === 0,
    reportOf: ({ id, schema }) => ({ id, schema, findings: [], absent: [] }),
  }
  const report = await onMany(orAll(request), act, place)
  return { ...report, unmeasured }
}
