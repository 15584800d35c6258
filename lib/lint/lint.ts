/** Migration files → findings: which files there are, what each is, and what is wrong with it. Nothing is run. */
import { existsSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { basename, dirname, extname, join, resolve } from 'node:path'

import { TenancyError } from '../errors.ts'
import { findMigrations } from '../migrations/files.ts'
import { identityOf } from '../migrations/revision.ts'
import { withoutAccepted } from './accept.ts'
import { lintCode, loadCodeParser, type CodeParser } from './code.ts'
import type { Comment, Finding, LintFacts, Spot } from './finding.ts'
import { lintSql, loadSqlParser, sqlComments, type SqlParser } from './sql.ts'
import { Lines } from './text.ts'

/** The parts of the configuration that say which migrations there are, and what they may name. */
export interface LintOptions {
  readonly baseDir: string
  readonly migrations: readonly string[]
  readonly sharedMigrations: readonly string[]
  readonly sharedSchema: string
  readonly searchPath: readonly string[]
}

export interface LintReport {
  /** By file as they were given, then by line. */
  readonly findings: readonly Finding[]
  /** How many files were read. */
  readonly files: number
}

const TYPESCRIPT = /^\.[cm]?ts$/
const JAVASCRIPT = /^\.[cm]?js$/

/**
 * What in `files`, or else in every migration the configuration names, cannot be the same for all tenants. Reads the
 * files and neither imports them nor connects to a database.
 *
 * @throws {@link TenancyError} USAGE for a file that does not exist or is no migration; MIGRATION_DUPLICATE as
 * {@link findMigrations}.
 */
export async function lintMigrations(options: LintOptions, files?: readonly string[]): Promise<LintReport> {
  const { baseDir } = options
  const shared = new Set(await pathsOf(options.sharedMigrations, baseDir))
  const own = await pathsOf(options.migrations, baseDir)
  const paths = files === undefined ? [...new Set([...own, ...shared])] : await checked(files)
  const facts = (path: string): Omit<LintFacts, 'inTransaction'> => ({
    sharedSchemas: new Set([options.sharedSchema, ...options.searchPath]),
    shared: shared.has(path) && !own.includes(path),
  })
  const parsers = { sql: await loadSqlParser(), code: await codeParserFor(paths) }
  const findings: Finding[] = []
  for (const path of paths) findings.push(...(await lintFile(path, facts(path), parsers)))
  return { findings, files: paths.length }
}

/** The migrations that globs name, each `.sql` with the way back. */
async function pathsOf(globs: readonly string[], baseDir: string): Promise<readonly string[]> {
  const migrations = await findMigrations(globs, baseDir)
  return migrations.flatMap(({ name, path }) => {
    if (extname(name) !== '.sql') return [resolve(path)]
    const folder = dirname(path)
    const down = [join(folder, `${identityOf(name)}.down.sql`), join(folder, 'down', name)].find(existsSync)
    return [path, ...(down === undefined ? [] : [down])].map((each) => resolve(each))
  })
}

async function checked(files: readonly string[]): Promise<readonly string[]> {
  for (const file of files) {
    const isFile = await stat(file).then(
      (stats) => stats.isFile(),
      () => undefined,
    )
    if (isFile === undefined)
      throw usage(
        `There is no file ${file}.`,
        'correct the name, or leave it out: all migrations are read then',
      )
    if (!isFile) throw usage(`${file} is no file.`, `name the files in it: ${join(file, '*')}`)
    if (!isMigration(file))
      throw usage(
        `${file} is no migration.`,
        'name files that end in .sql, .ts, .mts, .cts, .js, .mjs or .cjs',
      )
  }
  return [...new Set(files.map((file) => resolve(file)))]
}

function isMigration(file: string): boolean {
  const extension = extname(file)
  return extension === '.sql' || TYPESCRIPT.test(extension) || JAVASCRIPT.test(extension)
}

function usage(title: string, fix: string): TenancyError {
  return new TenancyError('USAGE', title, { fix: [fix] })
}

/** A folder of SQL alone needs no parser of JavaScript. */
async function codeParserFor(paths: readonly string[]): Promise<CodeParser | undefined> {
  return paths.some((path) => extname(path) !== '.sql') ? loadCodeParser() : undefined
}

interface Parsers {
  readonly sql: SqlParser
  readonly code: CodeParser | undefined
}

async function lintFile(
  path: string,
  facts: Omit<LintFacts, 'inTransaction'>,
  parsers: Parsers,
): Promise<readonly Finding[]> {
  const source = await readText(path)
  const up = upOf(path)
  // A way back runs as its `up` does.
  const ofUp = up === undefined ? source : await readText(up)
  return lintSource(source, path, { ...facts, inTransaction: !declinesTransaction(ofUp, path) }, parsers)
}

/** What is wrong with the text of one file; its name says what it is. */
export function lintSource(
  source: string,
  file: string,
  facts: LintFacts,
  { sql, code }: Parsers,
): readonly Finding[] {
  const { spots, comments } =
    extname(file) === '.sql' || code === undefined
      ? { spots: lintSql(sql, source, { facts }), comments: sqlComments(sql, source) }
      : lintCode({ sql, code }, source, { isTypeScript: TYPESCRIPT.test(extname(file)), facts })
  return findingsOf(file, source, spots, comments)
}

async function readText(path: string): Promise<string> {
  return (await readFile(path, 'utf8')).replace(/^\uFEFF/, '')
}

/** The `up` of which `path` is the way back, if it is one and the other exists. */
function upOf(path: string): string | undefined {
  const up =
    basename(dirname(path)) === 'down'
      ? join(dirname(path), '..', basename(path))
      : path.replace(/\.down\.sql$/, '.sql')
  return up !== path && existsSync(up) ? up : undefined
}

/** The first line of a migration in SQL can say so. */
function declinesTransaction(source: string, file: string): boolean {
  return extname(file) === '.sql' && /^\s*--\s*transaction\s*[:=]\s*false\b/i.test(source)
}

function findingsOf(
  file: string,
  source: string,
  spots: readonly Spot[],
  comments: readonly Comment[],
): readonly Finding[] {
  const lines = new Lines(source)
  const said = new Set<string>()
  return withoutAccepted(spots, comments, lines)
    .toSorted((a, b) => a.index - b.index)
    .map(({ index, rule, message, remedy }) => ({
      rule,
      file,
      line: lines.lineOf(index),
      column: lines.columnOf(index),
      message,
      remedy,
    }))
    .filter(({ rule, line, message }) => {
      // The same name twice in a line is one thing to mend.
      const key = `${line} ${rule} ${message}`
      return !said.has(key) && said.add(key)
    })
}
