/** Pairs of schemas: made by statements, read, compared; one made into the other by the operations found. */
import pg from 'pg'

import { compare, type CompareOptions } from '../../lib/autogenerate/compare.ts'
import type { Operation } from '../../lib/autogenerate/operation.ts'
import { readSnapshot } from '../../lib/autogenerate/read.ts'
import type { Snapshot } from '../../lib/autogenerate/snapshot.ts'
import { sqlOf } from '../../lib/autogenerate/sql.ts'
import { quoteIdentifier, type Row, type SqlRunner, type SqlValue } from '../../lib/sql.ts'
import type { TestDatabase } from './database.ts'
import type { Suite } from './suite.ts'

/** A connection whose schemas are made and dropped by the tests. */
export interface Schemas extends SqlRunner {
  /** Makes the schema anew from statements with bare names. */
  make(schema: string, statements: string): Promise<void>
  /** Runs statements with bare names in a schema. */
  change(schema: string, statements: string): Promise<void>
  read(schema: string): Promise<Snapshot>
  /** Makes two schemas and compares them. */
  compare(before: string, after: string, options?: CompareOptions): Promise<readonly Operation[]>
  /** Makes two schemas, does what leads from the first to the second and back, and says what is left of differences. */
  lead(before: string, after: string): Promise<Led>
}

export interface Led {
  readonly start: Snapshot
  readonly goal: Snapshot
  readonly operations: readonly Operation[]
  /** Differences left after the way there, and after the way back. */
  readonly left: readonly Operation[]
  readonly leftBack: readonly Operation[]
}

/** Gives `test` a connection to the database before its first test and closes it after the last. */
export function testSchemas(test: Suite, database: TestDatabase): Schemas {
  let connection: pg.Client | undefined
  test.before(async () => {
    connection = new pg.Client({ connectionString: database.url, application_name: 'test' })
    await connection.connect()
  })
  test.after(() => connection?.end())
  const run = async <R extends object = Row>(text: string, values?: readonly SqlValue[]): Promise<R[]> => {
    if (connection === undefined) throw new Error('the connection exists only while the tests run')
    const result =
      values === undefined ? await connection.query(text) : await connection.query(text, [...values])
    const results = (Array.isArray(result) ? result : [result]) as { rows: R[] }[] // one for each statement
    return results.findLast(({ rows }) => rows.length > 0)?.rows ?? []
  }
  const schemas: Schemas = {
    query: run,
    async make(schema, statements) {
      const name = quoteIdentifier(schema)
      await run(`DROP SCHEMA IF EXISTS ${name} CASCADE; CREATE SCHEMA ${name}`)
      await schemas.change(schema, statements)
    },
    async change(schema, statements) {
      await run(`SET LOCAL search_path TO ${quoteIdentifier(schema)}, pg_temp; ${statements}`)
    },
    read: (schema) => readSnapshot(schemas, schema),
    async compare(before, after, options) {
      await schemas.make('before', before)
      await schemas.make('after', after)
      return compare(await schemas.read('before'), await schemas.read('after'), options)
    },
    async lead(before, after) {
      await schemas.make('before', before)
      await schemas.make('after', after)
      const [start, goal] = [await schemas.read('before'), await schemas.read('after')]
      const operations = compare(start, goal)
      await schemas.change('before', operations.flatMap(sqlOf).join(';\n'))
      const there = await schemas.read('before')
      await schemas.change('before', compare(there, start).flatMap(sqlOf).join(';\n'))
      const back = await schemas.read('before')
      return { start, goal, operations, left: compare(there, goal), leftBack: compare(back, start) }
    },
  }
  return schemas
}

/** The operations in few words: kind, and what it is about. */
export function inWords(operations: readonly Operation[]): readonly string[] {
  return operations.map((operation) => {
    const { kind, ...rest } = operation
    return [kind, ...Object.values(rest).map(word)].join(' ').trim()
  })
}

function word(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value !== 'object' || value === null) return String(value)
  if ('name' in value) return String(value.name)
  return Array.isArray(value) ? value.map(word).join(',') : Object.values(value).map(word).join('.')
}
