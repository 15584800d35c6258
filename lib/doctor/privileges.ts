/** What the roles may do: the one that migrates, the one of the application, and everybody. */
import type { SqlRunner } from '../sql.ts'
import { quoteIdentifier } from '../sql.ts'
import { LEDGER_SCHEMA } from '../tenant.ts'
import { IS_LOCAL } from './connection.ts'
import { error, listing, ok, warning, type Finding } from './finding.ts'

export interface MigratorFacts {
  readonly role: string
  readonly database: string
  readonly mayCreateSchemas: boolean
  /** Schemas of tenants that belong to a role whose rights this one does not have. */
  readonly foreignSchemas: readonly string[]
  /** Schemas of tenants with tables of such a role. */
  readonly foreignTables: readonly string[]
}

export interface ApplicationFacts {
  readonly role: string
  readonly isSuperuser: boolean
  /** Whether the server is asked from its own machine, as on a developer's. */
  readonly isLocal: boolean
  /** Schemas of tenants that it may not use. */
  readonly closedSchemas: readonly string[]
  /** Schemas of tenants with tables that it may not read. */
  readonly unreadable: readonly string[]
  /** Whether it may read the ledger; `null` if there is none. */
  readonly readsLedger: boolean | null
  /** Whether every role may create objects in `public`. */
  readonly publicIsOpen: boolean
}

export async function readMigrator(
  sql: SqlRunner,
  schemas: readonly string[],
): Promise<MigratorFacts | undefined> {
  const [facts] = await sql.query<MigratorFacts>(
    `SELECT current_user::text AS role, pg_catalog.current_database()::text AS database,
            pg_catalog.has_database_privilege(pg_catalog.current_database(), 'CREATE') AS "mayCreateSchemas",
            ARRAY(SELECT nspname::text FROM pg_catalog.pg_namespace
                   WHERE nspname = ANY ($1::name[]) AND NOT pg_catalog.pg_has_role(nspowner, 'USAGE')
                   ORDER BY 1) AS "foreignSchemas",
            ARRAY(SELECT DISTINCT nspname::text FROM pg_catalog.pg_namespace n
                    JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
                   WHERE nspname = ANY ($1::name[]) AND NOT pg_catalog.pg_has_role(c.relowner, 'USAGE')
                   ORDER BY 1) AS "foreignTables"`,
    [schemas],
  )
  return facts
}

export async function readApplication(
  sql: SqlRunner,
  schemas: readonly string[],
): Promise<ApplicationFacts | undefined> {
  const [facts] = await sql.query<ApplicationFacts>(
    `SELECT current_user::text AS role, pg_catalog.current_setting('is_superuser') = 'on' AS "isSuperuser",
            ${IS_LOCAL} AS "isLocal",
            ARRAY(SELECT nspname::text FROM pg_catalog.pg_namespace n
                   WHERE nspname = ANY ($1::name[]) AND NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE')
                   ORDER BY 1) AS "closedSchemas",
            ARRAY(SELECT DISTINCT nspname::text FROM pg_catalog.pg_namespace n
                    JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p', 'v', 'm')
                   WHERE nspname = ANY ($1::name[]) AND NOT pg_catalog.has_table_privilege(c.oid, 'SELECT')
                   ORDER BY 1) AS unreadable,
            (SELECT pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
               FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid
              WHERE n.nspname = '${LEDGER_SCHEMA}' AND c.relname = 'tenant') AS "readsLedger",
            EXISTS (SELECT FROM pg_catalog.pg_namespace n, pg_catalog.aclexplode(n.nspacl) a
                     WHERE n.nspname = 'public' AND a.grantee = 0 AND a.privilege_type = 'CREATE') AS "publicIsOpen"`,
    [schemas],
  )
  return facts
}

export function judgeMigrator(facts: MigratorFacts): readonly Finding[] {
  const { role, database, mayCreateSchemas, foreignSchemas, foreignTables } = facts
  const findings: Finding[] = []
  if (!mayCreateSchemas)
    findings.push(
      error('privileges', `Role "${role}" may not create schemas, which new tenants need.`, {
        fix: [`GRANT CREATE ON DATABASE ${quoteIdentifier(database)} TO ${quoteIdentifier(role)}`],
      }),
    )
  if (foreignSchemas.length > 0)
    findings.push(
      error('privileges', `Role "${role}" does not own ${listing('schema', foreignSchemas)}.`, {
        detail: 'it can neither migrate nor drop these tenants',
        fix: [`for each: ${alterOwner('SCHEMA', foreignSchemas, role)}`],
      }),
    )
  const tablesAlone = foreignTables.filter((schema) => !foreignSchemas.includes(schema))
  if (tablesAlone.length > 0)
    findings.push(
      error('privileges', `Role "${role}" does not own all tables in ${listing('schema', tablesAlone)}.`, {
        detail: 'only the owner of a table can alter it',
        fix: [
          `as their owner: REASSIGN OWNED BY CURRENT_USER TO ${quoteIdentifier(role)}, or ALTER TABLE … OWNER TO`,
        ],
      }),
    )
  if (findings.length > 0) return findings
  return [ok('privileges', `role "${role}" may create schemas, and owns those of the tenants`)]
}

export function judgeApplication(facts: ApplicationFacts, searchPath: readonly string[]): readonly Finding[] {
  const { role, isSuperuser, isLocal, closedSchemas, unreadable, readsLedger, publicIsOpen } = facts
  const findings: Finding[] = []
  if (isSuperuser && !isLocal)
    findings.push(
      warning('privileges', `Role "${role}" of the application is a superuser.`, {
        detail: 'no right of a schema, a table or a row stands in its way, nor in that of injected SQL',
        fix: [
          'give the application a role of its own: docs/security.md',
          'and migrationUrl to the role that migrates',
        ],
      }),
    )
  if (closedSchemas.length > 0)
    findings.push(
      error(
        'privileges',
        `Role "${role}" of the application may not use ${listing('schema', closedSchemas)}.`,
        {
          detail: 'to it their tables do not exist',
          fix: [`for each: GRANT USAGE ON SCHEMA ${first(closedSchemas)} TO ${quoteIdentifier(role)}`],
        },
      ),
    )
  const unreadableAlone = unreadable.filter((schema) => !closedSchemas.includes(schema))
  if (unreadableAlone.length > 0)
    findings.push(
      warning(
        'privileges',
        `Role "${role}" of the application may not read all tables in ${listing('schema', unreadableAlone)}.`,
        {
          fix: [
            `for each: GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${first(unreadableAlone)} TO ${quoteIdentifier(role)}`,
            'for tables to come: ALTER DEFAULT PRIVILEGES, as the role that migrates',
          ],
        },
      ),
    )
  if (readsLedger === false)
    findings.push(
      error('privileges', `Role "${role}" of the application may not read the ledger.`, {
        detail: 'it cannot tell which tenants there are and which are at head',
        fix: [
          `GRANT USAGE ON SCHEMA ${LEDGER_SCHEMA} TO ${quoteIdentifier(role)}; GRANT SELECT ON ALL TABLES IN SCHEMA ${LEDGER_SCHEMA} TO ${quoteIdentifier(role)}`,
        ],
      }),
    )
  if (findings.length === 0)
    findings.push(ok('privileges', `role "${role}" of the application may use the schemas of the tenants`))
  if (publicIsOpen) findings.push(openPublic(searchPath.includes('public')))
  return findings
}

/** On a search path that names it, an object in `public` can take the place of one that is meant (CVE-2018-1058). */
function openPublic(isSearched: boolean): Finding {
  const advice = {
    detail: isSearched
      ? 'it is on the search path: a function or table made there can take the place of what is meant'
      : 'migrations of other tools that forget the schema leave their tables there unnoticed',
    fix: ['REVOKE CREATE ON SCHEMA public FROM PUBLIC'],
  }
  const title = 'Every role may create objects in schema public.'
  return isSearched ? error('privileges', title, advice) : warning('privileges', title, advice)
}

function alterOwner(kind: 'SCHEMA', names: readonly string[], role: string): string {
  return `ALTER ${kind} ${first(names)} OWNER TO ${quoteIdentifier(role)}`
}

function first([name = '']: readonly string[]): string {
  return quoteIdentifier(name)
}
