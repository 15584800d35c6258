/** A single-tenant application's `public` becomes the first tenant's schema; its extensions stay for everybody. */
import pg from 'pg'
import * as assert from 'uvu/assert'

import { catalogOf, rowsOf } from './support/catalog.ts'
import { query, testDatabase } from './support/database.ts'
import { failure, thrownBy } from './support/failure.ts'
import { suite } from './support/suite.ts'
import { createTable, testTenancies } from './support/tenancies.ts'

const test = suite('public-schema')
const database = testDatabase(test)
const tenancyWith = testTenancies(test, database)

const FILES = { ...createTable('1_users', 'users'), ...createTable('2_more', 'more') }
const CONFIG = { searchPath: ['shared', 'public'] }
const EXTENSIONS = ['citext', 'pgcrypto', 'uuid-ossp']

test.before(async () => {
  const available = await database.query<{ name: string }>(
    `SELECT name FROM pg_available_extensions WHERE name = ANY ($1) ORDER BY name`,
    [EXTENSIONS],
  )
  assert.equal(available.map(({ name }) => name), EXTENSIONS) // prettier-ignore
})

/** What an application that knows of one tenant has in `public`. */
test.before.each(() =>
  database.query(
    `DROP SCHEMA IF EXISTS acme CASCADE; DROP SCHEMA public CASCADE; DROP SCHEMA IF EXISTS umzug_tenants CASCADE;
     CREATE SCHEMA public AUTHORIZATION pg_database_owner;
     COMMENT ON SCHEMA public IS 'it''s \\ ours'; GRANT USAGE ON SCHEMA public TO PUBLIC;
     CREATE EXTENSION citext; CREATE EXTENSION pgcrypto; CREATE EXTENSION "uuid-ossp";
     CREATE TYPE public.mood AS ENUM ('happy', 'sad');
     CREATE TABLE public.users (
       id serial PRIMARY KEY, email citext UNIQUE, mood public.mood DEFAULT 'happy',
       token uuid NOT NULL DEFAULT uuid_generate_v4());
     CREATE TABLE public.posts (id bigint GENERATED ALWAYS AS IDENTITY, author integer REFERENCES public.users);
     CREATE VIEW public.happy AS SELECT email FROM public.users WHERE mood = 'happy';
     CREATE FUNCTION public.secret(text) RETURNS text LANGUAGE sql AS $$SELECT public.crypt($1, public.gen_salt('bf', 4))$$;
     CREATE TABLE public."SequelizeMeta" (name varchar(255) PRIMARY KEY);
     INSERT INTO public."SequelizeMeta" VALUES ('1_users.js');
     INSERT INTO public.users (email) VALUES ('Ann@Example.com'), ('bob@example.com');
     INSERT INTO public.posts (author) VALUES (1), (2)`,
  ),
)

const adoption = { schema: 'public', id: 'acme', renameTo: 'acme' }

async function extensionSchemas(): Promise<unknown> {
  return database.query(
    `SELECT extname, nspname FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace WHERE extname <> 'plpgsql' ORDER BY 1`,
  )
}

/** The application's own objects, without the names of their schemas. */
async function objectsOf(schema: string): Promise<readonly string[]> {
  const lines = (await catalogOf(database, schema)).filter((line) =>
    /users|posts|mood|happy|secret/.test(line),
  )
  return lines.map((line) => line.replaceAll(/(?:acme|public)\./g, '')).toSorted()
}

test('rows, sequences, ENUM types, views and foreign keys become the tenant’s', async () => {
  const rows = [await rowsOf(database, 'public.users'), await rowsOf(database, 'public.posts')]
  const before = await objectsOf('public')
  const tenancy = await tenancyWith(FILES, CONFIG)
  const report = await tenancy.adopt({ ...adoption, confirm: 'acme' })
  assert.equal(
    [report.adopted, report.from, report.schema, report.current],
    [true, 'public', 'acme', '1_users.sql'],
  )
  assert.equal([await rowsOf(database, 'acme.users'), await rowsOf(database, 'acme.posts')], rows)
  assert.equal(await objectsOf('acme'), before)
  await tenancy.run('acme', async () => undefined)
  const [row] = await database.query(
    "INSERT INTO acme.users (email) VALUES ('c@example.com') RETURNING id, mood::text",
  )
  assert.equal(row, { id: 3, mood: 'happy' })
  const error = await thrownBy(() => database.query('INSERT INTO acme.posts (author) VALUES (99)'))
  assert.match(String(error), 'violates foreign key constraint')
  assert.equal(
    await database.query('SELECT email::text FROM acme.happy WHERE email = $1', ['ANN@example.com']),
    [{ email: 'Ann@Example.com' }],
  )
})

test('extensions stay in public, and work in this tenant and in the next', async () => {
  const tenancy = await tenancyWith(
    {
      ...FILES,
      '1_users.sql':
        'CREATE TABLE users (id serial, email citext UNIQUE, token uuid DEFAULT uuid_generate_v4())',
    },
    CONFIG,
  )
  await tenancy.adopt({ ...adoption, confirm: 'acme' })
  assert.equal(await extensionSchemas(), EXTENSIONS.map((extname) => ({ extname, nspname: 'public' }))) // prettier-ignore
  await tenancy.provision({ id: 'next' })
  for (const schema of ['acme', 'next']) {
    await database.query(`INSERT INTO ${schema}.users (email) VALUES ('Zoe@Example.com')`)
    const found = await database.query(
      `SELECT set_config('search_path', '${schema}, shared, public', true), email::text, length(token::text) AS length
         FROM ${schema}.users WHERE email OPERATOR(public.=) 'zoe@example.COM'::public.citext`,
    )
    assert.equal(found.map(({ email, length }) => [email, length]), [['Zoe@Example.com', 36]]) // prettier-ignore
  }
  assert.is((await database.query('SELECT acme.secret($1) AS hash', ['x'])).length, 1)
  await tenancy.drop({ tenant: 'acme', confirm: 'acme' })
  assert.equal(await extensionSchemas(), EXTENSIONS.map((extname) => ({ extname, nspname: 'public' }))) // prettier-ignore
  assert.is((await rowsOf(database, 'next.users')).length, 1)
  await tenancy.drop({ tenant: 'next', confirm: 'next' })
})

test('public keeps its owner, its grants and its comment, and nothing but its extensions', async () => {
  const facts = () =>
    database.query(
      `SELECT oid::text, nspowner::regrole::text AS owner, nspacl::text AS acl, obj_description(oid, 'pg_namespace') AS comment
         FROM pg_namespace WHERE nspname = 'public'`,
    )
  const before = await facts()
  const tenancy = await tenancyWith(FILES, CONFIG)
  await tenancy.adopt({ ...adoption, confirm: 'acme' })
  assert.equal(await facts(), before)
  assert.equal(
    await database.query(
      `SELECT pg_describe_object(classid, objid, 0) AS left FROM pg_depend d
        WHERE refobjid = 'public'::regnamespace AND deptype = 'n' AND NOT EXISTS (
          SELECT FROM pg_depend e WHERE e.classid = d.classid AND e.objid = d.objid AND e.deptype = 'e') ORDER BY 1`,
    ),
    EXTENSIONS.map((name) => ({ left: `extension ${name}` })),
  )
})

test('objects of every kind move', async () => {
  await database.query(
    `CREATE DOMAIN public.positive AS integer CHECK (value > 0);
     CREATE TYPE public.pair AS (a integer, b public.positive);
     CREATE TYPE public.span AS RANGE (subtype = float8);
     CREATE SEQUENCE public."Odd ""name""";
     CREATE TABLE public.log (at date, span public.span) PARTITION BY RANGE (at);
     CREATE TABLE public.log_1 PARTITION OF public.log FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
     CREATE MATERIALIZED VIEW public.counts AS SELECT count(*) FROM public.users;
     CREATE STATISTICS public.together ON id, author FROM public.posts;
     CREATE FUNCTION public.plus(integer, variadic integer[]) RETURNS integer LANGUAGE sql AS 'SELECT 1';
     CREATE PROCEDURE public.tidy() LANGUAGE sql AS 'SELECT 1';
     CREATE AGGREGATE public.total(integer) (SFUNC = int4pl, STYPE = integer);
     CREATE OPERATOR public.=== (FUNCTION = int4eq, LEFTARG = integer, RIGHTARG = integer);
     CREATE COLLATION public.plain (LOCALE = 'C');
     CREATE TEXT SEARCH CONFIGURATION public.words (COPY = pg_catalog.simple);
     CREATE FUNCTION public.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
     CREATE TRIGGER touch BEFORE UPDATE ON public.users FOR EACH ROW EXECUTE FUNCTION public.touch()`,
  )
  const before = (await catalogOf(database, 'public')).length
  const tenancy = await tenancyWith(FILES, CONFIG)
  const { statements } = await tenancy.adopt({ ...adoption, confirm: 'acme' })
  assert.ok(statements.includes('ALTER TYPE public.pair SET SCHEMA "acme"'))
  const extensions = (await catalogOf(database, 'public')).length
  assert.equal((await catalogOf(database, 'acme')).length + extensions - 1, before)
  const inAcme = `${database.url}?options=-csearch_path%3Dacme,public`
  await query(inAcme, "UPDATE users SET mood = 'sad' WHERE id = 1")
  await query(inAcme, "INSERT INTO log VALUES ('2026-05-01', span(1, 2))")
  const [row] = await query(
    inAcme,
    `SELECT 1 === 1 AS same, total(id)::integer AS total, (1, 2)::pair::text AS pair, span_multirange(span(1, 2))::text AS spans
       FROM users`,
  )
  assert.equal(row, { same: true, total: 3, pair: '(1,2)', spans: '{[1,2)}' })
})

test('what names public in a text is told, an extension’s own functions apart', async () => {
  const tenancy = await tenancyWith(FILES, CONFIG)
  const { warnings } = await tenancy.adopt({ ...adoption, confirm: 'acme' })
  assert.equal(warnings, ['function public.secret names it in its body'])
})

test('a dry run prints the statements, and changes nothing', async () => {
  const tenancy = await tenancyWith(FILES, CONFIG)
  const before = await catalogOf(database)
  const report = await tenancy.adopt({ ...adoption, dryRun: true })
  assert.equal(report.statements, [
    'CREATE SCHEMA "acme"',
    'ALTER ROUTINE public.secret(pg_catalog.text) SET SCHEMA "acme"',
    'ALTER TABLE public."SequelizeMeta" SET SCHEMA "acme"',
    'ALTER TABLE public.posts SET SCHEMA "acme"',
    'ALTER TABLE public.users SET SCHEMA "acme"',
    'ALTER TYPE public.mood SET SCHEMA "acme"',
    'ALTER VIEW public.happy SET SCHEMA "acme"',
  ])
  assert.equal(await catalogOf(database), before)
})

test('it must be confirmed', async () => {
  const tenancy = await tenancyWith(FILES, CONFIG)
  for (const confirm of [undefined, 'public', 'Acme']) {
    const request = confirm === undefined ? adoption : { ...adoption, confirm }
    const error = await failure('CONFIRMATION_REQUIRED', () => tenancy.adopt(request))
    assert.equal(error.fix, ["pass confirm: 'acme'; on the command line --yes"])
  }
  assert.is((await rowsOf(database, 'public.users')).length, 2)
})

test('extensions that would not be found any more are refused: citext would compare like text, and say nothing', async () => {
  const tenancy = await tenancyWith(FILES)
  const error = await failure('CONFIG_INVALID', () => tenancy.adopt({ ...adoption, confirm: 'acme' }))
  assert.is(
    error.title,
    'Extensions "citext", "pgcrypto", "uuid-ossp" in "public" would not be found any more.',
  )
  assert.equal(error.fix, ["name it in the configuration: searchPath: ['shared', 'public']"])
  assert.is((await rowsOf(database, 'public.users')).length, 2)
})

test('an extension that PostgreSQL cannot move does no harm', async () => {
  await database.query('CREATE EXTENSION xml2')
  const tenancy = await tenancyWith(FILES, CONFIG)
  await tenancy.adopt({ ...adoption, confirm: 'acme' })
  assert.is((await rowsOf(database, 'acme.users')).length, 2)
})

test('a failure half way leaves public as it was', async () => {
  await database.query(
    `CREATE FUNCTION forbid() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
       IF EXISTS (SELECT FROM pg_event_trigger_ddl_commands() WHERE object_identity = 'acme.users') THEN
         RAISE EXCEPTION 'users must stay';
       END IF;
     END $$;
     CREATE EVENT TRIGGER forbid ON ddl_command_end WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION forbid()`,
  )
  const before = await catalogOf(database)
  const tenancy = await tenancyWith(FILES, CONFIG)
  const error = await thrownBy(() => tenancy.adopt({ ...adoption, confirm: 'acme' }))
  assert.match(String(error), 'users must stay')
  assert.equal((await catalogOf(database)).filter((line) => !line.includes('umzug_tenants')), before) // prettier-ignore
  await database.query('DROP EVENT TRIGGER forbid; DROP FUNCTION forbid')
})

test('a table that is in use is waited for no longer than any migration would', async () => {
  const client = new pg.Client(database.url)
  await client.connect()
  try {
    await client.query('BEGIN; SELECT FROM public.users')
    const tenancy = await tenancyWith(FILES, { ...CONFIG, timeouts: { lockMs: 50 } })
    const error = await failure('LOCK_HELD', () => tenancy.adopt({ ...adoption, confirm: 'acme' }))
    assert.is(error.title, 'What is in "public" is in use.')
    assert.equal(
      [error.sqlstate, error.fix],
      ['55P03', ['stop the application that uses it, and run it again']],
    )
  } finally {
    await client.end()
  }
  assert.is((await rowsOf(database, 'public.users')).length, 2)
})

test('the role that owns the database can do it, without being a superuser', async () => {
  await database.query("CREATE ROLE landlord LOGIN NOSUPERUSER PASSWORD 'x'")
  const name = new URL(database.url).pathname.slice(1)
  const superuser = new URL(database.url).username
  try {
    await database.query(
      `ALTER DATABASE ${name} OWNER TO landlord;
       ALTER TABLE public.users OWNER TO landlord; ALTER TABLE public.posts OWNER TO landlord;
       ALTER TABLE public."SequelizeMeta" OWNER TO landlord; ALTER VIEW public.happy OWNER TO landlord;
       ALTER TYPE public.mood OWNER TO landlord; ALTER FUNCTION public.secret OWNER TO landlord`,
    )
    const url = Object.assign(new URL(database.url), { username: 'landlord', password: 'x' }).href
    const tenancy = await tenancyWith({}, { ...CONFIG, migrationUrl: url })
    assert.is((await tenancy.adopt({ ...adoption, confirm: 'acme' })).adopted, true)
    await tenancy.close()
  } finally {
    await database.query(
      `ALTER DATABASE ${name} OWNER TO ${superuser}; DROP OWNED BY landlord CASCADE; DROP ROLE landlord`,
    )
  }
})

test('public that is the shared schema stays that', async () => {
  const tenancy = await tenancyWith(FILES, { sharedSchema: 'public' })
  const error = await failure('TENANT_NAME_RESERVED', () => tenancy.adopt({ ...adoption, confirm: 'acme' }))
  assert.is(error.title, 'Schema "public" is the shared schema here.')
})

test.run()
