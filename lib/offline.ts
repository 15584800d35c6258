/** Runs as scripts: each is rehearsed on its schema, undone, and written down for psql. */
import { Events } from './events.ts'
import { refusalOf } from './shareable.ts'
import { loadReader, type Reading } from './lint/sql-reads.ts'
import type { SessionOptions } from './migrations/connection.ts'
import type { MigrationFile } from './migrations/files.ts'
import { migrate, withLocks } from './migrations/migrator.ts'
import { rehearse, type Step } from './migrations/rehearsal.ts'
import type { MigratorOptions, RunReport, RunRequest } from './migrations/run.ts'
import { SCRIPT_HEAD, writeScript } from './migrations/script.ts'
import type { Subject } from './migrations/subject.ts'

export interface ScriptRequest {
  readonly subjects: readonly Subject[]
  readonly files: readonly MigrationFile[]
  readonly run: RunRequest
}

type ReadingOf = (text: string) => Reading

/**
 * The script that does to each subject what `run` would do, one subject after another. What a migration answers to
 * rows it has read is of this database: those that read some are told as `migration:reads`.
 */
export async function scriptOf(
  session: SessionOptions,
  request: ScriptRequest,
  options: MigratorOptions,
): Promise<string> {
  const { subjects } = request
  const readingOf = await loadReader()
  const isWhole = options.transaction === 'fleet' && subjects.length > 1
  const parts: string[] = []
  if (isWhole) parts.push(...(await wholeScript(session, request, options, readingOf)))
  else {
    for (const subject of subjects) {
      const { result, steps } = await rehearse(session, (rehearsal, note) =>
        migrate(rehearsal, subject, request.files, request.run, {
          ...options,
          events: eventsFor(note, options),
        }),
      )
      parts.push(partOf(result, request.run, steps, options, readingOf))
    }
  }
  return [SCRIPT_HEAD, ...parts].join('\n')
}

/** All subjects in one transaction, between the locks of all of them. */
async function wholeScript(
  session: SessionOptions,
  { subjects, files, run }: ScriptRequest,
  options: MigratorOptions,
  readingOf: ReadingOf,
): Promise<readonly string[]> {
  const { result, steps } = await rehearse(session, (rehearsal, note) => {
    const how = { ...options, events: eventsFor(note, options) }
    return withLocks(rehearsal, subjects, options.lockWaitMs, () =>
      rehearsal.transaction(async () => {
        const reports: RunReport[] = []
        for (const subject of subjects) {
          note({ kind: 'turn' })
          reports.push(await migrate(rehearsal, subject, files, run, how))
        }
        note({ kind: 'turn' })
        return reports
      }),
    )
  }).catch((error: unknown) => {
    throw refusalOf(error) ?? error
  })
  const [begin = [], ...turns] = turnsOf(steps)
  const title = `${subjects.length} tenants in one transaction`
  return [
    writeScript(title, begin, readingOf).text,
    ...result.map((report, index) => partOf(report, run, turns[index] ?? [], options, readingOf)),
    writeScript(`end of the ${title}`, turns.at(-1) ?? [], readingOf).text,
  ]
}

/** What a run did, as a part of the script; nothing, if it had nothing to do. */
function partOf(
  { id, schema, migrations: { length } }: RunReport,
  { direction }: RunRequest,
  steps: readonly Step[],
  { events }: MigratorOptions,
  readingOf: ReadingOf,
): string {
  const title = `${id} (schema ${schema}): ${length} migration${length === 1 ? '' : 's'} ${direction}`
  const { text, reading } = writeScript(title, length === 0 ? [] : steps, readingOf)
  for (const migration of reading) events.emit('migration:reads', { tenant: id, schema, migration })
  return text
}

/** Nobody may take a rehearsal for the run: of its events only those about its files are passed on. */
function eventsFor(note: (step: Step) => void, options: MigratorOptions): Events {
  const events = new Events()
  events.on('migration:start', ({ migration }) => note({ kind: 'migration', name: migration }))
  events.on('migration:allowed', (event) => options.events.emit('migration:allowed', event))
  events.on('migration:outside', (event) => options.events.emit('migration:outside', event))
  return events
}

/** The steps before the first turn, and those of each. */
function turnsOf(steps: readonly Step[]): readonly (readonly Step[])[] {
  const turns: Step[][] = [[]]
  for (const step of steps) {
    if (step.kind === 'turn') turns.push([])
    else turns.at(-1)?.push(step)
  }
  return turns
}
