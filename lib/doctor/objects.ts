/** Objects that are in the wrong place or in no good state: in `public`, INVALID, or too many for one pg_dump. */
import { qualify, type SqlRunner } from '../sql.ts'
import { counted, listing, ok, warning, type Finding } from './finding.ts'

/** Tables and types in `public` that are called like those of tenants, and version tables there. */
export async function readLeaks(
  sql: SqlRunner,
  schemas: readonly string[],
  versionTables: readonly string[],
): Promise<readonly string[]> {
  const rows = await sql.query<{ name: string }>(
    `WITH tenant AS MATERIALIZED (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = ANY ($1::name[])),
          public AS (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = 'public')
     SELECT relname::text AS name FROM pg_catalog.pg_class
      WHERE relnamespace = (SELECT oid FROM public) AND relkind IN ('r', 'p')
        AND (relname = ANY ($2::name[]) OR relname IN (
              SELECT relname FROM pg_catalog.pg_class
               WHERE relnamespace IN (SELECT oid FROM tenant) AND relkind IN ('r', 'p')))
     UNION
     SELECT typname::text FROM pg_catalog.pg_type
      WHERE typnamespace = (SELECT oid FROM public) AND typtype = 'e' AND typname IN (
              SELECT typname FROM pg_catalog.pg_type
               WHERE typnamespace IN (SELECT oid FROM tenant) AND typtype = 'e')
      ORDER BY 1`,
    [schemas, versionTables],
  )
  return rows.map(({ name }) => name)
}

export function judgeLeaks(names: readonly string[]): readonly Finding[] {
  if (names.length === 0) return [ok('public', 'schema public holds nothing that is called as in a tenant')]
  const shown = names.map((name) => `"${name}"`)
  return [
    warning('public', `Schema public holds ${listing('object', shown)}, called as in a tenant.`, {
      detail: 'stock Sequelize, or a migration that named the schema, has made them; no tenant uses them',
      fix: [
        'see whether rows are in them that belong to a tenant, then drop them',
        'find migrations that write there: umzug-tenants lint',
      ],
    }),
  ]
}

export interface InvalidIndex {
  readonly schema: string
  readonly name: string
}

/** Indexes that were begun and not finished, and that nobody is building now. */
export async function readInvalidIndexes(
  sql: SqlRunner,
  schemas: readonly string[],
): Promise<readonly InvalidIndex[]> {
  return sql.query<InvalidIndex>(
    `SELECT n.nspname::text AS schema, c.relname::text AS name
       FROM pg_catalog.pg_index i
       JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid AND c.relkind = 'i'
       JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE NOT i.indisvalid AND n.nspname = ANY ($1::name[])
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index p WHERE p.index_relid = c.oid)
      ORDER BY 1, 2`,
    [schemas],
  )
}

export function judgeIndexes(indexes: readonly InvalidIndex[]): readonly Finding[] {
  if (indexes.length === 0) return [ok('indexes', 'no index is INVALID')]
  const names = indexes.map(({ schema, name }) => qualify(schema, name))
  return [
    warning(
      'indexes',
      `INVALID ${indexes.length === 1 ? 'is' : 'are'} ${listing('index', names).replace('indexs', 'indexes')}.`,
      {
        detail: 'no query uses them, every write pays for them, and IF NOT EXISTS takes them for built',
        fix: names.map((name) => `REINDEX INDEX CONCURRENTLY ${name}`),
      },
    ),
  ]
}

export interface HeadroomFacts {
  /** Tables, views and sequences of all tenants: pg_dump locks each of them, all at once. */
  readonly relations: number
  /** Locks that the server has room for, on all connections together. */
  readonly locks: number
  readonly perTransaction: number
}

export async function readHeadroom(
  sql: SqlRunner,
  schemas: readonly string[],
): Promise<HeadroomFacts | undefined> {
  const [facts] = await sql.query<HeadroomFacts>(
    `SELECT (SELECT count(*) FROM pg_catalog.pg_class c
              WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
                AND c.relnamespace IN (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = ANY ($1::name[])))::integer AS relations,
            pg_catalog.current_setting('max_locks_per_transaction')::integer AS "perTransaction",
            pg_catalog.current_setting('max_locks_per_transaction')::integer
              * (pg_catalog.current_setting('max_connections')::integer
                 + pg_catalog.current_setting('max_prepared_transactions')::integer) AS locks`,
    [schemas],
  )
  return facts
}

/** Above this part of the lock table a dump is close to failing: other connections need locks, too. */
const TIGHT = 0.8

export function judgeHeadroom({ relations, locks, perTransaction }: HeadroomFacts): readonly Finding[] {
  const room = `the lock table has room for ${locks}`
  if (relations <= locks * TIGHT)
    return [ok('pg_dump', `${counted(relations, 'relation')} of tenants; ${room}`)]
  const needed = Math.ceil((perTransaction * relations) / (locks * 0.5))
  return [
    warning('pg_dump', `A pg_dump of the whole database would ${relations > locks ? 'fail' : 'soon fail'}.`, {
      detail: `it locks all ${relations} tables, views and sequences of tenants at once; ${room}`,
      fix: [
        `set max_locks_per_transaction = ${needed} and restart the server`,
        'or dump tenants one by one: umzug-tenants exec --all -- sh -c \'pg_dump -n "$UMZUG_TENANT_SCHEMA" …\'',
      ],
    }),
  ]
}
