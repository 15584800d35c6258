/** Looks at everything a tenancy stands on, in a constant number of queries, and says what is not as it should be. */
import { databaseError } from '../database-errors.ts'
import { isTenancyError, messageOf, type TenancyError } from '../errors.ts'
import { readLocks } from '../locks.ts'
import type { SqlRunner } from '../sql.ts'
import type { Tenant } from '../tenant.ts'
import { judgeConnections, readConnection } from './connection.ts'
import { warning, type CheckName, type Finding } from './finding.ts'
import {
  judgeHeadroom,
  judgeIndexes,
  judgeLeaks,
  readHeadroom,
  readInvalidIndexes,
  readLeaks,
} from './objects.ts'
import { judgeApplication, judgeMigrator, readApplication, readMigrator } from './privileges.ts'
import { judgeSchemas, judgeShared, readSchemas, type SchemaNames } from './schemas.ts'
import { judgeMarks, readMarks } from './standing.ts'

/** What is examined. */
export interface Examined {
  /** The application's connection. */
  readonly sql: SqlRunner
  /** One connection of the application, with the server process it was told of when it was opened. */
  withConnection<T>(fn: (sql: SqlRunner, processId: number | undefined) => Promise<T>): Promise<T>
  /** The connection that migrates. */
  withSession<T>(fn: (sql: SqlRunner) => Promise<T>): Promise<T>
  /** Whether the two have URLs of their own. */
  readonly isSeparate: boolean
  tenants(): Promise<readonly Tenant[]>
  readonly names: SchemaNames
  /** Table of the version storage. */
  readonly versionTable: string
}

export interface DoctorReport {
  readonly findings: readonly Finding[]
  readonly errors: number
  readonly warnings: number
}

/** Version tables of this package and of those it follows. */
const VERSION_TABLES = ['SequelizeMeta', 'alembic_version']

/** @throws {@link TenancyError} DATABASE_UNREACHABLE, DATABASE_REFUSED. */
export async function examine(examined: Examined): Promise<DoctorReport> {
  const findings: Finding[] = []
  const check = async (name: CheckName, judge: () => Promise<readonly Finding[]>) => {
    try {
      findings.push(...(await judge()))
    } catch (failure) {
      findings.push(unexamined(name, failure))
    }
  }
  const { sql, names } = examined
  let known: readonly Tenant[] | undefined
  // The server comes first: without it there is nothing to say.
  await check('connection', () => examineConnections(examined))
  await check('tenants', async () => {
    known = await examined.tenants()
    return []
  })
  const tenants = known ?? []
  const schemas = tenants.map(({ schema }) => schema)
  const versionTables = [...new Set([examined.versionTable, ...VERSION_TABLES])]
  await check('privileges', () => examineMigrator(examined, schemas))
  await check('privileges', async () => {
    const facts = await readApplication(sql, schemas)
    return facts === undefined ? [] : judgeApplication(facts, names.searchPath)
  })
  await check('shared-schema', async () => {
    const facts = await readSchemas(sql, { tenants, names, versionTables })
    // Without a registry every schema would seem to be nobody's.
    return [...judgeShared(facts, names), ...(known === undefined ? [] : judgeSchemas(facts, known))]
  })
  await check('tenants', async () => {
    const owners = tenants.map(({ id, schema }) => ({ id, schema }))
    const [marks, locks] = [await readMarks(sql), await readLocks(sql, owners)]
    return judgeMarks(marks, new Set(locks.map(({ schema }) => schema)))
  })
  await check('public', async () =>
    judgeLeaks(await readLeaks(sql, schemas, [...versionTables, 'SequelizeData'])),
  )
  await check('indexes', async () =>
    judgeIndexes(await readInvalidIndexes(sql, [...schemas, names.sharedSchema])),
  )
  await check('pg_dump', async () => {
    const facts = await readHeadroom(sql, schemas)
    return facts === undefined ? [] : judgeHeadroom(facts)
  })
  const countOf = (level: Finding['level']) => findings.filter((finding) => finding.level === level).length
  return { findings, errors: countOf('error'), warnings: countOf('warning') }
}

async function examineConnections(examined: Examined): Promise<readonly Finding[]> {
  const application = await examined.withConnection(readConnection)
  const migrating = await unlessPooled(
    examined.withSession((session) => readConnection(session, application.processId)),
  )
  return judgeConnections({ application, migrating, isSeparate: examined.isSeparate })
}

async function examineMigrator(examined: Examined, schemas: readonly string[]): Promise<readonly Finding[]> {
  const facts = await unlessPooled(examined.withSession((session) => readMigrator(session, schemas)))
  return facts === undefined || facts === 'pooled' ? [] : judgeMigrator(facts)
}

async function unlessPooled<T>(facts: Promise<T>): Promise<T | 'pooled'> {
  try {
    return await facts
  } catch (failure) {
    if (isTenancyError(failure, 'POOLER_DETECTED')) return 'pooled'
    throw failure
  }
}

/** What could not be looked at; a server that does not answer ends it all. */
function unexamined(check: CheckName, failure: unknown): Finding {
  const known: TenancyError | undefined = isTenancyError(failure) ? failure : databaseError(failure)
  const isLost = known?.code === 'DATABASE_UNREACHABLE' || known?.code === 'DATABASE_REFUSED'
  if (known !== undefined && isLost) throw known
  return warning(check, 'This could not be looked at.', {
    detail: known?.detail ?? known?.title ?? messageOf(failure),
    fix: known?.fix ?? [],
  })
}
