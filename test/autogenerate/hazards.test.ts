/** Hazards, measured: what is said to rewrite a table does, what is not said to fail does not. */
import * as assert from 'uvu/assert'

import { assess, type HazardFacts } from '../../lib/autogenerate/hazards.ts'
import type { HazardKind } from '../../lib/autogenerate/operation.ts'
import { messageOf } from '../../lib/errors.ts'
import { sqlOf } from '../../lib/autogenerate/sql.ts'
import { testDatabase } from '../support/database.ts'
import { testSchemas } from '../support/schemas.ts'
import { suite } from '../support/suite.ts'

const test = suite('hazards')
const schemas = testSchemas(test, testDatabase(test))

/** Kinds of hazards from one schema to another, without repetition. */
async function kindsOf(before: string, after: string, facts?: HazardFacts): Promise<readonly HazardKind[]> {
  const assessed = assess(await schemas.compare(before, after), facts)
  return [...new Set(assessed.flatMap(({ hazards }) => hazards.map(({ kind }) => kind)))].toSorted()
}

const users = (columns: string) => `CREATE TABLE users (id integer PRIMARY KEY, ${columns});`
const role = (labels: string) => `CREATE TYPE role AS ENUM (${labels});`

type Expected = readonly [name: string, before: string, after: string, kinds: readonly HazardKind[]]

const EXPECTED: readonly Expected[] = [
  ['a new table with everything', '', `${users('a text NOT NULL UNIQUE')} CREATE INDEX i ON users (a)`, []],
  ['a table goes', users('a text'), '', ['breaks-code', 'data-loss']],
  ['a column goes', users('a text, b text'), users('a text'), ['breaks-code', 'data-loss']],
  [
    'a generated column goes',
    users('a int, b int GENERATED ALWAYS AS (a) STORED'),
    users('a int'),
    ['breaks-code'],
  ],
  ['a nullable column comes', users('a text'), users('a text, b text'), []],
  ['a column comes with a constant', users('a text'), users('a text, b text NOT NULL DEFAULT 5'), []],
  [
    'a column comes with the time of now',
    users('a text'),
    users('a text, b timestamptz NOT NULL DEFAULT now()'),
    [],
  ],
  ['a column comes NOT NULL', users('a text'), users('a text, b text NOT NULL'), ['breaks-code', 'may-fail']],
  [
    'a column comes with a volatile default',
    users('a text'),
    users('a text, b uuid DEFAULT gen_random_uuid()'),
    ['rewrite'],
  ],
  ['a serial comes', users('a text'), users('a text, b serial'), ['rewrite']],
  ['an identity comes', users('a text'), users('a text, b int GENERATED ALWAYS AS IDENTITY'), ['rewrite']],
  [
    'a stored column comes',
    users('a int'),
    users('a int, b int GENERATED ALWAYS AS (a) STORED'),
    ['may-fail', 'rewrite'],
  ],
  ['a default changes', users('a int DEFAULT 1'), users('a int DEFAULT 2'), []],
  ['NULL is allowed', users('a int NOT NULL'), users('a int'), []],
  ['NULL is forbidden', users('a int'), users('a int NOT NULL'), ['breaks-code', 'long-lock', 'may-fail']],
  ['a varchar gets longer', users('a varchar(5)'), users('a varchar(9)'), []],
  ['a varchar becomes text', users('a varchar(5)'), users('a text'), []],
  ['a varchar gets shorter', users('a varchar(9)'), users('a varchar(5)'), ['may-fail', 'rewrite']],
  ['a number gets more digits', users('a numeric(5,2)'), users('a numeric(9,2)'), []],
  [
    'a number loses digits after the point',
    users('a numeric(5,2)'),
    users('a numeric(9,1)'),
    ['data-loss', 'rewrite'],
  ],
  ['integer becomes bigint', users('a integer'), users('a bigint'), ['rewrite']],
  ['bigint becomes integer', users('a bigint'), users('a integer'), ['may-fail', 'rewrite']],
  [
    'a time loses its time of day',
    users('a timestamptz'),
    users('a date'),
    ['breaks-code', 'data-loss', 'rewrite'],
  ],
  ['an index comes', users('a int'), `${users('a int')} CREATE INDEX i ON users (a)`, ['long-lock']],
  [
    'a unique index comes',
    users('a int'),
    `${users('a int')} CREATE UNIQUE INDEX i ON users (a)`,
    ['long-lock', 'may-fail'],
  ],
  ['an index goes', `${users('a int')} CREATE INDEX i ON users (a)`, users('a int'), []],
  ['a unique constraint comes', users('a int'), users('a int UNIQUE'), ['long-lock', 'may-fail']],
  ['a check comes', users('a int'), users('a int CHECK (a > 0)'), ['long-lock', 'may-fail']],
  [
    'a check that is not valid comes',
    users('a int'),
    `${users('a int')} ALTER TABLE users ADD CHECK (a > 0) NOT VALID`,
    [],
  ],
  ['a foreign key comes', users('a int'), users('a int REFERENCES users'), ['long-lock', 'may-fail']],
  ['an enum gets a label', role("'a'") + users('a role'), role("'a','b'") + users('a role'), []],
  [
    'an enum loses a label',
    role("'a','b'") + users('a role'),
    role("'a'") + users('a role'),
    ['breaks-code', 'may-fail', 'rewrite'],
  ],
  [
    'an enum is put in another order',
    role("'a','b'") + users('a role'),
    role("'b','a'") + users('a role'),
    ['rewrite'],
  ],
  ['a comment comes', users('a int'), `${users('a int')} COMMENT ON TABLE users IS 'x'`, []],
  [
    'an index has another name',
    `${users('a int')} CREATE INDEX i ON users (a)`,
    `${users('a int')} CREATE INDEX j ON users (a)`,
    [],
  ],
]

for (const [name, before, after, kinds] of EXPECTED) {
  test(`${name}: ${kinds.length === 0 ? 'nothing' : kinds.join(', ')}`, async () => {
    assert.equal(await kindsOf(before, after), kinds)
  })
}

test('what goes and returns over the same values may not fail', async () => {
  const key = (other: string) =>
    `CREATE TABLE a (id integer ${other}); CREATE TABLE b (a integer REFERENCES a (id));`
  const operations = await schemas.compare(
    key('CONSTRAINT one UNIQUE, x integer'),
    key('CONSTRAINT one UNIQUE DEFERRABLE, x integer')
      .replace(' DEFERRABLE', '')
      .replace('UNIQUE', 'PRIMARY KEY'),
  )
  const returned = assess(operations).find(
    ({ operation }) => operation.kind === 'add constraint' && operation.constraint.kind === 'foreign key',
  )
  assert.equal(
    returned?.hazards.map(({ kind }) => kind),
    ['long-lock'],
  )
})

test('a view that reads a column holds it', async () => {
  const before = `${users('a integer, b integer')} CREATE VIEW v AS SELECT a FROM users`
  const operations = await schemas.compare(before, users('a bigint, b bigint'))
  const { others } = await schemas.read('before')
  const messages = assess(operations, { others }).flatMap(({ hazards }) =>
    hazards.map(({ message }) => message),
  )
  assert.ok(messages.includes('PostgreSQL refuses it: view v reads users.a.'))
  assert.not(messages.some((message) => message.includes('reads users.b')))
})

test('the largest table is told by its rows', async () => {
  const operations = await schemas.compare(users('a integer'), users('a bigint'))
  const [assessed] = assess(operations, { rows: new Map([['users', 1200]]) })
  assert.is(
    assessed?.hazards[0]?.message,
    'users is written anew: users.a from integer to bigint (about 1200 rows).',
  )
})

/** Types, and values that some others cannot hold. */
const TYPES: readonly (readonly [type: string, value: string])[] = [
  ['smallint', '7'],
  ['integer', '70000'],
  ['bigint', '7000000000'],
  ['numeric', '12345.678'],
  ['numeric(8,2)', '123456.78'],
  ['numeric(10,2)', '12345678.91'],
  ['numeric(10,3)', '1234567.891'],
  ['real', '1.5'],
  ['double precision', '1e200'],
  ['text', 'abcdefgh'],
  ['character varying(5)', 'abcde'],
  ['character varying(9)', 'abcdefghi'],
  ['character(4)', 'abcd'],
  ['date', '2020-01-31'],
  ['timestamp without time zone', '2020-01-31 12:34:56.789'],
  ['timestamp(0) with time zone', '2020-01-31 12:34:56+00'],
  ['boolean', 't'],
  ['uuid', '5f0d2cf1-0000-4000-8000-000000000001'],
  ['jsonb', '{"a": 1}'],
  ['inet', '10.0.0.1/8'],
  ['cidr', '10.0.0.0/8'],
  ['character varying(5)[]', '{abcde}'],
  ['character varying(9)[]', '{abcdefghi}'],
  ['text[]', '{abcdefgh,b}'],
]

for (const [from, value] of TYPES) {
  test(`${from} into every other type: rewritten, refused and rounded only as told`, async () => {
    const others = TYPES.filter(([to]) => to !== from).map(([to], place) => ({ to, table: `t${place}` }))
    const operations = await schemas.compare(
      others
        .map(({ table }) => `CREATE TABLE ${table} (a ${from}); INSERT INTO ${table} VALUES ('${value}');`)
        .join(''),
      others.map(({ to, table }) => `CREATE TABLE ${table} (a ${to});`).join(''),
    )
    // In UTC a time zone can be taken off and put on without touching a row.
    await schemas.query("SET TimeZone TO 'Europe/Berlin'")
    for (const { to, table } of others) {
      const own = operations.filter((operation) => 'table' in operation && operation.table === table)
      const kinds = assess(own).flatMap(({ hazards }) => hazards.map(({ kind }) => kind))
      const node = () => schemas.query(`SELECT pg_relation_filenode('before.${table}') AS node`)
      const before = await node()
      const alter = schemas.change('before', own.flatMap(sqlOf).join(';\n'))
      const error = await alter.then(
        () => undefined,
        (caught: unknown) => caught,
      )
      if (error !== undefined) {
        assert.ok(kinds.includes('may-fail'), `${from} to ${to}: ${messageOf(error)}`)
        continue
      }
      const isRewritten = JSON.stringify(await node()) !== JSON.stringify(before)
      assert.is(kinds.includes('rewrite'), isRewritten, `${from} to ${to} rewrites`)
      const back = `SELECT a::text::${from}::text = ($1::text)::${from}::text AS same FROM before.${table}`
      const [kept] = await schemas.query(back, [value]).catch(() => [])
      if (kept?.['same'] === false && !NOT_READ_BACK.has(to)) {
        assert.ok(kinds.includes('data-loss'), `${from} to ${to} loses`)
      }
    }
    await schemas.query('RESET TimeZone')
  })
}

/** Types that hold a value in a form of their own, though all of it. */
const NOT_READ_BACK = new Set(['character(4)'])

test.run()
