/** The privileges that other roles than the migrating one need on a tenant's schema, and on what it will hold. */
import { quoteIdentifier, type SqlRunner } from './sql.ts'
import { LEDGER_SCHEMA, type Tenant } from './tenant.ts'

export interface Roles {
  /**
   * The role that a tenant's statements run as, set with each of them; `provision` creates it if it is missing.
   * @defaultValue the role of the connection
   */
  readonly tenant?: (tenant: Tenant) => string
  /**
   * The role that the application connects as, if it is not the migrating one: `provision` lets it use the schema, and
   * every table that the migrating role will create there.
   */
  readonly application?: string
}

/** Grants `roles` what requests of `tenant` need. Run by the migrating role, whose tables they are; again, nothing changes. */
export async function grantToRoles(sql: SqlRunner, tenant: Tenant, roles: Roles): Promise<void> {
  const { application } = roles
  const own = roles.tenant?.(tenant)
  if (own !== undefined) await createRole(sql, own, application)
  for (const role of [application, own]) {
    if (role !== undefined) await sql.query(schemaGrants(tenant.schema, role))
  }
}

/**
 * Lets the application read the registry and the ledger, once. Two GRANTs at the same time would fail, so the others
 * wait.
 */
export async function grantLedger(sql: SqlRunner, { application }: Roles): Promise<void> {
  if (application === undefined) return
  const [row] = await sql.query<{ granted: boolean }>(
    'SELECT pg_catalog.has_schema_privilege($1::name, $2::text, $3::text) AS granted',
    [application, LEDGER_SCHEMA, 'USAGE'],
  )
  if (row?.granted) return
  await sql.query(`LOCK TABLE ${LEDGER_SCHEMA}.tenant IN SHARE ROW EXCLUSIVE MODE`)
  await sql.query(ledgerGrants(application))
}

async function createRole(sql: SqlRunner, role: string, application: string | undefined): Promise<void> {
  const existing = await sql.query('SELECT FROM pg_catalog.pg_roles WHERE rolname = $1', [role])
  if (existing.length === 0) await sql.query(`CREATE ROLE ${quoteIdentifier(role)} NOLOGIN`)
  if (application === undefined) return
  const member = await sql.query(
    `SELECT FROM pg_catalog.pg_auth_members m
       JOIN pg_catalog.pg_roles r ON r.oid = m.roleid JOIN pg_catalog.pg_roles a ON a.oid = m.member
      WHERE r.rolname = $1 AND a.rolname = $2`,
    [role, application],
  )
  if (member.length === 0)
    await sql.query(`GRANT ${quoteIdentifier(role)} TO ${quoteIdentifier(application)}`)
}

/** Default privileges hold for what the role that runs this creates later. */
function schemaGrants(schemaName: string, roleName: string): string {
  const schema = quoteIdentifier(schemaName)
  const role = quoteIdentifier(roleName)
  return `
    GRANT USAGE ON SCHEMA ${schema} TO ${role};
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO ${role};
    GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA ${schema} TO ${role};
    ALTER DEFAULT PRIVILEGES IN SCHEMA ${schema} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ${role};
    ALTER DEFAULT PRIVILEGES IN SCHEMA ${schema} GRANT USAGE, SELECT ON SEQUENCES TO ${role}`
}

/** The registry and the ledger, which requests read and only runs write. */
function ledgerGrants(roleName: string): string {
  const schema = quoteIdentifier(LEDGER_SCHEMA)
  const role = quoteIdentifier(roleName)
  return `
    GRANT USAGE ON SCHEMA ${schema} TO ${role};
    GRANT SELECT ON ALL TABLES IN SCHEMA ${schema} TO ${role};
    ALTER DEFAULT PRIVILEGES IN SCHEMA ${schema} GRANT SELECT ON TABLES TO ${role}`
}
