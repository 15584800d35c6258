/** A schema's history: what its version storage records, against the files on disk. Reads only. */
import { TenancyError } from '../errors.ts'
import type { SqlRunner } from '../sql.ts'
import type { VersionStorage } from '../storage/storage.ts'
import type { MigrationFile } from './files.ts'
import type { Subject } from './subject.ts'
import { compareHistory, type History } from './plan.ts'

export async function readHistory(
  sql: SqlRunner,
  schema: string,
  files: readonly MigrationFile[],
  storage: VersionStorage,
): Promise<History> {
  const names = files.map(({ name }) => name)
  return compareHistory(names, await storage.executed({ sql, schema, history: names }))
}

export async function schemaExists(sql: SqlRunner, schema: string): Promise<boolean> {
  const rows = await sql.query('SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1', [schema])
  return rows.length > 0
}

/** The error of a schema that is gone, or was never made. */
export function schemaMissing({ id, schema, tenant }: Subject): TenancyError {
  const where = tenant === undefined ? 'The shared schema' : `Schema "${schema}" of tenant "${id}"`
  return new TenancyError('SCHEMA_MISSING', `${where} does not exist.`, {
    tenant: id,
    schema,
    fix: [
      tenant === undefined
        ? 'create it: umzug-tenants up --shared'
        : `create it: umzug-tenants tenants create ${id} --schema ${schema} --up`,
    ],
  })
}
