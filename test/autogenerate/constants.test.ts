/** Defaults of one value in several texts, as PostgreSQL prints them, and of several values. */
import * as assert from 'uvu/assert'

import { sameDefault } from '../../lib/autogenerate/constants.ts'
import { suite } from '../support/suite.ts'

const test = suite('autogenerate/constants')

type Pair = readonly [type: string, one: string, other: string]

const SAME: readonly Pair[] = [
  ['numeric(8,2)', '0', '0.00'],
  ['numeric(8,2)', '1.5', "'1.50'::numeric"],
  ['bigint', "'-1'::integer", "'-1'::bigint"],
  ['bigint', '(-1)', "'-1'::integer"],
  ['integer', '10', '10.00'],
  ['double precision', '0.5', "'0.5'::double precision"],
  ['text', "'it''s'::character varying", "'it''s'::text"],
  ['text', String.raw`E'a\\b'::text`, String.raw`E'a\\b'::character varying`],
  ['character varying(9)', "'x'::text", "'x'::character varying"],
  ['text[]', 'ARRAY[]::text[]', "'{}'::text[]"],
  ['text[]', "ARRAY['a'::text, 'b c'::text]", `'{a,"b c"}'::text[]`],
  ['text[]', String.raw`ARRAY['a"b'::text, NULL::text]`, String.raw`'{"a\"b",NULL}'::text[]`],
  ['integer[]', 'ARRAY[1, 2]', "'{1,2}'::integer[]"],
  ['character varying(255)[]', "(ARRAY['x'::character varying])::character varying(255)[]", "'{x}'::character varying[]"], // prettier-ignore
  ['character varying(255)[]', "ARRAY['x'::character varying(255)]", "'{x}'::character varying[]"],
  ['enum_a[]', "ARRAY['x'::enum_a]", "'{x}'::enum_a[]"],
]

const OTHER: readonly Pair[] = [
  ['integer', '1', '10'],
  ['integer', '100', '1'],
  ['numeric', '1.5', '1.50'],
  ['numeric(8,2)', '1.5', "'1.51'::numeric"],
  ['text', "'x'::text", "'X'::text"],
  ['text', "'1.0'::text", "'1.00'::text"],
  ['text', "'now()'::text", 'now()'],
  ['text', "'ab'::character varying(1)", "'a'::text"],
  ['text', "lower('A'::text)", "lower('A'::character varying)"],
  ['text[]', "'{NULL}'::text[]", `'{"NULL"}'::text[]`],
  ['text[]', "'{}'::text[]", "'{{}}'::text[]"],
  ['text[]', "'{a,b}'::text[]", `'{"a,b"}'::text[]`],
  ['timestamp with time zone', "'2026-01-02'::date", "'2026-01-02'::text"],
]

for (const [type, one, other] of SAME) {
  test(`${one} and ${other} are the same ${type}`, () => {
    assert.ok(sameDefault(one, other, type))
    assert.ok(sameDefault(other, one, type))
  })
}

for (const [type, one, other] of OTHER) {
  test(`${one} and ${other} are not the same ${type}`, () => {
    assert.not(sameDefault(one, other, type))
    assert.not(sameDefault(other, one, type))
  })
}

test.run()
