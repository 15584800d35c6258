/**
 * What a tenant is, and the rules for its names. A request never becomes a schema name: it finds a tenant in
 * the registry, and the registry's answer passes through {@link createTenant}.
 */
import { TenancyError } from './errors.ts'

/** One customer: an identity, and the PostgreSQL schema that holds its tables. */
export interface Tenant {
  /** What the application calls the tenant; never used as SQL. */
  readonly id: string
  /** The PostgreSQL schema of its tables. */
  readonly schema: string
  /** The host name under which requests find it, if any: lower case, without port. */
  readonly host?: string
}

/** What a registry may answer and `provision` takes: `schema` defaults to `id`. */
export interface TenantInput {
  readonly id: string
  readonly schema?: string
  readonly host?: string | null
}

/**
 * Which schema names are accepted: `'strict'` only `a-z`, `0-9` and `_`, beginning with a letter; `'quoted'`
 * whatever PostgreSQL accepts in quotes.
 */
export type NameRule = 'strict' | 'quoted'

export interface NamePolicy {
  readonly names: NameRule
  /** Schemas that belong to the application as a whole, such as the shared schema. */
  readonly reserved: readonly string[]
}

/** Schema of the registry and the ledger. */
export const LEDGER_SCHEMA = 'umzug_tenants'

/** PostgreSQL cuts longer identifiers silently (NAMEDATALEN - 1), so that two tenants could become one. */
const MAX_IDENTIFIER_BYTES = 63

const STRICT_SCHEMA = /^[a-z][a-z0-9_]*$/
const ID = /^[\p{L}\p{N}][\p{L}\p{N}._:@-]{0,127}$/u
const HOST = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/
/**
 * Control characters, line separators, the invisible marks that make a name read differently from what it is (bidi,
 * zero width), and halves of surrogate pairs, which all become one and the same U+FFFD on their way to the server.
 */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u

/**
 * A frozen tenant, its names checked.
 *
 * @throws {@link TenancyError} TENANT_NAME_INVALID for an id, schema or host of the wrong form;
 * TENANT_NAME_RESERVED for a schema that is PostgreSQL's or the application's own.
 *
 * @example
 * ```ts
 * createTenant({ id: 'acme' }, { names: 'strict', reserved: ['shared'] }).schema // 'acme'
 * ```
 */
export function createTenant(input: TenantInput, policy: NamePolicy): Tenant {
  const id = checkId(input.id)
  const schema = checkSchema(input.schema ?? input.id, id, policy)
  if (input.host === undefined || input.host === null || input.host === '')
    return Object.freeze({ id, schema })
  return Object.freeze({ id, schema, host: checkHost(input.host, id) })
}

/**
 * The id itself, if it is one.
 *
 * @throws {@link TenancyError} TENANT_NAME_INVALID
 */
export function checkId(id: unknown): string {
  if (typeof id === 'string' && ID.test(id)) return id
  if (typeof id === 'number' || typeof id === 'bigint') {
    throw new TenancyError('TENANT_NAME_INVALID', `A tenant id must be a text, not a number: ${show(id)}.`, {
      fix: ['let the registry answer with texts: String(id)'],
    })
  }
  throw new TenancyError('TENANT_NAME_INVALID', `${show(id)} cannot be a tenant id.`, {
    fix: ['use a letter or digit, then up to 127 letters, digits or any of . _ : @ -'],
  })
}

/** Whether a registry could know `id` at all; what could not is unknown, without asking. */
export function isPossibleId(id: string): boolean {
  return ID.test(id)
}

/** Whether PostgreSQL keeps `name` as it is, and people can read it. */
export function isPossibleSchema(name: unknown): name is string {
  return (
    typeof name === 'string' &&
    name !== '' &&
    !UNPRINTABLE.test(name) &&
    Buffer.byteLength(name) <= MAX_IDENTIFIER_BYTES
  )
}

/** `host` as it is compared: lower case, without port and trailing dot; `undefined` if it is no host name. */
export function normalizeHost(host: string): string | undefined {
  const name = host
    .toLowerCase()
    .replace(/:\d{1,5}$/, '')
    .replace(/\.$/, '')
  return HOST.test(name) ? name : undefined
}

function checkHost(host: unknown, tenant: string): string {
  const name = typeof host === 'string' ? normalizeHost(host) : undefined
  if (name !== undefined) return name
  throw new TenancyError('TENANT_NAME_INVALID', `${show(host)} cannot be the host of tenant "${tenant}".`, {
    tenant,
    fix: ['use a host name such as acme.example.com: letters, digits, dots and hyphens'],
  })
}

function checkSchema(schema: unknown, tenant: string, policy: NamePolicy): string {
  const facts = { tenant, schema: String(schema) }
  if (typeof schema !== 'string' || schema === '' || UNPRINTABLE.test(schema)) {
    throw new TenancyError('TENANT_NAME_INVALID', `${show(schema)} cannot be a schema name.`, {
      ...facts,
      fix: ['use letters, digits and _ without control or invisible characters'],
    })
  }
  const bytes = Buffer.byteLength(schema)
  if (bytes > MAX_IDENTIFIER_BYTES) {
    throw new TenancyError(
      'TENANT_NAME_INVALID',
      `Schema name ${show(schema)} has ${bytes} bytes, limit ${MAX_IDENTIFIER_BYTES}.`,
      { ...facts, fix: ['shorten it: PostgreSQL would cut it silently, and two tenants could become one'] },
    )
  }
  const folded = schema.toLowerCase()
  // Quoted or not, $user in a search path means the schema of the role.
  if (folded.startsWith('pg_') || ['public', 'information_schema', '$user'].includes(folded)) {
    throw new TenancyError('TENANT_NAME_RESERVED', `Schema name ${show(schema)} is reserved by PostgreSQL.`, {
      ...facts,
      fix: ["choose another name: public, information_schema, $user and pg_* are never a tenant's"],
    })
  }
  if ([LEDGER_SCHEMA, ...policy.reserved].some((reserved) => reserved.toLowerCase() === folded)) {
    throw new TenancyError('TENANT_NAME_RESERVED', `Schema ${show(schema)} is shared by all tenants.`, {
      ...facts,
      fix: ["choose another name: the shared schemas and umzug_tenants cannot be a tenant's"],
    })
  }
  if (policy.names === 'strict' && !STRICT_SCHEMA.test(schema)) {
    throw new TenancyError('TENANT_NAME_INVALID', `${show(schema)} cannot be a schema name.`, {
      ...facts,
      fix: ['use a-z, 0-9 and _, beginning with a letter', "or set names: 'quoted' in the configuration"],
    })
  }
  return schema
}

/** A name as it may stand in a message: quoted, control and invisible characters escaped, not too long. */
function show(name: unknown): string {
  const text = JSON.stringify(String(name)).replace(new RegExp(UNPRINTABLE, 'gu'), (character) => {
    return `\\u${character.codePointAt(0)?.toString(16).padStart(4, '0')}`
  })
  return text.length > 100 ? `${text.slice(0, 96)}…"` : text
}
