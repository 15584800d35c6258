/** Runs as scripts: each is rehearsed on its schema, undone, and written down for psql. */
import { Events } from './events.ts'
import { loadReader } from './lint/sql-reads.ts'
import type { MigrationFile } from './migrations/files.ts'
import { migrate } from './migrations/migrator.ts'
import { rehearse } from './migrations/rehearsal.ts'
import type { MigratorOptions, RunRequest } from './migrations/run.ts'
import { SCRIPT_HEAD, writeScript } from './migrations/script.ts'
import type { SessionOptions } from './migrations/session.ts'
import type { Subject } from './migrations/subject.ts'

export interface ScriptRequest {
  readonly subjects: readonly Subject[]
  readonly files: readonly MigrationFile[]
  readonly run: RunRequest
}

/**
 * The script that does to each subject what `run` would do, one subject after another. What a migration answers to
 * rows it has read is of this database: those that read some are told as `migration:reads`.
 */
export async function scriptOf(
  session: SessionOptions,
  { subjects, files, run }: ScriptRequest,
  options: MigratorOptions,
): Promise<string> {
  const readingOf = await loadReader()
  const parts: string[] = []
  for (const subject of subjects) {
    const { result, steps } = await rehearse(session, (rehearsal, note) => {
      // Nobody may take a rehearsal for the run: of its events only those about its files are passed on.
      const events = new Events()
      events.on('migration:start', ({ migration }) => note({ kind: 'migration', name: migration }))
      events.on('migration:allowed', (event) => options.events.emit('migration:allowed', event))
      events.on('migration:outside', (event) => options.events.emit('migration:outside', event))
      return migrate(rehearsal, subject, files, run, { ...options, events })
    })
    const { id, schema } = subject
    const { length } = result.migrations
    const title = `${id} (schema ${schema}): ${length} migration${length === 1 ? '' : 's'} ${run.direction}`
    const { text, reading } = writeScript(title, length === 0 ? [] : steps, readingOf)
    for (const migration of reading) options.events.emit('migration:reads', { tenant: id, schema, migration })
    parts.push(text)
  }
  return [SCRIPT_HEAD, ...parts].join('\n')
}
