import { QueryTypes, Sequelize } from 'sequelize'
import * as assert from 'uvu/assert'

import { catalogOf, rowsOf } from '../support/catalog.ts'
import { start } from '../support/child.ts'
import { query, testDatabase } from '../support/database.ts'
import { failure } from '../support/failure.ts'
import { temporaryFolders } from '../support/folder.ts'
import { suite } from '../support/suite.ts'
import { createTable, newId, testTenancies } from '../support/tenancies.ts'
import { sequelizeMeta } from '../../lib/storage/sequelize-meta.ts'

const test = suite('storage/sequelize-meta')
const database = testDatabase(test)
const tenancyWith = testTenancies(test, database)
const folder = temporaryFolders(test)

const THREE = { ...createTable('1_a', 'a'), ...createTable('2_b', 'b'), ...createTable('3_c', 'c') }

/** sequelize-cli itself, on one schema. */
async function sequelizeCli(
  url: string,
  schema: string,
  migrations: string,
  command: string,
): Promise<string> {
  const config = await folder({
    'config.cjs': `module.exports = { test: {
      url: ${JSON.stringify(url)}, dialect: 'postgres', migrationStorageTableSchema: ${JSON.stringify(schema)},
      dialectOptions: { options: '-c search_path=${schema}' } } }`,
  })
  const { exitCode, stdout, stderr } = await start('node_modules/.bin/sequelize-cli', [
    command, '--config', `${config}/config.cjs`, '--env', 'test', '--migrations-path', migrations,
  ]).outcome // prettier-ignore
  assert.is(exitCode, 0, stdout + stderr)
  return stdout
}

test('the first record creates the table as sequelize-cli makes it', async () => {
  const [ours, theirs] = [newId(), newId()]
  const tenancy = await tenancyWith(THREE)
  await tenancy.provision({ id: ours })
  await database.query(`CREATE SCHEMA ${theirs}`)
  const migrations = await folder({ '1_a.js': 'exports.up = async () => {}' })
  await sequelizeCli(database.url, theirs, migrations, 'db:migrate')
  const tables = async (schema: string) =>
    (await catalogOf(database, schema))
      .filter((line) => line.includes('SequelizeMeta'))
      .map((line) => line.replaceAll(schema, 'schema'))
  assert.equal(await tables(ours), await tables(theirs))
  assert.is((await tables(ours)).length, 5)
})

test('one row is kept for each executed migration, by file name with extension', async () => {
  const id = newId()
  const tenancy = await tenancyWith(THREE)
  await tenancy.provision({ id })
  const table = `${id}."SequelizeMeta"`
  assert.equal(await rowsOf(database, table), [
    '{"name": "1_a.sql"}',
    '{"name": "2_b.sql"}',
    '{"name": "3_c.sql"}',
  ])
  await tenancy.down({ tenant: id, step: 2 })
  assert.equal(await rowsOf(database, table), ['{"name": "1_a.sql"}'])
  await tenancy.down({ tenant: id })
  assert.equal(await rowsOf(database, table), [])
})

test('sequelize-cli reads what was recorded here', async () => {
  const id = newId()
  const file = 'exports.up = exports.down = async () => {}'
  const files = { '1_a.js': file, '2_b.js': file }
  const tenancy = await tenancyWith(files)
  await tenancy.provision({ id, up: false })
  await tenancy.up({ tenant: id, step: 1 })
  const migrations = await folder(files)
  const status = await sequelizeCli(database.url, id, migrations, 'db:migrate:status')
  assert.match(status, /^up 1_a\.js$/m)
  assert.match(status, /^down 2_b\.js$/m)
  await sequelizeCli(database.url, id, migrations, 'db:migrate:undo:all')
  assert.is((await tenancy.status({ tenant: id })).executed, 0)
})

test('what sequelize-cli has migrated is at head here, and runs no second time', async () => {
  const id = newId()
  const files = {
    '1_people.js': `module.exports = {
      up: (queryInterface, Sequelize) => queryInterface.createTable('people', { id: Sequelize.INTEGER }),
      down: (queryInterface) => queryInterface.dropTable('people') }`,
  }
  const tenancy = await tenancyWith(files)
  await tenancy.provision({ id, up: false })
  await sequelizeCli(database.url, id, await folder(files), 'db:migrate')
  assert.equal(await tenancy.status({ tenant: id }), {
    id,
    schema: id,
    current: '1_people.js',
    head: '1_people.js',
    executed: 1,
    pending: [],
    state: 'ok',
  })
  assert.equal((await tenancy.up({ tenant: id })).applied, [])
  assert.equal((await tenancy.down({ tenant: id })).reverted, ['1_people.js'])
})

test('a migration recorded as .js is executed when it is .ts on disk, and its own row goes', async () => {
  const id = newId()
  const up = 'export const up = async () => {}; export const down = async () => {}'
  const tenancy = await tenancyWith({ '1_a.ts': up })
  await tenancy.provision({ id, up: false })
  await database.query(
    `CREATE TABLE ${id}."SequelizeMeta" (name varchar(255) PRIMARY KEY);
     INSERT INTO ${id}."SequelizeMeta" VALUES ('1_a.js')`,
  )
  assert.is((await tenancy.status({ tenant: id })).state, 'ok')
  assert.equal((await tenancy.down({ tenant: id })).reverted, ['1_a.ts'])
  assert.equal(await rowsOf(database, `${id}."SequelizeMeta"`), [])
})

test('reading creates nothing', async () => {
  const id = newId()
  const tenancy = await tenancyWith(THREE)
  await tenancy.provision({ id, up: false })
  const before = await catalogOf(database)
  assert.is((await tenancy.status({ tenant: id })).state, 'pending')
  await tenancy.status({ verify: true })
  assert.equal((await tenancy.plan({ tenant: id })).migrations, ['1_a.sql', '2_b.sql', '3_c.sql'])
  const umzug = tenancy.umzug(id)
  assert.equal([(await umzug.executed()).length, (await umzug.pending()).length], [0, 3])
  assert.equal(await catalogOf(database), before)
})

test('O45 a role that may only read can ask for status and plan', async () => {
  const [id, fresh] = [newId(), newId()]
  const owner = await tenancyWith(THREE)
  await owner.provision({ id })
  await owner.provision({ id: fresh, up: false })
  const role = `reader_${id}`
  await database.query(
    `CREATE ROLE ${role} LOGIN PASSWORD 'reader';
     GRANT USAGE ON SCHEMA ${id}, ${fresh}, umzug_tenants TO ${role};
     GRANT SELECT ON ALL TABLES IN SCHEMA ${id}, umzug_tenants TO ${role};
     ALTER ROLE ${role} SET default_transaction_read_only = on`,
  )
  const url = Object.assign(new URL(database.url), { username: role, password: 'reader' }).href
  const reader = await tenancyWith(THREE, { url })
  assert.is((await reader.status({ tenant: id })).state, 'ok')
  assert.is((await reader.status({ tenant: fresh })).state, 'pending')
  assert.ok((await reader.status()).some((status) => status.id === id && status.state === 'ok'))
  assert.equal((await reader.plan({ tenant: fresh })).migrations.length, 3)
  await reader.close()
  await database.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
})

test('O34 tables of that name in public and in the shared schema are neither read nor written', async () => {
  const id = newId()
  await database.query('CREATE SCHEMA IF NOT EXISTS shared')
  const decoys = ['public', 'shared']
  for (const schema of decoys) {
    await database.query(
      `CREATE TABLE ${schema}."SequelizeMeta" (name varchar(255) PRIMARY KEY);
       INSERT INTO ${schema}."SequelizeMeta" VALUES ('1_a.sql'), ('9_decoy.sql')`,
    )
  }
  const before = await Promise.all(decoys.map((schema) => rowsOf(database, `${schema}."SequelizeMeta"`)))
  const tenancy = await tenancyWith(THREE, { searchPath: ['shared', 'public'] })
  await tenancy.provision({ id, up: false })
  assert.equal((await tenancy.status({ tenant: id })).pending.length, 3)
  assert.is((await tenancy.up({ tenant: id })).applied.length, 3)
  assert.is((await tenancy.down({ tenant: id, to: 0 })).reverted.length, 3)
  const after = await Promise.all(decoys.map((schema) => rowsOf(database, `${schema}."SequelizeMeta"`)))
  assert.equal(after, before)
  for (const schema of decoys) await database.query(`DROP TABLE ${schema}."SequelizeMeta"`)
})

test('a row is atomic with its migration: when recording fails, the migration is undone', async () => {
  const id = newId()
  const tenancy = await tenancyWith({
    '1_a.sql': `CREATE TABLE a ();
      CREATE TABLE "SequelizeMeta" (name varchar(255) PRIMARY KEY CHECK (name <> '1_a.sql'))`,
  })
  await tenancy.provision({ id, up: false })
  const error = await failure('MIGRATION_FAILED', () => tenancy.up({ tenant: id }))
  assert.is(error.sqlstate, '23514')
  assert.equal(await catalogOf(database, id), [`schema ${id}`])
})

test('names come back by code point, whatever the collation', async () => {
  const id = newId()
  await database.query(
    `CREATE SCHEMA ${id};
     CREATE TABLE ${id}."SequelizeMeta" (name varchar(255) COLLATE "en-x-icu" PRIMARY KEY);
     INSERT INTO ${id}."SequelizeMeta" VALUES ('a'), ('B'), ('é'), ('a_b'), ('aB')`,
  )
  const sequelize = new Sequelize(database.url, { dialect: 'postgres', logging: false })
  const sql = {
    query: <R extends object>(text: string, bind: readonly unknown[] = []) =>
      sequelize.query<R>(text, { bind: [...bind], type: QueryTypes.SELECT }),
  }
  const names = await sequelizeMeta().executed({ sql, schema: id, history: [] })
  await sequelize.close()
  assert.equal(names, ['B', 'a', 'aB', 'a_b', 'é'])
})

test('seed files are recorded in SequelizeData, and only there', async () => {
  const id = newId()
  const tenancy = await tenancyWith({
    '1_a.sql': 'CREATE TABLE a (id integer PRIMARY KEY)',
    'seeders/1_first.sql': 'INSERT INTO a VALUES (1)',
  })
  await tenancy.provision({ id })
  assert.equal((await tenancy.seed({ tenant: id })).applied, ['1_first.sql'])
  assert.equal((await tenancy.seed({ tenant: id })).applied, [])
  assert.equal(await rowsOf(database, `${id}."SequelizeData"`), ['{"name": "1_first.sql"}'])
  assert.equal(await rowsOf(database, `${id}."SequelizeMeta"`), ['{"name": "1_a.sql"}'])
  assert.equal(await query(database.url, `SELECT * FROM ${id}.a`), [{ id: 1 }])
})

test.run()
