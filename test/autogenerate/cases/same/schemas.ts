/** What stands around the models' tables, and is no matter of the models. */
import { DataTypes } from 'sequelize'

import { equal, items, itemsWith, type Case, type Cases } from '../../support/case.ts'

const { INTEGER, TEXT } = DataTypes

/** Table `items` as its model says, in partitions, of which one has an index of its own. */
const PARTITIONED = `
  CREATE TABLE items (id integer PRIMARY KEY, a text, n integer) PARTITION BY RANGE (id);
  CREATE TABLE items_low PARTITION OF items FOR VALUES FROM (0) TO (1000);
  CREATE TABLE "items rest" PARTITION OF items DEFAULT;
  CREATE INDEX items_n ON items (n);
  CREATE UNIQUE INDEX items_id_n ON items (id, n);
  CREATE INDEX of_its_own ON items_low (a);`

const partitioned = items(
  { id: { type: INTEGER, primaryKey: true }, a: TEXT, n: INTEGER },
  { indexes: [{ fields: ['n'] }, { fields: ['id', 'n'], unique: true }] },
)

/** Table `items` as its model says, and something else. */
const beside = (name: string, sql: string, more: Partial<Case> = {}): Case =>
  equal(name, `${itemsWith('a text, n integer')} ${sql}`, items({ a: TEXT, n: INTEGER }), more)

export const schemas: Cases = [
  equal('a partitioned table with its indexes, and partitions', PARTITIONED, partitioned),
  equal('a partition with the name of a shared table', PARTITIONED, (sequelize) => {
    partitioned(sequelize)
    sequelize.define('low', {}, { tableName: 'items_low', schema: 'shared' })
  }),
  beside('a comment that is empty', "COMMENT ON TABLE items IS ''; COMMENT ON COLUMN items.a IS ''"),
  beside('a comment that came and went', "COMMENT ON TABLE items IS 'x'; COMMENT ON TABLE items IS NULL"),
  beside('comments of what models do not comment', "COMMENT ON CONSTRAINT items_pkey ON items IS 'key'; COMMENT ON SEQUENCE items_id_seq IS 'count'"), // prettier-ignore
  beside('a view', 'CREATE VIEW seen AS SELECT * FROM items'),
  beside('a materialized view with an index', 'CREATE MATERIALIZED VIEW seen AS SELECT n FROM items; CREATE UNIQUE INDEX ON seen (n)'), // prettier-ignore
  beside('a view with the name of a model', 'CREATE VIEW seen AS SELECT id, n FROM items', {
    after: (sequelize) => {
      items({ a: TEXT, n: INTEGER })(sequelize)
      sequelize.define('seen', { n: INTEGER }, { tableName: 'seen', timestamps: false })
    },
  }),
  beside('a sequence of its own', 'CREATE SEQUENCE invoices START 1000'),
  beside('functions and procedures', "CREATE FUNCTION one() RETURNS integer LANGUAGE sql AS 'SELECT 1'; CREATE PROCEDURE act() LANGUAGE sql AS ''"), // prettier-ignore
  beside(
    'a trigger',
    `CREATE FUNCTION touched() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
     CREATE TRIGGER touch BEFORE UPDATE ON items FOR EACH ROW EXECUTE FUNCTION touched()`,
  ),
  beside('row security and a policy', 'ALTER TABLE items ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON items USING (n > 0)'), // prettier-ignore
  beside('a rule', 'CREATE RULE keep AS ON DELETE TO items WHERE n > 0 DO INSTEAD NOTHING'),
  beside('storage parameters', 'ALTER TABLE items SET (fillfactor = 70, autovacuum_enabled = off)'),
  beside('how columns are stored', 'ALTER TABLE items ALTER a SET STORAGE EXTERNAL, ALTER n SET STATISTICS 500'), // prettier-ignore
  beside('what is told of a replica', 'ALTER TABLE items REPLICA IDENTITY FULL'),
  beside('a table that keeps no log', 'ALTER TABLE items SET UNLOGGED'),
  beside('an order of rows', 'CLUSTER items USING items_pkey'),
  beside('rights', 'GRANT SELECT ON items TO public; GRANT USAGE ON SEQUENCE items_id_seq TO public'),
  beside('a composite type', 'CREATE TYPE pair AS (a integer, b text)'),
  beside('a range type and a domain', "CREATE TYPE floats AS RANGE (subtype = float8); CREATE DOMAIN short AS text CHECK (length(VALUE) < 9)"), // prettier-ignore
  beside('rows', "INSERT INTO items (a, n) SELECT 'x', n FROM generate_series(1, 50) AS n"),
  beside('a column that was dropped', 'ALTER TABLE items ADD gone text; ALTER TABLE items DROP gone'),
  beside('columns in another order', 'ALTER TABLE items DROP a, ADD a text'),
  beside('a table that was renamed', 'ALTER TABLE items RENAME TO x; ALTER TABLE x RENAME TO items'),
  beside('a column that was renamed', 'ALTER TABLE items RENAME a TO x; ALTER TABLE items RENAME x TO a'),
  beside('the log of migrations', 'CREATE TABLE "SequelizeMeta" (name varchar(255) PRIMARY KEY)'),
  beside('the log of seeders', 'CREATE TABLE "SequelizeData" (name varchar(255) PRIMARY KEY)'),
  beside('the log of Alembic', 'CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY)'),
  beside('a table that is left out', 'CREATE TABLE legacy_a (id serial PRIMARY KEY, a text UNIQUE)', {
    rules: { exclude: ['legacy_*'] },
  }),
  beside('a table that is not among those to compare', 'CREATE TYPE t AS ENUM (\'x\'); CREATE TABLE b (a t)', {
    rules: { include: ['items'] },
  }), // prettier-ignore
  beside('indexes of the database, if they are ignored', 'CREATE INDEX slow ON items (a) WHERE n > 0', {
    rules: { ignore: ['indexes'] },
  }),
  beside('checks of the database, if they are ignored', 'ALTER TABLE items ADD CHECK (n > 0)', {
    rules: { ignore: ['constraints'] },
  }),
  beside('defaults of the database, if they are ignored', "ALTER TABLE items ALTER a SET DEFAULT 'x'", {
    rules: { ignore: ['defaults'] },
  }),
  beside('comments of the database, if they are ignored', "COMMENT ON COLUMN items.a IS 'by hand'", {
    rules: { ignore: ['comments'] },
  }),
]
