import * as assert from 'uvu/assert'

import { sameText, usesEnum, usesLabel } from '../../lib/autogenerate/expressions.ts'
import { testDatabase } from '../support/database.ts'
import { testSchemas } from '../support/schemas.ts'
import { suite } from '../support/suite.ts'

const test = suite('expressions')
const schemas = testSchemas(test, testDatabase(test))

const COLUMNS = `a varchar(9), b text, n integer, m bigint, d numeric(5,2), t timestamptz, u date, j jsonb, l text[],
  c char(3), f boolean, s smallint, i interval, e mood, r int4range, "we ird" text`

/** Each is made a check, printed, and made again of what was printed. */
const CHECKS = [
  "a IN ('x', 'y')",
  "a NOT IN ('x', 'it''s', 'a[b', 'c,d')",
  "a = ANY (ARRAY['x', 'y'])",
  "b IN ('x', 'y')",
  "c IN ('x', 'y')",
  "a LIKE 'x%' AND b ~ '^[a-z]+$' AND a !~~* '%y'",
  'n IN (1, 2, -3) OR m IN (1, 2) OR s IN (1, 2) OR d IN (1, 2.5)',
  'n BETWEEN 1 AND 5 AND (m > 1 OR (d < 2 AND n <> -1))',
  "t > now() - interval '1 day' AND u >= DATE '2020-01-01' AND t < CURRENT_TIMESTAMP(2)",
  "j ? 'x' AND j ->> 'y' = 'z' AND jsonb_typeof(j) = 'array' AND j @> '{\"a\": 1}'",
  "l @> ARRAY['x'] AND array_length(l, 1) > 0 AND l && ARRAY['a', 'b']::varchar[]::text[] AND l[1] <> ''",
  "CASE WHEN f THEN a = 'x' ELSE coalesce(b, '') <> '' END",
  "length(trim(a)) > 0 AND upper(a) = a AND substring(b from 1 for 2) = 'ab' AND position('x' in b) > 0",
  "extract(year FROM u) > 2000 AND date_trunc('day', t) = t AND (t AT TIME ZONE 'UTC') > '2020-01-01'",
  'n = 1 OR n BETWEEN 3 AND 4 OR (m = 2 OR (m = 3 AND n BETWEEN 1 AND 2 AND d = 1))',
  'NOT (n = 1 AND m = 2) AND (n = 2 AND (m = 3 AND f)) AND (n, m) <> (1, 2)',
  'f IS TRUE AND n IS NOT NULL AND a IS DISTINCT FROM b AND NOT (f IS UNKNOWN)',
  "e IN ('sad', 'ok') AND e > 'sad' AND e <> ALL (ARRAY['sad']::mood[])",
  "r @> 5 AND i > '1 hour' AND num_nonnulls(a, b) = 1 AND greatest(n, m) > 1 AND nullif(a, 'x') IS NULL",
  "\"we ird\" COLLATE \"C\" > '' AND (a || b) <> $$it's$$ AND b <> E'\\\\n\\t'",
  "(a, b) <> ('x', 'y') AND ROW(n, m) < ROW(1, 2) AND a::varchar(3) = 'abc' AND n::text = '1'",
  "a SIMILAR TO 'x%' AND b IS NORMALIZED AND starts_with(a, 'x')",
]

for (const check of CHECKS) {
  test(`printed and read again it is the same: ${check}`, async () => {
    const read = async (text: string) => {
      await schemas.make(
        'x',
        `CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE x (${COLUMNS}, CONSTRAINT k ${text})`,
      )
      await schemas
        .change(
          'x',
          `CREATE INDEX i ON x (n) WHERE ${text.replace(/^CHECK /, '').replace(/now\(\)|CURRENT_TIMESTAMP\(\d\)/g, "'2020-01-01'")}`,
        )
        .catch(() => undefined)
      const [table] = (await schemas.read('x')).tables
      return {
        constraint: table?.constraints[0]?.definition ?? '',
        index: table?.indexes[0]?.definition ?? null,
      }
    }
    const once = await read(`CHECK (${check})`)
    const twice = await read(once.constraint)
    assert.ok(sameText(once.constraint, twice.constraint), `${once.constraint}\n${twice.constraint}`)
    assert.ok(sameText(once.index, twice.index), `${once.index}\n${twice.index}`)
  })
}

test('the words of the standard are the function they mean, and constants are not', () => {
  assert.ok(sameText('now()', 'CURRENT_TIMESTAMP'))
  assert.ok(sameText("(now() + '1 day'::interval)", "(CURRENT_TIMESTAMP + '1 day'::interval)"))
  assert.not(sameText('CURRENT_TIMESTAMP', 'CURRENT_TIMESTAMP(3)'))
  assert.not(sameText('now()', 'clock_timestamp()'))
  assert.not(sameText("'now()'::text", "'CURRENT_TIMESTAMP'::text"))
  assert.not(sameText('"CURRENT_TIMESTAMP"', 'now()'))
  assert.not(sameText('public.now()', 'now()'))
})

test('a list is the same wherever its cast stands, and only then', () => {
  const outside = "((a)::text = ANY ((ARRAY['x'::character varying, 'y'::character varying])::text[]))"
  const inside = "((a)::text = ANY (ARRAY[('x'::character varying)::text, ('y'::character varying)::text]))"
  assert.ok(sameText(outside, inside))
  assert.not(sameText(outside, inside.replace("'y'", "'z'")))
  assert.not(sameText(outside, inside.replaceAll(')::text', ')::bpchar')))
  assert.not(sameText("'(ARRAY[a])::text[]'::text", "'ARRAY[(a)::text]'::text"))
})

test('conditions within conditions of the same kind are one list', () => {
  assert.ok(sameText('(((a) AND (b)) AND (c))', '((a) AND (b) AND (c))'))
  assert.not(sameText('(((a) OR (b)) AND (c))', '((a) OR (b) AND (c))'))
  assert.not(sameText('((NOT ((a) AND (b))) AND (c))', '((NOT (a) AND (b)) AND (c))'))
  assert.not(sameText('(f((a) AND (b)) AND (c))', '(f(a) AND (b) AND (c))'))
})

test('spaces within a constant count, nothing and something differ', () => {
  assert.not(sameText("'a b'::text", "'a  b'::text"))
  assert.not(sameText("'A'::text", "'a'::text"))
  assert.not(sameText(null, "''::text"))
  assert.ok(sameText(null, null))
})

test('a label is used where it is a value of its enum', () => {
  assert.ok(usesLabel("'new'::state", 'state', 'new'))
  assert.ok(usesLabel("'it''s'::\"My State\"", 'My State', "it's"))
  assert.ok(usesLabel("E'a\\\\b'::state", 'state', 'a\\b'))
  assert.ok(usesLabel("'{old,new}'::state[]", 'state', 'new'))
  assert.ok(usesLabel("CHECK ((s = ANY (ARRAY['old'::state, 'new'::state])))", 'state', 'new'))
  assert.not(usesLabel("'new'::text", 'state', 'new'))
  assert.not(usesLabel("'renewed'::state", 'state', 'new'))
  assert.not(usesLabel("'''new''::state'::text", 'state', 'new'))
  assert.not(usesLabel(null, 'state', 'new'))
})

test('an enum is used where something is cast to it', () => {
  assert.ok(usesEnum("(s <> 'a'::state)", 'state'))
  assert.ok(usesEnum('(x)::"My State"[]', 'My State'))
  assert.not(usesEnum("'::state'::text", 'state'))
  assert.not(usesEnum("'a'::state.kind", 'state'))
})

test.run()
