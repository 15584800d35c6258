import { DataTypes } from 'sequelize'

import { items, unchanged, type Cases, type Define } from '../support/case.ts'

const user: Define = (sequelize) => void sequelize.define('User', { name: DataTypes.STRING })

const userAndPost: Define = (sequelize) => {
  const User = sequelize.define('User', { name: DataTypes.STRING })
  const attributes = { slug: { type: DataTypes.STRING, unique: true }, title: DataTypes.STRING }
  sequelize.define('Post', attributes, { indexes: [{ fields: ['title'] }] }).belongsTo(User)
}

/** A table in partitions, with an index: models know the table. */
const PARTITIONED = `
  CREATE TABLE items (id integer PRIMARY KEY, a varchar(255)) PARTITION BY RANGE (id);
  CREATE TABLE items_low PARTITION OF items FOR VALUES FROM (0) TO (1000);
  CREATE INDEX items_a ON items (a)`

const id = { type: DataTypes.INTEGER, primaryKey: true }

export const tables: Cases = [
  {
    name: 'one in partitions gets and loses columns and indexes',
    before: () => undefined,
    sql: PARTITIONED,
    renames: false,
    after: items({ id, b: { type: DataTypes.STRING, allowNull: false } }, { indexes: [{ fields: ['b'] }] }),
    has: ["addColumn('items', 'b'", "removeColumn('items', 'a')", "addIndex('items', ['b']"],
    hasNot: ['items_low', 'PARTITION'],
  },
  {
    name: 'one that was partitioned is dropped, and comes back so',
    before: () => undefined,
    sql: 'CREATE TABLE items (id integer, "On" date, PRIMARY KEY (id, "On")) PARTITION BY LIST (id)',
    after: (sequelize) => void sequelize.define('other', {}, { timestamps: false }),
    has: ["dropTable('items')", 'PARTITION BY LIST (id)'],
  },
  {
    name: 'one with a foreign key, a unique constraint and an index is added',
    before: user,
    after: userAndPost,
    has: ['createTable(', 'addIndex(', "type: 'unique'", "type: 'foreign key'"],
  },
  {
    name: 'one with indexes and constraints is dropped, in one call',
    before: userAndPost,
    after: user,
    has: ["dropTable('Posts')"],
    hasNot: ['removeIndex(', 'removeConstraint('],
  },
  {
    name: 'two that refer to each other are added',
    before: user,
    after: (sequelize) => {
      user(sequelize)
      const A = sequelize.define('a', {})
      const B = sequelize.define('b', {})
      A.belongsTo(B)
      B.belongsTo(A)
    },
  },
  {
    name: 'mixed case, spaces and reserved words',
    before: (sequelize) => void sequelize.define('x', {}, { tableName: 'Order Items', timestamps: false }),
    after: (sequelize) => {
      sequelize.define('x', { 'select': DataTypes.STRING, 'two words': DataTypes.INTEGER }, { tableName: 'Order Items', timestamps: false, indexes: [{ fields: ['select', 'two words'] }] }) // prettier-ignore
      sequelize.define('y', { userName: DataTypes.STRING }, { tableName: 'user' })
    },
  },
  {
    name: 'one whose names hold quotes',
    before: user,
    after: (sequelize) => {
      user(sequelize)
      sequelize.define('x', { "it's": DataTypes.STRING, 'a`b': DataTypes.INTEGER }, { tableName: "o'neil" })
    },
  },
  {
    name: 'a join table of belongsToMany is added',
    before: (sequelize) => {
      sequelize.define('left', {})
      sequelize.define('right', {})
    },
    after: (sequelize) => {
      const Left = sequelize.define('left', {})
      const Right = sequelize.define('right', {})
      Left.belongsToMany(Right, { through: 'both' })
      Right.belongsToMany(Left, { through: 'both' })
    },
  },
  {
    name: 'one becomes paranoid and underscored columns come',
    before: (sequelize) => void sequelize.define('note', { text: DataTypes.TEXT }, { underscored: true }),
    after: (sequelize) =>
      void sequelize.define('note', { text: DataTypes.TEXT }, { underscored: true, paranoid: true }),
    has: ["'deleted_at'"],
  },
  unchanged('the migration log is no table of the models', user),
  unchanged('with associations of every kind', (sequelize) => {
    const A = sequelize.define('a', {})
    const B = sequelize.define('b', {})
    A.hasMany(B)
    B.belongsTo(A)
    A.hasOne(B, { as: 'first', foreignKey: 'firstOf' })
    A.belongsTo(A, { as: 'parent' })
  }),
  unchanged('mixed case and reserved words stay', (sequelize) => {
    sequelize.define('x', { 'select': DataTypes.STRING, 'Group': DataTypes.STRING }, { tableName: 'Order' }) // prettier-ignore
  }),
  unchanged('underscored and paranoid stay', (sequelize) => {
    sequelize.define('userNote', { longText: DataTypes.TEXT }, { underscored: true, paranoid: true })
  }),
  unchanged('VIRTUAL attributes have no column', items({ v: DataTypes.VIRTUAL, w: DataTypes.STRING })),
  unchanged('a view, a function and a trigger are no matter of the models', items({ n: DataTypes.INTEGER }), {
    sql: `CREATE VIEW seen AS SELECT n FROM items;
          CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
          CREATE TRIGGER touch BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION touched();
          CREATE SEQUENCE of_its_own;
          ALTER TABLE items SET (fillfactor = 70)`,
  }),
  {
    name: 'a model on a view is no table',
    before: items({ n: DataTypes.INTEGER }),
    after: (sequelize) => {
      items({ n: DataTypes.INTEGER })(sequelize)
      sequelize.define('seen', { n: DataTypes.INTEGER }, { tableName: 'seen', timestamps: false })
    },
    sql: 'CREATE VIEW seen AS SELECT id, n FROM items',
    same: true,
  },
]
