/** The schemas of the database against the registry: shared, missing, and those that nobody has registered. */
import { quoteIdentifier, type SqlRunner } from '../sql.ts'
import { LEDGER_SCHEMA, type Tenant } from '../tenant.ts'
import { error, listing, ok, warning, type Finding } from './finding.ts'

export interface SchemaFacts {
  /** Schemas that exist, of those that the tenancy names. */
  readonly existing: ReadonlySet<string>
  /** Schemas with a version table that nobody has registered. */
  readonly orphans: readonly string[]
}

/** What the configuration says of schemas. */
export interface SchemaNames {
  readonly sharedSchema: string
  readonly searchPath: readonly string[]
  /** Whether there are migrations of the shared schema. */
  readonly hasSharedMigrations: boolean
}

export interface SchemaQuestion {
  readonly tenants: readonly Tenant[]
  readonly names: SchemaNames
  /** Tables that only a schema with a history has. */
  readonly versionTables: readonly string[]
}

export async function readSchemas(
  sql: SqlRunner,
  { tenants, names, versionTables }: SchemaQuestion,
): Promise<SchemaFacts> {
  const shared = [names.sharedSchema, ...names.searchPath]
  const registered = tenants.map(({ schema }) => schema)
  const rows = await sql.query<{ name: string; orphan: boolean }>(
    `SELECT nspname::text AS name, nspname <> ALL ($1::name[]) AS orphan FROM pg_catalog.pg_namespace n
      WHERE nspname = ANY ($1::name[])
         OR nspname !~ '^pg_' AND nspname <> ALL ($2::name[]) AND EXISTS (
              SELECT FROM pg_catalog.pg_class c
               WHERE c.relnamespace = n.oid AND c.relname = ANY ($3::name[]) AND c.relkind IN ('r', 'p'))
      ORDER BY 1`,
    [[...registered, ...shared], ['public', 'information_schema', LEDGER_SCHEMA], versionTables],
  )
  return {
    existing: new Set(rows.filter(({ orphan }) => !orphan).map(({ name }) => name)),
    orphans: rows.filter(({ orphan }) => orphan).map(({ name }) => name),
  }
}

export function judgeShared(
  { existing }: SchemaFacts,
  { sharedSchema, searchPath, hasSharedMigrations }: SchemaNames,
): readonly Finding[] {
  const findings: Finding[] = []
  if (!searchPath.includes(sharedSchema))
    findings.push(
      warning('shared-schema', `The shared schema "${sharedSchema}" is not on the search path.`, {
        detail: 'tenants find its tables by their full names only',
        fix: [`add '${sharedSchema}' to searchPath, or set sharedSchema to one that is there`],
      }),
    )
  const missing = [...new Set([sharedSchema, ...searchPath])].filter((schema) => !existing.has(schema))
  for (const schema of missing) {
    if (schema === sharedSchema && !hasSharedMigrations) continue
    findings.push(
      warning('shared-schema', `Schema "${schema}" is on the search path and does not exist.`, {
        fix: [
          schema === sharedSchema
            ? 'umzug-tenants up --shared'
            : `CREATE SCHEMA ${quoteIdentifier(schema)}, or remove it from searchPath`,
        ],
      }),
    )
  }
  if (findings.length > 0) return findings
  const hasIt = existing.has(sharedSchema)
  return [
    ok('shared-schema', hasIt ? `the shared schema "${sharedSchema}" exists` : 'there is nothing shared'),
  ]
}

export function judgeSchemas(
  { existing, orphans }: SchemaFacts,
  tenants: readonly Tenant[],
): readonly Finding[] {
  const findings: Finding[] = []
  const missing = tenants.filter(({ schema }) => !existing.has(schema))
  const [first] = missing
  if (first !== undefined)
    findings.push(
      error(
        'tenants',
        `No schema is there of ${listing(
          'tenant',
          missing.map(({ id }) => id),
        )}.`,
        {
          detail: 'their requests are refused',
          fix: [
            `create it: umzug-tenants tenants create ${first.id} --schema ${first.schema} --up`,
            `or forget the tenant: umzug-tenants tenants drop ${first.id}`,
          ],
        },
      ),
    )
  if (orphans.length > 0)
    findings.push(
      warning('tenants', `Nobody has registered ${listing('schema', orphans)}.`, {
        detail: 'they hold a version table, as those of tenants do; no command migrates them',
        fix: [`register them: umzug-tenants tenants adopt ${orphans[0]}`, 'or drop them'],
      }),
    )
  if (findings.length > 0) return findings
  return [ok('tenants', `${tenants.length} registered, each with its schema`)]
}
