/** The metrics: how many of each operation there were, how long they took, what they failed with. */
import type { Meter } from '@opentelemetry/api'

import type { Operation } from '../events.ts'

export interface InstrumentOptions {
  /**
   * How many tenants metrics may tell apart by their id; those that come later are counted together as `other`.
   * @defaultValue 0: none
   */
  readonly tenantLabels?: number
}

/** Notes an operation that took `seconds`, and what it failed with. */
export type Recorder = (operation: Operation, seconds: number, errorType: string | undefined) => void

/** A migration takes milliseconds or hours; the conventions' own bounds end at ten seconds. */
const BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800]

/** Who has come too late for a label of its own. */
const OVERFLOW = 'other'

export function createInstruments(meter: Meter, { tenantLabels = 0 }: InstrumentOptions): Recorder {
  const histogram = (name: string, description: string) =>
    meter.createHistogram(name, { description, unit: 's', advice: { explicitBucketBoundaries: BOUNDS } })
  const durations = {
    gate: histogram('umzug_tenants.gate.wait.duration', 'Waits of requests for their tenant to be at head.'),
    run: histogram('umzug_tenants.run.duration', "Tenants' runs."),
    fleet: histogram('umzug_tenants.fleet.duration', "Fleets' runs."),
    migration: histogram('umzug_tenants.migration.duration', 'Migrations on one tenant.'),
  }
  const failures = meter.createCounter('umzug_tenants.failures', {
    description: 'Operations that have failed, and requests that were refused.',
    unit: '{failure}',
  })
  const labelOf = tenantLabel(tenantLabels)
  return (operation, seconds, errorType) => {
    const labels = { ...directionOf(operation), ...labelOf(operation) }
    const failure = errorType === undefined ? {} : { 'error.type': errorType }
    durations[operation.name].record(seconds, { ...labels, ...failure })
    if (errorType !== undefined && errorType !== 'repeated')
      failures.add(1, { 'umzug_tenants.operation': operation.name, ...labels, ...failure })
  }
}

function directionOf(operation: Operation): { 'umzug_tenants.direction'?: string } {
  return operation.name === 'gate' ? {} : { 'umzug_tenants.direction': operation.direction }
}

/** The first `limit` tenants have a label each; there is one more for all the others. */
function tenantLabel(limit: number): (operation: Operation) => { 'umzug_tenants.tenant.id'?: string } {
  const labelled = new Set<string>()
  return (operation) => {
    if (limit === 0 || operation.name === 'fleet') return {}
    const { tenant } = operation
    if (labelled.size < limit) labelled.add(tenant)
    return { 'umzug_tenants.tenant.id': labelled.has(tenant) ? tenant : OVERFLOW }
  }
}
