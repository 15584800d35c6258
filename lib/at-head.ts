/**
 * Which tenants of a fleet have nothing to run, from the ledger, in one query for all of them: a deployment without
 * a new migration must not cost a session, a lock and a dozen statements a tenant.
 *
 * A tenant is left out of a run only if the run would find nothing to do and nothing to refuse: its schema exists,
 * its fingerprint is that of all files on disk (so none is missing, pending or late), its last run ended well, and no
 * file has another content than the one that was applied to it. Whoever does not pass is looked at by its own run. What
 * another tool has reverted meanwhile the ledger cannot know; `verify` reads the version tables.
 */
import { hashOf, type MigrationFile } from './migrations/files.ts'
import { fingerprintOf } from './migrations/revision.ts'
import { unlessMissing } from './ledger.ts'
import type { SqlRunner } from './sql.ts'
import { LEDGER_SCHEMA } from './tenant.ts'

/** Schemas of the tenants on which `up` would neither run nor refuse anything. */
export async function schemasAtHead(
  sql: SqlRunner,
  files: readonly MigrationFile[],
): Promise<ReadonlySet<string>> {
  const names = files.map(({ name }) => name)
  const hashes: string[] = []
  for (const file of files) hashes.push(await hashOf(file))
  const rows = await unlessMissing(
    sql.query<{ schema: string }>(
      `SELECT t.schema FROM ${LEDGER_SCHEMA}.tenant t
         JOIN pg_catalog.pg_namespace n ON n.nspname = t.schema
        WHERE t.fingerprint = $1 AND t.state = 'migrated' AND t.running IS NULL
          AND NOT EXISTS (
            SELECT FROM ${LEDGER_SCHEMA}.run r
              JOIN unnest($2::text[], $3::text[]) AS disk (migration, hash) ON disk.migration = r.migration
             WHERE r.schema = t.schema AND r.direction = 'up' AND r.hash <> disk.hash
               AND NOT EXISTS (SELECT FROM ${LEDGER_SCHEMA}.run later WHERE later.schema = r.schema
                                  AND later.migration = r.migration AND later.id > r.id))`,
      [fingerprintOf(names), names, hashes],
    ),
  )
  return new Set(rows.map(({ schema }) => schema))
}
