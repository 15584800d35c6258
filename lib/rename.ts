/** Gives a tenant's schema another name: the schema, the registration and the ledger's rows in one transaction. */
import { TenancyError } from './errors.ts'
import type { Events } from './events.ts'
import { ensureLedger } from './ledger.ts'
import { schemaExists } from './migrations/history.ts'
import { withLocks } from './migrations/migrator.ts'
import type { MigrationSession } from './migrations/session.ts'
import { unknownTenant, type Registry } from './registry.ts'
import { textsNaming } from './schema-texts.ts'
import { quoteIdentifier, type SqlRunner } from './sql.ts'
import type { Tenant } from './tenant.ts'

/** What `rename` takes. */
export interface RenameRequest {
  readonly tenant: string
  /** The new name of its schema. */
  readonly schema: string
  /**
   * Whether to say what would break, and change nothing.
   * @defaultValue `false`
   */
  readonly dryRun?: boolean
}

export interface RenameReport {
  readonly id: string
  readonly schema: string
  /** What the schema was called before. */
  readonly from: string
  /** What goes on naming the old schema in a text, such as a function with a search path of its own. */
  readonly warnings: readonly string[]
}

export interface RenameOptions {
  readonly registry: Registry
  readonly lockWaitMs: number
  readonly events: Events
}

/**
 * Renames the schema of `tenant` to that of `renamed`, under the locks of both names.
 *
 * @throws {@link TenancyError} SCHEMA_MISSING, SCHEMA_EXISTS, TENANT_CONFLICT, LOCK_HELD; REGISTRY_READ_ONLY if the
 * application's registry has no `rename`.
 */
export async function renameSchema(
  session: MigrationSession,
  tenant: Tenant,
  renamed: Tenant,
  { registry, lockWaitMs, events }: RenameOptions,
): Promise<RenameReport> {
  const { id, schema: from } = tenant
  const { schema } = renamed
  await ensureLedger(session, (fn) => session.transaction(fn))
  const warnings = await withLocks(session, [tenant, renamed], lockWaitMs, () =>
    session.transaction(async () => {
      await assertStillSame(registry, tenant)
      await assertFree(session, tenant, schema)
      const texts = await textsNaming(session, from)
      await session.query(renaming(from, schema))
      await registry.rename(tenant, renamed, session)
      return texts
    }),
  )
  events.emit('tenant:renamed', { tenant: id, schema, from })
  return { id, schema, from, warnings }
}

/** Another process may have renamed it, and the old name may be another tenant's now. */
async function assertStillSame(registry: Registry, { id, schema }: Tenant): Promise<void> {
  const known = await registry.find({ id })
  if (known === undefined) throw unknownTenant(id)
  if (known.schema === schema) return
  throw new TenancyError('TENANT_CONFLICT', `Tenant "${id}" has schema "${known.schema}" meanwhile.`, {
    tenant: id,
    schema,
    fix: ['run it again'],
  })
}

/** What renaming would warn of. Writes nothing. */
export async function planRename(sql: SqlRunner, tenant: Tenant, renamed: Tenant): Promise<RenameReport> {
  const { id, schema: from } = tenant
  await assertFree(sql, tenant, renamed.schema)
  return { id, schema: renamed.schema, from, warnings: await textsNaming(sql, from) }
}

export function renaming(from: string, to: string): string {
  return `ALTER SCHEMA ${quoteIdentifier(from)} RENAME TO ${quoteIdentifier(to)}`
}

/** @throws {@link TenancyError} SCHEMA_MISSING unless the tenant's schema exists, SCHEMA_EXISTS if `to` does, too. */
export async function assertFree(sql: SqlRunner, { id, schema }: Tenant, to: string): Promise<void> {
  if (!(await schemaExists(sql, schema))) {
    throw new TenancyError('SCHEMA_MISSING', `Schema "${schema}" does not exist.`, {
      tenant: id,
      schema,
      fix: ['see the schemas there are: SELECT nspname FROM pg_namespace'],
    })
  }
  if (!(await schemaExists(sql, to))) return
  throw new TenancyError('SCHEMA_EXISTS', `Schema "${to}" exists already.`, {
    tenant: id,
    schema: to,
    fix: ['choose another name; a schema takes no other one in'],
  })
}
