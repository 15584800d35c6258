/**
 * The texts that put a statement on its path, and what they fail with. PostgreSQL passes over a schema of the path that
 * is missing or not usable, without a word, and finds the tables of the next one: so from time to time the setting also
 * asks for the schema, in the same message, and fails if it may not be used.
 */
import type { Scope } from './context.ts'
import { TenancyError } from './errors.ts'
import { quoteIdentifier, SQLSTATE, sqlStateOf } from './sql.ts'

/** How long a schema that was there is believed to be. */
export const BELIEVED_MS = 5000

/** The setting for the transaction, which the statement's own text follows. */
export function localSetting({ path, role }: Scope): string {
  if (role === undefined) return `SET LOCAL search_path TO ${path};`
  return `SET LOCAL search_path TO ${path};SET LOCAL ROLE ${quoteIdentifier(role)};`
}

/** How many statements {@link localSetting} is. */
export function settingsOf({ role }: Scope): number {
  return role === undefined ? 1 : 2
}

/** One statement that sets the same, and fails unless the tenant's schema exists and the role may use it. */
export function checkedSetting(scope: Scope): string {
  const { path, role } = scope
  const roleSetting = role === undefined ? '' : `, pg_catalog.set_config('role', ${literal(role)}, true)`
  return `SELECT pg_catalog.set_config('search_path', ${literal(path)}, true)${roleSetting}${schemaCheck(scope)}`
}

/** The setting for the session, for statements that refuse company. */
export function sessionSetting(scope: Scope): string {
  const { path, role } = scope
  const roleSetting = role === undefined ? '' : `;SET ROLE ${quoteIdentifier(role)}`
  const check = schemaCheck(scope)
  return `SET search_path TO ${path}${roleSetting}${check === '' ? '' : `;SELECT ${check.slice(1)}`}`
}

/**
 * The cast fails with 3F000 for a schema that is missing; to_regclass with 42501 for one without USAGE, whether or not
 * there is such a table.
 */
function schemaCheck({ tenant, usable }: Scope): string {
  if (tenant === undefined || usable === undefined) return ''
  const schema = quoteIdentifier(tenant.schema)
  return `,${literal(schema)}::pg_catalog.regnamespace,pg_catalog.to_regclass(${literal(`${schema}.schema`)})`
}

/** What the setting's failure means: the error that names the schema; `undefined` for any other failure. */
export function unusable({ tenant, role }: Scope, error: unknown): TenancyError | undefined {
  if (tenant === undefined) return undefined
  const sqlstate = sqlStateOf(error)
  const facts = { tenant: tenant.id, schema: tenant.schema, sqlstate, cause: error }
  if (sqlstate === SQLSTATE.invalidSchemaName) {
    return new TenancyError('SCHEMA_MISSING', `Schema "${tenant.schema}" does not exist.`, {
      ...facts,
      fix: [
        `create it: umzug-tenants tenants create ${tenant.id}`,
        'or restore it, or remove the registration',
      ],
    })
  }
  if (sqlstate === SQLSTATE.insufficientPrivilege) {
    const schema = quoteIdentifier(tenant.schema)
    const grantee = role === undefined ? 'the role of the application' : quoteIdentifier(role)
    const membership =
      role === undefined ? [] : [`and let the application take the role: GRANT ${grantee} TO its own`]
    return new TenancyError('PRIVILEGE_MISSING', `The role may not use schema "${tenant.schema}".`, {
      ...facts,
      detail: error instanceof Error ? error.message : undefined,
      fix: [`as the schema's owner: GRANT USAGE ON SCHEMA ${schema} TO ${grantee}`, ...membership],
    })
  }
  return undefined
}

/** A path or role that is set; backslashes mean themselves only where it says E. */
function literal(text: string): string {
  return `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
}
