/** The tenant that stands for all: which one it is, and whether it can. */
import { TenancyError } from './errors.ts'
import type { Inspection } from './inspection.ts'
import type { Tenant } from './tenant.ts'
import type { Tenants } from './tenants.ts'

/** The rooms that know. */
export interface SpecimenPlace {
  readonly tenants: Tenants
  readonly inspection: Inspection
}

/** The tenant that `id` names; else the only one there is, or the first at head. */
export async function findSpecimen(place: SpecimenPlace, id: string | undefined): Promise<Tenant> {
  if (id !== undefined) return place.tenants.find({ id })
  const tenants = await place.tenants.all()
  const [only, ...others] = tenants
  if (only === undefined) {
    throw new TenancyError('USAGE', 'There is no tenant to compare the models with.', {
      fix: ['create one, which may stay without users: umzug-tenants tenants create specimen --up'],
    })
  }
  if (others.length === 0) return only
  for (const tenant of tenants) {
    const { state } = await statusOf(place, tenant)
    if (state === 'ok') return tenant
  }
  throw new TenancyError('USAGE', 'No tenant is at head, so none can stand for all.', {
    fix: ['upgrade one: umzug-tenants up --tenant ID', 'then name it: --specimen ID'],
  })
}

async function statusOf({ inspection }: SpecimenPlace, { id }: Tenant) {
  const status = await inspection.status({ tenant: id })
  if (!('state' in status)) throw new TypeError('one tenant was asked for') // its overload says so
  return status
}

/** What a pending migration is about to do would be found to be missing, and generated again. */
export async function assertAtHead(place: SpecimenPlace, tenant: Tenant): Promise<void> {
  const { state, pending } = await statusOf(place, tenant)
  if (state === 'ok') return
  throw new TenancyError('TENANT_PENDING', `Specimen "${tenant.id}" is not at head: ${state}.`, {
    tenant: tenant.id,
    schema: tenant.schema,
    detail: pending.length === 0 ? undefined : `pending: ${pending.join(', ')}`,
    fix: [
      state === 'pending'
        ? `upgrade it: umzug-tenants up --tenant ${tenant.id}`
        : `see umzug-tenants status --tenant ${tenant.id}`,
      'or name another one: --specimen ID',
    ],
  })
}
