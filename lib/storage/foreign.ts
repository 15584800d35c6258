/** A schema that is to be adopted and has no version table: what it has instead, and what to do about it. */
import { TenancyError } from '../errors.ts'
import type { SqlRunner } from '../sql.ts'
import type { Tenant } from '../tenant.ts'
import type { VersionStorage } from './storage.ts'

/** Version tables of the tools that are known, and how to read each. */
const KNOWN: Readonly<Record<string, string>> = {
  SequelizeMeta:
    "set storage: 'SequelizeMeta' in the configuration, which is what sequelize-cli and Umzug write",
  alembic_version: "set storage: 'alembic_version' in the configuration, which is what Alembic writes",
}

/**
 * @throws {@link TenancyError} VERSION_TABLE_MISSING, naming the tables that are there, and the one that another
 * storage would read.
 */
export async function assertVersionTable(
  { sql, schema }: { readonly sql: SqlRunner; readonly schema: string },
  { id }: Tenant,
  { table }: VersionStorage,
): Promise<void> {
  const tables = await sql.query<{ name: string }>(
    `SELECT c.relname AS name FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') ORDER BY c.relname COLLATE "C"`,
    [schema],
  )
  const names = tables.map(({ name }) => name)
  if (names.includes(table)) return
  const others = names.flatMap((name) => KNOWN[name] ?? [])
  throw new TenancyError('VERSION_TABLE_MISSING', `Schema "${schema}" has no table "${table}".`, {
    tenant: id,
    schema,
    detail: names.length === 0 ? 'it has no table at all' : `it has ${listed(names)}`,
    fix: [
      ...others,
      ...(names.length === 0
        ? [`a schema that is empty: umzug-tenants tenants create ${id} --schema ${schema}`]
        : []),
      `or say where it stands: umzug-tenants tenants adopt ${schema} --stamp NAME, or --stamp head`,
    ],
  })
}

/** How many tables a message names. */
const MOST_NAMED = 5

function listed(names: readonly string[]): string {
  const more = names.length - MOST_NAMED
  const shown = names.slice(0, MOST_NAMED).map((name) => `"${name}"`)
  return [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join(', ')
}
