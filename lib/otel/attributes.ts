/** How operations are called in telemetry: by the semantic conventions where they have a word. Pure. */
import type { Operation } from '../events.ts'

type Attributes = Readonly<Record<string, string>>

const SPAN_NAMES = { gate: 'tenant gate', run: 'tenant', fleet: 'fleet', migration: 'migration' } as const

/** Few names for many spans: what differs stands in the attributes. */
export function spanNameOf(operation: Operation): string {
  const name = SPAN_NAMES[operation.name]
  return operation.name === 'gate' ? name : `${name} ${operation.direction}`
}

export function attributesOf(operation: Operation): Attributes {
  const database = { 'db.system.name': 'postgresql' }
  switch (operation.name) {
    case 'fleet':
      return { ...database, 'umzug_tenants.direction': operation.direction }
    case 'gate':
      return { ...database, ...tenantOf(operation) }
    case 'run':
      return { ...database, ...tenantOf(operation), ...placeOf(operation) }
    case 'migration':
      return {
        ...database,
        ...tenantOf(operation),
        ...placeOf(operation),
        'umzug_tenants.migration.name': operation.migration,
      }
  }
}

function tenantOf({ tenant, schema }: { readonly tenant: string; readonly schema: string }): Attributes {
  return { 'umzug_tenants.tenant.id': tenant, 'umzug_tenants.tenant.schema': schema }
}

/** The namespace is "the schema, qualified by the database": https://opentelemetry.io/docs/specs/semconv/database/postgresql */
function placeOf(operation: Extract<Operation, { database: string }>): Attributes {
  const { database, schema, direction } = operation
  return { 'db.namespace': `${database}.${schema}`, 'umzug_tenants.direction': direction }
}
