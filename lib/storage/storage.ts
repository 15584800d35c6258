/**
 * The contract of a version storage: where a schema records which migrations it has had. A storage qualifies
 * its table with the schema (on the search path a shared schema's table would be found instead), runs on the
 * connection it is given, so that its row is written in the migration's own transaction, and creates nothing
 * when it is only read.
 */
import type { SqlRunner } from '../sql.ts'

export interface VersionStorage {
  /** The table's name, for messages and for telling an empty schema from one in use. */
  readonly table: string
  /** Whether it records a head alone: then what is executed, and in which order, follows from the files. */
  readonly headOnly?: boolean
  /**
   * Names of the executed migrations, in the order of `history` where the storage keeps none of its own.
   * A storage that records only a head answers with the part of `history` up to it.
   */
  executed(place: VersionPlace): Promise<readonly string[]>
  /** Records `name` as executed; the first record creates the table. */
  record(place: VersionPlace, name: string): Promise<void>
  /** Records `name` as reverted. */
  forget(place: VersionPlace, name: string): Promise<void>
}

/** Which schema's versions, on which connection, among which migrations. */
export interface VersionPlace {
  readonly sql: SqlRunner
  readonly schema: string
  /** Names of all migrations on disk, first to last. */
  readonly history: readonly string[]
}

/** The storages a configuration can name. */
export type StorageName = 'SequelizeMeta' | 'alembic_version'

/** Whether `schema.table` exists; asks the catalog, so that a missing table does not abort a transaction. */
export async function tableExists(sql: SqlRunner, schema: string, table: string): Promise<boolean> {
  const rows = await sql.query(
    `SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE n.nspname = $1 AND c.relname = $2`,
    [schema, table],
  )
  return rows.length > 0
}
