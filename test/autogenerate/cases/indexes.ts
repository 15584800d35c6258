import { DataTypes, Op, Sequelize, type IndexesOptions } from 'sequelize'

import { items, unchanged, type Case, type Cases, type Define } from '../support/case.ts'

const { INTEGER, STRING, JSONB, TEXT } = DataTypes

const withIndexes = (...indexes: IndexesOptions[]): Define =>
  items({ a: STRING, b: INTEGER, c: JSONB, d: TEXT }, { indexes })

const change = (
  name: string,
  from: IndexesOptions[],
  to: IndexesOptions[],
  more: Partial<Case> = {},
): Case => ({
  name,
  before: withIndexes(...from),
  after: withIndexes(...to),
  ...more,
})

const kept = (name: string, ...indexes: IndexesOptions[]): Case => unchanged(name, withIndexes(...indexes))

const lower = Sequelize.fn('lower', Sequelize.col('a'))

export const indexes: Cases = [
  change('one is added', [], [{ fields: ['a', 'b'] }], { has: ["addIndex('items', ['a', 'b'], { name: 'items_a_b' })"] }), // prettier-ignore
  change('one is dropped', [{ fields: ['a'] }], [], { has: ["removeIndex('items', 'items_a')"] }),
  change('one becomes unique', [{ fields: ['a'], name: 'i' }], [{ fields: ['a'], name: 'i', unique: true }], { has: ['unique: true'] }), // prettier-ignore
  change(
    'one is unique no more',
    [{ fields: ['a'], name: 'i', unique: true }],
    [{ fields: ['a'], name: 'i' }],
  ),
  change('other columns', [{ fields: ['a'], name: 'i' }], [{ fields: ['a', 'b'], name: 'i' }]),
  change('the same columns in another order', [{ fields: ['a', 'b'], name: 'i' }], [{ fields: ['b', 'a'], name: 'i' }]), // prettier-ignore
  change('another direction', [{ fields: ['a'], name: 'i' }], [{ fields: [{ name: 'a', order: 'DESC' }], name: 'i' }], { has: ["order: 'DESC'"] }), // prettier-ignore
  change('another condition', [{ fields: ['a'], name: 'i', where: { b: 1 } }], [{ fields: ['a'], name: 'i', where: { b: 2 } }], { has: ['WHERE'] }), // prettier-ignore
  change('an expression is added', [], [{ fields: [lower], name: 'i' }], { has: ['lower('] }),
  change('an expression is changed', [{ fields: [lower], name: 'i' }], [{ fields: [Sequelize.fn('upper', Sequelize.col('a'))], name: 'i' }]), // prettier-ignore
  change('another name', [{ fields: ['a'], name: 'i' }], [{ fields: ['a'], name: 'j' }], {
    has: ['RENAME TO "j"'],
  }),
  change('gin', [], [{ fields: ['c'], using: 'gin' }], { has: ["using: 'gin'"] }),
  change('gin with an operator class', [], [{ fields: ['c'], using: 'gin', operator: 'jsonb_path_ops' }], { has: ['jsonb_path_ops'] }), // prettier-ignore
  change('another method', [{ fields: ['a'], name: 'i' }], [{ fields: ['a'], name: 'i', using: 'hash' }]),
  change('CONCURRENTLY in a model is no matter', [], [{ fields: ['a'], concurrently: true }]),
  kept('plain', { fields: ['a'] }, { fields: ['b', 'a'] }),
  kept('directions', {
    fields: [
      { name: 'a', order: 'DESC' },
      { name: 'b', order: 'ASC' },
    ],
  }),
  kept('partial', { fields: ['a'], where: { b: { [Op.gt]: 3 }, a: { [Op.ne]: null } }, name: 'p' }),
  kept('partial over a list', { fields: ['b'], where: { a: ['x', 'y'] }, name: 'p' }),
  kept('of expressions', { fields: [lower], name: 'e' }, { fields: [Sequelize.literal("(a || '-' || d)")], name: 'f' }), // prettier-ignore
  kept('methods and operator classes', { fields: ['c'], using: 'gin', operator: 'jsonb_path_ops' }, { fields: ['a'], using: 'hash' }, { fields: [{ name: 'd', operator: 'text_pattern_ops' }], name: 'pattern' }), // prettier-ignore
  kept('unique', { fields: ['a', 'b'], unique: true }),
  kept('a name of more than 63 bytes', { fields: ['a'], name: 'a_name_that_is_much_longer_than_the_sixty_three_bytes_that_postgresql_keeps' }), // prettier-ignore
  kept('collations', { fields: [{ name: 'a', collate: 'C' }], name: 'collated' }),
  unchanged('other spelling of one expression', withIndexes({ fields: [lower], name: 'e' }), {
    sql: 'DROP INDEX e; CREATE INDEX e ON items (lower((a)::text))',
  }),
  unchanged('one made with CONCURRENTLY', withIndexes({ fields: ['a'] }), {
    sql: 'DROP INDEX items_a; CREATE INDEX items_a ON items USING btree (a ASC NULLS LAST)',
  }),
  unchanged('one that a hook adds', (sequelize) => {
    sequelize.define('item', { a: STRING }, { timestamps: false }).afterSync(async () => {
      await sequelize.query('CREATE INDEX IF NOT EXISTS by_hook ON items (a)')
    })
  }),
]
