/** Records where a schema stands without running anything: version rows, ledger row and run rows in one transaction. */
import type { Events } from './events.ts'
import type { Interruption } from './interruption.ts'
import { ensureLedger } from './ledger.ts'
import type { MigrationFile } from './migrations/files.ts'
import { readHistory, schemaExists, schemaMissing } from './migrations/history.ts'
import { interrupted, readRunning } from './migrations/outside.ts'
import type { Direction } from './migrations/plan.ts'
import { writeProgress } from './migrations/progress.ts'
import { identityOf } from './migrations/revision.ts'
import type { MigrationSession } from './migrations/session.ts'
import { chooseStamp, type StampChange, type StampTarget } from './migrations/stamp.ts'
import type { Subject } from './migrations/subject.ts'
import type { SqlRunner } from './sql.ts'
import type { VersionStorage } from './storage/storage.ts'

/** What a stamp did to one schema's record, or would do. */
export interface StampReport extends StampChange {
  readonly id: string
  readonly schema: string
}

export interface StampOptions extends Interruption {
  readonly to: StampTarget
  readonly files: readonly MigrationFile[]
  readonly storage: VersionStorage
  readonly lockWaitMs: number
  readonly events: Events
}

/** What {@link stampSchema} would do. Writes nothing. */
export async function planStamp(
  sql: SqlRunner,
  { id, schema, tenant }: Subject,
  { to, files, storage }: Pick<StampOptions, 'to' | 'files' | 'storage'>,
): Promise<StampReport> {
  if (!(await schemaExists(sql, schema))) throw schemaMissing({ id, schema, tenant })
  const history = await readHistory(sql, schema, files, storage)
  return { id, schema, ...chooseStamp(history, to, storage.headOnly === true) }
}

/**
 * Brings the record of `subject` to `to`, under its lock.
 *
 * @throws {@link TenancyError} SCHEMA_MISSING, MIGRATION_UNKNOWN, LOCK_HELD; MIGRATION_INTERRUPTED if a migration
 * waits for `repair`.
 */
export async function stampSchema(
  session: MigrationSession,
  subject: Subject,
  options: StampOptions,
): Promise<StampReport> {
  await ensureLedger(session, (fn) => session.transaction(fn))
  const write = async () => {
    const running = subject.tenant && (await readRunning(session, subject.tenant))
    if (subject.tenant !== undefined && running !== undefined) throw interrupted(subject.tenant, running)
    return session.transaction(async () => {
      const planned = await planStamp(session, subject, options)
      await writeStamp(session, subject, planned, options)
      return planned
    })
  }
  const report = await session.withLock(subject, options.lockWaitMs, write, options)
  const { id: tenant, schema, recorded, forgotten } = report
  if (recorded.length + forgotten.length > 0) {
    options.events.emit('tenant:stamped', { tenant, schema, recorded, forgotten })
  }
  return report
}

/** Writes `change` to the version table and the ledger; call it in a transaction, under the schema's lock. */
export async function writeStamp(
  sql: SqlRunner,
  subject: Subject,
  { recorded, forgotten }: StampChange,
  { files, storage }: Pick<StampOptions, 'files' | 'storage'>,
): Promise<void> {
  const place = { sql, schema: subject.schema, history: files.map(({ name }) => name) }
  if (storage.headOnly === true) await moveHead(place, { recorded, forgotten }, storage)
  else await changeRows(place, { recorded, forgotten }, storage)
  const write = (direction: Direction, names: readonly string[]) =>
    writeProgress(sql, subject, files, storage, {
      direction,
      done: names.map((name) => ({ name, durationMs: 0 })),
      accepted: [],
    })
  if (forgotten.length > 0) await write('down', forgotten)
  // Also for a record that is right already: the ledger may know nothing of it.
  await write('up', recorded)
}

type Place = Parameters<VersionStorage['record']>[0]

async function changeRows(
  place: Place,
  { recorded, forgotten }: StampChange,
  storage: VersionStorage,
): Promise<void> {
  const rows = await storage.executed(place)
  const lost = new Set(forgotten.map(identityOf))
  // Rows may have another extension than the files have now.
  for (const row of rows) if (lost.has(identityOf(row))) await storage.forget(place, row)
  for (const name of recorded) await storage.record(place, name)
}

/** One row says it all: it is moved to the last name that stays, or away. */
async function moveHead(
  place: Place,
  { recorded, forgotten }: StampChange,
  storage: VersionStorage,
): Promise<void> {
  const last = recorded.at(-1)
  if (last !== undefined) await storage.record(place, last)
  else for (const name of forgotten) await storage.forget(place, name)
}
