/**
 * A scratch copy of a schema, made from its snapshot and not from its tables, which are not locked: a migration is
 * tried out on it. It has no rows.
 */
import type { MigrationSession } from '../migrations/session.ts'
import type { SqlRunner } from '../sql.ts'
import { compare } from './compare.ts'
import { EMPTY, type Snapshot } from './snapshot.ts'
import { sqlOf } from './sql.ts'

/** Statements that make what tables need and a snapshot does not spell out: types of one's own, and functions. */
export type Foundations = readonly string[]

/** What depends on the schema: by that its objects are found with an index, however many others there are. */
const OBJECTS = `pg_catalog.pg_namespace n
       JOIN pg_catalog.pg_depend o
         ON o.refclassid = 'pg_catalog.pg_namespace'::regclass AND o.refobjid = n.oid AND o.deptype = 'n'`

/**
 * The functions and domains of `schema` as statements with bare names. They are copied before the tables, since
 * defaults, checks and generated columns call them.
 */
export async function readFoundations(sql: SqlRunner, schema: string): Promise<Foundations> {
  const domains = await sql.query<{ text: string }>(
    `SELECT format('CREATE DOMAIN %I AS %s%s%s%s', t.typname, format_type(t.typbasetype, t.typtypmod),
                   ' DEFAULT ' || t.typdefault, CASE WHEN t.typnotnull THEN ' NOT NULL' END,
                   (SELECT string_agg(format(' CONSTRAINT %I %s', k.conname, pg_get_constraintdef(k.oid)), '' ORDER BY k.conname)
                      FROM pg_catalog.pg_constraint k
                     WHERE k.contypid = t.oid AND k.contype = 'c' AND k.oid = ANY (ARRAY(
                             SELECT d.objid FROM pg_catalog.pg_depend d
                              WHERE d.refclassid = 'pg_catalog.pg_type'::regclass AND d.refobjid = t.oid
                                AND d.classid = 'pg_catalog.pg_constraint'::regclass)))) AS text
       FROM ${OBJECTS}
       JOIN pg_catalog.pg_type t ON o.classid = 'pg_catalog.pg_type'::regclass AND t.oid = o.objid
      WHERE n.nspname = $1 AND t.typtype = 'd' ORDER BY t.oid`,
    [schema],
  )
  const functions = await sql.query<{ text: string }>(
    `SELECT replace(pg_get_functiondef(p.oid), ' ' || quote_ident(n.nspname) || '.' || quote_ident(p.proname) || '(',
                    ' ' || quote_ident(p.proname) || '(') AS text
       FROM ${OBJECTS}
       JOIN pg_catalog.pg_proc p ON o.classid = 'pg_catalog.pg_proc'::regclass AND p.oid = o.objid
      WHERE n.nspname = $1 AND p.prokind IN ('f', 'p')
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                         WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
      ORDER BY p.oid`,
    [schema],
  )
  return [...domains, ...functions].map(({ text }) => text)
}

/** Makes what `snapshot` says, in the schema that bare names mean, inside the session's open transaction. */
export async function makeCopy(
  session: MigrationSession,
  snapshot: Snapshot,
  foundations: Foundations,
): Promise<void> {
  const left = await layFoundations(session, foundations)
  await runAsOne(session, compare(EMPTY, snapshot).flatMap(sqlOf))
  // A function may take a table's row for its parameter.
  await layFoundations(session, left)
}

/** Runs statements without values in one message: each in its turn, without a round trip for each. */
export async function runAsOne(sql: SqlRunner, texts: readonly string[]): Promise<void> {
  if (texts.length > 0) await sql.query(texts.join(';\n'))
}

/** Makes what can be made of `foundations`; the answer is the rest. */
export async function layFoundations(
  session: MigrationSession,
  foundations: Foundations,
): Promise<Foundations> {
  if (foundations.length === 0) return []
  // A function's body names tables that are not there yet.
  await session.query('SET LOCAL check_function_bodies = off')
  const left: string[] = []
  for (const text of foundations) {
    try {
      await session.undoable(() => session.query(text))
    } catch {
      left.push(text)
    }
  }
  return left
}
