/** Fingerprints, and what is found by them. That each change is in them: sensitivity.test.ts. */
import * as assert from 'uvu/assert'

import { factsOf, hashesOf, withHashes } from '../../lib/autogenerate/catalog.ts'
import { findDrift, type DriftSubject } from '../../lib/autogenerate/drift.ts'
import { fingerprintOf, withFingerprints } from '../../lib/autogenerate/fingerprint.ts'
import { withSession } from '../../lib/migrations/session.ts'
import type { Row, SqlRunner, SqlValue } from '../../lib/sql.ts'
import { testDatabase } from '../support/database.ts'
import { RICH_SCHEMA } from '../support/rich-schema.ts'
import { inWords, testSchemas } from '../support/schemas.ts'
import { suite } from '../support/suite.ts'

const test = suite('fingerprint')
const database = testDatabase(test)
const schemas = testSchemas(test, database)

const executed = ['1_users.ts', '2_items.ts']
const subject = (id: string, names: readonly string[] = executed): DriftSubject => ({
  id,
  schema: id,
  executed: names,
})

test.before(async () => {
  for (const schema of ['a', 'b', 'c']) await schemas.make(schema, RICH_SCHEMA)
})

/** Counts the statements that go through it. */
function counting(sql: SqlRunner): SqlRunner & { count: number } {
  return {
    count: 0,
    query<R extends object = Row>(text: string, values?: readonly SqlValue[]) {
      this.count++
      return sql.query<R>(text, values)
    },
  }
}

test('tenants of the same statements have the same, in whatever order their columns came', async () => {
  await schemas.make('x', 'CREATE TABLE t (a integer, b text)')
  await schemas.make('y', 'CREATE TABLE t (b text, gone text, a integer); ALTER TABLE t DROP gone')
  assert.is(await fingerprintOf(schemas, 'a'), await fingerprintOf(schemas, 'b'))
  assert.is(await fingerprintOf(schemas, 'x'), await fingerprintOf(schemas, 'y'))
  assert.is.not(await fingerprintOf(schemas, 'a'), await fingerprintOf(schemas, 'x'))
})

test('the version tables are no part of it, nor are the rows', async () => {
  const before = await fingerprintOf(schemas, 'x')
  await schemas.change(
    'x',
    `CREATE TABLE "SequelizeMeta" (name text PRIMARY KEY); INSERT INTO t VALUES (1, 'a')`,
  )
  assert.is(await fingerprintOf(schemas, 'x'), before)
  assert.is.not(await fingerprintOf(schemas, 'x', { exclude: [] }), before)
})

test('a function that sets its path to the own schema is the same in each', async () => {
  const statements = `CREATE FUNCTION f() RETURNS integer LANGUAGE sql SET search_path FROM CURRENT AS 'SELECT 1'`
  for (const schema of ['own_a', 'Own B']) await schemas.make(schema, statements)
  await schemas.make('own_c', statements.replace('FROM CURRENT', 'TO a, pg_temp'))
  assert.is(await fingerprintOf(schemas, 'own_a'), await fingerprintOf(schemas, 'Own B'))
  assert.is.not(await fingerprintOf(schemas, 'own_a'), await fingerprintOf(schemas, 'own_c'))
})

test('one of a schema without anything is had, of one that does not exist is an error', async () => {
  await schemas.make('nothing', '')
  assert.match(await fingerprintOf(schemas, 'nothing'), /^[0-9a-f]{16}$/)
  const error = await fingerprintOf(schemas, 'no such').catch((caught: unknown) => caught)
  assert.is((error as { code?: string }).code, 'SCHEMA_MISSING')
})

test('it is of the very facts that a snapshot is of, under the same path', async () => {
  const md5 = 'SELECT md5(string_agg(line, chr(10) ORDER BY line)) AS hash FROM unnest($1::text[]) AS line'
  const facts = await factsOf(schemas, 'a')
  const hashes = await withHashes(schemas, () => hashesOf(schemas, 'a'))
  for (const { parent, hash } of hashes) {
    const lines = facts.filter((fact) => fact.parent === parent).map(({ kind, data }) => `${kind} ${data}`)
    const [row] = await schemas.query<{ hash: string }>(md5.replace('AS line', 'AS line (line)'), [lines])
    assert.is(row?.hash, hash, parent)
  }
  assert.ok(hashes.length > 3)
})

test('taken one after another they leave nothing behind, and the search path is what it was', async () => {
  await schemas.query('SET search_path TO a, public')
  await withFingerprints(schemas, {}, async (take) => {
    const taken = [await take('a'), await take('x'), await take('b'), await take('a')]
    assert.is(taken[0], taken[2])
    assert.is(taken[0], taken[3])
    assert.is.not(taken[0], taken[1])
    assert.equal(await schemas.query('SHOW search_path'), [{ search_path: 'a, public' }])
  })
  assert.equal(await schemas.query('SELECT name FROM pg_prepared_statements'), [])
  await schemas.query('RESET search_path')
})

test('a session takes them, in a transaction and outside one', async () => {
  const expected = await fingerprintOf(schemas, 'a')
  await withSession(
    { connection: database.url, lockTimeoutMs: 1000, statementTimeoutMs: 0 },
    async (session) => {
      assert.is(await fingerprintOf(session, 'a'), expected)
      await session.transaction(async () => {
        assert.is(await fingerprintOf(session, 'a'), expected)
        assert.is(await fingerprintOf(session, 'b'), expected)
      })
    },
  )
})

test('tenants as the specimen are the same, at one statement each', async () => {
  const sql = counting(schemas)
  const found = await findDrift(sql, { specimen: subject('a'), tenants: [subject('b'), subject('c')] })
  assert.equal(
    found,
    ['b', 'c'].map((id) => ({ id, schema: id, state: 'same', differences: [] })),
  )
  assert.is(sql.count, 5, 'preparing, three fingerprints, and an end')
})

test('what has drifted says how, and what has drifted alike is read once', async () => {
  for (const schema of ['b', 'c']) {
    await schemas.change(
      schema,
      'ALTER TABLE users ALTER name SET NOT NULL; DROP VIEW adults; DROP INDEX users_tags',
    )
  }
  const sql = counting(schemas)
  const found = await findDrift(sql, { specimen: subject('a'), tenants: [subject('b'), subject('c')] })
  assert.equal(
    found.map(({ state }) => state),
    ['drifted', 'drifted'],
  )
  const expected = ['drop index users users_tags', 'alter column users name name', 'other view adults']
  for (const { differences } of found) {
    assert.equal(
      inWords(differences).map((words) => expected.find((each) => words.startsWith(each))),
      expected,
    )
  }
  assert.is(sql.count, 9, 'as without drift, and two snapshots: of the tables, and of the views')
})

test('accepted differences are none', async () => {
  const [found] = await findDrift(
    schemas,
    { specimen: subject('a'), tenants: [subject('b')] },
    { keep: ({ kind }) => kind === 'create table' },
  )
  assert.is(found?.state, 'same')
})

test('what is only said otherwise has not drifted', async () => {
  await schemas.make(
    'said',
    "CREATE TABLE t (a varchar(9) CHECK (a IN ('x', 'y')), b timestamptz DEFAULT now())",
  )
  await schemas.make(
    'otherwise',
    `CREATE TABLE t (a varchar(9) CHECK (a = ANY (ARRAY['x'::varchar::text, 'y'::varchar::text])),
                     b timestamptz DEFAULT CURRENT_TIMESTAMP)`,
  )
  assert.is.not(await fingerprintOf(schemas, 'said'), await fingerprintOf(schemas, 'otherwise'))
  const [found] = await findDrift(schemas, { specimen: subject('said'), tenants: [subject('otherwise')] })
  assert.is(found?.state, 'same')
})

test('a tenant of another revision is told by that, and is not said to have drifted', async () => {
  const tenants = [
    subject('b', ['1_users.ts']),
    subject('b', [...executed, '3_more.ts']),
    subject('b', ['1_users.ts', '3_more.ts']),
    subject('no such'),
    subject('a', executed.toReversed()),
  ]
  const found = await findDrift(schemas, { specimen: subject('a'), tenants })
  assert.equal(
    found.map(({ state }) => state),
    ['behind', 'ahead', 'diverged', 'missing', 'same'],
  )
  assert.ok(found.every(({ differences }) => differences.length === 0))
})

test('where the specimen is known at another revision, it is compared with that, asked for once', async () => {
  await schemas.make('old', 'CREATE TABLE t (a integer)')
  await schemas.make('old_too', 'CREATE TABLE t (a integer)')
  await schemas.make('old_drifted', 'CREATE TABLE t (a bigint)')
  const asked: (readonly string[])[] = []
  const specimenAt = async (names: readonly string[]) => {
    asked.push(names)
    return names.length === 1 ? schemas.read('old') : undefined
  }
  const tenants = [subject('old_too', ['1']), subject('old_drifted', ['1']), subject('old_too', [])]
  const found = await findDrift(schemas, { specimen: subject('a', ['1', '2']), tenants }, { specimenAt })
  assert.equal(
    found.map(({ state }) => state),
    ['same', 'drifted', 'behind'],
  )
  assert.equal(asked, [['1'], []])
})

test.run()
