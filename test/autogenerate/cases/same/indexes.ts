/** Indexes in other words than Sequelize's. */
import { DataTypes, Op, Sequelize, type IndexesOptions } from 'sequelize'

import { equal, items, itemsWith, type Case, type Cases } from '../../support/case.ts'

const { INTEGER, STRING, TEXT, BOOLEAN, JSONB, DATE } = DataTypes

const COLUMNS = itemsWith(
  'a varchar(255), b integer, c jsonb, d text, e boolean, "deletedAt" timestamptz, "two words" integer',
)

/** One index on a table with columns of several types, in SQL and in a model. */
const index = (name: string, sql: string, options: IndexesOptions): Case =>
  equal(
    name,
    `${COLUMNS} CREATE ${sql}`,
    items(
      { a: STRING, b: INTEGER, c: JSONB, d: TEXT, e: BOOLEAN, deletedAt: DATE, 'two words': INTEGER },
      { indexes: [options] },
    ),
  )

const LONG = 'a_name_that_is_much_longer_than_the_sixty_three_bytes_that_postgresql_keeps'
const WIDE = 'ü'.repeat(40)

export const indexes: Cases = [
  index('its method said', 'INDEX items_a ON items USING btree (a)', { fields: ['a'] }),
  index('its direction said', 'INDEX items_a ON items (a ASC NULLS LAST)', { fields: ['a'] }),
  index('DESC puts NULL first', 'INDEX i ON items (a DESC NULLS FIRST)', { name: 'i', fields: [{ name: 'a', order: 'DESC' }] }), // prettier-ignore
  index('its operators said', 'INDEX items_d ON items (d text_ops)', { fields: ['d'] }),
  index('the usual operators of a document', 'INDEX items_c ON items USING gin (c jsonb_ops)', { fields: ['c'], using: 'gin' }), // prettier-ignore
  index('the collation of its column said', 'INDEX items_a ON items (a COLLATE "default")', {
    fields: ['a'],
  }),
  index('names with and without quotes', 'INDEX "items_a_b" ON "items" ("a", B)', { fields: ['a', 'b'] }),
  index('a name with a space', 'INDEX "items_two words" ON items ("two words")', { fields: ['two words'] }),
  index('unique', 'UNIQUE INDEX items_a ON items (a)', { fields: ['a'], unique: true }),
  index('a name cut at 63 bytes, in SQL', `INDEX ${LONG} ON items (a)`, { fields: ['a'], name: LONG.slice(0, 63) }), // prettier-ignore
  index('a name cut at 63 bytes, in the model', `INDEX ${LONG.slice(0, 63)} ON items (a)`, { fields: ['a'], name: LONG }), // prettier-ignore
  index('a name cut between two characters', `INDEX ${WIDE} ON items (a)`, { fields: ['a'], name: WIDE }),
  index('an expression with the cast that PostgreSQL adds', 'INDEX i ON items (lower((a)::text))', { name: 'i', fields: [Sequelize.fn('lower', Sequelize.col('a'))] }), // prettier-ignore
  index('an expression with more parentheses', 'INDEX i ON items (((b) + (1)))', { name: 'i', fields: [Sequelize.literal('(b + 1)')] }), // prettier-ignore
  index('a condition in more parentheses', 'INDEX i ON items (a) WHERE (((b) > (3)))', { name: 'i', fields: ['a'], where: { b: { [Op.gt]: 3 } } }), // prettier-ignore
  index('a condition in capitals', 'INDEX i ON items (a) WHERE "deletedAt" is null', { name: 'i', fields: ['a'], where: { deletedAt: null } }), // prettier-ignore
  index('a condition with <> for !=', 'INDEX i ON items (a) WHERE b <> 3', { name: 'i', fields: ['a'], where: { b: { [Op.ne]: 3 } } }), // prettier-ignore
  index('a condition over a list, as ANY', "INDEX i ON items (b) WHERE d = ANY (ARRAY['x', 'y'])", { name: 'i', fields: ['b'], where: { d: ['x', 'y'] } }), // prettier-ignore
  index('a condition over a list of varchar', "INDEX i ON items (b) WHERE a IN ('x', 'y')", { name: 'i', fields: ['b'], where: { a: ['x', 'y'] } }), // prettier-ignore
  index('a condition with BETWEEN', 'INDEX i ON items (a) WHERE b >= 1 AND b <= 3', { name: 'i', fields: ['a'], where: { b: { [Op.between]: [1, 3] } } }), // prettier-ignore
  index('conditions within conditions', 'INDEX i ON items (a) WHERE ((d = \'x\') OR (e IS NULL)) AND ((b = 1))', { name: 'i', fields: ['a'], where: { b: 1, [Op.or]: [{ d: 'x' }, { e: null }] } }), // prettier-ignore
  index('a condition with a constant as a text', "INDEX i ON items (a) WHERE b = '1'", { name: 'i', fields: ['a'], where: { b: 1 } }), // prettier-ignore
  index('a condition with LIKE as an operator', "INDEX i ON items (a) WHERE d ~~ 'x%'", { name: 'i', fields: ['a'], where: { d: { [Op.like]: 'x%' } } }), // prettier-ignore
  index('a condition with its own truth', 'INDEX i ON items (a) WHERE e = true', { name: 'i', fields: ['a'], where: { e: true } }), // prettier-ignore
  equal(
    'one that was renamed',
    `${itemsWith('a text')} CREATE INDEX old ON items (a); ALTER INDEX old RENAME TO items_a`,
    items({ a: TEXT }, { indexes: [{ fields: ['a'] }] }),
  ),
  equal(
    'one whose column was renamed',
    `${itemsWith('old text')} CREATE INDEX items_a ON items (old) WHERE old IS NOT NULL; ALTER TABLE items RENAME old TO a`,
    items({ a: TEXT }, { indexes: [{ fields: ['a'], where: { a: { [Op.ne]: null } } }] }),
  ),
  equal(
    'storage parameters, of keys too',
    `CREATE TABLE items (id serial PRIMARY KEY WITH (fillfactor = 90), a text);
     CREATE INDEX items_a ON items (a) WITH (fillfactor = 70, deduplicate_items = off) WHERE a <> 'WITH (x)'`,
    items({ a: TEXT }, { indexes: [{ fields: ['a'], where: { a: { [Op.ne]: 'WITH (x)' } } }] }),
  ),
  equal(
    'statistics over several columns',
    `${itemsWith('a text')} CREATE INDEX items_a ON items (a); CREATE STATISTICS of_items ON id, a FROM items`,
    items({ a: TEXT }, { indexes: [{ fields: ['a'] }] }),
  ),
]
