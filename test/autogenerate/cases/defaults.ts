import { DataTypes, Sequelize, type ModelAttributes } from 'sequelize'

import { items, unchanged, type Case, type Cases } from '../support/case.ts'

const { INTEGER, STRING, TEXT, DECIMAL, DATE, JSONB, ARRAY, UUID, BOOLEAN } = DataTypes

type Type = ModelAttributes[string]

const change = (name: string, from: Type, to: Type, more: Partial<Case> = {}): Case => ({
  name,
  before: items({ a: from }),
  after: items({ a: to }),
  ...more,
})

const added = (name: string, column: Type, ...has: (string | RegExp)[]): Case => ({
  name,
  before: items({}),
  after: items({ a: column }),
  has,
})

export const defaults: Cases = [
  change('one is added', INTEGER, { type: INTEGER, defaultValue: 5 }, { has: ['SET DEFAULT 5'] }),
  change('one is changed', { type: STRING, defaultValue: 'a' }, { type: STRING, defaultValue: 'b' }),
  change('one is dropped', { type: BOOLEAN, defaultValue: true }, BOOLEAN, { has: ['DROP DEFAULT'] }),
  added('a number', { type: INTEGER, defaultValue: -1 }, 'defaultValue: -1'),
  added('a fraction', { type: DECIMAL(8, 2), defaultValue: 0.5 }, 'defaultValue: 0.5'),
  added('a negative fraction', { type: DECIMAL(8, 2), defaultValue: -0.5 }, 'defaultValue: -0.5'),
  added('a truth', { type: BOOLEAN, defaultValue: false }, 'defaultValue: false'),
  added('a text with quotes', { type: TEXT, defaultValue: `it's "x"` }, 'defaultValue:'),
  added('a text with a backslash and a line', { type: TEXT, defaultValue: 'a\\b\nc' }),
  added('a text with words that Sequelize looks for', { type: TEXT, defaultValue: 'PRIMARY KEY, SERIAL' }, 'ADD COLUMN'), // prettier-ignore
  added('a function', { type: UUID, defaultValue: Sequelize.literal('gen_random_uuid()') }, "literal('gen_random_uuid()')"), // prettier-ignore
  added(
    'the time',
    { type: DATE, defaultValue: Sequelize.literal('CURRENT_TIMESTAMP') },
    'CURRENT_TIMESTAMP',
  ),
  added('a document', { type: JSONB, defaultValue: { a: [1, 'x'], b: null } }),
  added('an array', { type: ARRAY(TEXT), defaultValue: ['a', "b'c"] }),
  change(
    'a default on the way to another type',
    { type: TEXT, defaultValue: '1' },
    { type: INTEGER, defaultValue: 1 },
  ),
  unchanged(
    'texts',
    items({ a: { type: STRING, defaultValue: "it's" }, b: { type: TEXT, defaultValue: '' } }),
  ),
  unchanged('numbers', items({ a: { type: INTEGER, defaultValue: 0 }, b: { type: DECIMAL(5, 2), defaultValue: 1.5 }, c: { type: INTEGER, defaultValue: -3 }, d: { type: DataTypes.BIGINT, defaultValue: 7 } })), // prettier-ignore
  unchanged('numbers as texts', items({ a: { type: DECIMAL(5, 2), defaultValue: '1.50' } })),
  unchanged('truths', items({ a: { type: BOOLEAN, defaultValue: true }, b: { type: BOOLEAN, defaultValue: false } })), // prettier-ignore
  unchanged('now() and CURRENT_TIMESTAMP', items({ a: { type: DATE, defaultValue: Sequelize.fn('now') }, b: { type: DATE, defaultValue: Sequelize.literal('CURRENT_TIMESTAMP') } })), // prettier-ignore
  {
    name: 'now() and CURRENT_TIMESTAMP are the same',
    before: items({ a: { type: DATE, defaultValue: Sequelize.literal('CURRENT_TIMESTAMP') } }),
    after: items({ a: { type: DATE, defaultValue: Sequelize.fn('now') } }),
    same: true,
  },
  unchanged('values of the application have none in the database', items({ a: { type: UUID, defaultValue: DataTypes.UUIDV4 }, b: { type: DATE, defaultValue: DataTypes.NOW }, c: { type: INTEGER, defaultValue: () => 1 } })), // prettier-ignore
  unchanged('documents and arrays', items({ a: { type: JSONB, defaultValue: { b: [1, { c: "it's" }] } }, b: { type: ARRAY(TEXT), defaultValue: [] }, c: { type: ARRAY(INTEGER), defaultValue: [1, 2] } })), // prettier-ignore
  unchanged('functions', items({ a: { type: UUID, defaultValue: Sequelize.literal('gen_random_uuid()') }, b: { type: TEXT, defaultValue: Sequelize.literal("lower('ABC')") } })), // prettier-ignore
  unchanged('a function of the schema', items({ a: INTEGER }), {
    sql: `CREATE FUNCTION one() RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1'`,
  }),
  {
    name: 'a function of the schema that a model uses from now on',
    before: items({ a: INTEGER }),
    after: items({ a: { type: INTEGER, defaultValue: Sequelize.literal('one()') } }),
    sql: `CREATE FUNCTION one() RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1'`,
    has: ['SET DEFAULT one()'],
  },
  unchanged('dates as texts', items({ a: { type: DATE, defaultValue: new Date('2026-01-02T03:04:05Z') }, b: { type: DataTypes.DATEONLY, defaultValue: '2026-01-02' } })), // prettier-ignore
  unchanged('null on a column that counts by itself', items({ id: { type: INTEGER, primaryKey: true, autoIncrement: true, defaultValue: null } })), // prettier-ignore
]
