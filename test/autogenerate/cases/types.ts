import { DataTypes, type ModelAttributes } from 'sequelize'

import { items, unchanged, type Case, type Cases } from '../support/case.ts'

type Type = ModelAttributes[string]

const change = (name: string, from: Type, to: Type, more: Partial<Case> = {}): Case => ({
  name,
  before: items({ a: from }),
  after: items({ a: to }),
  ...more,
})

const { INTEGER, BIGINT, STRING, TEXT, DECIMAL, DATE, DATEONLY, JSON, JSONB, ARRAY, UUID, BOOLEAN } =
  DataTypes

export const types: Cases = [
  change('integer becomes bigint', INTEGER, BIGINT, { has: ['TYPE bigint`'], hasNot: ['USING'] }),
  change('bigint becomes smallint', BIGINT, DataTypes.SMALLINT),
  change('a text gets longer', STRING(50), STRING(100), { hasNot: [/varying\(100\) USING/] }),
  change('a text gets shorter, and is not cut', STRING(100), STRING(50), { hasNot: ['USING'] }),
  change('varchar becomes text', STRING, TEXT),
  change('text becomes varchar', TEXT, STRING),
  change('precision and scale of a number', DECIMAL(8, 2), DECIMAL(10, 3)),
  change('timestamp becomes date', DATE, DATEONLY),
  change('a precision of timestamps', 'TIMESTAMP(3) WITH TIME ZONE', DATE),
  change('with and without time zone', 'TIMESTAMP WITHOUT TIME ZONE', DATE),
  change('json becomes jsonb', JSON, JSONB),
  change('text becomes integer', TEXT, INTEGER, { has: ['USING "a"::integer'] }),
  change('boolean becomes integer', BOOLEAN, INTEGER, { has: ['::integer'] }),
  change('integer becomes boolean', INTEGER, BOOLEAN),
  change('text becomes uuid', TEXT, UUID),
  change('elements of an array', ARRAY(INTEGER), ARRAY(BIGINT)),
  change('elements of an array, of another family', ARRAY(TEXT), ARRAY(INTEGER)),
  change('a value becomes an array', TEXT, ARRAY(TEXT)),
  change(
    'a type with a default of its own',
    { type: INTEGER, defaultValue: 1 },
    { type: TEXT, defaultValue: '1' },
  ),
  change(
    'a type under an index and a check',
    { type: INTEGER, unique: true },
    { type: BIGINT, unique: true },
  ),
  {
    name: 'a type under a foreign key, on both ends',
    before: (sequelize) => {
      const A = sequelize.define('a', { id: { type: INTEGER, primaryKey: true } }, { timestamps: false })
      sequelize.define('b', {}, { timestamps: false }).belongsTo(A)
    },
    after: (sequelize) => {
      const A = sequelize.define('a', { id: { type: UUID, primaryKey: true } }, { timestamps: false })
      sequelize.define('b', {}, { timestamps: false }).belongsTo(A)
    },
  },
  change('a collation', TEXT, 'TEXT COLLATE "C"'),
  unchanged('integers', items({ a: INTEGER, b: BIGINT, c: DataTypes.SMALLINT })),
  unchanged('texts', items({ a: STRING, b: STRING(10), c: TEXT, d: DataTypes.CHAR(4), e: DataTypes.CHAR })),
  unchanged('numbers', items({ a: DECIMAL, b: DECIMAL(10, 2), c: DataTypes.FLOAT, d: DataTypes.DOUBLE, e: DataTypes.REAL, f: DECIMAL(5) })), // prettier-ignore
  unchanged('times', items({ a: DATE, b: DATE(6), c: DATEONLY, d: DataTypes.TIME })),
  unchanged('uuid and boolean', items({ a: UUID, b: BOOLEAN })),
  unchanged('json', items({ a: JSON, b: JSONB })),
  unchanged('arrays', items({ a: ARRAY(INTEGER), b: ARRAY(STRING), c: ARRAY(ARRAY(TEXT)), d: ARRAY(DECIMAL(5, 2)) })), // prettier-ignore
  unchanged('ranges', items({ a: DataTypes.RANGE(INTEGER), b: DataTypes.RANGE(DATE), c: DataTypes.RANGE(DATEONLY), d: DataTypes.RANGE(BIGINT), e: DataTypes.RANGE(DECIMAL) })), // prettier-ignore
  unchanged('network and search', items({ a: DataTypes.INET, b: DataTypes.CIDR, c: DataTypes.MACADDR, d: DataTypes.TSVECTOR })), // prettier-ignore
  unchanged('binary', items({ a: DataTypes.BLOB, b: DataTypes.BLOB('tiny') })),
  unchanged('types in words of SQL', items({ a: { type: 'numeric(8,3)[]' }, b: { type: 'TIMESTAMP(3) WITH TIME ZONE' }, c: 'TEXT COLLATE "C"', d: 'interval' })), // prettier-ignore
  unchanged('geometry of PostgreSQL itself', items({ a: { type: 'point' }, b: { type: 'polygon' } })),
]
