/** Writes what a run has done to the ledger, in the run's own transaction. */
import { recordProgress, recordRuns } from '../ledger.ts'
import type { SqlRunner } from '../sql.ts'
import type { VersionStorage } from '../storage/storage.ts'
import type { Approval } from './approval.ts'
import { hashOf, type MigrationFile } from './files.ts'
import { readHistory } from './history.ts'
import type { Direction } from './plan.ts'
import { fingerprintOf } from './revision.ts'
import type { Subject } from './subject.ts'
import type { Done } from './umzug.ts'

/** The part of a run that is done. */
export interface Progress {
  readonly direction: Direction
  readonly done: readonly Done[]
  readonly accepted: Approval['accepted']
}

/** Writes `progress` of `subject`; the shared schema has rows for its migrations, and none for itself. */
export async function writeProgress(
  sql: SqlRunner,
  subject: Subject,
  files: readonly MigrationFile[],
  storage: VersionStorage,
  { direction, done, accepted }: Progress,
): Promise<void> {
  const hashOfName = async (name: string) => {
    const file = files.find((candidate) => candidate.name === name)
    return file && hashOf(file)
  }
  const migrations = await Promise.all(
    done.map(async (run) => ({ ...run, hash: await hashOfName(run.name) })),
  )
  const runs = { direction, migrations, accepted }
  const { tenant, schema } = subject
  if (tenant === undefined) return recordRuns(sql, subject, runs)
  const { executed, unknown } = await readHistory(sql, schema, files, storage)
  const fingerprint = fingerprintOf([...executed, ...unknown])
  await recordProgress(sql, tenant, { ...runs, head: executed.at(-1), fingerprint })
}
