/** One schema to migrate: a tenant's, or the shared one. */
import type { Tenant } from '../tenant.ts'

export interface Subject {
  /** The tenant's id, or a name for the shared schema; what reports and events call it. */
  readonly id: string
  readonly schema: string
  /** `undefined` for the shared schema. */
  readonly tenant: Tenant | undefined
}

export function subjectOf(tenant: Tenant): Subject {
  return { id: tenant.id, schema: tenant.schema, tenant }
}
