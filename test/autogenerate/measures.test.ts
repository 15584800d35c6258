/**
 * Rows counted beforehand, case by case: what is counted is what the statements then fail on, and where nothing is
 * counted they do not fail.
 */
import * as assert from 'uvu/assert'

import { measureSchema, type SchemaFindings } from '../../lib/autogenerate/measure.ts'
import { measuresOf } from '../../lib/autogenerate/measures.ts'
import { sqlOf } from '../../lib/autogenerate/sql.ts'
import { withSession } from '../../lib/migrations/session.ts'
import { testDatabase } from '../support/database.ts'
import { failure } from '../support/failure.ts'
import { testSchemas } from '../support/schemas.ts'
import { suite } from '../support/suite.ts'

const test = suite('autogenerate/measures')
const database = testDatabase(test)
const schemas = testSchemas(test, database)

/** What is found in a schema like `before` with `rows`, on the way to `after`. */
async function measured(
  before: string,
  after: string,
  rows: string,
): Promise<SchemaFindings & { fails: boolean; unmeasured: readonly string[] }> {
  // prettier-ignore
  const operations = await schemas.compare(before, after)
  const { measures, unmeasured } = measuresOf(operations, await schemas.read('after'))
  await schemas.make('tenant', `${before}; ${rows}`)
  const options = { connection: database.url, lockTimeoutMs: 1000, statementTimeoutMs: 0 }
  const found = await withSession(options, (session) =>
    measureSchema(session, { schema: 'tenant', searchPath: [] }, measures),
  )
  const fails = await schemas.change('tenant', operations.flatMap(sqlOf).join(';\n')).then(
    () => false,
    () => true,
  )
  return { ...found, fails, unmeasured: unmeasured.map(({ kind }) => kind) }
}

const t = (columns: string) => `CREATE TABLE t (${columns});`
const two = (key: string) => `CREATE TABLE u (a int ${key}); CREATE TABLE t (a int, b int)`
const e = (labels: string, type = 'e') => `CREATE TYPE e AS ENUM (${labels}); CREATE TABLE t (a ${type})`

type Case = readonly [name: string, before: string, after: string, bad: string, good: string, what: string, rows: number] // prettier-ignore

const CASES: readonly Case[] = [
  ['NOT NULL', t('a int'), t('a int NOT NULL'), '(NULL), (1), (NULL)', '(1)', 't.a is NULL', 2],
  ['a new column NOT NULL', t('a int'), t('a int, b int NOT NULL'), '(1), (2)', '', 't.b would be NULL', 2],
  ['a unique constraint', t('a int'), t('a int, CONSTRAINT k UNIQUE (a)'), '(1), (1), (2), (NULL), (NULL)', '(1), (NULL), (NULL)', 'the same a as another of t: k', 2], // prettier-ignore
  ['a unique constraint over two columns', t('a int, "B" int'), t('a int, "B" int, CONSTRAINT k UNIQUE (a, "B")'), '(1, 1), (1, 1), (1, NULL), (1, NULL)', '(1, 1), (1, 2)', 'the same a, "B" as another of t: k', 2], // prettier-ignore
  ['NULLS NOT DISTINCT', t('a int'), t('a int, CONSTRAINT k UNIQUE NULLS NOT DISTINCT (a)'), '(NULL), (NULL)', '(NULL)', 'the same a as another of t: k', 2], // prettier-ignore
  ['a primary key', t('a int NOT NULL'), t('a int CONSTRAINT k PRIMARY KEY'), '(1), (1)', '(1), (2)', 'the same a as another of t: k', 2], // prettier-ignore
  ['a unique index', t('a text'), `${t('a text')} CREATE UNIQUE INDEX i ON t (a DESC)`, `('x'), ('x'), ('y')`, `('x')`, 'the same a as another of t: i', 2], // prettier-ignore
  ['a unique index of an expression', t('a text'), `${t('a text')} CREATE UNIQUE INDEX i ON t (lower(a) text_pattern_ops DESC)`, `('x'), ('X')`, `('x'), ('y')`, 'the same lower(a) as another of t: i', 2], // prettier-ignore
  ['a partial unique index', t('a int, b int'), `${t('a int, b int')} CREATE UNIQUE INDEX i ON t (a, (a + b)) INCLUDE (b) WHERE b > 0`, '(1, 1), (1, 1), (2, 0), (2, 0)', '(1, 1), (2, 0), (2, 0)', 'the same a, (a + b) as another of t: i', 2], // prettier-ignore
  ['a foreign key', two('PRIMARY KEY'), `${two('PRIMARY KEY')}; ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES u`, '(1, 1), (NULL, 2)', '(NULL, 1)', 't (a) refers to nothing in u: f', 1], // prettier-ignore
  ['a foreign key to a new table', t('a int'), `CREATE TABLE u (a int PRIMARY KEY); ${t('a int CONSTRAINT f REFERENCES u')}`, '(1), (NULL)', '(NULL)', 't (a) refers to nothing in u: f', 1], // prettier-ignore
  ['a foreign key with MATCH FULL', `CREATE TABLE u (a int, b int, PRIMARY KEY (a, b)); ${t('a int, b int')}`, `CREATE TABLE u (a int, b int, PRIMARY KEY (a, b)); ${t('a int, b int, CONSTRAINT f FOREIGN KEY (a, b) REFERENCES u MATCH FULL')}`, '(1, NULL), (NULL, NULL), (1, 2)', '(NULL, NULL)', 't (a, b) refers to nothing in u: f', 2], // prettier-ignore
  ['a check', t('a int'), t('a int CONSTRAINT c CHECK (a > 0)'), '(0), (-1), (1), (NULL)', '(1), (NULL)', 't breaks c', 2], // prettier-ignore
  ['a shorter text', t('a varchar(9)'), t('a varchar(3)'), `('1234'), ('123  '), ('äöü')`, `('123   ')`, 't.a does not become character varying(3)', 1], // prettier-ignore
  ['a number as a short text', t('a int'), t('a varchar(3)'), '(1234), (123)', '(123)', 't.a does not become character varying(3)', 1], // prettier-ignore
  ['a smaller integer', t('a bigint'), t('a integer'), '(2147483648), (-2147483649), (2147483647), (NULL)', '(-2147483648)', 't.a does not become integer', 2], // prettier-ignore
  ['a fraction as an integer', t('a numeric'), t('a smallint'), `(32767.5), ('NaN'), (32767.4)`, '(-32768.4)', 't.a does not become smallint', 2], // prettier-ignore
  ['a float as an integer', t('a float8'), t('a integer'), `('Infinity'), (2147483647.9), (1.5)`, '(2147483647.2)', 't.a does not become integer', 2], // prettier-ignore
  ['fewer digits', t('a numeric(9,2)'), t('a numeric(4,2)'), '(99.994), (100), (-123.4)', `(99.99), ('NaN')`, 't.a does not become numeric(4,2)', 2], // prettier-ignore
  ['a text as a number', t('a text'), t('a integer'), `('1'), ('x'), (''), ('99999999999'), (NULL)`, `(' 12 ')`, 't.a does not become integer', 3], // prettier-ignore
  ['a text as a time', t('a text'), t('a timestamptz'), `('2026-02-30'), ('2026-02-28')`, `('2026-02-28 10:00')`, 't.a does not become timestamp with time zone', 1], // prettier-ignore
  ['a text as a uuid', t('a varchar(40)'), t('a uuid'), `('x')`, `('6f1e2d3c-0000-4000-8000-000000000000')`, 't.a does not become uuid', 1], // prettier-ignore
  ['texts as numbers', t('a text[]'), t('a integer[]'), `('{1,x}'), ('{1}')`, `('{1,2}')`, 't.a does not become integer[]', 1], // prettier-ignore
  ['a value of an enum goes', e(`'x', 'it''s', 'z'`), e(`'x', 'z'`), `('it''s'), ('x'), (NULL)`, `('z')`, 't.a is none of e: x, z', 1], // prettier-ignore
  ['a value of a list of an enum goes', e(`'x', 'y'`, 'e[]'), e(`'x'`, 'e[]'), `('{x,y}'), ('{x}')`, `('{x}')`, 't.a is none of e[]: x', 1], // prettier-ignore
  ['a text becomes an enum', t('a text'), e(`'x'`), `('y'), ('x')`, `('x')`, 't.a is none of e: x', 1],
]

for (const [name, before, after, bad, good, what, rows] of CASES) {
  test(`${name}: rows that break it are counted, and others are not`, async () => {
    const broken = await measured(before, after, `INSERT INTO t VALUES ${bad}`)
    assert.equal(
      broken.findings.map((each) => [each.what, each.rows]),
      [[what, rows]],
    )
    assert.equal(broken.absent, [])
    assert.ok(broken.fails, 'it does not fail at all')
    const well = await measured(before, after, good === '' ? '' : `INSERT INTO t VALUES ${good}`)
    assert.equal(well.findings, [])
    assert.not.ok(well.fails, 'it fails all the same')
  })
}

test('what makes way and returns as it was is not counted', async () => {
  const models = (type: string) => `CREATE TABLE u (a ${type} PRIMARY KEY); CREATE TABLE t (a ${type} CONSTRAINT f REFERENCES u)` // prettier-ignore
  const { findings, unmeasured } = await measured(models('int'), models('text'), '')
  assert.equal([...findings, ...unmeasured], [])
})

test('what cannot be counted is named', async () => {
  const after = t('a int, b int NOT NULL DEFAULT 1, c int GENERATED ALWAYS AS (1 / a) STORED, UNIQUE (b)')
  const { unmeasured } = await measured(t('a int'), `${after} CREATE INDEX i ON t ((1 / a))`, '')
  assert.equal(unmeasured, ['add column', 'add constraint', 'create index'])
})

test('a column that comes empty breaks nothing', async () => {
  const after = `CREATE TABLE u (a int PRIMARY KEY); ${t('a int, b int UNIQUE, c int REFERENCES u')}`
  const { findings, unmeasured, fails } = await measured(t('a int'), after, 'INSERT INTO t VALUES (1), (1)')
  assert.equal([...findings, ...unmeasured], [])
  assert.not.ok(fails)
})

test('a table or a column that is not there is told, and the rest is counted', async () => {
  const before = `${t('a int, b int')} CREATE TABLE u (a int)`
  const after = `${t('a int NOT NULL, b int NOT NULL')} CREATE TABLE u (a int NOT NULL)`
  const { measures } = measuresOf(await schemas.compare(before, after), await schemas.read('after'))
  await schemas.make('tenant', `${t('a int')} INSERT INTO t VALUES (NULL)`)
  const options = { connection: database.url, lockTimeoutMs: 1000, statementTimeoutMs: 0 }
  const { findings, absent } = await withSession(options, (session) =>
    measureSchema(session, { schema: 'tenant', searchPath: [] }, measures),
  )
  assert.equal(
    findings.map(({ what }) => what),
    ['t.a is NULL'],
  )
  assert.equal(absent, [{ table: 't', column: 'b' }, { table: 'u' }])
})

test('it only reads: a function that writes is refused', async () => {
  const write = `CREATE TABLE log (a int);
    CREATE FUNCTION f(a int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (a); RETURN true; END $$;`
  const operations = await schemas.compare(`${write} ${t('a int')}`, `${write} ${t('a int CONSTRAINT c CHECK (f(a))')}`) // prettier-ignore
  const { measures } = measuresOf(operations, await schemas.read('after'))
  await schemas.make('tenant', `${write} ${t('a int')} INSERT INTO t VALUES (1)`)
  const options = { connection: database.url, lockTimeoutMs: 1000, statementTimeoutMs: 0 }
  const { message } = await failure('ROWS_NOT_COUNTED', () =>
    withSession(options, (session) => measureSchema(session, { schema: 'tenant', searchPath: [] }, measures)),
  )
  assert.match(message, 'of which t breaks c')
  assert.match(message, 'read-only transaction')
  assert.match(message, 'umzug-tenants check --tenants')
})

test.run()
