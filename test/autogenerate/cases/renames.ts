import { DataTypes } from 'sequelize'

import { items, type Cases } from '../support/case.ts'

const { INTEGER, STRING, TEXT, ENUM } = DataTypes

export const renames: Cases = [
  {
    name: 'a column',
    before: items({ nm: STRING }),
    after: items({ title: STRING }),
    renames: { columns: { 'items.nm': 'title' } },
    has: ["renameColumn('items', 'nm', 'title')"],
    hasNot: ['removeColumn', 'addColumn'],
  },
  {
    name: 'a column with its unique constraint, index and enum type',
    before: items(
      { nm: { type: ENUM('x', 'y'), unique: true, defaultValue: 'x' } },
      { indexes: [{ fields: ['nm'] }] },
    ),
    after: items({ title: { type: ENUM('x', 'y'), unique: true, defaultValue: 'x' } }, { indexes: [{ fields: ['title'] }] }), // prettier-ignore
    renames: { columns: { 'items.nm': 'title' } },
    hasNot: ['removeColumn', 'addColumn', 'DROP', 'removeIndex'],
  },
  {
    name: 'a table, with its key, sequence, enum type and foreign keys',
    before: (sequelize) => {
      const P = sequelize.define('p', { state: ENUM('x') })
      sequelize.define('child', {}).belongsTo(P, { foreignKey: 'owner' })
    },
    after: (sequelize) => {
      const P = sequelize.define('p', { state: ENUM('x') }, { tableName: 'people' })
      sequelize.define('child', {}).belongsTo(P, { foreignKey: 'owner' })
    },
    renames: { tables: { ps: 'people' } },
    has: ["renameTable('ps', 'people')"],
    hasNot: ['dropTable', 'createTable'],
  },
  {
    name: 'a column that also changes its type',
    before: items({ nm: STRING }),
    after: items({ title: TEXT }),
    renames: { columns: { 'items.nm': 'title' } },
    has: ['renameColumn(', 'TYPE text'],
  },
  {
    name: 'two columns that swap their names',
    before: items({ a: INTEGER, b: TEXT }),
    after: items({ a: TEXT, b: INTEGER }),
    renames: { columns: { 'items.a': 'b', 'items.b': 'a' } },
    has: [/renameColumn[^]*renameColumn[^]*renameColumn/],
    hasNot: ['TYPE'],
  },
  {
    name: 'a chain of columns',
    before: items({ a: INTEGER, b: TEXT }),
    after: items({ b: INTEGER, c: TEXT }),
    renames: { columns: { 'items.a': 'b', 'items.b': 'c' } },
    hasNot: ['TYPE', 'addColumn'],
  },
  {
    name: 'a column, and a new one under its old name',
    before: items({ a: INTEGER }),
    after: items({ a: TEXT, b: INTEGER }),
    renames: { columns: { 'items.a': 'b' } },
    has: ['renameColumn(', 'addColumn('],
  },
  {
    name: 'a table and one of its columns',
    before: (sequelize) => void sequelize.define('p', { nm: STRING }),
    after: (sequelize) => void sequelize.define('p', { name: STRING }, { tableName: 'people' }),
    renames: { tables: { ps: 'people' }, columns: { 'ps.nm': 'name' } },
    hasNot: ['removeColumn', 'dropTable'],
  },
  {
    name: 'a column that a generated one reads',
    before: items({ a: INTEGER, b: { type: 'INTEGER GENERATED ALWAYS AS (a * 2) STORED' } }),
    after: items({ c: INTEGER, b: { type: 'INTEGER GENERATED ALWAYS AS (c * 2) STORED' } }),
    renames: { columns: { 'items.a': 'c' } },
    hasNot: ['DROP', 'removeColumn'],
  },
  {
    name: 'nothing, for whoever says so',
    before: items({ nm: STRING }),
    after: items({ title: STRING }),
    renames: false,
    has: ['removeColumn(', 'addColumn('],
  },
]
