/** Rows for random models, and what of them must be there after a migration. */
import { sqlStateOf, quoteIdentifier as quote } from '../../../lib/sql.ts'
import type { Assessed } from '../../../lib/autogenerate/operation.ts'
import type { MigrationSession } from '../../../lib/migrations/session.ts'
import { targetOf, type RandomModels, type RandomTable } from './random.ts'

const LONG = "repeat('long ', 60)"

/** Values as SQL, for each type of the random columns: some that other types can hold, some that none can. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  integer: ['0', '1', '70000', '-5'],
  bigint: ['5000000000', '1', '0'],
  short: ["'a'", "''", "'it''s'", "'7'", "'twenty characters...'"],
  string: ["'x'", "'7'", "'true'", "'2026-01-02'", "repeat('x', 100)"],
  text: ["''", "'12'", "'x'", "'z'", LONG],
  decimal: ['1.50', '123456.78', '0', '2'],
  boolean: ['true', 'false'],
  date: ["'2020-01-31 12:34:56.789+00'", "'2026-01-02 00:00+00'"],
  day: ["'2020-01-31'", "'2026-01-02'"],
  uuid: ["'00000000-0000-4000-8000-000000000001'", "'00000000-0000-4000-8000-000000000002'"],
  json: [`'{"a": 1}'`, "'[]'", "'null'"],
  numbers: ["'{}'", "'{1,2}'", "'{70000}'"],
  state: ["'x'", "'y'", "'z'"],
  lessState: ["'x'", "'z'"],
  otherState: ["'z'", "'new'", "'x'", "'y'"],
  states: ["'{}'", "'{x,y}'", "'{y}'"],
  moreStates: ["'{x}'", `'{"q''z",y}'`, "'{}'"],
}

/** Statements that fill the models' tables; rows that a constraint forbids are left out. `seed` chooses. */
export function insertsOf(tables: RandomModels, seed: number): readonly string[] {
  let state = seed
  // A small generator is enough: it need only differ from row to row.
  const next = (below: number) => (state = (state * 1103515245 + 12345) % 2147483648) % below
  const rows = tables.flatMap((table) =>
    Array.from({ length: next(4) }, (_, row) => insertOf(table, row, next)),
  )
  const owners = tables.flatMap((table) => {
    const target = targetOf(table, tables)
    if (target === undefined) return []
    return [`UPDATE ${quote(table.name)} SET owner = (SELECT min(id::text) FROM ${quote(target.name)})::${target.key === 'uuid' ? 'uuid' : 'bigint'}`] // prettier-ignore
  })
  return [...rows, ...owners]
}

function insertOf({ name, key, columns }: RandomTable, row: number, next: (below: number) => number): string {
  const values = columns.map(({ type, notNull }): string => {
    const pool = VALUES[type] ?? []
    return !notNull && next(4) === 0 ? 'NULL' : (pool[next(pool.length)] ?? 'NULL')
  })
  const names = columns.map((column) => quote(column.name))
  if (key === 'uuid') {
    names.push('id')
    values.push(`md5('${row}')::uuid`)
  }
  const list = names.length === 0 ? 'DEFAULT VALUES' : `(${names.join(', ')}) VALUES (${values.join(', ')})`
  return `INSERT INTO ${quote(name)} ${list} ON CONFLICT DO NOTHING`
}

/** By table: the types of its columns, and its rows as texts by column. */
export type Content = ReadonlyMap<string, TableContent>

interface TableContent {
  readonly types: Readonly<Record<string, string>>
  readonly rows: readonly Readonly<Record<string, string | null>>[]
}

/** Everything in the schema that bare names mean. */
export async function contentOf(session: MigrationSession): Promise<Content> {
  const tables = await session.query<{ name: string; types: Record<string, string> }>(
    `SELECT c.relname AS name,
            coalesce(json_object_agg(a.attname, format_type(a.atttypid, a.atttypmod)) FILTER (WHERE a.attnum > 0), '{}') AS types
       FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' GROUP BY c.relname`,
  )
  const content = new Map<string, TableContent>()
  for (const { name, types } of tables) {
    const columns = Object.keys(types).map((column) => `${literal(column)}, ${quote(column)}::text`)
    const rows = await session.query<{ row: Record<string, string | null> }>(
      `SELECT json_build_object(${columns.join(', ')}) AS row FROM ${quote(name)}`,
    )
    content.set(name, { types, rows: rows.map(({ row }) => row) })
  }
  return content
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

/** What a migration has said that it loses: tables, and columns of tables. */
export function announcedBy(operations: readonly Assessed[]): ReadonlySet<string> {
  const lost = operations.filter(({ hazards }) => hazards.some(({ kind }) => kind === 'data-loss'))
  return new Set(
    lost.map(({ operation }): string => {
      if (operation.kind === 'drop table') return placeOf(operation.table.name)
      if (operation.kind === 'drop column') return placeOf(operation.table, operation.column.name)
      return operation.kind === 'alter column' ? placeOf(operation.table, operation.to.name) : ''
    }),
  )
}

function placeOf(table: string, column?: string): string {
  return JSON.stringify([table, column])
}

/** What was there, is not there any more, and was not announced to go. In `session` bare names mean the new content. */
export async function lossesOf(
  session: MigrationSession,
  before: Content,
  after: Content,
  announced: ReadonlySet<string>,
): Promise<readonly string[]> {
  const losses: string[] = []
  for (const [table, { types, rows }] of before) {
    if (announced.has(placeOf(table))) continue
    const now = after.get(table)
    if (now?.rows.length !== rows.length) losses.push(`rows of ${table}: ${rows.length}, ${now?.rows.length}`)
    if (now === undefined) continue
    const kept = Object.keys(types).filter((column) => !announced.has(placeOf(table, column)))
    const same = kept.filter((column) => now.types[column] === types[column])
    const [was, is] = [whole(rows, same), whole(now.rows, same)]
    if (was !== is) losses.push(`${table}: ${was} became ${is}`)
    for (const column of kept.filter((each) => !same.includes(each))) {
      const value = await readBack(session, table, column, types[column] ?? '')
      const old = sorted(rows.map((row) => row[column] ?? null))
      if (value !== undefined && value !== old) losses.push(`${table}.${column}: ${old} became ${value}`)
    }
  }
  return losses
}

function whole(rows: TableContent['rows'], columns: readonly string[]): string {
  return sorted(rows.map((row) => JSON.stringify(columns.map((column) => row[column]))))
}

function sorted(values: readonly (string | null)[]): string {
  return JSON.stringify(values.map(String).toSorted())
}

/** A column of another type now, as what it was; `undefined` if nothing can be read like that. */
async function readBack(
  session: MigrationSession,
  table: string,
  column: string,
  type: string,
): Promise<string | undefined> {
  const text = `SELECT ${quote(column)}::text::${type}::text AS value FROM ${quote(table)}`
  try {
    const rows = await session.undoable(() => session.query<{ value: string | null }>(text))
    return sorted(rows.map(({ value }) => value))
  } catch (error) {
    if (sqlStateOf(error) === undefined) throw error
    return undefined
  }
}
