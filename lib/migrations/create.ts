/** Writes a new migration into the folder that the globs name; it never leaves the folder and never overwrites. */
import { randomBytes } from 'node:crypto'
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { dirname, extname, join, resolve } from 'node:path'

import { isDynamicPattern } from 'tinyglobby'

import { TenancyError } from '../errors.ts'
import { findMigrations } from './files.ts'
import { isMigrationName, revisionOf } from './revision.ts'
import { MIGRATION_FORMATS, migrationTemplate, type MigrationFormat, type NewFile } from './template.ts'

export interface CreateRequest {
  /** What the migration does, in some words; the file name is made from it. */
  readonly name: string
  /** @defaultValue what the folder holds most of, else `ts` */
  readonly format?: MigrationFormat | undefined
  /** Whether it is for the shared schema. */
  readonly shared?: boolean | undefined
}

export interface CreateReport {
  /** Absolute paths, the `up` side first. */
  readonly files: readonly string[]
}

/** Writes the text of a migration called `name`, which has no extension; the `up` side comes first. */
export type WriteText = (
  name: string,
  format: MigrationFormat,
  whose: string,
) => readonly NewFile[] | Promise<readonly NewFile[]>

/** Writes the texts of migrations that belong together, which are called `names`; of each the `up` side comes first. */
export type WriteTexts = (
  names: readonly string[],
  format: MigrationFormat,
  whose: string,
) => readonly (readonly NewFile[])[] | Promise<readonly (readonly NewFile[])[]>

/** Where migrations are, and what time it is. */
export interface CreatePlace {
  readonly globs: readonly string[]
  readonly baseDir: string
  readonly now?: Date
}

/**
 * Writes the migration `YYYYMMDDHHMMSS_name`, its time in UTC, into the folder of the first glob. Where the others there
 * are called as Alembic calls them, `d6ba8c13303e_name`, it is called so too, by a revision that sorts after theirs.
 *
 * @throws {@link TenancyError} USAGE for a name without letters and digits, or an unknown format;
 * MIGRATION_EXISTS if the file exists; CONFIG_INVALID if the globs would never find the file.
 */
export async function createMigration(
  request: CreateRequest,
  place: CreatePlace,
  text: WriteText = migrationTemplate,
): Promise<CreateReport> {
  const only: WriteTexts = async ([name = ''], format, whose) => [await text(name, format, whose)]
  return createMigrations(request, [''], place, only)
}

/**
 * The same for migrations that belong together and run one after another: each is called as the request says, with one
 * of `parts` behind it, and has a revision of its own that sorts after the one before.
 *
 * @throws what {@link createMigration} throws; then none of them is written.
 */
export async function createMigrations(
  { name, format, shared = false }: CreateRequest,
  parts: readonly string[],
  { globs, baseDir, now = new Date() }: CreatePlace,
  texts: WriteTexts,
): Promise<CreateReport> {
  const words = snakeCase(name)
  const folder = resolve(baseDir, folderOf(globs))
  await mkdir(folder, { recursive: true })
  const present = await readdir(folder)
  const chosen = format === undefined ? usualFormat(present.filter(isMigrationName)) : checkFormat(format)
  const names = revisionsFor(parts.length, now, present).map((revision, index) =>
    [revision, words, parts[index] ?? ''].filter((part) => part !== '').join('_'),
  )
  const migrations = await texts(names, chosen, shared ? 'the shared' : "the tenant's")
  const paths = migrations.map((files) => files.map((file) => join(folder, file.name)))
  await writeNew(folder, migrations.flat())
  await assertFound(paths, globs, baseDir)
  return { files: paths.flat() }
}

/** Long enough to say what a migration does, short enough for every file system and version table. */
const MAX_NAME_LENGTH = 100

/** `name` in snake case: letters and digits of any script, nothing that means something in a path. */
export function snakeCase(name: string): string {
  const words = name
    .normalize('NFC') // file systems differ in how they spell é, and the name is recorded in the database
    .replace(/(\p{Ll}|\p{N})(?=\p{Lu})/gu, '$1_')
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, '_')
  const short = Array.from(words)
    .slice(0, MAX_NAME_LENGTH)
    .join('')
    .replace(/^_+|_+$/g, '')
  if (short !== '') return short
  throw new TenancyError('USAGE', 'A migration needs a name.', {
    fix: ['say what it does in some letters or digits: umzug-tenants create add_users'],
  })
}

/** The part of the first glob before anything that is a pattern. */
export function folderOf(globs: readonly string[]): string {
  const glob = globs.find((each) => !each.startsWith('!')) ?? 'migrations/*'
  const parts = glob.split('/')
  const pattern = parts.findIndex((part) => isDynamicPattern(part))
  const folder = parts.slice(0, pattern === -1 ? -1 : pattern).join('/')
  return folder === '' && glob.startsWith('/') ? '/' : folder.replace(/\\(.)/g, '$1')
}

/** The format of most migrations in the folder; `.js` counts as a module, which it is in either kind of package. */
function usualFormat(present: readonly string[]): MigrationFormat {
  const counts = new Map<MigrationFormat, number>()
  for (const name of present) {
    const format = FORMAT_OF[extname(name)] ?? 'ts'
    counts.set(format, (counts.get(format) ?? 0) + 1)
  }
  const [most] = [...counts].toSorted(([, a], [, b]) => b - a)
  return most?.[0] ?? 'ts'
}

const FORMAT_OF: Readonly<Record<string, MigrationFormat>> = {
  '.ts': 'ts',
  '.mts': 'ts',
  '.cts': 'ts',
  '.js': 'mjs',
  '.mjs': 'mjs',
  '.cjs': 'cjs',
  '.sql': 'sql',
}

function checkFormat(format: string): MigrationFormat {
  const known = MIGRATION_FORMATS.find((each) => each === format)
  if (known !== undefined) return known
  throw new TenancyError('USAGE', `There is no migration format "${format}".`, {
    fix: [`use one of ${MIGRATION_FORMATS.join(', ')}`],
  })
}

/** Revision ids for so many migrations, each of which sorts after the one before. */
function revisionsFor(count: number, now: Date, present: readonly string[]): readonly string[] {
  const revisions: string[] = []
  while (revisions.length < count) {
    const taken = [...present, ...revisions.map((revision) => `${revision}.ts`)]
    revisions.push(nextRevision(taken.filter(isMigrationName)) ?? freeTimestamp(now, taken))
  }
  return revisions
}

/**
 * The time as a revision id. Two migrations made within a second would share an id and be ordered by their
 * names, so the later one takes the next second.
 */
function freeTimestamp(now: Date, present: readonly string[]): string {
  const taken = new Set(present.map(revisionOf))
  for (let time = now.getTime(); ; time += 1000) {
    const stamp = new Date(time).toISOString().replace(/\D/g, '').slice(0, 14)
    if (!taken.has(stamp)) return stamp
  }
}

const ALEMBIC = /^[0-9a-f]{12}$/

/**
 * A revision of Alembic's form that sorts last, if that is the form of all that are there. Alembic's own are random,
 * and say what they follow in the file; here the order is that of the names, so that only the rest can be.
 */
function nextRevision(present: readonly string[]): string | undefined {
  const revisions = present.map(revisionOf)
  // Twelve digits alone are a time without its seconds.
  const isAlembic =
    revisions.every((each) => ALEMBIC.test(each)) && revisions.some((each) => /[a-f]/.test(each))
  if (!isAlembic) return undefined
  const last = revisions.toSorted().at(-1) ?? ''
  const room = 2n ** 48n - 1n - BigInt(`0x${last}`)
  if (room === 0n) {
    throw new TenancyError('USAGE', `No revision sorts after ${last}.`, {
      fix: ['write the file by hand, under a name that sorts last'],
    })
  }
  // Random, so that two branches do not meet, and a small step, so that room is left for many more.
  const step = 1n + (randomBytes(8).readBigUInt64BE() % (room / 1024n || 1n))
  return (BigInt(`0x${last}`) + step).toString(16).padStart(12, '0')
}

/** All of `files`, or none. */
async function writeNew(folder: string, files: readonly NewFile[]): Promise<void> {
  const written: string[] = []
  for (const { name, text } of files) {
    const path = join(folder, name)
    try {
      await writeFile(path, text, { flag: 'wx' })
      written.push(path)
    } catch (error) {
      await removeAll(written)
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      throw new TenancyError('MIGRATION_EXISTS', `Migration "${name}" exists already.`, {
        migration: name,
        fix: ['choose another name, or try again in a second'],
      })
    }
  }
}

/** A migration that no run would ever see is worse than none: it is taken back. */
async function assertFound(
  migrations: readonly (readonly string[])[],
  globs: readonly string[],
  baseDir: string,
): Promise<void> {
  const found = new Set((await findMigrations(globs, baseDir)).map(({ path }) => resolve(path)))
  const lost = migrations.map(([up = '']) => up).find((up) => !found.has(up))
  if (lost === undefined) return
  await removeAll(migrations.flat())
  throw new TenancyError(
    'CONFIG_INVALID',
    `No glob in migrations finds ${extname(lost)} files in ${dirname(lost)}.`,
    {
      detail: `migrations: ${globs.join(', ')}`,
      fix: ['choose another --format, or widen the glob in the configuration'],
    },
  )
}

async function removeAll(paths: readonly string[]): Promise<void> {
  for (const path of paths) await rm(path)
}
