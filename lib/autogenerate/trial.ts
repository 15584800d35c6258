/** A migration's files tried out as the engine runs them, in the schema that bare names mean. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { Sequelize } from 'sequelize'

import { createMigrationContext } from '../migrations/context.ts'
import { loadMigration, type MigrationSide } from '../migrations/files.ts'
import type { MigrationSession } from '../migrations/session.ts'
import type { NewFile } from '../migrations/template.ts'

/** Both ways of a migration that has no place yet. */
export interface Trial {
  readonly up: () => Promise<void>
  readonly down: () => Promise<void>
}

/**
 * Loads the files of each of `migrations`, the `up` side first, for the time of `fn`, which may run them inside the
 * session's open transaction.
 */
export async function withTrials<T>(
  session: MigrationSession,
  schema: string,
  migrations: readonly (readonly NewFile[])[],
  fn: (trials: readonly Trial[]) => Promise<T>,
): Promise<T> {
  // A folder of its own: what was imported from a path once is remembered for good.
  const folder = await mkdtemp(join(tmpdir(), 'umzug-tenants-trial-'))
  try {
    const trials: Trial[] = []
    for (const files of migrations) trials.push(await load(session, schema, folder, files))
    return await fn(trials)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function load(
  session: MigrationSession,
  schema: string,
  folder: string,
  files: readonly NewFile[],
): Promise<Trial> {
  for (const { name, text } of files) await writeFile(join(folder, name), text)
  const [{ name } = { name: '' }] = files
  const { up, down } = await loadMigration({ name, path: join(folder, name) })
  const run = (side: MigrationSide | undefined) => runSide(session, schema, side)
  return { up: () => run(up), down: () => run(down) }
}

/** Runs one side of a migration in `schema`, which bare names mean, inside the session's open transaction. */
export async function runSide(
  session: MigrationSession,
  schema: string,
  side: MigrationSide | undefined,
  { savepoints = false }: { readonly savepoints?: boolean } = {},
): Promise<void> {
  const { sequelize } = session
  const context = createMigrationContext({
    queryInterface: sequelize.getQueryInterface(),
    sequelize,
    Sequelize,
    tenant: { id: schema, schema },
    schema,
    sql: (text, values) => session.queryForMigration(text, values),
    x: {},
  })
  await session.watching(savepoints, async () => side?.(context, session.inTransaction))
}
