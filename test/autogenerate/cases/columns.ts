import { DataTypes } from 'sequelize'

import { items, unchanged, type Cases } from '../support/case.ts'

const INTEGER = DataTypes.INTEGER

export const columns: Cases = [
  {
    name: 'one that may be null is added',
    before: items({}),
    after: items({ a: INTEGER }),
    has: ['addColumn('],
  },
  {
    name: 'NOT NULL with a default is added',
    before: items({}),
    after: items({ a: { type: DataTypes.STRING, allowNull: false, defaultValue: 'x' } }),
    has: ["defaultValue: 'x'", 'allowNull: false'],
  },
  {
    name: 'several are added, in the order of the model',
    before: items({}),
    after: items({ z: INTEGER, a: INTEGER, m: DataTypes.TEXT }),
    has: [/'z'[^]*'a'[^]*'m'/],
  },
  { name: 'one is dropped', before: items({ a: INTEGER, b: INTEGER }), after: items({ a: INTEGER }), has: ['removeColumn('] }, // prettier-ignore
  {
    name: 'NULL becomes NOT NULL',
    before: items({ a: INTEGER }),
    after: items({ a: { type: INTEGER, allowNull: false } }),
    has: ['SET NOT NULL'],
    hasNot: ['changeColumn'],
  },
  {
    name: 'NOT NULL becomes NULL',
    before: items({ a: { type: INTEGER, allowNull: false } }),
    after: items({ a: INTEGER }),
    has: ['DROP NOT NULL'],
  },
  {
    name: 'the field of an attribute is what counts',
    before: items({ a: { type: INTEGER, field: 'in_db' } }),
    after: items({ b: { type: INTEGER, field: 'in_db' } }),
    same: true,
  },
  {
    name: 'the order of attributes is no difference',
    before: items({ a: INTEGER, b: DataTypes.TEXT }),
    after: items({ b: DataTypes.TEXT, a: INTEGER }),
    same: true,
  },
  {
    name: 'a generated column is added',
    before: items({ a: INTEGER }),
    after: items({ a: INTEGER, b: { type: 'INTEGER GENERATED ALWAYS AS (a * 2) STORED' } }),
    has: ['GENERATED ALWAYS AS'],
  },
  {
    name: 'a generated column is computed otherwise',
    before: items({ a: INTEGER, b: { type: 'INTEGER GENERATED ALWAYS AS (a * 2) STORED' } }),
    after: items({ a: INTEGER, b: { type: 'INTEGER GENERATED ALWAYS AS (a * 3) STORED' } }),
  },
  {
    name: 'what a generated column reads changes its type',
    before: items({ a: INTEGER, b: { type: 'BIGINT GENERATED ALWAYS AS (a * 2) STORED' } }),
    after: items({ a: DataTypes.BIGINT, b: { type: 'BIGINT GENERATED ALWAYS AS (a * 2) STORED' } }),
  },
  {
    name: 'a generated column becomes an ordinary one',
    before: items({ a: INTEGER, b: { type: 'INTEGER GENERATED ALWAYS AS (a * 2) STORED' } }),
    after: items({ a: INTEGER, b: INTEGER }),
  },
  {
    name: 'serial becomes identity',
    before: items({ id: { type: INTEGER, primaryKey: true, autoIncrement: true } }),
    after: items({
      id: { type: INTEGER, primaryKey: true, autoIncrement: true, autoIncrementIdentity: true },
    }),
    has: ['AS IDENTITY', 'setval'],
  },
  {
    name: 'serial becomes bigserial',
    before: items({ id: { type: INTEGER, primaryKey: true, autoIncrement: true } }),
    after: items({ id: { type: DataTypes.BIGINT, primaryKey: true, autoIncrement: true } }),
  },
  {
    name: 'an integer key begins to count by itself',
    before: items({ id: { type: INTEGER, primaryKey: true } }),
    after: items({ id: { type: INTEGER, primaryKey: true, autoIncrement: true } }),
  },
  {
    name: 'identity by default becomes identity always',
    before: items({
      id: { type: INTEGER, primaryKey: true, autoIncrement: true, autoIncrementIdentity: true },
    }),
    after: items({ id: { type: 'INTEGER GENERATED ALWAYS AS IDENTITY', primaryKey: true } }),
    has: ['SET GENERATED ALWAYS'],
  },
  unchanged(
    'a primary key is NOT NULL by itself',
    items({ code: { type: DataTypes.STRING, primaryKey: true } }),
  ),
  unchanged('allowNull false on a key is no difference', items({ code: { type: INTEGER, primaryKey: true, allowNull: false } })), // prettier-ignore
  unchanged('generated columns stay', items({ a: INTEGER, b: { type: 'INTEGER GENERATED ALWAYS AS (a + 1) STORED' } })), // prettier-ignore
  unchanged('identity stays', items({ id: { type: INTEGER, primaryKey: true, autoIncrement: true, autoIncrementIdentity: true } })), // prettier-ignore
  unchanged(
    'bigserial stays',
    items({ id: { type: DataTypes.BIGINT, primaryKey: true, autoIncrement: true } }),
  ),
  unchanged(
    'smallserial stays',
    items({ id: { type: DataTypes.SMALLINT, primaryKey: true, autoIncrement: true } }),
  ),
  unchanged('comments stay', items({ a: { type: INTEGER, comment: `it's "so"` } }, { comment: 'a table' })),
  {
    name: 'comments of a table and a column are added, changed and removed',
    before: items({
      a: { type: INTEGER, comment: 'old' },
      b: { type: INTEGER, comment: 'gone' },
      c: INTEGER,
    }),
    after: items({ a: { type: INTEGER, comment: "it's new" }, b: INTEGER, c: { type: INTEGER, comment: 'c' } }, { comment: 'all' }), // prettier-ignore
    has: ["IS 'it''s new'", 'IS NULL', "IS 'all'"],
  },
  {
    name: 'a comment on a new column and on a new table',
    before: items({}),
    after: (sequelize) => {
      items({ a: { type: INTEGER, comment: 'x `y` ${z} \\ w' } })(sequelize)
      sequelize.define('more', { b: { type: INTEGER, comment: 'b' } }, { comment: 'more' })
    },
  },
]
