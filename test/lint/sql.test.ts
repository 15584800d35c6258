/** Rules in SQL: each case says by marks where its findings are. */
import * as assert from 'uvu/assert'

import { query, testDatabase } from '../support/database.ts'
import { lintText, type LintText } from '../support/lint.ts'
import { suite } from '../support/suite.ts'

const test = suite('lint/sql')
const database = testDatabase(test)

let lint: LintText

test.before(async () => {
  lint = await lintText()
})

const CASES: Readonly<Record<string, readonly string[]>> = {
  'foreign-schema: relations': [
    'CREATE TABLE ‹foreign-schema›public.users (id int)',
    'SELECT 1;\nALTER TABLE ‹foreign-schema›public.users ADD COLUMN name text',
    'DROP TABLE IF EXISTS a, ‹foreign-schema›public.users CASCADE',
    'DROP VIEW ‹foreign-schema›"Other".v',
    'CREATE INDEX ON ‹foreign-schema›public.users (id)',
    'DROP INDEX CONCURRENTLY ‹foreign-schema›public.users_id',
    "INSERT INTO ‹foreign-schema›audit.log VALUES ('public.users')",
    'UPDATE ‹foreign-schema›public.users SET name = NULL',
    'DELETE FROM users USING ‹foreign-schema›public.roles r WHERE r.id = role_id',
    'TRUNCATE users, ‹foreign-schema›public.roles',
    'CREATE TABLE t (role int REFERENCES ‹foreign-schema›public.roles (id))',
    'ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES ‹foreign-schema›public.roles (id)',
    'CREATE VIEW v AS\n  SELECT * FROM users u\n  JOIN ‹foreign-schema›public.roles r ON r.id = u.role',
    'WITH r AS (SELECT * FROM ‹foreign-schema›public.roles) SELECT * FROM r',
    'SELECT * FROM users WHERE id IN (SELECT id FROM ‹foreign-schema›tenant_a.users)',
    'CREATE TRIGGER t BEFORE INSERT ON users FOR EACH ROW EXECUTE FUNCTION ‹foreign-schema›public.touch()',
    'LOCK TABLE ‹foreign-schema›public.users',
    'REFRESH MATERIALIZED VIEW ‹foreign-schema›public.m',
    "COMMENT ON TABLE ‹foreign-schema›public.users IS 'people'",
    "COMMENT ON COLUMN ‹foreign-schema›public.users.name IS 'name'",
    'COPY ‹foreign-schema›public.users FROM stdin',
    'CREATE POLICY p ON ‹foreign-schema›public.users',
    'ALTER SEQUENCE ‹foreign-schema›public.s ‹foreign-schema›OWNED BY public.users.id',
    'SELECT ‹foreign-schema›public.users.id FROM users',
    "SELECT 'é', 'ß' FROM ‹foreign-schema›public.users",
    "SELECT '😀' FROM ‹foreign-schema›public.users",
    '-- é\r\nSELECT 1 FROM\r\n  ‹foreign-schema›public.users',
  ],
  'foreign-schema: types, functions, operators': [
    "CREATE TYPE ‹foreign-schema›public.mood AS ENUM ('sad')",
    "ALTER TYPE ‹foreign-schema›public.mood ADD VALUE 'glad'",
    'DROP TYPE ‹foreign-schema›public.mood',
    'CREATE DOMAIN ‹foreign-schema›public.email AS text',
    'CREATE TABLE t (mood ‹foreign-schema›public.mood)',
    "SELECT 'a'::‹foreign-schema›public.citext",
    'ALTER TABLE t ALTER c TYPE ‹foreign-schema›public.mood[] USING NULL',
    'CREATE TABLE t (id uuid DEFAULT ‹foreign-schema›public.uuid_generate_v4())',
    'DROP FUNCTION ‹foreign-schema›public.touch(int)',
    'ALTER FUNCTION ‹foreign-schema›public.touch() OWNER TO me',
    'SELECT 1 ‹foreign-schema›OPERATOR(public.+) 2',
    'CREATE INDEX ON t USING gin (c ‹foreign-schema›public.gin_trgm_ops)',
    'SELECT 1 ORDER BY c ‹foreign-schema›COLLATE public."german"',
    "SELECT nextval(‹foreign-schema›'public.users_id_seq')",
    "CREATE TABLE t (id int DEFAULT nextval(‹foreign-schema›'public.s'::regclass))",
    `SELECT to_regclass(‹foreign-schema›'"Other"."Table"')`,
    "SELECT pg_get_serial_sequence(‹foreign-schema›'public.users', 'id')",
  ],
  'foreign-schema: the schema itself': [
    'ALTER TABLE users SET SCHEMA ‹foreign-schema›public',
    'GRANT USAGE ON SCHEMA ‹foreign-schema›public TO app',
    'GRANT SELECT ON ALL TABLES IN SCHEMA ‹foreign-schema›public TO app',
    'ALTER DEFAULT PRIVILEGES IN SCHEMA ‹foreign-schema›public GRANT SELECT ON TABLES TO app',
    "COMMENT ON SCHEMA ‹foreign-schema›public IS 'x'",
    "SELECT 1 FROM information_schema.columns WHERE table_schema = ‹foreign-schema›'public' AND table_name = 'a'",
    "SELECT 1 FROM pg_tables WHERE schemaname IN (‹foreign-schema›'public', 'shared')",
    "SELECT 1 FROM pg_class WHERE relnamespace = ‹foreign-schema›'public'::regnamespace",
    "SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ‹foreign-schema›'public'",
    "SELECT 1 FROM pg_type WHERE typnamespace = (SELECT oid FROM pg_namespace WHERE nspname = ‹foreign-schema›'public')",
  ],
  'unfiltered-catalog': [
    "SELECT 1 FROM ‹unfiltered-catalog›information_schema.columns WHERE table_name = 'users'",
    "SELECT 1 FROM ‹unfiltered-catalog›pg_type WHERE typname = 'mood'",
    "SELECT 1 FROM ‹unfiltered-catalog›pg_catalog.pg_class WHERE relname = 'users'",
    "SELECT conname FROM ‹unfiltered-catalog›pg_constraint WHERE conname = 'users_pkey'",
    'SELECT * FROM ‹unfiltered-catalog›pg_indexes',
    "SELECT 1 FROM ‹unfiltered-catalog›pg_trigger WHERE tgname = 'touch'",
    "SELECT e.enumlabel FROM ‹unfiltered-catalog›pg_enum e JOIN pg_type t ON t.oid = e.enumtypid WHERE t.typname = 'mood'",
    "SELECT 1 FROM ‹unfiltered-catalog›pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relname = 'a'",
    "SELECT 1 FROM ‹unfiltered-catalog›information_schema.table_constraints a JOIN information_schema.key_column_usage b ON a.constraint_name = b.constraint_name AND a.table_schema = b.table_schema WHERE a.table_name = 'x'",
    "SELECT 1 FROM ‹unfiltered-catalog›pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')",
    "SELECT 1 FROM ‹unfiltered-catalog›pg_tables WHERE schemaname <> 'information_schema' AND schemaname NOT LIKE 'pg_%'",
    "SELECT 1 FROM ‹unfiltered-catalog›pg_tables WHERE NOT (schemaname = 'pg_catalog')",
    "SELECT EXISTS (SELECT 1 FROM ‹unfiltered-catalog›information_schema.tables WHERE table_name = 'a')",
    'WITH t AS (SELECT * FROM ‹unfiltered-catalog›pg_tables) SELECT * FROM t',
    "SELECT 1 FROM pg_tables WHERE schemaname = current_schema() UNION SELECT 1 FROM ‹unfiltered-catalog›pg_views WHERE viewname = 'v'",
    "INSERT INTO log SELECT relname FROM ‹unfiltered-catalog›pg_class WHERE relkind = 'r'",
    "CREATE VIEW v AS SELECT * FROM ‹unfiltered-catalog›information_schema.routines",
    'SELECT relname, n_live_tup FROM ‹unfiltered-catalog›pg_stat_user_tables',
  ],
  'database-wide': [
    '‹database-wide›CREATE EXTENSION IF NOT EXISTS pgcrypto',
    '-- uuid\n‹database-wide›DROP EXTENSION citext',
    '‹database-wide›CREATE ROLE app',
    "‹database-wide›CREATE USER app PASSWORD 'x'",
    '‹database-wide›ALTER ROLE app LOGIN',
    '‹database-wide›DROP ROLE IF EXISTS app',
    '‹database-wide›GRANT reader TO app',
    '‹database-wide›CREATE DATABASE d',
    '‹database-wide›ALTER DATABASE d SET timezone = utc',
    '‹database-wide›GRANT CONNECT ON DATABASE d TO app',
    "‹database-wide›ALTER SYSTEM SET work_mem = '1GB'",
    '‹database-wide›CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION f()',
    '‹database-wide›DROP EVENT TRIGGER e',
    'SELECT 1; ‹database-wide›CREATE PUBLICATION p FOR ALL TABLES',
    "‹database-wide›CREATE TABLESPACE t LOCATION '/x'",
    '‹database-wide›CREATE SCHEMA reports',
    '‹database-wide›DROP SCHEMA reports CASCADE',
    '‹database-wide›ALTER SCHEMA a RENAME TO b',
    '‹database-wide›CREATE SERVER s FOREIGN DATA WRAPPER f',
    '‹database-wide›VACUUM',
    '‹database-wide›REINDEX DATABASE d',
  ],
  'search-path': [
    '‹search-path›SET search_path TO public',
    '‹search-path›SET LOCAL search_path = a, b',
    "‹search-path›SET SCHEMA 'a'",
    '‹search-path›RESET search_path',
    '‹search-path›DISCARD ALL',
    "SELECT ‹search-path›pg_catalog.set_config('search_path', '', false)",
    "SELECT 1 WHERE ‹search-path›set_config('search_path', 'x', true) IS NOT NULL",
    '‹search-path›ALTER ROLE app SET search_path = a',
    '‹search-path›ALTER DATABASE d SET search_path = a',
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql SET search_path = ‹search-path›public AS 'SELECT 1'",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql SET search_path = ‹search-path›pg_catalog, audit AS 'SELECT 1'",
    'ALTER FUNCTION f() SET search_path = ‹search-path›public',
  ],
  'transaction-control': [
    '‹transaction-control›BEGIN; CREATE TABLE a (id int); ‹transaction-control›COMMIT;',
    '‹transaction-control›START TRANSACTION',
    'SELECT 1;\n\n-- back\n‹transaction-control›ROLLBACK',
    'DO $$ BEGIN DELETE FROM a; ‹transaction-control›COMMIT; END $$',
  ],
  'functions and blocks': [
    'CREATE FUNCTION ‹foreign-schema›public.f() RETURNS void LANGUAGE sql AS $$ SELECT 1 $$',
    'CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$\n  SELECT id FROM ‹foreign-schema›public.users\n$$',
    'CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT id FROM ‹foreign-schema›public.users; END',
    'CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $f$\nBEGIN\n  INSERT INTO ‹foreign-schema›public.log VALUES (NEW.id);\n  RETURN NEW;\nEND $f$',
    'DO $$ BEGIN PERFORM 1 FROM ‹foreign-schema›public.users; END $$',
    'DO $$ DECLARE u ‹foreign-schema›public.users%ROWTYPE; BEGIN NULL; END $$',
    'DO $$ DECLARE n int;\nBEGIN\n  SELECT count(*) INTO n FROM ‹foreign-schema›public.users;\n  n := (SELECT 1 FROM ‹foreign-schema›public.roles);\nEND $$',
    "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM ‹unfiltered-catalog›pg_type WHERE typname = 'mood') THEN CREATE TYPE mood AS ENUM ('sad'); END IF; END $$",
    'DO $$ DECLARE r record; BEGIN FOR r IN SELECT * FROM ‹foreign-schema›public.users LOOP DELETE FROM ‹foreign-schema›public.a; END LOOP; END $$',
    'DO $$ BEGIN ‹database-wide›CREATE ROLE app; EXCEPTION WHEN duplicate_object THEN NULL; END $$',
    "DO $$ BEGIN EXECUTE ‹foreign-schema›'DROP TABLE public.users'; END $$",
    "DO $$ BEGIN EXECUTE ‹foreign-schema›format('DROP TABLE public.%I', 'users'); END $$",
    "DO $$ BEGIN EXECUTE ‹foreign-schema›'DROP TABLE public.' || quote_ident('users'); END $$",
    'CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN DELETE FROM ‹foreign-schema›public.a; COMMIT; END $$',
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql ‹foreign-schema›AS 'SELECT 1 FROM public.users WHERE a = ''b'''",
  ],
  'syntax': [
    '‹syntax›SELECTT 1',
    'CREATE TABLE a (id int);\nCREATE TABLE ‹syntax›(id int);\nDROP TABLE ‹foreign-schema›public.b',
    "SELECT ‹syntax›'open",
    'SELECT 1 FROM ‹syntax›FROM users',
    "SELECT 'é' FROM ‹syntax›FROM users",
    '‹syntax›\\connect db',
  ],
} // prettier-ignore

for (const [subject, texts] of Object.entries(CASES)) {
  for (const text of texts) {
    test(`${subject}: ${text.replace(/‹.+?›/g, '').replace(/\s+/g, ' ').slice(0, 90)}`, () => {
      const { found, expected } = lint(text)
      assert.equal(found, expected)
    })
  }
}

test('a message names what was written, and the remedy what to write', () => {
  const [users] = lint('SELECT 1 FROM public.users').findings
  assert.match(users?.message ?? '', '"public.users" is named in schema "public"')
  assert.match(users?.remedy ?? '', 'write "users" alone')
  const [columns] = lint("SELECT 1 FROM information_schema.columns WHERE table_name = 'a'").findings
  assert.match(columns?.remedy ?? '', 'table_schema = current_schema()')
  const [type] = lint("SELECT 1 FROM pg_type WHERE typname = 'mood'").findings
  assert.match(type?.remedy ?? '', 'typnamespace = current_schema()::regnamespace')
  const [extension] = lint('CREATE EXTENSION citext').findings
  assert.match(extension?.remedy ?? '', 'sharedMigrations')
  const [schema] = lint('CREATE SCHEMA a').findings
  assert.match(schema?.remedy ?? '', 'provision')
})

const CATALOG = [
  'pg_class', 'pg_type', 'pg_constraint', 'pg_proc', 'pg_collation', 'pg_index', 'pg_attribute', 'pg_attrdef',
  'pg_trigger', 'pg_policy', 'pg_rewrite', 'pg_enum', 'pg_sequence', 'pg_tables', 'pg_indexes', 'pg_views',
  'pg_policies', 'pg_stat_user_tables', 'pg_statio_all_indexes', 'information_schema.tables',
  'information_schema.columns', 'information_schema.table_constraints', 'information_schema.routines',
  'information_schema.parameters', 'information_schema.sequences', 'information_schema.domains',
  'information_schema.triggers', 'information_schema.referential_constraints',
  'information_schema.check_constraints', 'information_schema.user_defined_types',
  'information_schema.element_types', 'information_schema.attributes', 'information_schema.views',
] // prettier-ignore

test('the condition a remedy names is one the server takes, and lint is content with it', async () => {
  await query(
    database.url,
    `CREATE TABLE the_table (id serial); CREATE VIEW the_view AS SELECT 1; CREATE SEQUENCE the_sequence;
     CREATE TYPE the_type AS ENUM ('a')`,
  )
  for (const relation of CATALOG) {
    const text = `SELECT 1 FROM ${relation}`
    const [finding] = lint(text).findings
    const condition = /add the condition (.+?)(?:, or ask .*)?$/.exec(finding?.remedy ?? '')?.[1]
    assert.ok(condition, relation)
    await query(database.url, `${text} WHERE ${condition}`)
    assert.equal(lint(`${text} WHERE ${condition}`).found, [], relation)
  }
})

test('the schemas all tenants share may be named, those of the configuration', () => {
  const text = 'SELECT * FROM public.a JOIN lookups.b ON true'
  assert.is(lint(text).findings.length, 2)
  assert.equal(lint(text, 'a.sql', { sharedSchemas: new Set(['public', 'lookups']) }).findings, [])
})

test("the shared schema's migrations run once: they may name schemas, and what is database-wide is at home there", () => {
  const text = 'CREATE EXTENSION citext SCHEMA public; CREATE ROLE app; SELECT 1 FROM public.a'
  assert.equal(lint(text, 'a.sql', { shared: true }).findings, [])
  const { found } = lint('SET search_path = a; COMMIT', 'a.sql', { shared: true })
  assert.equal(found, ['1:1 search-path', '1:22 transaction-control'])
})

test('outside of a transaction a migration may have its own', () => {
  assert.equal(lint('BEGIN; COMMIT', 'a.sql', { inTransaction: false }).findings, [])
})

test('the same name twice in a line is said once', () => {
  assert.is(lint('SELECT public.a.x, public.a.x FROM public.a, public.a b').findings.length, 2)
})

test('a character that ends a text for the parser ends no check', () => {
  assert.equal(lint('SELECT 1 \0 FROM public.users').found, ['1:10 syntax'])
})

test('a large text is read in seconds', () => {
  const rows = Array.from({ length: 50_000 }, (_, id) => `(${id}, 'é')`).join(',\n')
  const startedAt = performance.now()
  assert.equal(lint(`INSERT INTO a VALUES ${rows};\nDROP TABLE public.b`).found, ['50001:12 foreign-schema'])
  assert.ok(performance.now() - startedAt < 10_000)
})

test('a text that is nested too deeply is a finding, and the next is read as ever', () => {
  const deep = `SELECT ${'1 + '.repeat(50_000)}1`
  assert.equal(lint(deep).found, ['1:1 syntax'])
  assert.equal(lint('SELECT 1 FROM ‹foreign-schema›public.a').found.length, 1)
})

test.run()
