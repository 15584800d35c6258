import { DataTypes, Sequelize } from 'sequelize'
import * as assert from 'uvu/assert'

import { TenantContext } from '../../lib/context.ts'
import { missingLabels } from '../../lib/query-interface/enums.ts'
import { typesOf } from '../../lib/query-interface/sequelize.ts'
import { learnTypes } from '../../lib/query-interface/types.ts'
import { bindSearchPath } from '../../lib/search-path.ts'
import { createTenant } from '../../lib/tenant.ts'
import { testDatabase } from '../support/database.ts'
import { suite } from '../support/suite.ts'

const test = suite('query-interface/enums')
const database = testDatabase(test)

const context = new TenantContext({ searchPath: ['shared'], onMissing: 'error' } as never) // what it reads of its options
const open: Sequelize[] = []

/** An application's Sequelize, bound, with a pool of one connection, which is open. */
async function application(): Promise<Sequelize> {
  const sequelize = new Sequelize(database.url, {
    dialect: 'postgres',
    logging: false,
    pool: { max: 1, acquire: 2000 },
  })
  open.push(sequelize)
  bindSearchPath(sequelize, context)
  await context.runShared(() => sequelize.authenticate())
  return sequelize
}

let tenants = 0
async function inNewTenant<T>(fn: (schema: string) => Promise<T>): Promise<T> {
  const id = `tenant_${++tenants}`
  await database.query(`CREATE SCHEMA ${id}`)
  return context.run(createTenant({ id }, { names: 'strict', reserved: [] }), () => fn(id))
}

test.after(() => Promise.all(open.map((sequelize) => sequelize.close())))

test('arrays of an ENUM of a tenant made later are arrays once its types are learned', async () => {
  const sequelize = await application()
  await inNewTenant(async (schema) => {
    await database.query(`
      CREATE TYPE ${schema}.flag AS ENUM ('hot', 'last, one');
      CREATE TABLE ${schema}.t AS SELECT '{hot,"last, one"}'::${schema}.flag[] AS flags, 'hot'::${schema}.flag AS flag`)
    const read = async () => (await sequelize.query('SELECT * FROM t'))[0]
    assert.equal(await read(), [{ flags: '{hot,"last, one"}', flag: 'hot' }])
    await learnTypes(sequelize, schema)
    assert.equal(await read(), [{ flags: ['hot', 'last, one'], flag: 'hot' }])
    const { oids } = typesOf(sequelize).enumOids
    const count = oids.length
    await learnTypes(sequelize, schema)
    assert.is(oids.length, count, 'again changes nothing')
  })
})

test('only the types of the schema that is named are learned', async () => {
  const sequelize = await application()
  const known = typesOf(sequelize).enumOids.oids.length
  await database.query(
    "CREATE SCHEMA other; CREATE TYPE other.kind AS ENUM ('a'); CREATE TYPE public.kind AS ENUM ('a')",
  )
  await context.runShared(() => learnTypes(sequelize, 'no schema of this name'))
  assert.is(typesOf(sequelize).enumOids.oids.length, known)
  await context.runShared(() => learnTypes(sequelize, 'other'))
  assert.is(typesOf(sequelize).enumOids.oids.length, known + 1)
})

test('ENUM columns are made in a transaction on a pool of one connection, and their arrays come back as arrays', async () => {
  const sequelize = await application()
  await inNewTenant(async () => {
    const T = sequelize.define(
      'T',
      { mood: DataTypes.ENUM('a', 'b'), kinds: DataTypes.ARRAY(DataTypes.ENUM('x', 'y')) },
      { timestamps: false },
    )
    await sequelize.transaction(async (transaction) => {
      await sequelize.getQueryInterface().createTable('u', { kind: DataTypes.ENUM('c') }, { transaction })
      await T.sync({ ...({ transaction } as object) }) // typed without it
      await T.create({ mood: 'a', kinds: ['y', 'x'] }, { transaction })
      const [row] = await T.findAll({ transaction, raw: true })
      assert.equal(row, { id: 1, mood: 'a', kinds: ['y', 'x'] })
    })
  })
})

test('labels are added to the right type when only some of the types exist', async () => {
  const sequelize = await application()
  await inNewTenant(async (schema) => {
    const options = { tableName: 'levels', timestamps: false }
    await sequelize
      .define('Level', { second: DataTypes.ENUM('a', 'c'), third: DataTypes.ENUM('k') }, options)
      .sync()
    const Level = sequelize.define(
      'Level',
      {
        first: DataTypes.ENUM('x'),
        second: DataTypes.ENUM('a', 'b', 'c', 'd'),
        third: DataTypes.ENUM('j', 'k'),
      },
      options,
    )
    await Level.sync({ alter: true })
    const rows = await database.query(
      `SELECT typname AS type, string_agg(enumlabel, ',' ORDER BY enumsortorder) AS labels
         FROM pg_enum JOIN pg_type t ON t.oid = enumtypid WHERE typnamespace = $1::regnamespace GROUP BY 1 ORDER BY 1`,
      [schema],
    )
    assert.equal(rows, [
      { type: 'enum_levels_first', labels: 'x' },
      { type: 'enum_levels_second', labels: 'a,b,c,d' },
      { type: 'enum_levels_third', labels: 'j,k' },
    ])
  })
})

test('a model with an ENUM is dropped with its type, without options too', async () => {
  const sequelize = await application()
  await inNewTenant(async (schema) => {
    const Thing = sequelize.define('Thing', { kind: DataTypes.ENUM('a') }, { timestamps: false })
    await Thing.sync()
    await Thing.drop()
    assert.equal(
      await database.query('SELECT FROM pg_type WHERE typnamespace = $1::regnamespace', [schema]),
      [],
    )
  })
})

test('dropAllEnums drops what no column uses, and fails for the rest, as upstream', async () => {
  const sequelize = await application()
  await inNewTenant(async (schema) => {
    await sequelize.query(
      "CREATE TYPE a AS ENUM ('x'); CREATE TYPE b AS ENUM ('x'); CREATE TYPE c AS ENUM ('x')",
    )
    await sequelize.query('CREATE TABLE t (a a)')
    const queryInterface = sequelize.getQueryInterface()
    const failure = await queryInterface.dropAllEnums().then(
      () => undefined,
      (error: Error) => error.message,
    )
    assert.is(failure, 'cannot drop type a because other objects depend on it')
    assert.equal(
      await database.query(
        "SELECT typname FROM pg_type WHERE typnamespace = $1::regnamespace AND typtype = 'e'",
        [schema],
      ),
      [{ typname: 'a' }],
    )
  })
})

test('a missing label stands where the list has it', () => {
  const placed = (labels: string, wanted: string) => missingLabels(labels.split(''), wanted.split(''))
  assert.equal(placed('bd', 'abcd'), [
    { label: 'a', before: 'b' },
    { label: 'c', before: 'd' },
  ])
  assert.equal(placed('ab', 'abcd'), [
    { label: 'd', after: 'b' },
    { label: 'c', after: 'b' },
  ])
  assert.equal(placed('xa', 'ab'), [{ label: 'b', after: 'a' }])
  assert.equal(placed('ab', 'ba'), [])
})

test.run()
