import { DataTypes, QueryTypes, Sequelize, type QueryInterface } from 'sequelize'
import * as assert from 'uvu/assert'

import { bindQueryInterface } from '../../lib/query-interface/bind.ts'
import { catalogOf, rowsOf } from '../support/catalog.ts'
import { testDatabase } from '../support/database.ts'
import { suite } from '../support/suite.ts'

const test = suite('query-interface/bind')
const database = testDatabase(test)

/** Two schemas that differ in what is asked of the helpers, and one where a stock Sequelize would look. */
const DEFINITION = ['a', 'b', 'public'].map(
  (schema, index) => `
    CREATE SCHEMA IF NOT EXISTS ${schema};
    CREATE TYPE ${schema}.enum_t_mood AS ENUM ('${schema}');
    CREATE TABLE ${schema}.parent (id integer PRIMARY KEY);
    CREATE TABLE ${schema}.t (
      id integer PRIMARY KEY, mood ${schema}.enum_t_mood, ${schema}_only varchar(${index + 1}),
      parent integer CONSTRAINT t_parent REFERENCES ${schema}.parent);
    COMMENT ON COLUMN ${schema}.t.mood IS '${schema}';
    CREATE INDEX t_${schema} ON ${schema}.t (mood);`,
)

let schema: string | undefined
let sequelize: Sequelize | undefined

function helpers(): QueryInterface {
  if (sequelize === undefined) {
    sequelize = new Sequelize(database.url, { dialect: 'postgres', logging: false })
    bindQueryInterface(sequelize, () => schema)
  }
  return sequelize.getQueryInterface()
}

test.before(() => database.query(DEFINITION.join('\n')))
test.before.each(() => (schema = 'a'))
test.after(() => sequelize?.close())

test('describeTable answers for the current schema, with its labels and comments', async () => {
  for (schema of ['a', 'b', 'public']) {
    const columns: Record<string, { special?: unknown; comment?: unknown; primaryKey?: unknown }> =
      await helpers().describeTable('t')
    assert.equal(Object.keys(columns), ['id', 'mood', `${schema}_only`, 'parent'])
    assert.equal([columns['mood']?.special, columns['mood']?.comment], [[schema], schema])
    assert.equal([columns['id']?.primaryKey, columns['mood']?.primaryKey], [true, false])
  }
})

test('the schema is asked for at each statement, and without one it is public', async () => {
  const firstOnly = async () => Object.keys(await helpers().describeTable('t'))[2]
  assert.is(await firstOnly(), 'a_only')
  schema = 'b'
  assert.is(await firstOnly(), 'b_only')
  schema = undefined
  assert.is(await firstOnly(), 'public_only')
})

test('a schema that is given wins over the current one', async () => {
  const columns = await helpers().describeTable({ tableName: 't', schema: 'b' })
  assert.ok('b_only' in columns)
  assert.ok('b_only' in (await helpers().describeTable('t', 'b')))
})

test('tables, indexes, constraints and keys are those of the current schema', async () => {
  const q = helpers()
  await database.query('CREATE TABLE b.only_b (id integer)')
  assert.equal(await q.showAllTables().then((tables) => tables.length), 2)
  assert.equal([await q.tableExists('t'), await q.tableExists('only_b')], [true, false])
  const indexes = (await q.showIndex('t')) as { name: string }[] // typed as object upstream
  assert.equal(
    indexes.map(({ name }) => name),
    ['t_a', 't_pkey'],
  )
  // Not typed upstream.
  const { showConstraint } = q as unknown as {
    showConstraint: (table: string) => Promise<{ tableSchema: string }[]>
  }
  const constraints = await showConstraint.call(q, 't')
  assert.ok(constraints.length > 0 && constraints.every(({ tableSchema }) => tableSchema === 'a'))
  const references = (await q.getForeignKeyReferencesForTable('t')) as Record<string, unknown>[] // typed as object
  assert.equal(
    references.map((row) => [row['tableSchema'], row['referencedTableSchema'], row['constraintName']]),
    [['a', 'a', 't_parent']],
  )
})

test('an ENUM is made in the current schema, though another has one of that name', async () => {
  const moods = { tableName: 'moods', schema: 'a' }
  await helpers().createTable(moods, { mood: DataTypes.ENUM('x', 'y') })
  await helpers().addColumn('moods', 'kind', DataTypes.ENUM('z'))
  const types = (await catalogOf(database)).filter((line) => /^type \w+\.enum_moods/.test(line))
  assert.equal(types, ['type a.enum_moods_kind z', 'type a.enum_moods_mood x,y'])
  await database.query('DROP TABLE a.moods; DROP TYPE a.enum_moods_mood, a.enum_moods_kind')
})

test('the ENUMs that are listed are those of the current schema', async () => {
  const { sequelize: own, queryGenerator } = helpers()
  const { pgListEnums } = queryGenerator as { pgListEnums: () => string } // typed as unknown upstream
  for (schema of ['a', 'b']) {
    const enums = await own.query(pgListEnums(), { type: QueryTypes.SELECT })
    assert.equal(enums, [{ enum_name: 'enum_t_mood', enum_value: `{${schema}}` }])
  }
})

for (const name of [
  'q"uote',
  "q'uote",
  'q"; DROP SCHEMA b CASCADE; --',
  "q'; DROP SCHEMA b CASCADE; --",
  'q.dot',
  'Q b',
]) {
  test(`helpers work in a schema called ${name}, and nowhere else`, async () => {
    const before = [await catalogOf(database), await rowsOf(database, 'b.t')]
    const quoted = `"${name.replaceAll('"', '""')}"`
    await database.query(`CREATE SCHEMA ${quoted}`)
    schema = name
    const q = helpers()
    const located = (tableName: string) => ({ tableName, schema: name })
    await q.createTable(located('t'), {
      id: { type: DataTypes.INTEGER, primaryKey: true },
      mood: DataTypes.ENUM('m'),
    })
    await q.createTable(located('child'), { t: { type: DataTypes.INTEGER, references: { model: located('t'), key: 'id' } } }) // prettier-ignore
    await q.addColumn('t', 'kind', DataTypes.ENUM('k'))
    await q.addIndex(located('t'), ['mood'], { name: 'by_mood' })
    await q.bulkInsert(located('t'), [{ id: 1, mood: 'm', kind: 'k' }])
    assert.equal(Object.keys(await q.describeTable('t')), ['id', 'mood', 'kind'])
    assert.ok(await q.tableExists('t'))
    assert.is(((await q.showIndex('t')) as unknown[]).length, 2)
    assert.is(((await q.getForeignKeyReferencesForTable('child')) as unknown[]).length, 1)
    await q.removeColumn('t', 'kind')
    await q.dropTable(located('child'))
    assert.equal(await rowsOf(database, `${quoted}.t`), ['{"id": 1, "mood": "m"}'])
    await database.query(`DROP SCHEMA ${quoted} CASCADE`)
    assert.equal([await catalogOf(database), await rowsOf(database, 'b.t')], before)
  })
}

test('identifiers other than the schema are quoted as Sequelize quotes them', () => {
  const generator = helpers().queryGenerator as { quoteIdentifier(name: string): string } // typed as unknown upstream
  assert.equal(['x', 'a b', '"already"', 'a'].map((name) => generator.quoteIdentifier(name)), ['"x"', '"a b"', '"already"', '"a"']) // prettier-ignore
})

test.run()
