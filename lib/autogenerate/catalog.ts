/**
 * Questions to the catalogs that tell everything of a schema, under a search path of exactly that schema: PostgreSQL
 * prints what is found by the path bare, and all else with its schema. A snapshot and a fingerprint are two answers to
 * the same questions, so that neither sees what the other does not.
 */
import { TenancyError } from '../errors.ts'
import { quoteIdentifier, searchPath, type SqlRunner } from '../sql.ts'
import { COUNT, OTHER_QUESTIONS, OTHERS } from './catalog-others.ts'
import { SETTING_QUESTIONS } from './catalog-settings.ts'
import { OBJECTS, TABLE_QUESTIONS } from './catalog-tables.ts'

/** What was found under one path: `schema` is the schema that the answer is about. */
interface Answer {
  readonly schema: string
}

export interface Fact extends Answer {
  readonly kind: string
  /** The table it belongs to; empty for what belongs to none. */
  readonly parent: string
  /** JSON. */
  readonly data: string
}

export interface Hash extends Answer {
  readonly parent: string
  readonly hash: string
}

/**
 * Every fact of the schema. Most schemas have nothing but tables, and most of the time that a statement takes is its
 * planning: about other objects is asked only where there are any.
 *
 * @throws {@link TenancyError} SCHEMA_MISSING
 */
export async function factsOf(sql: SqlRunner, schema: string): Promise<readonly Fact[]> {
  const path = `SET LOCAL search_path TO ${searchPath([schema])}`
  const answer = await ask<Fact>(sql, schema, [path, FACTS_OF_TABLES])
  const facts = answer.filter(({ kind }) => kind !== 'others')
  if (facts.length === answer.length) return facts
  return [...facts, ...(await ask<Fact>(sql, schema, [path, FACTS_OF_OTHERS]))]
}

/**
 * One hash for each table, and one for what belongs to none; only within {@link withHashes}. Most of the time such a
 * statement takes is its planning, and PostgreSQL plans a prepared one anew whenever the path is another: so it is
 * prepared and begun under the runner's own path, and sets the other one itself. What it prints it finds by way of that
 * setting, never before it.
 *
 * @throws {@link TenancyError} SCHEMA_MISSING
 */
export async function hashesOf(sql: SqlRunner, schema: string): Promise<readonly Hash[]> {
  return ask<Hash>(sql, schema, [
    `SET LOCAL umzug_tenants.schema TO ${quoteIdentifier(schema)}`,
    `SET LOCAL plan_cache_mode TO force_generic_plan`,
    `EXECUTE ${PREPARED}`,
  ])
}

/** Prepares the one connection that `sql` is for {@link hashesOf}, while `fn` runs. */
export async function withHashes<T>(sql: SqlRunner, fn: () => Promise<T>): Promise<T> {
  // The session takes it for a statement that may not share a message, unless it begins with a word it knows.
  await sql.query(`SELECT;PREPARE ${PREPARED} AS ${HASHES}`)
  try {
    return await fn()
  } finally {
    // In a transaction that has failed it cannot be said, and the connection may be what failed.
    await sql.query(`SELECT;DEALLOCATE ${PREPARED}`).catch(() => undefined)
  }
}

const PREPARED = 'umzug_tenants_hashes'

const QUESTIONS_OF_TABLES = [...TABLE_QUESTIONS, ...SETTING_QUESTIONS]
const FACTS_OF_TABLES = factsBy([COUNT, ...QUESTIONS_OF_TABLES])
const FACTS_OF_OTHERS = factsBy(OTHER_QUESTIONS)

function factsBy(questions: readonly string[]): string {
  return `${factsWithin('nspname = current_schema()', questions)}
  SELECT (SELECT nspname FROM own) AS schema, kind, parent, data::text AS data FROM facts ORDER BY position`
}

/**
 * The order of columns is no part of it. It gives no row before all are made and the path is what it was: at the first
 * one PostgreSQL looks whether the statement is still planned for the path there is.
 */
const HASHES = `${factsWithin(
  `nspname = current_setting('umzug_tenants.schema')
    AND set_config('search_path', quote_ident(nspname) || ', pg_temp', true) <> ''`,
  [...QUESTIONS_OF_TABLES, ...OTHER_QUESTIONS],
)},
  lines AS (SELECT parent, concat_ws(' ', kind, data) COLLATE "C" AS line FROM facts),
  hashes AS MATERIALIZED (
    SELECT (SELECT nspname FROM own) AS schema, parent, md5(string_agg(line, E'\\n' ORDER BY line)) AS hash
      FROM lines GROUP BY parent)
  SELECT schema, parent, hash
    FROM hashes
   WHERE (SELECT set_config('search_path', current_setting('umzug_tenants.search_path'), true)
            FROM (SELECT count(*) FROM hashes) AS all_of_them) IS NOT NULL`

/** Kind, table it belongs to or nothing, place among its kind, and what there is to say, as JSON. */
function factsWithin(own: string, questions: readonly string[]): string {
  return `
  WITH own AS MATERIALIZED (SELECT oid, nspname FROM pg_namespace WHERE ${own}), ${OBJECTS}, ${OTHERS},
  facts (kind, parent, position, data) AS (${questions.join('\n UNION ALL ')}\n)`
}

/**
 * The rows of a text of statements, after which the search path is what it was. All go in one message, which holds
 * inside a transaction and outside one, whatever path the runner gives its statements.
 */
async function ask<R extends Answer>(
  sql: SqlRunner,
  schema: string,
  statements: readonly string[],
): Promise<readonly R[]> {
  const rows = await sql.query<R>(
    [
      silently("set_config('umzug_tenants.search_path', current_setting('search_path'), true)"),
      ...statements,
      silently("set_config('search_path', current_setting('umzug_tenants.search_path'), true)"),
    ].join(';\n'),
  )
  const [first] = rows
  if (first !== undefined && first.schema === schema) return rows
  // A schema without anything has no facts either.
  if (first === undefined && (await exists(sql, schema))) return []
  throw new TenancyError('SCHEMA_MISSING', `There is no schema ${quoteIdentifier(schema)}.`, {
    schema,
    fix: ['create it: umzug-tenants up, or tenants create'],
  })
}

/** Evaluates `expression` and gives no row: the rows of a text are those of its last statement that has any. */
function silently(expression: string): string {
  return `SELECT FROM (SELECT ${expression} AS value OFFSET 0) AS evaluated WHERE value IS NULL`
}

async function exists(sql: SqlRunner, schema: string): Promise<boolean> {
  const rows = await sql.query('SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1', [schema])
  return rows.length > 0
}
