/** Runs the corpus as an application without tenants would: stock Sequelize, one schema, one file after another. */
import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'

import { Sequelize, type QueryInterface } from 'sequelize'

import { findMigrations, type MigrationFile } from '../../lib/migrations/files.ts'
import { importFile } from '../../lib/import-file.ts'

export const CORPUS = new URL('.', import.meta.url).pathname
export const GLOBS = ['migrations/*', 'migrations/legacy/*']

type Side = (...args: unknown[]) => Promise<unknown>

/** Runs every file's `up`, first to last, or every `down`, last to first; `afterEach` looks at what is there then. */
export async function runStock(
  url: string,
  direction: 'up' | 'down',
  afterEach: (file: MigrationFile) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const files = await findMigrations(GLOBS, CORPUS)
  const sequelize = new Sequelize(url, { dialect: 'postgres', logging: false })
  try {
    await sequelize.query(
      'CREATE TABLE IF NOT EXISTS "SequelizeMeta" (name varchar(255) NOT NULL PRIMARY KEY)',
    )
    for (const file of direction === 'up' ? files : files.toReversed()) {
      try {
        await runFile(sequelize, file, direction)
      } catch (error) {
        throw new Error(`stock Sequelize fails in ${file.name}, ${direction}: ${String(error)}`, {
          cause: error,
        })
      }
      await afterEach(file)
    }
  } finally {
    await sequelize.close()
  }
}

async function runFile(sequelize: Sequelize, file: MigrationFile, direction: 'up' | 'down'): Promise<void> {
  const queryInterface = sequelize.getQueryInterface()
  if (extname(file.name) === '.sql') {
    const path = direction === 'up' ? file.path : file.path.replace(/\.sql$/, '.down.sql')
    await sequelize.query(await readFile(path, 'utf8'))
    return
  }
  const side = (await importFile(file.path))[direction] as Side // what the files of the corpus export
  if (/\.m[jt]s$|\.ts$/.test(file.name))
    await side({ name: file.name, path: file.path, context: context(queryInterface) })
  else await side(queryInterface, Sequelize)
}

/** As Umzug's documents recommend it, with the two members that many projects add. */
function context(queryInterface: QueryInterface): object {
  const { sequelize } = queryInterface
  return Object.assign(Object.create(queryInterface) as object, { queryInterface, sequelize })
}
