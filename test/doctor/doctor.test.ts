/** `doctor` against a real server: what it finds there, and how many queries it needs. */
import pg from 'pg'
import * as assert from 'uvu/assert'

import { examine, type DoctorReport, type Examined } from '../../lib/doctor/doctor.ts'
import type { Finding } from '../../lib/doctor/finding.ts'
import { TenancyError } from '../../lib/errors.ts'
import type { Row, SqlRunner } from '../../lib/sql.ts'
import type { Tenant } from '../../lib/tenant.ts'
import { catalogOf } from '../support/catalog.ts'
import { testDatabase, withDatabase } from '../support/database.ts'
import { failure } from '../support/failure.ts'
import { suite } from '../support/suite.ts'
import { newId, testTenancies } from '../support/tenancies.ts'

const test = suite('doctor')
const database = testDatabase(test)
const makeTenancy = testTenancies(test, database)

const FILES = {
  '001_users.sql': `CREATE TYPE mood AS ENUM ('glad'); CREATE TABLE users (id integer, mood mood)`,
}
const SHARED = { 'migrations/shared/001_plans.sql': 'CREATE TABLE plans (id integer)' }

const roles: string[] = []

test.after(async () => {
  for (const role of roles) await database.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
})

/** A role of this database alone, and the URL to connect as it. */
async function newRole(): Promise<{ role: string; url: string }> {
  const role = `${new URL(database.url).pathname.slice(1)}_${roles.length}`
  await database.query(`CREATE ROLE ${role} LOGIN PASSWORD 'pw'`)
  roles.push(role)
  const url = new URL(database.url)
  url.username = role
  url.password = 'pw'
  return { role, url: url.href }
}

const of = ({ findings }: DoctorReport, level: Finding['level']) =>
  findings.filter((finding) => finding.level === level).map(({ title }) => title)

const textOf = (findings: readonly Finding[]) =>
  findings.map(({ title, fix }) => `${title} ${fix.join(' ')}`).join('\n')

test('a tenancy in order has neither errors nor warnings, and looking writes nothing', async () => {
  const tenancy = await makeTenancy({ ...FILES, ...SHARED })
  await database.query('REVOKE CREATE ON SCHEMA public FROM PUBLIC')
  await tenancy.up({ shared: true })
  await tenancy.provision({ id: newId() })
  const before = await catalogOf(database)
  const report = await tenancy.doctor()
  assert.equal([of(report, 'error'), of(report, 'warning')], [[], []])
  assert.equal([report.errors, report.warnings], [0, 0])
  assert.ok(report.findings.length >= 9)
  assert.equal(await catalogOf(database), before)
})

test('before anything was ever written there is nothing to object to', async () => {
  const name = `${new URL(database.url).pathname.slice(1)}_empty`
  await database.query(`CREATE DATABASE ${name}`)
  const tenancy = await makeTenancy({}, { url: withDatabase(database.url, name) })
  try {
    const report = await tenancy.doctor()
    assert.equal([of(report, 'error'), of(report, 'warning')], [[], []])
  } finally {
    await tenancy.close()
    await database.query(`DROP DATABASE ${name} WITH (FORCE)`)
  }
})

test('what has leaked into public is named: tables, types and version tables, and nothing else there', async () => {
  const tenancy = await makeTenancy(FILES)
  await tenancy.provision({ id: newId() })
  await database.query(
    `CREATE TABLE users (); CREATE TYPE mood AS ENUM (); CREATE TABLE "SequelizeMeta" (); CREATE TABLE own ()`,
  )
  const { findings } = await tenancy.doctor()
  await database.query('DROP TABLE users, "SequelizeMeta", own; DROP TYPE mood')
  const [finding] = findings.filter(({ check }) => check === 'public')
  assert.is(finding?.level, 'warning')
  assert.match(finding?.title ?? '', /3 objects: "SequelizeMeta", "mood", "users"/)
})

test('an INVALID index of a tenant is named with the statement that mends it', async () => {
  const tenancy = await makeTenancy(FILES)
  const id = newId()
  await tenancy.provision({ id })
  await database.query(`INSERT INTO ${id}.users VALUES (1), (1)`)
  await database.query(`CREATE UNIQUE INDEX CONCURRENTLY broken ON ${id}.users (id)`).catch(() => undefined)
  const { findings } = await tenancy.doctor()
  const [finding] = findings.filter(({ check }) => check === 'indexes')
  assert.equal(finding?.fix, [`REINDEX INDEX CONCURRENTLY "${id}"."broken"`])
  await database.query(`DROP INDEX ${id}.broken`)
})

test('orphans, missing schemas, failed and interrupted tenants are named by what they are', async () => {
  const tenancy = await makeTenancy(FILES)
  const [missing, failed, interrupted, orphan] = [newId(), newId(), newId(), newId()]
  for (const id of [missing, failed, interrupted, orphan]) await tenancy.provision({ id })
  await database.query(`DROP SCHEMA ${missing} CASCADE`)
  await database.query(`DELETE FROM umzug_tenants.tenant WHERE id = '${orphan}'`)
  await database.query(
    `UPDATE umzug_tenants.tenant SET state = 'failed', error = '{"migration": "9.sql"}' WHERE id = '${failed}'`,
  )
  await database.query(`UPDATE umzug_tenants.tenant SET running = '8.sql' WHERE id = '${interrupted}'`)
  const report = await tenancy.doctor()
  assert.equal(of(report, 'error'), [
    `No schema is there of 1 tenant: ${missing}.`,
    `A migration was interrupted on 1 tenant: ${interrupted} (8.sql).`,
  ])
  assert.equal(of(report, 'warning'), [
    `Nobody has registered 1 schema: ${orphan}.`,
    `The last run failed on 1 tenant: ${failed} (9.sql).`,
  ])
  assert.equal([report.errors, report.warnings], [2, 2])
  await database.query(`DROP SCHEMA ${orphan} CASCADE; DELETE FROM umzug_tenants.tenant WHERE id IN ('${missing}', '${failed}', '${interrupted}')`) // prettier-ignore
  await database.query(`DROP SCHEMA ${failed}, ${interrupted} CASCADE`)
})

test('a migration that is being run is not one that was interrupted', async () => {
  const tenancy = await makeTenancy(FILES)
  const id = newId()
  await tenancy.provision({ id })
  await database.query(`UPDATE umzug_tenants.tenant SET running = '8.sql' WHERE id = '${id}'`)
  const holder = new pg.Client({ connectionString: database.url })
  await holder.connect()
  try {
    const { lockKey } = await import('../../lib/migrations/lock.ts')
    const key = lockKey(new URL(database.url).pathname.slice(1), id)
    await holder.query('SELECT pg_advisory_lock($1::bigint)', [String(key)])
    assert.equal(of(await tenancy.doctor(), 'error'), [])
  } finally {
    await holder.end()
  }
  await database.query(`UPDATE umzug_tenants.tenant SET running = NULL WHERE id = '${id}'`)
})

test('roles that may do too little are named, each with what to grant', async () => {
  const owner = await makeTenancy(FILES)
  const id = newId()
  await owner.provision({ id })
  const [application, migrator] = [await newRole(), await newRole()]
  await database.query(`GRANT USAGE ON SCHEMA umzug_tenants TO ${application.role}, ${migrator.role};
    GRANT SELECT ON umzug_tenants.tenant TO ${application.role}, ${migrator.role};
    GRANT USAGE ON SCHEMA ${id} TO ${application.role}`)
  const tenancy = await makeTenancy(FILES, { url: application.url, migrationUrl: migrator.url })
  const { findings } = await tenancy.doctor()
  const text = textOf(findings.filter(({ level }) => level !== 'ok'))
  const databaseName = new URL(database.url).pathname.slice(1)
  assert.match(text, `GRANT CREATE ON DATABASE "${databaseName}" TO "${migrator.role}"`)
  assert.match(text, new RegExp(`Role "${migrator.role}" does not own \\d+ schemas?: .*\\b${id}\\b`))
  assert.match(text, new RegExp(`Role "${application.role}" of the application may not read all tables in .*${id}`))
  assert.ok(findings.some(({ title }) => title === 'requests have a direct connection'))
}) // prettier-ignore

test('what a role may not even look at is a warning, and the rest is looked at', async () => {
  const application = await newRole()
  const tenancy = await makeTenancy(FILES, { url: application.url, migrationUrl: database.url })
  const { findings } = await tenancy.doctor()
  const text = textOf(findings)
  assert.match(text, 'This could not be looked at.')
  assert.match(text, 'of the application may not read the ledger.')
  assert.match(text, 'no index is INVALID')
  assert.not.match(text, 'Nobody has registered')
})

test('every role may create in public: said, because old databases allow it', async () => {
  const tenancy = await makeTenancy()
  await database.query('GRANT CREATE ON SCHEMA public TO PUBLIC')
  const report = await tenancy.doctor()
  await database.query('REVOKE CREATE ON SCHEMA public FROM PUBLIC')
  assert.ok(of(report, 'warning').includes('Every role may create objects in schema public.'))
})

/** What is examined, with every query counted, for tenants that need not exist. */
function counting(sql: SqlRunner, tenants: readonly Tenant[]): { examined: Examined; count: () => number } {
  let queries = 0
  const counted: SqlRunner = {
    query<R extends object = Row>(...args: Parameters<SqlRunner['query']>) {
      queries++
      return sql.query<R>(...args)
    },
  }
  return {
    count: () => queries,
    examined: {
      sql: counted,
      withConnection: (fn) => fn(counted, 1),
      withSession: (fn) => fn(counted),
      isSeparate: false,
      tenants: () => Promise.resolve(tenants),
      names: { sharedSchema: 'shared', searchPath: ['shared'], hasSharedMigrations: false },
      versionTable: 'SequelizeMeta',
    },
  }
}

test('a thousand tenants need as many queries as one', async () => {
  const queriesFor = async (count: number) => {
    const tenants = Array.from({ length: count }, (_, index) => ({ id: `x${index}`, schema: `x${index}` }))
    const { examined, count: queries } = counting({ query: (text, values) => database.query(text, values && [...values]) }, tenants) // prettier-ignore
    const { findings } = await examine(examined)
    assert.match(findings.map(({ title }) => title).join(), `No schema is there of ${count} tenant`)
    return queries()
  }
  const one = await queriesFor(1)
  assert.ok(one <= 12, `${one} queries`)
  assert.is(await queriesFor(1000), one)
})

test('a pooler before migrations is an error, and everything else is looked at all the same', async () => {
  const { examined } = counting({ query: (text, values) => database.query(text, values && [...values]) }, [])
  const { findings } = await examine({
    ...examined,
    withSession: () => Promise.reject(new TenancyError('POOLER_DETECTED', 'A pooler.', { fix: [] })),
  })
  const [pooler] = findings.filter(({ level }) => level === 'error')
  assert.is(pooler?.title, 'Migrations would go through a pooler, and are refused.')
  assert.ok(findings.some(({ check }) => check === 'pg_dump'))
})

test('a server that does not answer ends the examination', async () => {
  const tenancy = await makeTenancy({}, { url: 'postgres://nobody@127.0.0.1:1/nothing' })
  await failure('DATABASE_UNREACHABLE', () => tenancy.doctor())
})

test.run()
