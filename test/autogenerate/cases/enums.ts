import { DataTypes, type ModelAttributes } from 'sequelize'

import { items, unchanged, type Case, type Cases } from '../support/case.ts'

const { ENUM, ARRAY, STRING } = DataTypes

type Type = ModelAttributes[string]

const change = (
  name: string,
  from: Type | undefined,
  to: Type | undefined,
  more: Partial<Case> = {},
): Case => ({
  name,
  before: items(from === undefined ? {} : { a: from }),
  after: items(to === undefined ? {} : { a: to }),
  ...more,
})

export const enums: Cases = [
  change('a column of one is added', undefined, ENUM('x', 'y'), { has: ["DataTypes.ENUM('x', 'y')"] }),
  change('a column of an array of one is added', undefined, ARRAY(ENUM('x', 'y')), { has: ['DataTypes.ARRAY(DataTypes.ENUM('] }), // prettier-ignore
  change('one with a default is added', undefined, {
    type: ENUM('x', 'y'),
    defaultValue: 'y',
    allowNull: false,
  }),
  change('a column of one goes, and its type', ENUM('x'), undefined, { has: ['DROP TYPE'] }),
  change('a value at the end', ENUM('x', 'y'), ENUM('x', 'y', 'z'), { has: ["ADD VALUE 'z'"] }),
  change('a value in the middle', ENUM('x', 'z'), ENUM('x', 'y', 'z'), { has: ["ADD VALUE 'y' BEFORE 'z'"] }),
  change('a value at the beginning', ENUM('y', 'z'), ENUM('x', 'y', 'z'), {
    has: ["ADD VALUE 'x' BEFORE 'y'"],
  }),
  change('several values at several places', ENUM('b', 'd'), ENUM('a', 'b', 'c', 'd', 'e', 'f')),
  change('a value goes', ENUM('x', 'y'), ENUM('x'), { hasNot: ['ADD VALUE \'x\''] }), // prettier-ignore
  change('another order', ENUM('x', 'y'), ENUM('y', 'x')),
  change('a new value is the default', { type: ENUM('x'), defaultValue: 'x' }, { type: ENUM('x', 'y'), defaultValue: 'y' }), // prettier-ignore
  change('a value goes from an array', ARRAY(ENUM('x', 'y')), ARRAY(ENUM('x'))),
  change('a text becomes one', STRING, ENUM('x', 'y'), { has: ['CREATE TYPE', 'USING'] }),
  change('one becomes a text', ENUM('x', 'y'), STRING),
  change('values with quotes', undefined, ENUM("it's", 'a "b"', 'c\\d', 'e)f')),
  change('one becomes an array of it', ENUM('x', 'y'), ARRAY(ENUM('x', 'y'))),
  {
    name: 'two tables with a field of the same name',
    before: items({}),
    after: (sequelize) => {
      sequelize.define('a', { state: ENUM('x') })
      sequelize.define('b', { state: ENUM('y') })
    },
  },
  {
    name: 'a table with one goes, and its type with it',
    before: (sequelize) => {
      items({})(sequelize)
      sequelize.define('a', { state: { type: ENUM('x', 'y'), defaultValue: 'x' } })
    },
    after: items({}),
    has: ['dropTable(', 'DROP TYPE'],
  },
  unchanged('plain', items({ a: ENUM('x', 'y') })),
  unchanged('with a default', items({ a: { type: ENUM('x', 'y'), defaultValue: 'y' } })),
  unchanged('arrays', items({ a: ARRAY(ENUM('x', 'y')) })),
  unchanged('quotes, spaces and case in values', items({ a: ENUM("it's", 'A b', '"', '') })),
  unchanged('the same values in two columns', items({ a: ENUM('x'), b: ENUM('x') })),
  unchanged('mixed case of table and column', (sequelize) => {
    sequelize.define('Item', { firstState: ENUM('x') }, { tableName: 'MyItems' })
  }),
  unchanged('in a partial index', items({ a: ENUM('x', 'y') }, { indexes: [{ fields: ['a'], where: { a: 'x' }, name: 'p' }] })), // prettier-ignore
  {
    name: 'a value goes that a partial index does not use',
    before: items({ a: ENUM('x', 'y') }, { indexes: [{ fields: ['a'], where: { a: 'x' }, name: 'p' }] }),
    after: items({ a: ENUM('x') }, { indexes: [{ fields: ['a'], where: { a: 'x' }, name: 'p' }] }),
  },
]
