/** Builds the rooms of a tenancy from its options, and connects them. */
import type { Adoptions } from './adoptions.ts'
import type { Comparison } from './comparison.ts'
import { TenantContext } from './context.ts'
import { Database } from './database.ts'
import { Events } from './events.ts'
import { Folders } from './folders.ts'
import { Inspection } from './inspection.ts'
import type { Operations } from './operations.ts'
import type { ResolvedOptions } from './options.ts'
import type { Records } from './records.ts'
import { sourceRegistry, tableRegistry, type Registry } from './registry.ts'
import { Runs } from './runs.ts'
import type { Seeds } from './seeds.ts'
import { Serving } from './serving.ts'
import { Tenants } from './tenants.ts'

export interface Rooms {
  readonly events: Events
  readonly context: TenantContext
  readonly database: Database
  readonly tenants: Tenants
  readonly inspection: Inspection
  readonly runs: Runs
  readonly serving: Serving
  // Loaded when they are asked for: a request or a run needs none of them.
  seeds(): Promise<Seeds>
  records(): Promise<Records>
  adoptions(): Promise<Adoptions>
  operations(): Promise<Operations>
  comparison(): Promise<Comparison>
}

/** Opens nothing: that is left to the first use. */
export function assemble(options: ResolvedOptions): Rooms {
  const events = new Events()
  const context = new TenantContext(options)
  const database = new Database(options, context)
  const registry = registryFor(options, database, context)
  const tenants = new Tenants(options, database, registry, events)
  const place = { ...options, events, ledger: true, database, tenants, folders: new Folders(options) }
  const inspection = new Inspection(place)
  const runs = new Runs(place)
  const serving = new Serving(options, { events, context, database, tenants, folders: place.folders, runs })
  return {
    events,
    context,
    database,
    tenants,
    inspection,
    runs,
    serving,
    seeds: async () => new (await import('./seeds.ts')).Seeds(place),
    records: async () => new (await import('./records.ts')).Records(place),
    adoptions: async () => new (await import('./adoptions.ts')).Adoptions({ ...place, registry }),
    operations: async () => new (await import('./operations.ts')).Operations(place),
    comparison: async () => {
      const { Comparison } = await import('./comparison.ts')
      return new Comparison(options, context, { ...place, inspection })
    },
  }
}

function registryFor(options: ResolvedOptions, database: Database, context: TenantContext): Registry {
  if (options.tenants === undefined) return tableRegistry(database.runner, options.policy)
  // An application's registry may use its Sequelize, which must be scoped before its first query.
  const inSharedScope = async <T>(fn: () => T): Promise<Awaited<T>> => {
    await database.pool()
    return await context.runShared(fn)
  }
  return sourceRegistry(options.tenants, options.policy, inSharedScope)
}
