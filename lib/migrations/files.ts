/** Finds migration files and loads them on demand; a list found once is the list for the whole run. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'

import { glob } from 'tinyglobby'

import { messageOf, TenancyError } from '../errors.ts'
import { importFile } from '../import-file.ts'
import { splitStatements } from '../statement.ts'
import type { MigrationContext } from './context.ts'
import { contentHash } from './integrity.ts'
import { compareNames, identityOf, isMigrationName } from './revision.ts'

/** A migration on disk, not yet loaded. */
export interface MigrationFile {
  /** The file name with its extension: what `SequelizeMeta` records. */
  readonly name: string
  readonly path: string
}

/** A loaded migration: its two sides, and what it says of itself. */
export interface LoadedMigration extends MigrationFile {
  readonly up: MigrationSide
  readonly down: MigrationSide | undefined
  /** `export const transaction = false`: run outside a transaction. */
  readonly transaction: boolean
  /** `export const heavy = true`: it takes so long that no request may run it. */
  readonly heavy: boolean
  /** Whether its text mentions `catch`: it may expect to go on after a statement has failed. */
  readonly catches: boolean
}

/** Runs one side of a migration, inside a transaction or not. */
export type MigrationSide = (context: MigrationContext, inTransaction: boolean) => Promise<unknown>

type Form = 'umzug' | 'sequelize-cli'

/**
 * The migrations that `globs` name under `baseDir`, first to last.
 *
 * @throws {@link TenancyError} MIGRATION_DUPLICATE if two files have one name, in two folders or with two extensions.
 */
export async function findMigrations(
  globs: readonly string[],
  baseDir: string,
): Promise<readonly MigrationFile[]> {
  const paths = await glob([...globs], {
    cwd: baseDir,
    absolute: true,
    expandDirectories: false,
    onlyFiles: true,
  })
  const files = paths
    .map((path) => ({ name: basename(path), path }))
    .filter(({ name, path }) => isMigrationName(name) && basename(dirname(path)) !== 'down')
    .toSorted((a, b) => compareNames(a.name, b.name) || compareNames(a.path, b.path))
  assertUnique(files)
  return files
}

function assertUnique(files: readonly MigrationFile[]): void {
  const seen = new Map<string, MigrationFile>()
  for (const file of files) {
    const identity = identityOf(file.name).toLowerCase()
    const twin = seen.get(identity)
    if (twin !== undefined) {
      throw new TenancyError('MIGRATION_DUPLICATE', `Two migrations are called "${identityOf(file.name)}".`, {
        migration: file.name,
        detail: `${twin.path} and ${file.path}`,
        fix: ['rename or remove one of them, or narrow the glob in migrations'],
      })
    }
    seen.set(identity, file)
  }
}

/** What a list of files has loaded: all tenants of a run get the same, whatever happens to the folder meanwhile. */
const loaded = new WeakMap<MigrationFile, Promise<LoadedMigration>>()

/**
 * The migration with its functions, read once for each file of a list.
 *
 * @throws {@link TenancyError} MIGRATION_INVALID if the file cannot be loaded or has no `up`.
 */
export function loadMigration(file: MigrationFile): Promise<LoadedMigration> {
  const migration = loaded.get(file) ?? load(file)
  loaded.set(file, migration)
  return migration
}

/** What the content of a list's files was when it was first looked at. */
const hashes = new WeakMap<MigrationFile, Promise<string>>()

/**
 * The {@link contentHash} of the file, read once for each file of a list. The way back of a text is a file of its
 * own, which does not count.
 *
 * @throws {@link TenancyError} MIGRATION_INVALID if the file cannot be read.
 */
export function hashOf(file: MigrationFile): Promise<string> {
  const hash = hashes.get(file) ?? readFile(file.path).then(contentHash)
  hashes.set(file, hash)
  return hash.catch((error: unknown) => {
    throw unloadable(file, error)
  })
}

async function load(file: MigrationFile): Promise<LoadedMigration> {
  // Before the functions are: the hash must never be that of a later content.
  await hashOf(file)
  try {
    return extname(file.name) === '.sql' ? await loadSql(file) : await loadModule(file)
  } catch (error) {
    if (error instanceof TenancyError) throw error
    throw unloadable(file, error)
  }
}

function unloadable(file: MigrationFile, error: unknown): TenancyError {
  return new TenancyError('MIGRATION_INVALID', `Migration "${file.name}" cannot be loaded.`, {
    migration: file.name,
    detail: messageOf(error),
    fix: [`correct ${file.path}`],
    cause: error,
  })
}

async function loadSql(file: MigrationFile): Promise<LoadedMigration> {
  const folder = dirname(file.path)
  const downPath = [join(folder, `${identityOf(file.name)}.down.sql`), join(folder, 'down', file.name)].find(
    existsSync,
  )
  const up = await readSql(file.path)
  const down = downPath === undefined ? undefined : await readSql(downPath)
  return {
    ...file,
    up: textSide(up),
    down: down === undefined ? undefined : textSide(down),
    transaction: !says(up, 'transaction', 'false'),
    heavy: says(up, 'heavy', 'true'),
    catches: false,
  }
}

/** The comments a text begins with can say what a module's exports say: `-- transaction: false`, `-- heavy: true`. */
function says(text: string, word: string, value: string): boolean {
  return new RegExp(`^\\s*(?:--.*\\s+)*--\\s*${word}\\s*[:=]\\s*${value}\\b`, 'i').test(text)
}

/** A text of many statements is one implicit transaction, so outside of one they go one by one. */
function textSide(text: string): MigrationSide {
  return async (context, inTransaction) => {
    const statements = inTransaction ? [text] : splitStatements(text)
    for (const statement of statements) await context.sql(statement)
  }
}

async function readSql(path: string): Promise<string> {
  return (await readFile(path, 'utf8')).replace(/^\uFEFF/, '')
}

async function loadModule(file: MigrationFile): Promise<LoadedMigration> {
  const { up, down, form, transaction, heavy } = await importFile(file.path)
  if (typeof up !== 'function' || (down !== undefined && down !== null && typeof down !== 'function')) {
    throw new TenancyError('MIGRATION_INVALID', `Migration "${file.name}" exports no function up.`, {
      migration: file.name,
      fix: ['export async function up({ context }) { … }, or up(queryInterface, Sequelize)'],
    })
  }
  if (form !== undefined && form !== 'umzug' && form !== 'sequelize-cli') {
    throw new TenancyError('MIGRATION_INVALID', `Migration "${file.name}" exports an unknown form.`, {
      migration: file.name,
      fix: ["export const form = 'umzug' or 'sequelize-cli', or leave it out"],
    })
  }
  return {
    ...file,
    up: side(up, file, form),
    down: typeof down === 'function' ? side(down, file, form) : undefined,
    transaction: transaction !== false,
    heavy: heavy === true,
    catches: /\bcatch\b/.test(String(up) + String(down)),
  }
}

/**
 * Calls a migration's function in the form it was written for. Without a declared form no guess is needed: the
 * first argument is the query interface and also has Umzug's `name`, `path` and `context`, the second is
 * Sequelize, so that `(queryInterface, Sequelize)`, `({ context })` and `({ context: queryInterface })` all find
 * what they ask for.
 */
function side(fn: Function, file: MigrationFile, form: Form | undefined): MigrationSide {
  return async (context) => {
    const params = { name: file.name, path: file.path, context }
    if (form === 'umzug') return fn(params)
    if (form === 'sequelize-cli') return fn(context.queryInterface, context.Sequelize)
    const both: object = Object.assign(Object.create(context) as object, params)
    return fn(both, context.Sequelize)
  }
}
