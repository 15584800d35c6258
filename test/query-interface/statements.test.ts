import { DataTypes, Op, Sequelize, type QueryInterface } from 'sequelize'
import * as assert from 'uvu/assert'

import { bindQueryInterface } from '../../lib/query-interface/bind.ts'
import type { Helpers } from '../../lib/query-interface/sequelize.ts'
import { catalogOf } from '../support/catalog.ts'
import { testDatabase } from '../support/database.ts'
import { thrownBy } from '../support/failure.ts'
import { suite } from '../support/suite.ts'

const test = suite('query-interface/statements')
const database = testDatabase(test)

let schema: string | undefined
let sequelize: Sequelize | undefined

/** Helpers in schema `a`, behind which the search path goes on to `public`, where everything is a decoy. */
function helpers(): QueryInterface & Helpers {
  if (sequelize === undefined) {
    sequelize = new Sequelize(`${database.url}?options=-csearch_path%3Da,public`, {
      dialect: 'postgres',
      logging: false,
    })
    bindQueryInterface(sequelize, () => schema)
  }
  return sequelize.getQueryInterface() as QueryInterface & Helpers // typed with less than it has
}

test.before(() =>
  database.query(`
    CREATE SCHEMA a; CREATE SCHEMA shared;
    CREATE TABLE shared.countries (code text PRIMARY KEY, name text);
    CREATE TYPE public.mood AS ENUM ('decoy');
    CREATE TABLE public.t (id integer CONSTRAINT t_ck CHECK (id > 0), name text);
    CREATE INDEX t_name ON public.t (name);
    CREATE FUNCTION public.f() RETURNS integer LANGUAGE sql AS 'SELECT 1';
    CREATE FUNCTION public.on_write() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER t_trigger BEFORE INSERT ON public.t EXECUTE FUNCTION public.on_write();`),
)
test.before.each(() => (schema = 'a'))
test.after(() => sequelize?.close())

test('what the schema does not have is not looked for further along the search path', async () => {
  const q = helpers()
  const before = await catalogOf(database)
  await q.dropTable('t', { cascade: true })
  await q.removeIndex('t', 't_name')
  await q.removeIndex('t', ['name'])
  await q.dropEnum('mood')
  await q.dropAllEnums()
  await q.dropAllTables()
  for (const attempt of [
    () => q.renameTable('t', 'u'),
    () => q.renameColumn('t', 'name', 'title'),
    () => q.changeColumn('t', 'name', { type: DataTypes.STRING }),
    () => q.addColumn('t', 'more', DataTypes.TEXT),
    () => q.removeColumn('t', 'name'),
    () => q.addIndex('t', ['id']),
    () => q.addConstraint('t', { type: 'unique', fields: ['id'] }),
    () => q.removeConstraint('t', 't_ck'),
    () => q.createTrigger('t', 'more', 'before', ['insert'] as never, 'on_write', [], []), // typed otherwise than it works
    () => q.dropTrigger('t', 't_trigger'),
    () => q.renameTrigger('t', 't_trigger', 'u'),
    () => q.dropFunction('f', []),
    () => q.renameFunction('f', [], 'g'),
  ]) {
    assert.instance(await thrownBy(attempt), Error, String(attempt))
  }
  assert.equal(await catalogOf(database), before)
})

test('names that Sequelize makes up do not have the schema in them', async () => {
  const q = helpers()
  await q.createTable('names', { id: { type: DataTypes.INTEGER }, word: DataTypes.TEXT })
  await q.addIndex('names', ['id', 'word'])
  await q.addConstraint('names', { type: 'unique', fields: ['word'] })
  await q.addConstraint('names', { type: 'check', fields: ['id'], where: { id: { [Op.gt]: 0 } } })
  await q.addConstraint({ tableName: 'names' }, { type: 'primary key', fields: ['id'] })
  const indexes = (await q.showIndex('names')) as { name: string }[] // typed as object
  assert.equal(
    indexes.map(({ name }) => name),
    ['names_id_pk', 'names_id_word', 'names_word_uk'],
  )
  await q.dropTable('names')
})

test('removeIndex by columns finds the index of a table in a schema, and no other', async () => {
  const q = helpers()
  for (const name of ['a', 'shared']) {
    const table = { tableName: 'notes', schema: name }
    await q.createTable(table, { id: DataTypes.INTEGER, text: DataTypes.TEXT })
    await q.addIndex(table, ['text'])
    await q.addIndex(table, ['id'], { name: 'by_id' })
  }
  await q.removeIndex({ tableName: 'notes', schema: 'shared' }, ['text'])
  await q.removeIndex('notes', 'by_id')
  const left = await database.query("SELECT schemaname || '.' || indexname AS name FROM pg_indexes WHERE tablename = 'notes' ORDER BY 1") // prettier-ignore
  assert.equal(left, [{ name: 'a.notes_text' }, { name: 'shared.by_id' }])
  await q.removeIndex('shared.notes', 'by_id', { concurrently: true })
  await q.removeIndex('notes', ['text'])
  assert.equal(((await q.showIndex('notes')) as unknown[]).length, 0)
  await q.dropTable('notes')
  await q.dropTable({ tableName: 'notes', schema: 'shared' })
})

test('a table is renamed in its schema, also where the new name repeats that schema', async () => {
  const q = helpers()
  await q.createTable('old', { id: DataTypes.INTEGER })
  await q.renameTable('old', 'older')
  await q.renameTable({ tableName: 'older', schema: 'a' }, { tableName: 'oldest', schema: 'a' })
  assert.equal(await q.showAllTables(), ['oldest'])
  await q.dropTable('oldest')
})

test('a table of another schema is used where it is named, and referenced along the path', async () => {
  const q = helpers()
  await q.addColumn({ tableName: 'countries', schema: 'shared' }, 'size', DataTypes.ENUM('s', 'm'))
  await q.addIndex({ tableName: 'countries', schema: 'shared' }, ['size'])
  assert.ok(await q.tableExists({ tableName: 'countries', schema: 'shared' }))
  await q.createTable('towns', {
    country: {
      type: DataTypes.TEXT,
      references: { model: { tableName: 'countries', schema: 'shared' }, key: 'code' },
    },
  })
  const [key] = (await q.getForeignKeyReferencesForTable('towns')) as Record<string, unknown>[] // typed as object
  assert.equal(
    [key?.['tableSchema'], key?.['referencedTableSchema'], key?.['referencedColumnName']],
    ['a', 'shared', 'code'],
  )
  await q.dropTable('towns')
  await q.removeColumn({ tableName: 'countries', schema: 'shared' }, 'size')
  await q.dropEnum('enum_countries_size', { schema: 'shared' })
})

test('a foreign key of two columns comes back as its two pairs, in order', async () => {
  const q = helpers()
  await database.query(`
    CREATE TABLE a.seats (hall integer, nr integer, PRIMARY KEY (hall, nr));
    CREATE TABLE a.tickets (nr integer, hall integer, CONSTRAINT seat FOREIGN KEY (hall, nr) REFERENCES a.seats DEFERRABLE);`)
  const keys = (await q.getForeignKeyReferencesForTable('tickets')) as {
    columnName: string
    referencedColumnName: string
    deferrable: { toString(): string }
  }[] // typed as object
  assert.equal(
    keys.map((key) => [key.columnName, key.referencedColumnName]),
    [
      ['hall', 'hall'],
      ['nr', 'nr'],
    ],
  )
  assert.equal(await q.getForeignKeysForTables(['tickets', 'seats']), { tickets: ['seat'], seats: [] })
  await q.dropAllTables({ skip: ['seats'] })
  assert.equal(await q.showAllTables(), ['seats'])
  await q.dropAllTables()
})

test('outside a tenant names are left to the search path, as upstream does', async () => {
  schema = undefined
  const q = helpers()
  await q.createTable('outside', { id: DataTypes.INTEGER })
  await q.addIndex('outside', ['id'])
  await q.removeIndex('outside', ['id'])
  await q.dropTable('outside')
  assert.not.ok((await catalogOf(database, 'a')).some((line) => line.includes('outside')))
})

test.run()
