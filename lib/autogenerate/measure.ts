/** Asks the rows of one schema what measures want to know: read only, each in a transaction of its own. */
import { messageOf, TenancyError } from '../errors.ts'
import type { MigrationSession } from '../migrations/session.ts'
import { SQLSTATE, sqlStateOf } from '../sql.ts'
import type { Measure, MeasureKind } from './measures.ts'

/** Rows of a tenant that a migration would break on. */
export interface Finding {
  readonly kind: MeasureKind
  readonly table: string
  /** What they are, such as `users.email is NULL`. */
  readonly what: string
  readonly rows: number
}

/** What a tenant does not have, and what therefore could not be counted there. */
export interface Absent {
  readonly table: string
  /** None: the table itself. */
  readonly column?: string
}

export interface SchemaFindings {
  readonly findings: readonly Finding[]
  readonly absent: readonly Absent[]
}

/**
 * @throws {@link TenancyError} ROWS_NOT_COUNTED with the server's words, if a question cannot be answered.
 */
export async function measureSchema(
  session: MigrationSession,
  { schema, searchPath }: { readonly schema: string; readonly searchPath: readonly string[] },
  measures: readonly Measure[],
): Promise<SchemaFindings> {
  const present = await columnsOf(session, schema)
  const findings: Finding[] = []
  const absent = new Map<string, Absent>()
  for (const measure of measures) {
    const lacking = lackingFor(measure, present)
    for (const each of lacking) absent.set(`${each.table}\0${each.column ?? ''}`, each)
    if (lacking.length > 0) continue
    const rows = await session.within({ tenant: undefined, schema, searchPath }, () =>
      count(session, measure),
    )
    const { kind, table, what } = measure
    if (rows > 0) findings.push({ kind, table, what, rows })
  }
  return { findings, absent: [...absent.values()] }
}

async function count(session: MigrationSession, { what, statements }: Measure): Promise<number> {
  try {
    return await session.transaction(async () => {
      await session.query('SET TRANSACTION READ ONLY')
      let rows = '0'
      for (const { text, values } of statements) {
        const [row] = await session.query<{ rows: string }>(text, values)
        rows = row?.rows ?? rows
      }
      return Number(rows)
    })
  } catch (error) {
    throw notCounted(what, error)
  }
}

/** Names of the columns of each table. */
async function columnsOf(
  session: MigrationSession,
  schema: string,
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const rows = await session.query<{ name: string; columns: string[] }>(
    `SELECT c.relname AS name, array_agg(a.attname::text) AS columns
       FROM pg_catalog.pg_namespace n
       JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p')
       JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      WHERE n.nspname = $1 GROUP BY c.relname`,
    [schema],
  )
  return new Map(rows.map(({ name, columns }) => [name, new Set(columns)]))
}

function lackingFor(
  { needs }: Measure,
  present: ReadonlyMap<string, ReadonlySet<string>>,
): readonly Absent[] {
  return needs.flatMap(({ table, columns }): readonly Absent[] => {
    const there = present.get(table)
    if (there === undefined) return [{ table }]
    return columns.filter((column) => !there.has(column)).map((column) => ({ table, column }))
  })
}

function notCounted(what: string, cause: unknown): TenancyError {
  const sqlstate = sqlStateOf(cause)
  const isLocked = sqlstate === SQLSTATE.lockNotAvailable
  return new TenancyError('ROWS_NOT_COUNTED', `The rows cannot be counted of which ${what}.`, {
    sqlstate,
    detail: messageOf(cause),
    fix: [
      isLocked ? 'wait until the table is free, or raise timeouts.lockMs' : 'raise timeouts.statementMs if the table is large', // prettier-ignore
      'compare the tenant with the specimen: umzug-tenants check --tenants',
    ],
    cause,
  })
}
