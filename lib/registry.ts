/**
 * Which tenants exist. The registry is the only source of schema names: the application's own list, or a table
 * of the ledger. Whatever it answers is checked by the rules for names before anything uses it.
 */
import { TenancyError } from './errors.ts'
import {
  addToLedger,
  findInLedger,
  findRivals,
  moveInLedger,
  readLedger,
  removeFromLedger,
  type LedgerEntry,
} from './ledger.ts'
import type { SqlRunner } from './sql.ts'
import {
  createTenant,
  isPossibleId,
  normalizeHost,
  type NamePolicy,
  type Tenant,
  type TenantInput,
} from './tenant.ts'

/** What a tenant is looked up by: exactly one of the three. */
export interface TenantQuery {
  readonly id?: string
  readonly schema?: string
  readonly host?: string
}

/**
 * The application's own registry. It is called without a current tenant; queries on the application's Sequelize
 * see the shared schemas.
 */
export interface TenantSource {
  /** All tenants, in any order; may stream. */
  list(): TenantList | Promise<TenantList>
  /** The tenant with this id, schema or host; nothing for an unknown one. */
  find(query: TenantQuery): TenantInput | null | undefined | Promise<TenantInput | null | undefined>
  /** Registers a tenant; without it the application registers before it calls `provision`. */
  add?(tenant: Tenant): Promise<unknown>
  /** Forgets a tenant after its schema was dropped. */
  remove?(tenant: Tenant): Promise<unknown>
  /** Notes that the tenant's schema is called `schema` now; without it a tenant's schema cannot be renamed. */
  rename?(tenant: Tenant, schema: string): Promise<unknown>
}

type TenantList = Iterable<TenantInput> | AsyncIterable<TenantInput>

/** A registry as the library uses it: names checked, look-ups by one key. */
export interface Registry {
  list(): Promise<readonly Tenant[]>
  find(query: TenantQuery): Promise<Tenant | undefined>
  /**
   * Registers `tenant` through `sql`, in its transaction where the registry is the built-in table.
   *
   * @throws {@link TenancyError} TENANT_CONFLICT if its id, schema or host belongs to another tenant;
   * REGISTRY_READ_ONLY if the application's registry neither knows the tenant nor can add it.
   */
  add(tenant: Tenant, sql: SqlRunner): Promise<void>
  remove(tenant: Tenant, sql: SqlRunner): Promise<void>
  /**
   * Gives `tenant` the schema of `renamed`, in the registry and in the ledger.
   *
   * @throws {@link TenancyError} TENANT_CONFLICT if that schema belongs to another tenant; REGISTRY_READ_ONLY if the
   * application's registry has no `rename`.
   */
  rename(tenant: Tenant, renamed: Tenant, sql: SqlRunner): Promise<void>
}

/** The built-in registry: the ledger's table `umzug_tenants.tenant`. */
export function tableRegistry(sql: SqlRunner, policy: NamePolicy): Registry {
  const toTenant = ({ id, schema, host }: LedgerEntry) => createTenant({ id, schema, host }, policy)
  return {
    async list() {
      return (await readLedger(sql)).map(toTenant)
    },
    async find(query) {
      const key = keyOf(query)
      const entry = key && (await findInLedger(sql, key.column, key.value))
      return entry && toTenant(entry)
    },
    async add(tenant, connection) {
      await addToLedger(connection, tenant)
      const rivals = await findRivals(connection, tenant)
      for (const rival of rivals) assertSame(tenant, toTenant(rival))
    },
    remove: (tenant, connection) => removeFromLedger(connection, tenant),
    async rename(tenant, renamed, connection) {
      const rivals = (await findRivals(connection, renamed)).map(toTenant)
      for (const rival of rivals) if (rival.id !== tenant.id) assertSame(renamed, rival)
      await moveInLedger(connection, tenant, renamed.schema)
    },
  }
}

/** The application's registry, its answers checked. `inSharedScope` wraps each call to it. */
export function sourceRegistry(
  source: TenantSource,
  policy: NamePolicy,
  inSharedScope: <T>(fn: () => T) => Promise<Awaited<T>>,
): Registry {
  const find = async (query: TenantQuery): Promise<Tenant | undefined> => {
    const key = keyOf(query)
    if (key === undefined) return undefined
    const found = await inSharedScope(() => source.find({ [key.column]: key.value }))
    return found === null || found === undefined ? undefined : createTenant(found, policy)
  }
  return {
    find,
    async list() {
      const tenants: Tenant[] = []
      await inSharedScope(async () => {
        for await (const input of await source.list()) tenants.push(createTenant(input, policy))
      })
      return tenants
    },
    async add(tenant) {
      const { id, schema, host } = tenant
      const known = (await find({ id })) ?? (await find({ schema })) ?? (host && (await find({ host })))
      if (known) return assertSame(tenant, known)
      if (source.add === undefined) throw readOnly(tenant)
      await inSharedScope(() => source.add?.(tenant))
    },
    async remove(tenant, connection) {
      await inSharedScope(() => source.remove?.(tenant))
      await removeFromLedger(connection, tenant)
    },
    async rename(tenant, renamed, connection) {
      const { id, schema } = renamed
      if (source.rename === undefined) throw cannotRename(tenant)
      const rival = await find({ schema })
      if (rival !== undefined && rival.id !== id) assertSame(renamed, rival)
      await moveInLedger(connection, tenant, schema)
      // Last: it is not part of the transaction, which all that can fail before it rolls back.
      await inSharedScope(() => source.rename?.(tenant, schema))
    },
  }
}

/** The query's one key, in the form tenants are stored by; `undefined` for what no tenant can be called. */
function keyOf(query: TenantQuery): { column: 'id' | 'schema' | 'host'; value: string } | undefined {
  if (query.id !== undefined) return isPossibleId(query.id) ? { column: 'id', value: query.id } : undefined
  if (query.schema !== undefined) return { column: 'schema', value: query.schema }
  const host = query.host === undefined ? undefined : normalizeHost(query.host)
  return host === undefined ? undefined : { column: 'host', value: host }
}

function assertSame(wanted: Tenant, known: Tenant): void {
  if (known.id === wanted.id && known.schema === wanted.schema && known.host === (wanted.host ?? known.host))
    return
  const shared = (['id', 'schema', 'host'] as const).find(
    (key) => wanted[key] !== undefined && known[key]?.toLowerCase() === wanted[key].toLowerCase(),
  )
  throw new TenancyError(
    'TENANT_CONFLICT',
    known.id === wanted.id
      ? `Tenant "${wanted.id}" is registered already, with another schema or host.`
      : `Tenant "${wanted.id}" would share its ${shared ?? 'id'} with "${known.id}".`,
    {
      tenant: wanted.id,
      schema: wanted.schema,
      detail: `"${known.id}" has schema "${known.schema}"${known.host ? ` and host "${known.host}"` : ''}; letter case does not tell tenants apart`,
      fix: [
        'choose another id, schema or host; or repeat the call with the registered values, which changes nothing',
      ],
    },
  )
}

function readOnly(tenant: Tenant): TenancyError {
  return new TenancyError(
    'REGISTRY_READ_ONLY',
    `The registry does not know tenant "${tenant.id}" and cannot add it.`,
    {
      tenant: tenant.id,
      fix: ['add the tenant to your registry first, or give tenants an add function in the configuration'],
    },
  )
}

function cannotRename({ id, schema }: Tenant): TenancyError {
  return new TenancyError('REGISTRY_READ_ONLY', `The registry cannot give tenant "${id}" another schema.`, {
    tenant: id,
    schema,
    fix: ['give tenants a function rename(tenant, schema) in the configuration'],
  })
}

/** The error for a tenant that no registry entry answers to. */
export function unknownTenant(called: string): TenancyError {
  return new TenancyError(
    'TENANT_UNKNOWN',
    `No tenant ${JSON.stringify(called.slice(0, 128))} is registered.`,
    {
      tenant: called.slice(0, 128),
      fix: [
        'see the registered ones: umzug-tenants tenants list',
        'or register it: umzug-tenants tenants create ID',
      ],
    },
  )
}
