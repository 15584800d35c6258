/** Defaults in other words than Sequelize's. */
import { DataTypes, Sequelize, type ModelAttributeColumnOptions } from 'sequelize'

import { equal, equalColumn, items, itemsWith, type Case, type Cases } from '../../support/case.ts'

const { INTEGER, BIGINT, STRING, TEXT, DECIMAL, DATE, DATEONLY, BOOLEAN, ARRAY, JSON, JSONB, UUID, ENUM } =
  DataTypes

/** A default that the first release has given to a column of another type. */
const retyped = (name: string, from: string, to: string, attribute: ModelAttributeColumnOptions): Case =>
  equal(name, `${itemsWith(`a ${from}`)} ALTER TABLE items ALTER a TYPE ${to}`, items({ a: attribute }))

export const defaults: Cases = [
  equalColumn('a number as a text', "a integer DEFAULT '5'", { type: INTEGER, defaultValue: 5 }),
  equalColumn('a number in parentheses', 'a integer DEFAULT (5)', { type: INTEGER, defaultValue: 5 }),
  equalColumn('a number with a cast', "a bigint DEFAULT '5'::bigint", { type: BIGINT, defaultValue: 5 }),
  equalColumn('a negative number as a text', "a bigint DEFAULT '-5'", { type: BIGINT, defaultValue: -5 }),
  equalColumn('a large number', 'a bigint DEFAULT 5000000000', { type: BIGINT, defaultValue: '5000000000' }),
  equalColumn('zeros behind the point', 'a numeric(8,2) DEFAULT 0.00', {
    type: DECIMAL(8, 2),
    defaultValue: 0,
  }),
  equalColumn('a fraction with a zero', "a numeric(8,2) DEFAULT '1.50'", { type: DECIMAL(8, 2), defaultValue: 1.5 }), // prettier-ignore
  equalColumn('true as a letter', "a boolean DEFAULT 't'", { type: BOOLEAN, defaultValue: true }),
  equalColumn('false as a word in capitals', 'a boolean DEFAULT FALSE', {
    type: BOOLEAN,
    defaultValue: false,
  }),
  equalColumn('a text with its cast', "a varchar(255) DEFAULT 'x'::varchar", {
    type: STRING,
    defaultValue: 'x',
  }),
  equalColumn('a text with the cast of another text', "a varchar(255) DEFAULT 'x'::text", { type: STRING, defaultValue: 'x' }), // prettier-ignore
  equalColumn('a text with escapes', String.raw`a text DEFAULT E'a\\b\'c'`, { type: TEXT, defaultValue: "a\\b'c" }), // prettier-ignore
  equalColumn('a text between dollars', "a text DEFAULT $$it's$$", { type: TEXT, defaultValue: "it's" }),
  equalColumn('a text in two pieces', "a text DEFAULT 'it'\n'self'", { type: TEXT, defaultValue: 'itself' }),
  equalColumn('an empty text', "a text DEFAULT ''", { type: TEXT, defaultValue: '' }),
  equalColumn('NULL is none', 'a text DEFAULT NULL', TEXT),
  equalColumn('null in a model is none', 'a text', { type: TEXT, defaultValue: null }),
  equalColumn(
    'a default that came and went',
    'a text DEFAULT 1',
    TEXT,
    'ALTER TABLE items ALTER a DROP DEFAULT',
  ),
  equalColumn('CURRENT_TIMESTAMP in a migration, now() in a model', 'a timestamptz DEFAULT CURRENT_TIMESTAMP', { type: DATE, defaultValue: Sequelize.fn('now') }), // prettier-ignore
  equalColumn('NOW() in a migration, CURRENT_TIMESTAMP in a model', 'a timestamptz DEFAULT NOW()', { type: DATE, defaultValue: Sequelize.literal('CURRENT_TIMESTAMP') }), // prettier-ignore
  equalColumn('a function with its schema', 'a uuid DEFAULT pg_catalog.gen_random_uuid()', { type: UUID, defaultValue: Sequelize.literal('gen_random_uuid()') }), // prettier-ignore
  equalColumn('a function in capitals', "a text DEFAULT UPPER( 'x' )", { type: TEXT, defaultValue: Sequelize.literal("upper('x')") }), // prettier-ignore
  equalColumn('an expression with and without parentheses', 'a integer DEFAULT (1 + 2) * 3', { type: INTEGER, defaultValue: Sequelize.literal('((1 + 2) * 3)') }), // prettier-ignore
  equalColumn('a document as a text', `a jsonb DEFAULT '{"b":[1,2]}'`, { type: JSONB, defaultValue: { b: [1, 2] } }), // prettier-ignore
  equalColumn('an empty document', "a jsonb DEFAULT '{}'::jsonb", { type: JSONB, defaultValue: {} }),
  equalColumn('a list in a document', "a jsonb DEFAULT ' [ ] '", { type: JSONB, defaultValue: [] }),
  equalColumn('a document of type json', `a json DEFAULT '{"b":1}'`, { type: JSON, defaultValue: { b: 1 } }),
  equalColumn('an empty array', "a text[] DEFAULT '{}'", { type: ARRAY(TEXT), defaultValue: [] }),
  equalColumn('an array of texts', "a text[] DEFAULT '{x,\"y z\"}'", { type: ARRAY(TEXT), defaultValue: ['x', 'y z'] }), // prettier-ignore
  equalColumn('an array of varchar', "a varchar(255)[] DEFAULT '{x}'", { type: ARRAY(STRING), defaultValue: ['x'] }), // prettier-ignore
  equalColumn('an array of numbers', "a integer[] DEFAULT '{1,2}'", { type: ARRAY(INTEGER), defaultValue: [1, 2] }), // prettier-ignore
  equalColumn('a date', "a date DEFAULT 'January 2, 2026'", { type: DATEONLY, defaultValue: '2026-01-02' }),
  equalColumn('a time in another zone', "a timestamptz DEFAULT '2026-01-02 05:04:05+02'", { type: DATE, defaultValue: new Date('2026-01-02T03:04:05Z') }), // prettier-ignore
  equal(
    'the value of an ENUM with and without its cast',
    `CREATE TYPE enum_items_a AS ENUM ('x', 'it''s'); ${itemsWith("a enum_items_a DEFAULT 'it''s'::enum_items_a")}`,
    items({ a: { type: ENUM('x', "it's"), defaultValue: "it's" } }),
  ),
  equal(
    'the value of an ENUM that was renamed',
    `CREATE TYPE old AS ENUM ('x', 'z'); ${itemsWith("a old DEFAULT 'z'")}
     ALTER TYPE old RENAME TO enum_items_a; ALTER TYPE enum_items_a RENAME VALUE 'z' TO 'y'`,
    items({ a: { type: ENUM('x', 'y'), defaultValue: 'y' } }),
  ),
  retyped('a text from when the column was shorter', "varchar(20) DEFAULT 'x'", 'varchar(255)', { type: STRING, defaultValue: 'x' }), // prettier-ignore
  retyped('a text from when the column was a varchar', "varchar(20) DEFAULT 'x'", 'text', { type: TEXT, defaultValue: 'x' }), // prettier-ignore
  retyped('a text from when the column was a text', "text DEFAULT 'x'", 'varchar(255)', { type: STRING, defaultValue: 'x' }), // prettier-ignore
  retyped('a number from when the column was smaller', 'integer DEFAULT -1', 'bigint', { type: BIGINT, defaultValue: -1 }), // prettier-ignore
  retyped('a number from when the column had a fraction', 'numeric(5,2) DEFAULT 1.00', 'integer', { type: INTEGER, defaultValue: 1 }), // prettier-ignore
]
