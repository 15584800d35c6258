/** What is said of facts, without a server. */
import * as assert from 'uvu/assert'

import { judgeConnections, type ConnectionFacts } from '../../lib/doctor/connection.ts'
import { counted, listing, type Finding } from '../../lib/doctor/finding.ts'
import { judgeHeadroom, judgeIndexes, judgeLeaks } from '../../lib/doctor/objects.ts'
import { judgeApplication, judgeMigrator, type ApplicationFacts } from '../../lib/doctor/privileges.ts'
import { judgeSchemas, judgeShared } from '../../lib/doctor/schemas.ts'
import { judgeMarks } from '../../lib/doctor/standing.ts'
import { suite } from '../support/suite.ts'

const test = suite('doctor/judges')

const CONNECTION: ConnectionFacts = {
  versionNumber: 180_004,
  version: '18.4',
  pid: 1,
  processId: 1,
  encrypted: true,
  isLocal: false,
}

const connections = (application: Partial<ConnectionFacts>, isSeparate = false) =>
  judgeConnections({ application: { ...CONNECTION, ...application }, migrating: CONNECTION, isSeparate })

const levels = (findings: readonly Finding[]) => findings.map(({ check, level }) => `${check} ${level}`)

test('a server of today, direct and encrypted, is well', () => {
  assert.equal(levels(connections({})), ['version ok', 'connection ok', 'tls ok'])
})

test('a server older than what is tested is a warning, one that lacks what is used an error', () => {
  assert.is(connections({ versionNumber: 140_012, version: '14.12' })[0]?.level, 'warning')
  const [old] = connections({ versionNumber: 110_022, version: '11.22' })
  assert.equal([old?.level, old?.title], ['error', 'PostgreSQL 11.22 is too old.'])
})

test('a pooler before the migrations is an error, and one before the requests alone is none', () => {
  const pooled = { ...CONNECTION, processId: 2 }
  const [, refused] = judgeConnections({ application: pooled, migrating: 'pooled', isSeparate: false })
  assert.equal([refused?.check, refused?.level], ['connection', 'error'])
  assert.match(refused?.fix.join('\n') ?? '', 'MIGRATION_DATABASE_URL')
  const separate = connections({ processId: 2 }, true)
  assert.equal(levels(separate), ['version ok', 'connection ok', 'connection ok', 'tls ok'])
  assert.is(separate[2]?.title, 'requests have a pooler between')
})

test('no encryption is a warning, unless the server is on this machine', () => {
  assert.is(connections({ encrypted: false })[2]?.level, 'warning')
  assert.is(connections({ encrypted: false, isLocal: true })[2]?.level, 'ok')
})

test('a role that migrates must create schemas and own those of the tenants', () => {
  const well = { role: 'm', database: 'd', mayCreateSchemas: true, foreignSchemas: [], foreignTables: [] }
  assert.equal(levels(judgeMigrator(well)), ['privileges ok'])
  const findings = judgeMigrator({
    ...well,
    mayCreateSchemas: false,
    foreignSchemas: ['a"b'],
    foreignTables: ['a"b', 'c'],
  })
  assert.ok(findings.every(({ level }) => level === 'error'))
  assert.equal(
    findings.map(({ fix }) => fix[0]),
    [
      'GRANT CREATE ON DATABASE "d" TO "m"',
      'for each: ALTER SCHEMA "a""b" OWNER TO "m"',
      'as their owner: REASSIGN OWNED BY CURRENT_USER TO "m", or ALTER TABLE … OWNER TO',
    ],
  )
  assert.match(findings[2]?.title ?? '', 'does not own all tables in 1 schema: c.')
})

const APPLICATION: ApplicationFacts = {
  role: 'app',
  isSuperuser: false,
  isLocal: false,
  closedSchemas: [],
  unreadable: [],
  readsLedger: true,
  publicIsOpen: false,
}

test('a role of the application must use the schemas, and read tables and ledger', () => {
  assert.equal(levels(judgeApplication(APPLICATION, [])), ['privileges ok'])
  assert.equal(levels(judgeApplication({ ...APPLICATION, readsLedger: null }, [])), ['privileges ok'])
  const facts = { ...APPLICATION, closedSchemas: ['a'], unreadable: ['a', 'b'], readsLedger: false }
  const findings = judgeApplication(facts, [])
  assert.equal(levels(findings), ['privileges error', 'privileges warning', 'privileges error'])
  assert.match(findings[0]?.fix[0] ?? '', 'GRANT USAGE ON SCHEMA "a" TO "app"')
  assert.match(findings[1]?.fix[0] ?? '', 'ON ALL TABLES IN SCHEMA "b" TO "app"')
})

test('O68 an application that connects as a superuser is a warning, unless the server is on this machine', () => {
  const superuser = { ...APPLICATION, isSuperuser: true }
  const [finding] = judgeApplication(superuser, [])
  assert.equal([finding?.level, finding?.title], ['warning', 'Role "app" of the application is a superuser.'])
  assert.match(finding?.fix[0] ?? '', 'give the application a role of its own: docs/security.md')
  assert.equal(levels(judgeApplication({ ...superuser, isLocal: true }, [])), ['privileges ok'])
})

test('a public schema that is open to all is a warning, and an error where it is searched', () => {
  const open = { ...APPLICATION, publicIsOpen: true }
  assert.equal(levels(judgeApplication(open, ['shared'])), ['privileges ok', 'privileges warning'])
  const [, searched] = judgeApplication(open, ['public'])
  assert.equal([searched?.level, searched?.fix], ['error', ['REVOKE CREATE ON SCHEMA public FROM PUBLIC']])
})

const NAMES = { sharedSchema: 'shared', searchPath: ['shared'], hasSharedMigrations: true }
const facts = (...existing: string[]) => ({ existing: new Set(existing), orphans: [] })

test('the shared schema is on the path and there, or nothing needs it', () => {
  assert.equal(levels(judgeShared(facts('shared'), NAMES)), ['shared-schema ok'])
  assert.equal(levels(judgeShared(facts(), { ...NAMES, hasSharedMigrations: false })), ['shared-schema ok'])
  assert.equal(judgeShared(facts(), NAMES)[0]?.fix, ['umzug-tenants up --shared'])
  const elsewhere = judgeShared(facts('shared'), { ...NAMES, searchPath: ['common'] })
  assert.equal(
    elsewhere.map(({ title }) => title),
    [
      'The shared schema "shared" is not on the search path.',
      'Schema "common" is on the search path and does not exist.',
    ],
  )
})

test('a tenant without its schema is an error, a schema without its tenant a warning', () => {
  const tenants = [
    { id: 'a', schema: 's_a' },
    { id: 'b', schema: 's_b' },
  ]
  assert.equal(levels(judgeSchemas(facts('s_a', 's_b'), tenants)), ['tenants ok'])
  const [missing, orphan] = judgeSchemas({ existing: new Set(['s_a']), orphans: ['old'] }, tenants)
  assert.equal([missing?.level, orphan?.level], ['error', 'warning'])
  assert.match(missing?.fix.join('\n') ?? '', 'umzug-tenants tenants create b --schema s_b --up')
  assert.match(orphan?.fix.join('\n') ?? '', 'umzug-tenants tenants adopt old')
})

test('a mark without a lock was left by a dead process; with one the migration is being run', () => {
  const mark = { id: 'a', schema: 's_a', running: '001.ts', failed: null }
  assert.equal(levels(judgeMarks([mark], new Set(['s_a']))), ['tenants ok'])
  const [interrupted] = judgeMarks([mark], new Set(['s_b']))
  assert.is(interrupted?.level, 'error')
  assert.match(interrupted?.title ?? '', '1 tenant: a (001.ts)')
  assert.match(interrupted?.fix[0] ?? '', 'umzug-tenants repair --tenant a --mark-rolled-back')
  const [failed] = judgeMarks([{ ...mark, running: null, failed: '002.ts' }], new Set())
  assert.equal([failed?.level, failed?.fix], ['warning', ['see why: umzug-tenants up --tenant a']])
})

test('objects in public, INVALID indexes and a full lock table are warnings with what to do', () => {
  assert.is(judgeLeaks([])[0]?.level, 'ok')
  assert.match(judgeLeaks(['users'])[0]?.title ?? '', '1 object: "users"')
  assert.is(judgeIndexes([])[0]?.level, 'ok')
  const [invalid] = judgeIndexes([
    { schema: 'a', name: 'x"y' },
    { schema: 'b', name: 'z' },
  ])
  assert.is(invalid?.title, 'INVALID are 2 indexes: "a"."x""y", "b"."z".')
  assert.equal(invalid?.fix[0], 'REINDEX INDEX CONCURRENTLY "a"."x""y"')
  assert.is(judgeHeadroom({ relations: 100, locks: 6400, perTransaction: 64 })[0]?.level, 'ok')
  const [soon] = judgeHeadroom({ relations: 6000, locks: 6400, perTransaction: 64 })
  assert.is(soon?.title, 'A pg_dump of the whole database would soon fail.')
  const [full] = judgeHeadroom({ relations: 19_500, locks: 6400, perTransaction: 64 })
  assert.is(full?.title, 'A pg_dump of the whole database would fail.')
  assert.match(full?.fix[0] ?? '', 'max_locks_per_transaction = 390')
})

test('of many names the first are listed, and the others counted', () => {
  assert.is(listing('tenant', ['a']), '1 tenant: a')
  assert.is(listing('tenant', ['a', 'b', 'c', 'd', 'e', 'f', 'g']), '7 tenants: a, b, c, d, e and 2 more')
  assert.is(counted(2, 'schema'), '2 schemas')
})

test.run()
