/** Objects that a migration changes outside its tenant's schema. */
import * as assert from 'uvu/assert'

import type { TenancyConfig } from '../../lib/options.ts'
import type { Tenancy } from '../../lib/tenancy.ts'
import { catalogOf } from '../support/catalog.ts'
import { testDatabase } from '../support/database.ts'
import { failure } from '../support/failure.ts'
import type { Files } from '../support/folder.ts'
import { suite } from '../support/suite.ts'
import { newId, testTenancies } from '../support/tenancies.ts'

const test = suite('migrations/guard')
const database = testDatabase(test)
const tenancyWith = testTenancies(test, database)

test.before(() =>
  database.query(`
    CREATE TABLE public.decoy (id integer PRIMARY KEY, text text);
    CREATE TABLE public.removed (id integer);
    CREATE TYPE public.mood AS ENUM ('good');
    CREATE FUNCTION public.f() RETURNS integer LANGUAGE sql AS 'SELECT 1';
    CREATE FUNCTION public.ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
    CREATE SCHEMA other; CREATE TABLE other.thing (id integer PRIMARY KEY);
    CREATE SCHEMA shared; CREATE TABLE shared.plans (id integer PRIMARY KEY);`),
)

async function freshTenant(
  files: Files,
  config: TenancyConfig = {},
): Promise<{ tenancy: Tenancy; id: string }> {
  const id = newId()
  const tenancy = await tenancyWith(files, config)
  await tenancy.provision({ id, up: false })
  return { tenancy, id }
}

const OUTSIDE: readonly (readonly [statement: string, object: string])[] = [
  ['CREATE TABLE public.new (id integer)', 'relation public.new'],
  ['ALTER TABLE public.decoy ADD COLUMN extra text', 'relation public.decoy'],
  ['CREATE INDEX ON other.thing (id)', 'relation other.thing'],
  ["COMMENT ON TABLE public.decoy IS 'x'", 'relation public.decoy'],
  ['DROP TABLE public.removed', 'relation public.removed'],
  ['CREATE VIEW public.seen AS SELECT 1 AS one', 'relation public.seen'],
  ['CREATE TABLE mine (thing integer REFERENCES other.thing)', 'relation other.thing'],
  ["CREATE TYPE public.size AS ENUM ('s')", 'type public.size'],
  ["ALTER TYPE public.mood ADD VALUE 'bad'", 'type public.mood'],
  ['DROP TYPE public.mood', 'type public.mood'],
  ["CREATE FUNCTION public.g() RETURNS integer LANGUAGE sql AS 'SELECT 1'", 'function public.g'],
  ["CREATE OR REPLACE FUNCTION public.f() RETURNS integer LANGUAGE sql AS 'SELECT 2'", 'function public.f'],
  ['DROP FUNCTION public.f()', 'function public.f'],
  ['CREATE SCHEMA strange', 'schema strange.strange'],
  ['CREATE EVENT TRIGGER ddl ON ddl_command_end EXECUTE FUNCTION public.ddl()', 'event trigger ddl'],
  ['CREATE PUBLICATION changes FOR TABLE other.thing', 'publication changes'],
  ['DROP SCHEMA other CASCADE', 'schema other.other'],
]

for (const [statement, object] of OUTSIDE) {
  test(`${statement} fails its migration and is rolled back`, async () => {
    const { tenancy, id } = await freshTenant({ '1.sql': 'CREATE TABLE a ()', '2.sql': statement })
    const before = [await catalogOf(database, 'public'), await catalogOf(database, 'other')]
    const error = await failure('OUTSIDE_SCHEMA', () => tenancy.up({ tenant: id }))
    assert.is(error.title, `Migration "2.sql" has changed objects outside schema "${id}".`)
    assert.equal([error.tenant, error.migration], [id, '2.sql'])
    assert.ok(error.detail?.split(', ').includes(object), error.detail)
    assert.equal([await catalogOf(database, 'public'), await catalogOf(database, 'other')], before)
    assert.is((await tenancy.status({ tenant: id })).executed, 0)
  })
}

test('an object changed in a savepoint is seen as well', async () => {
  const { tenancy, id } = await freshTenant({
    '1.mjs': `export const up = ({ sequelize }) => sequelize.transaction((transaction) =>
      sequelize.query("CREATE FUNCTION public.h() RETURNS integer LANGUAGE sql AS 'SELECT 1'", { transaction }))`,
  })
  assert.is((await failure('OUTSIDE_SCHEMA', () => tenancy.up({ tenant: id }))).detail, 'function public.h')
})

test('the remedies name the linter, the shared migrations and the option', async () => {
  const { tenancy, id } = await freshTenant({ '1.sql': 'CREATE TABLE public.new ()' })
  const { fix } = await failure('OUTSIDE_SCHEMA', () => tenancy.up({ tenant: id }))
  assert.match(fix.join('\n'), 'umzug-tenants lint')
  assert.match(fix.join('\n'), 'sharedMigrations')
  assert.match(fix.join('\n'), "guard: 'warn'")
})

test('what a migration does in its own schema and with rows elsewhere is its own affair', async () => {
  const { tenancy, id } = await freshTenant({
    '1.sql': `
      CREATE TABLE a (id serial PRIMARY KEY, plan integer REFERENCES shared.plans, mood public.mood);
      CREATE TYPE own AS ENUM ('x'); ALTER TYPE own ADD VALUE 'y'; CREATE TABLE b (own own); DROP TABLE b; DROP TYPE own;
      CREATE FUNCTION own() RETURNS integer LANGUAGE sql AS 'SELECT 1'; DROP FUNCTION own();
      CREATE TEMPORARY TABLE t (id integer); DROP TABLE t;
      INSERT INTO public.decoy VALUES (1, 'x'); UPDATE public.decoy SET text = 'y'; DELETE FROM public.decoy;
      SELECT * FROM other.thing; TRUNCATE a;`,
    '2.sql': 'DROP TABLE a',
  })
  assert.equal((await tenancy.up({ tenant: id })).applied, ['1.sql', '2.sql'])
})

test('a schema that is listed in searchPath may be changed', async () => {
  const { tenancy, id } = await freshTenant(
    { '1.sql': 'CREATE TABLE other.listed ()' },
    { searchPath: ['shared', 'other'] },
  )
  await tenancy.up({ tenant: id })
  await database.query('DROP TABLE other.listed')
})

test('other tenants that are migrated at the same time are not taken for this one', async () => {
  const tenancy = await tenancyWith({
    '1.sql': `CREATE TYPE kind AS ENUM ('a'); CREATE TABLE a (kind kind); CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1'; SELECT pg_sleep(0.02)`,
  })
  const ids = Array.from({ length: 20 }, newId)
  for (const id of ids) await tenancy.provision({ id, up: false })
  const report = await tenancy.up({ tenants: ids, concurrency: 5 })
  assert.equal([report.succeeded, report.failed], [20, 0])
})

test("guard: 'warn' tells and goes on, 'off' does not look", async () => {
  for (const guard of ['warn', 'off'] as const) {
    const { tenancy, id } = await freshTenant(
      { '1.sql': `CREATE TABLE public.${guard} ()`, '2.sql': 'CREATE TABLE a ()' },
      { guard },
    )
    const told: unknown[] = []
    tenancy.on('migration:outside', (event) => told.push(event))
    await tenancy.up({ tenant: id })
    assert.equal(
      told,
      guard === 'off'
        ? []
        : [{ tenant: id, schema: id, migration: '1.sql', objects: ['relation public.warn'] }],
    )
  }
})

test('what changes in no tenant’s schema while a migration runs outside a transaction is told', async () => {
  await database.query('CREATE TABLE public.altered (id integer); CREATE TABLE public.obsolete ()')
  const { tenancy, id } = await freshTenant({
    '1.mjs': `export const transaction = false
      export async function up({ context: { sql } }) {
        await sql('CREATE TABLE public.made ()')
        await sql('ALTER TABLE public.altered ALTER COLUMN id SET DEFAULT 1')
        await sql('DROP TABLE public.obsolete')
        await sql("CREATE TYPE public.feeling AS ENUM ('good')")
        await sql('CREATE TABLE own (id integer)')
      }`,
  })
  const told: unknown[] = []
  tenancy.on('migration:outside', (event) => told.push(event))
  assert.equal((await tenancy.up({ tenant: id })).applied, ['1.mjs'])
  const objects = [
    'relation public.altered',
    'relation public.made',
    'relation public.obsolete',
    'type public.feeling',
  ]
  assert.equal(told, [{ tenant: id, schema: id, migration: '1.mjs', objects }])
})

test('what stays as it was while a migration runs outside a transaction is not told', async () => {
  await database.query('CREATE TABLE public.busy (id integer)')
  const { tenancy, id } = await freshTenant({
    '1.mjs': `export const transaction = false
      export async function up({ context: { sql } }) {
        await sql('INSERT INTO public.busy SELECT generate_series(1, 1000)')
        await sql('VACUUM ANALYZE public.busy')
        await sql('CREATE TABLE own (id integer)')
      }`,
  })
  const told: unknown[] = []
  tenancy.on('migration:outside', (event) => told.push(event))
  await tenancy.up({ tenant: id })
  assert.equal(told, [])
})

test('an extension is the business of the shared migrations', async () => {
  const tenancy = await tenancyWith(
    {
      '1.sql': 'CREATE EXTENSION IF NOT EXISTS pgcrypto',
      'migrations/shared/1.sql': 'CREATE EXTENSION IF NOT EXISTS pgcrypto SCHEMA public',
    },
    { searchPath: ['shared', 'public'] },
  )
  const [available] = await database.query("SELECT FROM pg_available_extensions WHERE name = 'pgcrypto'")
  if (available === undefined) return console.log('  (the server has no pgcrypto to try this with)')
  const id = newId()
  await tenancy.provision({ id, up: false })
  const error = await failure('OUTSIDE_SCHEMA', () => tenancy.up({ tenant: id }))
  assert.match(error.detail ?? '', 'extension pgcrypto')
  await tenancy.up({ shared: true })
  await tenancy.up({ tenant: id })
})

test.run()
