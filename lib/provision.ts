/** Creates and removes tenants: the registration and the schema, under the schema's lock. */
import { TenancyError } from './errors.ts'
import type { Events } from './events.ts'
import { grantLedger, grantToRoles, type Roles } from './grants.ts'
import type { Interruption } from './interruption.ts'
import { ensureLedger } from './ledger.ts'
import { schemaExists } from './migrations/history.ts'
import type { MigrationSession } from './migrations/session.ts'
import type { Registry } from './registry.ts'
import { quoteIdentifier, type SqlRunner } from './sql.ts'
import type { Tenant, TenantInput } from './tenant.ts'

/** What `provision` takes: who the tenant is, and whether to upgrade it. */
export interface ProvisionRequest extends TenantInput, Interruption {
  /**
   * `false` leaves the schema empty.
   * @defaultValue `true`
   */
  readonly up?: boolean
}

/** What `provision` did. */
export interface ProvisionReport {
  readonly id: string
  readonly schema: string
  readonly host?: string
  /** Whether the tenant or its schema is new. */
  readonly created: boolean
  /** Migrations that were applied. */
  readonly applied: readonly string[]
}

export interface ProvisionOptions extends Interruption {
  readonly registry: Registry
  readonly lockWaitMs: number
  readonly events: Events
  readonly roles: Roles
}

/**
 * Registers `tenant` and creates its schema, empty; again, and in any number of processes at once, it changes
 * nothing. Whether something was created is the answer.
 *
 * @throws {@link TenancyError} TENANT_CONFLICT; REGISTRY_READ_ONLY; SCHEMA_NOT_EMPTY if the schema holds
 * objects and belongs to no tenant; RUN_NOT_BEGUN if a signal has ended the wait for the lock.
 */
export async function provisionSchema(
  session: MigrationSession,
  tenant: Tenant,
  { registry, lockWaitMs, events, roles, ...interruption }: ProvisionOptions,
): Promise<boolean> {
  await ensureLedger(session, (fn) => session.transaction(fn))
  await session.transaction(() => grantLedger(session, roles))
  const create = () =>
    session.transaction(async () => {
      const known = await registry.find({ id: tenant.id })
      const exists = await schemaExists(session, tenant.schema)
      if (known === undefined && exists) await assertEmpty(session, tenant)
      await registry.add(tenant, session)
      if (!exists) await session.query(`CREATE SCHEMA ${quoteIdentifier(tenant.schema)}`)
      await grantToRoles(session, tenant, roles)
      if (exists) return known === undefined
      events.emit('tenant:provisioned', { tenant: tenant.id, schema: tenant.schema })
      return true
    })
  return session.withLock(tenant, lockWaitMs, create, interruption)
}

/** Removes the tenant's schema with all it holds, and then its registration. */
export async function dropSchema(
  session: MigrationSession,
  tenant: Tenant,
  { registry, lockWaitMs, events }: ProvisionOptions,
): Promise<void> {
  await ensureLedger(session, (fn) => session.transaction(fn))
  await session.withLock(tenant, lockWaitMs, () =>
    session.transaction(async () => {
      await session.query(`DROP SCHEMA IF EXISTS ${quoteIdentifier(tenant.schema)} CASCADE`)
      await registry.remove(tenant, session)
    }),
  )
  events.emit('tenant:dropped', { tenant: tenant.id, schema: tenant.schema })
}

async function assertEmpty(sql: SqlRunner, { id, schema }: Tenant): Promise<void> {
  const objects = await sql.query<{ name: string }>(
    `SELECT o.name FROM pg_catalog.pg_namespace n, LATERAL (
       SELECT relname AS name FROM pg_catalog.pg_class WHERE relnamespace = n.oid
       UNION ALL SELECT proname FROM pg_catalog.pg_proc WHERE pronamespace = n.oid
       UNION ALL SELECT typname FROM pg_catalog.pg_type WHERE typnamespace = n.oid AND typtype IN ('e', 'd')) o
      WHERE n.nspname = $1 ORDER BY 1 LIMIT 3`,
    [schema],
  )
  if (objects.length === 0) return
  throw new TenancyError('SCHEMA_NOT_EMPTY', `Schema "${schema}" exists already and is not empty.`, {
    tenant: id,
    schema,
    detail: `it holds ${objects.map(({ name }) => `"${name}"`).join(', ')}`,
    fix: ['choose another schema: what is in this one belongs to no registered tenant'],
  })
}
