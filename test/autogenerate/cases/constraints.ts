import { DataTypes, Deferrable, type BelongsToOptions } from 'sequelize'

import { items, unchanged, type Case, type Cases, type Define } from '../support/case.ts'

const { INTEGER, STRING } = DataTypes

const related =
  (options?: BelongsToOptions): Define =>
  (sequelize) => {
    const User = sequelize.define('user', {}, { timestamps: false })
    const Post = sequelize.define('post', { userId: INTEGER }, { timestamps: false })
    if (options !== undefined) Post.belongsTo(User, { foreignKey: 'userId', ...options })
  }

const change = (name: string, from: BelongsToOptions | undefined, to: BelongsToOptions | undefined, more: Partial<Case> = {}): Case => ({ name, before: related(from), after: related(to), ...more }) // prettier-ignore

const plain = { onDelete: 'NO ACTION', onUpdate: 'NO ACTION' }

const reference =
  (more: object): Define =>
  (sequelize) => {
    sequelize.define('user', {}, { timestamps: false })
    sequelize.define(
      'post',
      { userId: { type: INTEGER, references: { model: 'users', key: 'id', ...more } } },
      { timestamps: false },
    )
  }

const keyed =
  (...key: string[]): Define =>
  (sequelize) => {
    const column = (name: string) => ({ type: STRING, allowNull: false, primaryKey: key.includes(name) })
    const Item = sequelize.define('item', { a: column('a'), b: column('b') }, { timestamps: false })
    if (key.length === 0) Item.removeAttribute('id')
  }

export const constraints: Cases = [
  change(
    'a foreign key is added',
    undefined,
    {},
    { has: ["type: 'foreign key'", "name: 'posts_userId_fkey'"] },
  ),
  change('a foreign key is dropped', {}, undefined, {
    has: ["removeConstraint('posts', 'posts_userId_fkey')"],
  }),
  change(
    'ON DELETE changes',
    { onDelete: 'SET NULL' },
    { onDelete: 'CASCADE' },
    { has: ["onDelete: 'CASCADE'"] },
  ),
  change('ON DELETE goes', { onDelete: 'CASCADE' }, plain),
  change('ON UPDATE comes', plain, { ...plain, onUpdate: 'CASCADE' }),
  change('RESTRICT is not NO ACTION', plain, { ...plain, onDelete: 'RESTRICT' }),
  {
    name: 'one becomes deferrable',
    before: reference({}),
    after: reference({ deferrable: new Deferrable.INITIALLY_DEFERRED() }),
    has: ['DEFERRABLE INITIALLY DEFERRED'],
  },
  {
    name: 'unique is added',
    before: items({ a: STRING }),
    after: items({ a: { type: STRING, unique: true } }),
    has: ["type: 'unique'", "name: 'items_a_key'"],
  },
  {
    name: 'unique is dropped',
    before: items({ a: { type: STRING, unique: true } }),
    after: items({ a: STRING }),
    has: ["removeConstraint('items', 'items_a_key')"],
  },
  {
    name: 'unique over two columns is added',
    before: items({ a: STRING, b: INTEGER }),
    after: items({ a: { type: STRING, unique: 'both' }, b: { type: INTEGER, unique: 'both' } }),
    has: ["fields: ['a', 'b']"],
  },
  {
    name: 'a unique constraint becomes a unique index',
    before: items({ a: { type: STRING, unique: true } }),
    after: items({ a: STRING }, { indexes: [{ fields: ['a'], unique: true, name: 'items_a_key' }] }),
  },
  { name: 'the primary key gets a second column', before: keyed('a'), after: keyed('a', 'b') },
  { name: 'the primary key changes its column', before: keyed('a'), after: keyed('b') },
  { name: 'the primary key goes', before: keyed('a'), after: keyed() },
  {
    name: 'a check of the database goes, and comes back',
    before: items({ a: INTEGER }),
    after: items({ a: INTEGER }),
    sql: 'ALTER TABLE items ADD CONSTRAINT positive CHECK (a > 0 AND a <> ALL (ARRAY[5, 6]))',
    has: ["removeConstraint('items', 'positive')", 'CHECK'],
  },
  {
    name: 'an exclusion of the database goes, and comes back',
    before: items({ a: DataTypes.RANGE(INTEGER) }),
    after: items({ a: DataTypes.RANGE(INTEGER) }),
    sql: 'ALTER TABLE items ADD CONSTRAINT apart EXCLUDE USING gist (a WITH &&)',
    has: ['EXCLUDE USING gist'],
  },
  unchanged('ON DELETE and ON UPDATE stay', related({ onDelete: 'CASCADE', onUpdate: 'RESTRICT' })),
  unchanged('no action said and not said', related(plain)),
  {
    name: 'NO ACTION and none are the same',
    before: reference({}),
    after: related(plain),
    same: true,
  },
  unchanged('deferrable stays', reference({ deferrable: new Deferrable.INITIALLY_IMMEDIATE() })),
  unchanged('constraints: false has none', related({ constraints: false })),
  unchanged('unique stays', items({ a: { type: STRING, unique: true }, b: { type: STRING, unique: 'x' }, c: { type: STRING, unique: 'x' } })), // prettier-ignore
  unchanged('composite keys stay', keyed('a', 'b')),
  unchanged('a table without a key', keyed()),
  unchanged('to itself and in a circle', (sequelize) => {
    const A = sequelize.define('a', {})
    const B = sequelize.define('b', {})
    A.belongsTo(A, { as: 'parent' })
    A.belongsTo(B)
    B.belongsTo(A)
  }),
  unchanged('to a key that is no primary key', (sequelize) => {
    sequelize.define('a', { code: { type: STRING, unique: true } })
    sequelize.define('b', { code: { type: STRING, references: { model: 'as', key: 'code' } } })
  }),
]
