import * as assert from 'uvu/assert'

import { factsOf } from '../../lib/autogenerate/catalog.ts'
import { readFoundations } from '../../lib/autogenerate/copy.ts'
import { readSnapshot } from '../../lib/autogenerate/read.ts'
import { EMPTY } from '../../lib/autogenerate/snapshot.ts'
import { withSession } from '../../lib/migrations/session.ts'
import { testDatabase } from '../support/database.ts'
import { RICH_SCHEMA } from '../support/rich-schema.ts'
import { testSchemas } from '../support/schemas.ts'
import { suite } from '../support/suite.ts'

const test = suite('read')
const database = testDatabase(test)
const schemas = testSchemas(test, database)

const open = { lockTimeoutMs: 1000, statementTimeoutMs: 0 }

test('a schema without anything is an empty snapshot', async () => {
  await schemas.make('nothing', '')
  assert.equal(await schemas.read('nothing'), EMPTY)
})

test('a schema that does not exist is an error that says so', async () => {
  const error = await readSnapshot(schemas, 'no such').catch((caught: unknown) => caught)
  assert.match(String(error), 'There is no schema "no such".')
  assert.is((error as { code?: string }).code, 'SCHEMA_MISSING')
})

test('columns are read with all that they are', async () => {
  await schemas.make('rich', RICH_SCHEMA)
  const { tables } = await schemas.read('rich')
  const column = (name: string) => tables.flatMap(({ columns }) => columns).find((each) => each.name === name)
  const plain = {
    enum: null,
    isArray: false,
    collation: null,
    notNull: false,
    default: null,
    serial: null,
    identity: null,
    generated: null,
    dependsOn: [],
    isVolatile: false,
    comment: null,
  }
  assert.equal(column('id'), {
    ...plain,
    name: 'id',
    type: 'integer',
    notNull: true,
    serial: { name: 'users_id_seq', options: 'AS integer', isUsed: true },
    isVolatile: true,
  })
  assert.equal(column('Id'), {
    ...plain,
    name: 'Id',
    type: 'bigint',
    notNull: true,
    identity: {
      always: false,
      sequence: { name: 'Order Items_Id_seq', options: 'START WITH 5', isUsed: true },
    },
    isVolatile: true,
  })
  assert.equal(column('roles'), {
    ...plain,
    name: 'roles',
    type: 'enum_users_role[]',
    enum: 'enum_users_role',
    isArray: true,
    default: "'{user}'::enum_users_role[]",
  })
  assert.equal(column('double_age'), {
    ...plain,
    name: 'double_age',
    type: 'integer',
    generated: { expression: '(age * 2)', stored: true },
    dependsOn: ['age'],
  })
  assert.is(column('name')?.collation, '"C"')
  assert.is(column('email')?.comment, 'unique')
  assert.is(column('token')?.isVolatile, true)
  assert.is(column('created_at')?.isVolatile, false)
})

test('what constraints and indexes read is told by the catalogs, not by their text', async () => {
  await schemas.make(
    'reads',
    `CREATE TABLE t (a text, b text, "a b" text, c integer, during tstzrange);
     ALTER TABLE t ADD CONSTRAINT words CHECK ("a b" <> 'a, b and c');
     ALTER TABLE t ADD CONSTRAINT whole CHECK (t IS NOT NULL);
     ALTER TABLE t ADD CONSTRAINT apart EXCLUDE USING gist (during WITH &&) WHERE (c > 1);
     CREATE INDEX i ON t (lower(b)) INCLUDE (during) WHERE "a b" = 'a';
     CREATE INDEX j ON t ((t IS NULL));`,
  )
  const [table] = (await schemas.read('reads')).tables
  const reads = Object.fromEntries(
    [...(table?.constraints ?? []), ...(table?.indexes ?? [])].map(({ name, dependsOn }) => [
      name,
      dependsOn,
    ]),
  )
  const all = ['a', 'a b', 'b', 'c', 'during']
  assert.equal(reads, {
    apart: ['c', 'during'],
    i: ['a b', 'b', 'during'],
    j: all,
    whole: all,
    words: ['a b'],
  })
})

test('own objects are named bare, others with their schema', async () => {
  await schemas.query(`DROP SCHEMA IF EXISTS elsewhere CASCADE; CREATE SCHEMA elsewhere;
    CREATE TYPE elsewhere.mood AS ENUM ('ok'); CREATE TABLE elsewhere.plans (id integer PRIMARY KEY)`)
  await schemas.make(
    'own',
    `CREATE TYPE mood AS ENUM ('bad'); CREATE TABLE plans (id integer PRIMARY KEY);
     CREATE TABLE t (a mood DEFAULT 'bad', b elsewhere.mood DEFAULT 'ok', p integer REFERENCES plans,
                     q integer REFERENCES elsewhere.plans)`,
  )
  const table = (await schemas.read('own')).tables.find(({ name }) => name === 't')
  assert.equal(
    table?.columns.slice(0, 2).map((column) => [column.type, column.default, column.enum]),
    [
      ['mood', "'bad'::mood", 'mood'],
      ['elsewhere.mood', "'ok'::elsewhere.mood", null],
    ],
  )
  assert.equal(
    table?.constraints.map(({ definition, references }) => [definition, references?.schema]),
    [
      ['FOREIGN KEY (p) REFERENCES plans(id)', null],
      ['FOREIGN KEY (q) REFERENCES elsewhere.plans(id)', 'elsewhere'],
    ],
  )
})

test('tables of version storages are left out, and those that are named', async () => {
  await schemas.make(
    'versions',
    'CREATE TABLE "SequelizeMeta" (name text); CREATE TABLE alembic_version (a text); CREATE TABLE t (id serial)',
  )
  assert.equal(
    (await schemas.read('versions')).tables.map(({ name }) => name),
    ['t'],
  )
  const { tables } = await readSnapshot(schemas, 'versions', { exclude: ['t', 'alembic_version'] })
  assert.equal(
    tables.map(({ name }) => name),
    ['SequelizeMeta'],
  )
})

test('the search path is what it was, in a transaction and outside one', async () => {
  await schemas.make('rich', RICH_SCHEMA)
  for (const path of ['', '"$user", public', 'rich, pg_temp']) {
    await schemas.query('BEGIN')
    await schemas.query(`SELECT set_config('search_path', $1, true)`, [path])
    await schemas.read('rich')
    assert.equal(await schemas.query("SELECT current_setting('search_path') AS path"), [{ path }])
    await schemas.query('ROLLBACK')
  }
  const before = await schemas.query('SHOW search_path')
  await schemas.read('rich')
  assert.equal(await schemas.query('SHOW search_path'), before)
})

test('a session reads the same, wherever its own statements go', async () => {
  await schemas.make('rich', RICH_SCHEMA)
  await schemas.make('other', 'CREATE TABLE users (id integer)')
  const expected = await schemas.read('rich')
  await withSession({ connection: database.url, ...open }, async (session) => {
    assert.equal(await readSnapshot(session, 'rich'), expected)
    const target = { tenant: undefined, schema: 'other', searchPath: ['rich'] }
    await session.within(target, async () => {
      await session.transaction(async () => {
        assert.equal(await readSnapshot(session, 'rich'), expected)
        assert.equal(await session.query('SELECT current_schema() AS schema'), [{ schema: 'other' }])
      })
    })
  })
})

test('a temporary table of the same name is not read', async () => {
  await schemas.make('plain', 'CREATE TABLE t (a integer, b integer CHECK (b > 0))')
  const before = await schemas.read('plain')
  await schemas.query('CREATE TEMPORARY TABLE t (x text)')
  assert.equal(await schemas.read('plain'), before)
  await schemas.query('DROP TABLE pg_temp.t')
})

test('one statement reads it, and takes no lock on a table', async () => {
  await schemas.make('rich', RICH_SCHEMA)
  await schemas.query('BEGIN')
  await factsOf(schemas, 'rich')
  const locks = await schemas.query(
    `SELECT relation::regclass::text AS name, mode FROM pg_locks
      WHERE pid = pg_backend_pid() AND relation IN (SELECT oid FROM pg_class WHERE relnamespace = 'rich'::regnamespace)
        AND mode <> 'AccessShareLock'`,
  )
  await schemas.query('ROLLBACK')
  assert.equal(locks, [])
})

test('the checks of a domain are its own, not those of tables that use it', async () => {
  await schemas.make(
    'domains',
    `CREATE DOMAIN code AS text CONSTRAINT filled CHECK (VALUE <> '');
     CREATE TABLE t (a text, CONSTRAINT "as code" CHECK (a::code <> 'x'))`,
  )
  const [domain] = (await schemas.read('domains')).others
  assert.is(domain?.definition, "text CONSTRAINT filled CHECK ((VALUE <> ''::text))")
  assert.equal(await readFoundations(schemas, 'domains'), [
    "CREATE DOMAIN code AS text CONSTRAINT filled CHECK ((VALUE <> ''::text))",
  ])
})

test.run()
