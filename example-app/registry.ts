/** Which tenants there are: the application's own table `shared.tenants`. A tenant's id is its name. */
import { DatabaseError } from 'sequelize'
import { TenancyError, type TenantSource } from 'umzug-tenants'

import type { Models, TenantRecord } from './models.ts'

export function tenantRegistry(open: () => Models | Promise<Models>): TenantSource {
  const table = async () => (await open()).TenantRecord
  return {
    list: () =>
      explained(async () => {
        const records = await (await table()).findAll()
        return records.map(toTenant)
      }),
    find: ({ id, ...schemaOrHost }) =>
      explained(async () => {
        const where = id === undefined ? schemaOrHost : { name: id }
        const record = await (await table()).findOne({ where })
        return record && toTenant(record)
      }),
    add: ({ id, schema, host = null }) =>
      explained(async () => (await table()).create({ name: id, schema, host })),
    remove: ({ id }) => explained(async () => (await table()).destroy({ where: { name: id } })),
  }
}

function toTenant({ name, schema, host }: TenantRecord) {
  return { id: name, schema, host }
}

/** SQLSTATE of a table that does not exist. */
const UNDEFINED_TABLE = '42P01'

/** Before the shared schema was migrated there is no table of tenants: then the remedy is the message. */
async function explained<T>(fn: () => Promise<T>): Promise<T> {
  try {
    return await fn()
  } catch (error) {
    if (!(error instanceof DatabaseError) || !('code' in error.original)) throw error
    if (error.original.code !== UNDEFINED_TABLE) throw error
    throw new TenancyError('SCHEMA_MISSING', 'The shared schema has no table of tenants yet.', {
      fix: ['migrate it: umzug-tenants up --shared'],
      cause: error,
    })
  }
}
