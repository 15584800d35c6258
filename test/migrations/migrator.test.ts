import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'

import { createNamespace, destroyNamespace } from 'cls-hooked'
import pg from 'pg'
import { DataTypes, Sequelize } from 'sequelize'
import * as assert from 'uvu/assert'

import type { Tenancy } from '../../lib/tenancy.ts'
import { catalogOf, rowsOf } from '../support/catalog.ts'
import { DEPLOYER, startChild } from '../support/child.ts'
import { testDatabase } from '../support/database.ts'
import { failure, thrownBy } from '../support/failure.ts'
import { temporaryFolders, type Files } from '../support/folder.ts'
import { suite } from '../support/suite.ts'
import { createTable, newId, testTenancies } from '../support/tenancies.ts'

const test = suite('migrations/migrator')
const database = testDatabase(test)
const tenancyWith = testTenancies(test, database)
const folder = temporaryFolders(test)

/** Tables of a schema, apart from the version table. */
async function tablesOf(schema: string): Promise<string[]> {
  const rows = await database.query<{ tablename: string }>(
    `SELECT tablename FROM pg_tables WHERE schemaname = $1 AND tablename NOT IN ('SequelizeMeta') ORDER BY 1`,
    [schema],
  )
  return rows.map(({ tablename }) => tablename)
}

async function versionsOf(schema: string): Promise<string[]> {
  const rows = await rowsOf(database, `${schema}."SequelizeMeta"`)
  return rows.map((row) => (JSON.parse(row) as { name: string }).name)
}

/** A tenancy with a new, empty tenant. */
async function freshTenant(files: Files, config = {}): Promise<{ tenancy: Tenancy; id: string }> {
  const id = newId()
  const tenancy = await tenancyWith(files, config)
  await tenancy.provision({ id, up: false })
  return { tenancy, id }
}

const FIVE = {
  ...createTable('1_a', 'a'),
  ...createTable('2_b', 'b'),
  ...createTable('3_c', 'c'),
  ...createTable('4_d', 'd'),
  ...createTable('5_e', 'e'),
}
const FIVE_NAMES = ['1_a.sql', '2_b.sql', '3_c.sql', '4_d.sql', '5_e.sql']
const THIRD_THROWS = { ...FIVE, '3_c.sql': 'CREATE TABLE c (); SELECT * FROM no_such_table' }

test('migrations in every format and signature run in one tenant', async () => {
  const { tenancy, id } = await freshTenant({
    '1_umzug.ts': `import type { Migration } from '${new URL('../../lib/index.ts', import.meta.url).href}'
      enum Word { table = 'umzug_ts' }
      export const up: Migration = async ({ name, context }) => {
        await context.queryInterface.createTable(Word.table, { id: context.Sequelize.INTEGER, [name.slice(0, 1)]: 'text' })
      }`,
    '2_cli.js': `module.exports = {
      async up(queryInterface, Sequelize) { await queryInterface.createTable('cli_js', { id: Sequelize.INTEGER }) },
      async down(queryInterface) { await queryInterface.dropTable('cli_js') } }`,
    '3_context.cjs': `exports.up = async ({ context: queryInterface }) => {
        await queryInterface.createTable('context_cjs', { id: queryInterface.sequelize.Sequelize.INTEGER })
      }`,
    '4_default.mjs': `export default { async up({ context: { sql } }) { await sql('CREATE TABLE default_mjs ()') } }`,
    '5_form.mjs': `export const form = 'sequelize-cli'
      export const up = (...args) => args[0].createTable('form_mjs', { id: args[1].INTEGER })`,
    '6_text.sql': '\uFEFFCREATE TABLE text_sql (); CREATE TABLE text_sql_too ();',
  })
  const { applied } = await tenancy.up({ tenant: id })
  assert.is(applied.length, 6)
  assert.equal(await tablesOf(id), ['cli_js', 'context_cjs', 'default_mjs', 'form_mjs', 'text_sql', 'text_sql_too', 'umzug_ts']) // prettier-ignore
  assert.equal(await versionsOf(id), applied)
})

test('a migration is told its tenant, its schema and the values of -x', async () => {
  const { tenancy, id } = await freshTenant({
    '1.mjs': `export const up = async ({ context: { tenant, schema, x, sql } }) => {
      await sql('CREATE TABLE seen AS SELECT $1 AS id, $2 AS schema, $3 AS seats, current_schema() AS current',
        [tenant.id, schema, x.seats])
    }`,
  })
  await tenancy.up({ tenant: id, x: { seats: '3' } })
  assert.equal(await database.query(`SELECT * FROM ${id}.seen`), [
    { id, schema: id, seats: '3', current: id },
  ])
})

test('the shared schema is made by its first migration run, and has no tenant', async () => {
  const tenancy = await tenancyWith(
    {
      'migrations/shared/1_plans.mjs': `export const up = async ({ context }) => {
        await context.sql('CREATE TABLE plans AS SELECT $1::text AS tenant', [String(context.tenant)])
      }`,
    },
    { sharedSchema: 'common' },
  )
  assert.equal((await tenancy.up({ shared: true })).applied, ['1_plans.mjs'])
  assert.equal(await rowsOf(database, 'common.plans'), ['{"tenant": "undefined"}'])
  assert.is((await tenancy.status({ shared: true })).state, 'ok')
  await database.query('DROP SCHEMA common CASCADE')
})

test('O35 when migration 3 of 5 throws nothing of the run remains', async () => {
  const { tenancy, id } = await freshTenant(THIRD_THROWS)
  await failure('MIGRATION_FAILED', () => tenancy.up({ tenant: id }))
  assert.equal(await catalogOf(database, id), [`schema ${id}`])
})

test('O35 when a later run throws, the version table is what it was', async () => {
  const { tenancy, id } = await freshTenant(THIRD_THROWS)
  await tenancy.up({ tenant: id, step: 1 })
  const before = await catalogOf(database, id)
  await failure('MIGRATION_FAILED', () => tenancy.up({ tenant: id }))
  assert.equal(await catalogOf(database, id), before)
  assert.equal(await versionsOf(id), ['1_a.sql'])
})

test("O35 with transaction 'migration' 1 and 2 stay, 3 is rolled back whole, 4 and 5 do not run", async () => {
  const { tenancy, id } = await freshTenant(THIRD_THROWS, { transaction: 'migration' })
  await failure('MIGRATION_FAILED', () => tenancy.up({ tenant: id }))
  assert.equal(await tablesOf(id), ['a', 'b'])
  assert.equal(await versionsOf(id), ['1_a.sql', '2_b.sql'])
})

test("with transaction 'none' what the failing migration did stays, unrecorded", async () => {
  const files = { '1_a.mjs': "export const up = async ({ context: c }) => { await c.sql('CREATE TABLE a ()'); throw new Error('late') }" } // prettier-ignore
  const { tenancy, id } = await freshTenant(files, { transaction: 'none' })
  await failure('MIGRATION_FAILED', () => tenancy.up({ tenant: id }))
  assert.equal(
    await catalogOf(database, id).then((lines) => lines.some((line) => line.startsWith('r '))),
    true,
  )
  assert.equal(await tablesOf(id), ['a'])
})

test('O35 a failure names migration, tenant, SQLSTATE, the server’s words and the remedy', async () => {
  const { tenancy, id } = await freshTenant(THIRD_THROWS)
  const error = await failure('MIGRATION_FAILED', () => tenancy.up({ tenant: id }))
  assert.is(error.title, `Migration "3_c.sql" failed on tenant "${id}" (42P01).`)
  assert.equal([error.tenant, error.migration, error.sqlstate], [id, '3_c.sql', '42P01'])
  assert.is(error.detail, 'relation "no_such_table" does not exist')
  assert.equal(error.fix, [`correct the migration or the data, then: umzug-tenants up --tenant ${id}`])
})

test('a failure without SQLSTATE names what the migration threw', async () => {
  const { tenancy, id } = await freshTenant({
    '1.mjs': "export const up = () => { throw new Error('mine') }",
  })
  const error = await failure('MIGRATION_FAILED', () => tenancy.up({ tenant: id }))
  assert.is(error.title, `Migration "1.mjs" failed on tenant "${id}".`)
  assert.equal([error.detail, error.sqlstate], ['mine', undefined])
})

test('a failed tenant is recorded as failed with its error, and as migrated by the next run', async () => {
  const { tenancy, id } = await freshTenant(THIRD_THROWS)
  await failure('MIGRATION_FAILED', () => tenancy.up({ tenant: id }))
  assert.is((await tenancy.status({ tenant: id })).state, 'failed')
  const entry = () =>
    database.query(`SELECT state, error->>'code' AS code FROM umzug_tenants.tenant WHERE id = $1`, [id])
  assert.equal(await entry(), [{ state: 'failed', code: 'MIGRATION_FAILED' }])
  await (await tenancyWith(FIVE)).up({ tenant: id })
  assert.equal(await entry(), [{ state: 'migrated', code: null }])
})

test('a failure that a migration catches at its end leaves what was before it', async () => {
  const { tenancy, id } = await freshTenant({
    '1.mjs': `export const up = async ({ context: { sql } }) => {
      await sql('CREATE TABLE a ()')
      await sql('SELECT 1/0').catch(() => {})
    }`,
  })
  await tenancy.up({ tenant: id })
  assert.equal(await tablesOf(id), ['a'])
})

test('a migration’s own transaction, managed or not, is a savepoint of the run’s', async () => {
  const { tenancy, id } = await freshTenant({
    '1.mjs': `export const up = async ({ context: { sequelize, queryInterface } }) => {
      await sequelize.transaction((transaction) => queryInterface.createTable('managed', { id: 'int' }, { transaction }))
      await sequelize.transaction(async (transaction) => {
        await queryInterface.createTable('undone', { id: 'int' }, { transaction })
        throw new Error('undo')
      }).catch(() => {})
      const kept = await sequelize.transaction()
      await queryInterface.createTable('unmanaged', { id: 'int' }, { transaction: kept })
      await kept.commit()
      const dropped = await sequelize.transaction()
      await queryInterface.createTable('unmanaged_undone', { id: 'int' }, { transaction: dropped })
      await dropped.rollback()
      await sequelize.transaction(async (outer) => {
        await queryInterface.createTable('outer', { id: 'int' }, { transaction: outer })
        await sequelize.transaction({ transaction: outer }, async (inner) => {
          await queryInterface.createTable('inner', { id: 'int' }, { transaction: inner })
          throw new Error('undo')
        }).catch(() => {})
      })
    }`,
  })
  await tenancy.up({ tenant: id })
  assert.equal(await tablesOf(id), ['managed', 'outer', 'unmanaged'])
})

test('what a migration committed in its own transaction goes when a later one fails', async () => {
  const { tenancy, id } = await freshTenant({
    '1.mjs': `export const up = async ({ context: { sequelize, queryInterface } }) => {
      await sequelize.transaction((transaction) => queryInterface.createTable('a', { id: 'int' }, { transaction }))
    }`,
    '2.sql': 'SELECT 1/0',
  })
  await failure('MIGRATION_FAILED', () => tenancy.up({ tenant: id }))
  assert.equal(await tablesOf(id), [])
})

test('promises that a migration forgot to await are done before its version is recorded', async () => {
  const { tenancy, id } = await freshTenant({
    '1.mjs': `export const up = async ({ context: { queryInterface: q, Sequelize: S } }) => {
      q.createTable('first', { id: S.INTEGER })
      q.createTable('with_enum', { id: S.INTEGER, mood: S.ENUM('good', 'bad') })
      q.createTable('then_more', { id: S.INTEGER }).then(() => q.addColumn('then_more', 'a', S.INTEGER))
        .then(() => q.addIndex('then_more', ['a']))
    }`,
    '2.sql': "CREATE TABLE after_it AS SELECT count(*)::int AS tables FROM pg_tables WHERE schemaname = current_schema() AND tablename <> 'SequelizeMeta'", // prettier-ignore
  })
  await tenancy.up({ tenant: id })
  assert.equal(await tablesOf(id), ['after_it', 'first', 'then_more', 'with_enum'])
  assert.equal(await rowsOf(database, `${id}.after_it`), ['{"tables": 3}'])
  assert.ok((await catalogOf(database, id)).some((line) => line.startsWith(`i ${id}.then_more_a`)))
})

test('a forgotten chain of statements is done to its last one, in the run’s transaction', async () => {
  const { tenancy, id } = await freshTenant({
    '1.mjs': `export const up = async ({ context: { queryInterface: q, Sequelize: S } }) => {
      void (async () => {
        await q.createTable('slow', { id: S.INTEGER, mood: S.ENUM('good', 'bad') })
        for (let index = 0; index < 20; index++) {
          for (let hops = 0; hops < 50; hops++) await null
          await q.addColumn('slow', 'c' + index, S.INTEGER)
        }
      })()
    }`,
    '2.sql': 'ALTER TABLE slow DROP COLUMN c19',
  })
  await tenancy.up({ tenant: id })
  const columns = await database.query<{ xmin: string }>(
    `SELECT DISTINCT xmin::text FROM pg_attribute WHERE attrelid = '${id}.slow'::regclass AND attname ~ '^c[0-9]'`,
  )
  const [{ count } = { count: 0 }] = await database.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM pg_attribute WHERE attrelid = '${id}.slow'::regclass AND attname ~ '^c[0-9]'`,
  )
  assert.equal([count, columns.length], [19, 1])
})

for (const [what, files] of [
  [
    'export const transaction = false',
    {
      '2_index.mjs': `export const transaction = false
        export const up = ({ context: q }) => q.addIndex('a', ['id'], { name: 'a_index', concurrently: true })
        export const down = ({ context }) => context.sql('DROP INDEX CONCURRENTLY a_index')`,
    },
  ],
  [
    '-- transaction: false',
    {
      '2_index.sql': '-- transaction: false\nCREATE INDEX CONCURRENTLY a_index ON a (id);',
      '2_index.down.sql': 'DROP INDEX CONCURRENTLY a_index',
    },
  ],
] as const) {
  test(`O41 ${what} runs CREATE INDEX CONCURRENTLY in the tenant’s schema, and back`, async () => {
    const { tenancy, id } = await freshTenant({
      ...createTable('1_a', 'a'),
      ...files,
      ...createTable('3_c', 'c'),
    })
    const indexes = async () =>
      (await catalogOf(database, id)).filter((line) => line.startsWith('i ') && line.includes('a_index'))
    assert.is((await tenancy.up({ tenant: id })).applied.length, 3)
    assert.equal(await indexes(), [`i ${id}.a_index id integer f`])
    assert.equal((await tenancy.down({ tenant: id, step: 2 })).reverted.length, 2)
    assert.equal(await indexes(), [])
  })
}

test('a text outside a transaction may hold several statements that refuse one', async () => {
  const { tenancy, id } = await freshTenant({
    ...createTable('1_a', 'a'),
    '2.sql': `-- transaction: false
      CREATE INDEX CONCURRENTLY one ON a (id);
      -- it's a comment; with a quote
      CREATE INDEX CONCURRENTLY two ON a ((id || ';' || $x$;'$x$ || E'\\';'));`,
  })
  await tenancy.up({ tenant: id })
  assert.equal((await catalogOf(database, id)).filter((line) => /^i .*\.(one|two)/.test(line)).length, 2)
})

test('a migration outside a transaction that fails leaves those before it recorded', async () => {
  const { tenancy, id } = await freshTenant({
    ...createTable('1_a', 'a'),
    '2.sql': '-- transaction: false\nCREATE INDEX CONCURRENTLY i ON no_such_table (id)',
    ...createTable('3_c', 'c'),
  })
  const error = await failure('MIGRATION_FAILED', () => tenancy.up({ tenant: id }))
  assert.equal([error.migration, error.sqlstate], ['2.sql', '42P01'])
  assert.equal(await versionsOf(id), ['1_a.sql'])
  assert.equal(await tablesOf(id), ['a'])
})

test('up goes as far as to and step say', async () => {
  const { tenancy, id } = await freshTenant(FIVE)
  assert.equal((await tenancy.up({ tenant: id, step: 1 })).applied, ['1_a.sql'])
  assert.equal((await tenancy.up({ tenant: id, to: '3' })).applied, ['2_b.sql', '3_c.sql'])
  assert.equal((await tenancy.up({ tenant: id })).applied, ['4_d.sql', '5_e.sql'])
  assert.equal((await tenancy.up({ tenant: id })).applied, [])
})

test('down goes back as far as step, to, backTo and 0 say', async () => {
  const { tenancy, id } = await freshTenant(FIVE)
  await tenancy.up({ tenant: id })
  assert.equal((await tenancy.down({ tenant: id })).reverted, ['5_e.sql'])
  assert.equal((await tenancy.down({ tenant: id, to: '4_d' })).reverted, ['4_d.sql'])
  assert.equal((await tenancy.down({ tenant: id, backTo: '2' })).reverted, ['3_c.sql'])
  assert.equal(await tablesOf(id), ['a', 'b'])
  assert.equal((await tenancy.down({ tenant: id, to: 0 })).reverted, ['2_b.sql', '1_a.sql'])
  assert.equal(await tablesOf(id), [])
  assert.equal((await tenancy.down({ tenant: id, to: 0 })).reverted, [])
})

test('O47 a missing down is refused before anything is reverted', async () => {
  const { tenancy, id } = await freshTenant({
    ...FIVE,
    '4_d.down.sql': '',
    '3_x.cjs': 'exports.up = async () => {}',
  })
  await tenancy.up({ tenant: id })
  const before = await catalogOf(database, id)
  const error = await failure('MIGRATION_IRREVERSIBLE', () => tenancy.down({ tenant: id, to: 0 }))
  assert.is(error.title, 'Migration "3_x.cjs" has no down.')
  assert.equal(error.fix, [
    'give it a down (for NAME.sql a NAME.down.sql), or write a new migration that undoes it',
  ])
  assert.equal(await catalogOf(database, id), before)
  assert.is((await tenancy.status({ tenant: id })).state, 'ok')
})

test('a file that cannot be loaded is refused before the ones ahead of it run', async () => {
  const { tenancy, id } = await freshTenant(
    { ...createTable('1_a', 'a'), '2.cjs': 'exports.up = (' },
    { transaction: 'none' },
  )
  await failure('MIGRATION_INVALID', () => tenancy.up({ tenant: id }))
  assert.equal(await catalogOf(database, id), [`schema ${id}`])
})

test('a tenant whose schema is gone is refused with the command that creates it', async () => {
  const { tenancy, id } = await freshTenant(FIVE)
  await database.query(`DROP SCHEMA ${id}`)
  const error = await failure('SCHEMA_MISSING', () => tenancy.up({ tenant: id }))
  assert.is(error.title, `Schema "${id}" of tenant "${id}" does not exist.`)
  assert.equal(error.fix, [`create it: umzug-tenants tenants create ${id} --schema ${id} --up`])
  assert.is((await tenancy.status({ tenant: id })).state, 'missing')
})

/** Decoys of the helpers' tables, in a schema that must not be touched. */
const decoysIn = (schema: string) => `
  CREATE TYPE ${schema}.enum_people_mood AS ENUM ('decoy');
  CREATE TABLE ${schema}.teams (id integer PRIMARY KEY, decoy text);
  CREATE TABLE ${schema}.people (
    id integer PRIMARY KEY, mood ${schema}.enum_people_mood, nick text, old_name text,
    team integer CONSTRAINT people_team_fkey REFERENCES ${schema}.teams, CONSTRAINT people_nick_uk UNIQUE (nick));
  CREATE INDEX people_mood ON ${schema}.people (mood);
  CREATE TABLE ${schema}.only_decoy (id integer);
  COMMENT ON COLUMN ${schema}.people.nick IS 'decoy';
  INSERT INTO ${schema}.people (id, nick) VALUES (1, 'decoy'), (2, 'decoy2');`

test('O33 O48 every helper of the query interface works in the tenant’s schema alone', async () => {
  const neighbour = newId()
  await database.query(`CREATE SCHEMA IF NOT EXISTS shared; CREATE SCHEMA ${neighbour}`)
  const decoys = ['public', 'shared', neighbour]
  for (const schema of decoys) await database.query(decoysIn(schema))
  const state = async () => [
    await Promise.all(decoys.map((schema) => catalogOf(database, schema))),
    await Promise.all(decoys.map((schema) => rowsOf(database, `${schema}.people`))),
  ]
  const before = await state()
  const { tenancy, id } = await freshTenant(
    {
      '1_helpers.mjs': `export const up = async ({ context }) => {
        const { queryInterface: q, Sequelize: { DataTypes: T, Op }, sql } = context
        const seen = {}
        await q.createTable('teams', { id: { type: T.INTEGER, primaryKey: true, autoIncrement: true } })
        await q.createTable('people', {
          id: { type: T.INTEGER, primaryKey: true },
          mood: T.ENUM('good', 'bad'),
          old_name: { type: T.STRING, comment: 'mine' },
        })
        await q.addColumn('people', 'team', { type: T.INTEGER, references: { model: 'teams', key: 'id' }, onDelete: 'CASCADE' })
        await q.addColumn('people', 'kind', { type: T.ENUM('x', 'y'), allowNull: false, defaultValue: 'x' })
        await q.addColumn('people', 'nick', T.TEXT)
        await q.changeColumn('people', 'nick', { type: T.STRING(40), allowNull: true, defaultValue: 'none' })
        await q.changeColumn('people', 'mood', { type: T.ENUM('good', 'bad'), defaultValue: 'bad' })
        await q.renameColumn('people', 'old_name', 'name')
        await q.addIndex('people', ['mood'])
        await q.addIndex('people', ['name'], { unique: true, name: 'people_name' })
        await q.addConstraint('people', { type: 'unique', fields: ['nick'], name: 'people_nick_uk' })
        await q.addConstraint('people', { type: 'check', fields: ['id'], name: 'people_id_ck', where: { id: { [Op.gt]: 0 } } })
        await q.bulkInsert('people', [{ id: 1, mood: 'bad', name: 'ann', nick: 'a' }, { id: 2, mood: 'good', name: 'bob' }])
        await q.bulkUpdate('people', { name: 'cleo' }, { id: 2 })
        await q.bulkDelete('people', { id: 1 })
        seen.tables = (await q.showAllTables()).map((t) => t.tableName ?? t).sort()
        seen.exists = [await q.tableExists('people'), await q.tableExists('only_decoy')]
        const columns = await q.describeTable('people')
        seen.columns = Object.keys(columns)
        seen.mood = columns.mood.special
        seen.comment = columns.name.comment
        seen.indexes = (await q.showIndex('people')).map((i) => i.name).sort()
        seen.constraints = (await q.showConstraint('people')).map((c) => c.constraintName)
          .filter((name) => !/not_null/.test(name)).sort()
        seen.references = (await q.getForeignKeyReferencesForTable('people')).map((r) => r.tableSchema + '.' + r.columnName)
        await q.removeIndex('people', 'people_name')
        await q.removeConstraint('people', 'people_id_ck')
        await q.removeColumn('people', 'kind')
        await q.createTable('temporary', { id: T.INTEGER })
        await q.renameTable('temporary', 'passing')
        await q.dropTable('passing')
        await sql('CREATE TABLE seen AS SELECT $1::jsonb AS seen', [JSON.stringify(seen)])
      }`,
    },
    { searchPath: ['shared', 'public'] },
  )
  await tenancy.up({ tenant: id })
  assert.equal(await state(), before)
  const [row] = await database.query<{ seen: unknown }>(`SELECT seen FROM ${id}.seen`)
  assert.equal(row?.seen, {
    tables: ['people', 'teams'],
    exists: [true, false],
    columns: ['id', 'mood', 'name', 'team', 'kind', 'nick'],
    mood: ['good', 'bad'],
    comment: 'mine',
    indexes: ['people_mood', 'people_name', 'people_nick_uk', 'people_pkey'],
    constraints: ['people_id_ck', 'people_nick_uk', 'people_pkey', 'people_team_fkey'],
    references: [`${id}.team`],
  })
  assert.equal(await rowsOf(database, `${id}.people`), [
    '{"id": 2, "mood": "good", "name": "cleo", "nick": null, "team": null}',
  ])
  assert.equal(await tablesOf(id), ['people', 'seen', 'teams'])
  await database.query(
    `DROP SCHEMA shared, ${neighbour} CASCADE;
     DROP TABLE public.people, public.teams, public.only_decoy; DROP TYPE public.enum_people_mood`,
  )
})

test('O33 two tenants on one Sequelize of the application have their own tables and history', async () => {
  const sequelize = new Sequelize(database.url, { dialect: 'postgres', logging: false })
  const tenancy = await tenancyWith(FIVE, { sequelize })
  const [one, two] = [newId(), newId()]
  await Promise.all([one, two].map((id) => tenancy.provision({ id, up: false })))
  await Promise.all([tenancy.up({ tenant: one }), tenancy.up({ tenant: two, step: 2 })])
  assert.equal([await tablesOf(one), await tablesOf(two)], [['a', 'b', 'c', 'd', 'e'], ['a', 'b']]) // prettier-ignore
  assert.equal([await versionsOf(one), await versionsOf(two)], [FIVE_NAMES, FIVE_NAMES.slice(0, 2)])
  await tenancy.close()
  await sequelize.close()
})

test('O34 public."SequelizeMeta" stays as it is, and its rows count for no tenant', async () => {
  await database.query(
    `CREATE TABLE public."SequelizeMeta" (name varchar(255) PRIMARY KEY);
     INSERT INTO public."SequelizeMeta" VALUES ('1_a.sql')`,
  )
  const before = [await catalogOf(database, 'public'), await rowsOf(database, 'public."SequelizeMeta"')]
  const { tenancy, id } = await freshTenant(FIVE)
  assert.is((await tenancy.up({ tenant: id })).applied.length, 5)
  await tenancy.down({ tenant: id, to: 0 })
  assert.equal(
    [await catalogOf(database, 'public'), await rowsOf(database, 'public."SequelizeMeta"')],
    before,
  )
  await database.query('DROP TABLE public."SequelizeMeta"')
})

test('a CLS transaction of the caller, and its models, stay out of the migration', async () => {
  const namespace = createNamespace('migrator test')
  Sequelize.useCLS(namespace)
  const sequelize = new Sequelize(database.url, { dialect: 'postgres', logging: false })
  const Note = sequelize.define('note', { text: DataTypes.TEXT }, { timestamps: false, tableName: 'notes' })
  const { tenancy, id } = await freshTenant(
    {
      '1_notes.sql':
        'CREATE TABLE notes (id serial PRIMARY KEY, text text, pid integer DEFAULT pg_backend_pid())',
      '2_rows.mjs': `export const up = async ({ context: { sequelize, Sequelize: S, sql } }) => {
        const Note = sequelize.define('note', { text: S.TEXT }, { timestamps: false, tableName: 'notes' })
        await Note.create({ text: 'model' })
        await sequelize.query("INSERT INTO notes (text) VALUES ('query')")
        await sequelize.transaction(() => Note.create({ text: 'transaction' }))
        await sql("INSERT INTO notes (text) VALUES ('sql')")
      }`,
    },
    { sequelize, namespace },
  )
  await tenancy.up({ tenant: id, step: 1 })
  const run = await thrownBy(() =>
    tenancy.runShared(() =>
      sequelize.transaction(async () => {
        await sequelize.query(`INSERT INTO ${id}.notes (text) VALUES ('caller')`)
        await tenancy.up({ tenant: id })
        throw new Error('undo')
      }),
    ),
  )
  assert.match(String(run), 'undo')
  assert.is(sequelize.models['note'], Note, 'a model of a migration is not the application’s')
  const rows = await database.query<{ text: string; pid: number }>(
    `SELECT text, pid FROM ${id}.notes ORDER BY id`,
  )
  assert.equal(
    rows.map(({ text }) => text),
    ['model', 'query', 'transaction', 'sql'],
  )
  assert.is(new Set(rows.map(({ pid }) => pid)).size, 1)
  await tenancy.close()
  await sequelize.close()
  Reflect.deleteProperty(Sequelize, '_cls')
  destroyNamespace('migrator test')
})

test('O38 two runners of one tenant in one process run each migration once', async () => {
  const { tenancy, id } = await freshTenant(FIVE)
  const second = await tenancyWith(FIVE)
  const reports = await Promise.all([tenancy, second, tenancy].map((each) => each.up({ tenant: id })))
  assert.equal(reports.flatMap(({ applied }) => applied).toSorted(), FIVE_NAMES)
  const runs = await database.query('SELECT migration FROM umzug_tenants.run WHERE schema = $1', [id])
  assert.is(runs.length, 5)
})

/** A folder of migrations, for other processes. */
const folderOf = (files: Files) =>
  folder(Object.fromEntries(Object.entries(files).map(([name, text]) => [`migrations/${name}`, text])))

test('O38 two deployers as processes run each migration once, and neither fails', async () => {
  const slow = { ...FIVE, '2_b.sql': 'CREATE TABLE b (); SELECT pg_sleep(0.5)' }
  const { id } = await freshTenant(slow)
  const baseDir = await folderOf(slow)
  const outcomes = await Promise.all(
    [1, 2].map(async () => (await startChild(DEPLOYER, database.url, baseDir, id)).outcome),
  )
  assert.equal(
    outcomes.map(({ exitCode, stderr }) => [exitCode, stderr]),
    [[0, ''], [0, '']], // prettier-ignore
  )
  const applied = outcomes.flatMap(({ stdout }) => JSON.parse(stdout.split('\n')[1] ?? '') as string[])
  assert.equal(applied.toSorted(), FIVE_NAMES)
})

test('O36 a process killed in a transactional migration leaves nothing, and the next run completes', async () => {
  const stuck = { ...FIVE, '3_c.sql': 'CREATE TABLE c (); SELECT pg_sleep(30)' }
  const { tenancy, id } = await freshTenant(FIVE)
  const baseDir = await folderOf(stuck)
  const { process: child } = await startChild(DEPLOYER, database.url, baseDir, id)
  await untilSleeping()
  child.kill('SIGKILL')
  await once(child, 'exit')
  const { applied } = await tenancy.up({ tenant: id })
  assert.equal(applied, FIVE_NAMES)
  assert.equal(await tablesOf(id), ['a', 'b', 'c', 'd', 'e'])
})

async function untilSleeping(): Promise<void> {
  for (;;) {
    const rows = await database.query(
      "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'",
    )
    if (rows.length > 0) return
    await sleep(20)
  }
}

/** A connection of somebody else who is in the way. */
async function withClient<T>(fn: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  try {
    return await fn(client)
  } finally {
    await client.end()
  }
}

test('O40 a table that a reader has locked makes the run wait, try again, and succeed', async () => {
  const { tenancy, id } = await freshTenant(
    { ...createTable('1_a', 'a'), '2.sql': 'CREATE TABLE trace (); ALTER TABLE a ADD b integer' },
    { timeouts: { lockMs: 100 } },
  )
  await tenancy.up({ tenant: id, step: 1 })
  let tries = 0
  tenancy.on('migration:start', () => tries++)
  await withClient(async (reader) => {
    await reader.query(`BEGIN; SELECT * FROM ${id}.a`)
    const run = tenancy.up({ tenant: id })
    await sleep(250)
    const startedAt = performance.now()
    await database.query(`SELECT * FROM ${id}.a`)
    assert.ok(performance.now() - startedAt < 1000, 'other readers wait no longer than lock_timeout')
    await reader.query('COMMIT')
    assert.equal((await run).applied, ['2.sql'])
  })
  assert.ok(tries > 1, `tried ${tries} times`)
  assert.equal(await tablesOf(id), ['a', 'trace'])
})

test('O40 a table that stays locked fails the run after five tries, with what to do', async () => {
  const { tenancy, id } = await freshTenant(
    { ...createTable('1_a', 'a'), '2.sql': 'ALTER TABLE a ADD b integer' },
    { timeouts: { lockMs: 20 } },
  )
  await tenancy.up({ tenant: id, step: 1 })
  let tries = 0
  tenancy.on('migration:start', () => tries++)
  await withClient(async (reader) => {
    await reader.query(`BEGIN; SELECT * FROM ${id}.a`)
    const error = await failure('MIGRATION_FAILED', () => tenancy.up({ tenant: id }))
    assert.equal([error.sqlstate, tries], ['55P03', 5])
    assert.match(error.message, 'wait until the table is free and run again, or raise timeouts.lockMs')
    await reader.query('COMMIT')
  })
})

test('a statement that takes too long ends the run where timeouts.statementMs says so', async () => {
  const { tenancy, id } = await freshTenant(
    { '1.sql': 'SELECT pg_sleep(20)' },
    { timeouts: { statementMs: 50 } },
  )
  const error = await failure('MIGRATION_FAILED', () => tenancy.up({ tenant: id }))
  assert.is(error.sqlstate, '57014')
})

test('a connection that dies in a migration fails the run, which can be repeated', async () => {
  const { tenancy, id } = await freshTenant({
    '1.mjs': `export const up = async ({ context: { sql } }) => {
      await sql('CREATE TABLE a ()')
      if (process.env.UMZUG_TEST_DIE) await sql('SELECT pg_terminate_backend(pg_backend_pid())')
    }`,
  })
  process.env['UMZUG_TEST_DIE'] = '1'
  const error = await failure('MIGRATION_FAILED', () => tenancy.up({ tenant: id }))
  delete process.env['UMZUG_TEST_DIE']
  assert.equal([error.migration, error.sqlstate], ['1.mjs', '57P01'])
  assert.equal(await tablesOf(id), [])
  assert.equal((await tenancy.up({ tenant: id })).applied, ['1.mjs'])
})

test('events tell of each migration, then of the run', async () => {
  const { tenancy, id } = await freshTenant({ ...createTable('1_a', 'a'), ...createTable('2_b', 'b') })
  const seen: unknown[] = []
  tenancy.on('migration:start', ({ migration, direction }) => seen.push(['start', migration, direction]))
  tenancy.on('migration:success', ({ migration, durationMs }) =>
    seen.push(['success', migration, durationMs >= 0]),
  )
  tenancy.on('tenant:migrated', ({ tenant, migrations, direction }) =>
    seen.push([tenant, migrations, direction]),
  )
  await tenancy.up({ tenant: id })
  await tenancy.down({ tenant: id })
  assert.equal(seen, [
    ['start', '1_a.sql', 'up'],
    ['success', '1_a.sql', true],
    ['start', '2_b.sql', 'up'],
    ['success', '2_b.sql', true],
    [id, ['1_a.sql', '2_b.sql'], 'up'],
    ['start', '2_b.sql', 'down'],
    ['success', '2_b.sql', true],
    [id, ['2_b.sql'], 'down'],
  ])
})

test('a failed run tells of it once, with the error as data', async () => {
  const { tenancy, id } = await freshTenant(THIRD_THROWS)
  const seen: unknown[] = []
  tenancy.on('tenant:failed', ({ tenant, error }) => seen.push([tenant, error.code, error.migration]))
  tenancy.on('tenant:migrated', () => seen.push('migrated'))
  await failure('MIGRATION_FAILED', () => tenancy.up({ tenant: id }))
  assert.equal(seen, [[id, 'MIGRATION_FAILED', '3_c.sql']])
})

test.run()
