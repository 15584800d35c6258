/** Ordinary migrations, in which nothing is found: a false alarm is what makes people turn a linter off. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

import * as assert from 'uvu/assert'

import { lintMigrations } from '../../lib/lint/lint.ts'
import { lintText, type LintText } from '../support/lint.ts'
import { repository } from '../support/project.ts'
import { suite } from '../support/suite.ts'

const test = suite('lint/clean')

let lint: LintText

test.before(async () => {
  lint = await lintText()
})

const SQL = [
  '',
  '-- nothing but a comment that speaks of public.users\n',
  'CREATE TABLE users (id serial PRIMARY KEY, role_id int REFERENCES roles (id) ON DELETE CASCADE);',
  "CREATE TYPE mood AS ENUM ('sad', 'public.mood'); ALTER TYPE mood ADD VALUE IF NOT EXISTS 'glad' BEFORE 'sad'",
  'CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS a ON users USING gin (name gin_trgm_ops) WHERE name IS NOT NULL',
  "ALTER TABLE users ADD COLUMN total int GENERATED ALWAYS AS (a * 2) STORED, ALTER name TYPE citext USING name::citext",
  'SELECT u.id, u.name, r.* FROM users u JOIN roles r ON r.id = u.role_id WHERE u.name = $1',
  'UPDATE users SET role_id = r.id FROM roles r WHERE r.name = users.role',
  'INSERT INTO roles (name) SELECT name FROM old_roles ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id',
  'WITH gone AS (DELETE FROM a RETURNING *) INSERT INTO b SELECT * FROM gone',
  'CREATE VIEW v AS SELECT * FROM shared.countries c JOIN users u ON u.country = c.code',
  'ALTER TABLE users ADD FOREIGN KEY (country) REFERENCES shared.countries (code)',
  "SELECT pg_catalog.now(), 'a'::pg_catalog.text, a OPERATOR(pg_catalog.+) b FROM t",
  "SELECT (address).city, (u.address).city FROM users u WHERE tags ? 'a' AND data @> '{\"schema\": \"public\"}'",
  "SELECT to_regclass('users'), to_regtype('mood'), 'users'::regclass, nextval('users_id_seq')",
  'CREATE TEMP TABLE t AS SELECT 1; CREATE TABLE pg_temp.u (id int)',
  "COMMENT ON TABLE users IS 'see public.users'; COMMENT ON COLUMN users.name IS 'a name'",
  "COMMENT ON CONSTRAINT c ON users IS 'x'; COMMENT ON FUNCTION f(int) IS 'x'; COMMENT ON TRIGGER t ON users IS 'x'",
  'DROP TRIGGER t ON users; DROP POLICY p ON users; DROP RULE r ON users; DROP OPERATOR CLASS c USING gin',
  'GRANT SELECT ON users TO reader; GRANT EXECUTE ON FUNCTION f(int) TO reader; REVOKE ALL ON users FROM PUBLIC',
  'ALTER TABLE users ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON users USING (owner = current_user)',
  'ALTER SEQUENCE users_id_seq OWNED BY users.id; ALTER TABLE users RENAME TO people; ALTER TABLE a OWNER TO app',
  "SELECT 1 FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = 'users'",
  "SELECT 1 FROM information_schema.columns WHERE table_schema = ANY (current_schemas(false)) AND table_name = 'a'",
  "SELECT 1 FROM information_schema.tables WHERE (table_schema, table_name) = (current_schema(), 'users')",
  "SELECT 1 FROM information_schema.schemata WHERE schema_name = current_schema()",
  "SELECT 1 FROM pg_type WHERE typname = 'mood' AND typnamespace = current_schema()::regnamespace",
  "SELECT 1 FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE typname = 'a' AND n.nspname = current_schema()",
  "SELECT 1 FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace AND nspname = current_schema() WHERE typname = 'a'",
  "SELECT 1 FROM pg_class c, pg_namespace n WHERE c.relnamespace = n.oid AND n.nspname IN (current_schema(), 'shared')",
  "SELECT 1 FROM pg_class WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())",
  "SELECT 1 FROM pg_class WHERE relname = 'users' AND pg_table_is_visible(oid)",
  "SELECT conname FROM pg_constraint WHERE conrelid = 'users'::regclass AND contype = 'f'",
  "SELECT 1 FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = to_regclass('users')",
  "SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped",
  'SELECT 1 FROM pg_attribute WHERE attrelid = $1',
  "SELECT enumlabel FROM pg_enum WHERE enumtypid = 'mood'::regtype ORDER BY enumsortorder",
  "SELECT enumlabel FROM pg_enum WHERE enumtypid IN (SELECT oid FROM pg_type WHERE typname = 'a' AND pg_type_is_visible(oid))",
  "SELECT c.relname, (SELECT count(*) FROM pg_attribute a WHERE a.attrelid = c.oid) FROM pg_class c WHERE c.oid = 'a'::regclass",
  "SELECT 1 FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND NOT EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = c.oid)",
  'WITH mine AS (SELECT oid FROM pg_class WHERE relnamespace = current_schema()::regnamespace) SELECT 1 FROM pg_index JOIN mine ON indrelid = mine.oid',
  'WITH pg_class AS (SELECT 1 AS relname) SELECT relname FROM pg_class',
  'SELECT rolname FROM pg_roles; SELECT extname FROM pg_extension; SELECT name FROM pg_settings; SELECT nspname FROM pg_namespace',
  'SELECT table_schema, schemaname FROM my_own_tables',
  "SELECT * FROM my_tables WHERE table_schema = 'public'",
  'SAVEPOINT a; ROLLBACK TO SAVEPOINT a; RELEASE a',
  "SET LOCAL lock_timeout = '3s'; SET CONSTRAINTS ALL DEFERRED; RESET lock_timeout; SHOW search_path",
  "SELECT current_setting('search_path'), set_config('app.user', 'a', true)",
  'VACUUM users; ANALYZE users; REINDEX TABLE users; CLUSTER users',
  "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.updated_at = now(); RETURN NEW; END $$",
  "CREATE FUNCTION f() RETURNS int LANGUAGE sql SET search_path FROM CURRENT AS 'SELECT id FROM users'",
  "CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql SET search_path = '' AS 'SELECT a + 1'",
  'CREATE FUNCTION f() RETURNS int LANGUAGE sql SET search_path = pg_catalog, pg_temp, shared AS $$ SELECT 1 $$',
  "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql SET lock_timeout = '1s' AS $$ BEGIN PERFORM 1; END $$",
  "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.address.city IS NULL THEN RAISE EXCEPTION 'public.users'; END IF; RETURN NEW; END $$",
  'CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM 1 FROM pg_attribute WHERE attrelid = TG_RELID; RETURN NEW; END $$',
  'CREATE FUNCTION f(v_schema text) RETURNS bool LANGUAGE plpgsql AS $$ BEGIN RETURN EXISTS (SELECT 1 FROM pg_tables WHERE schemaname = v_schema); END $$',
  'CREATE FUNCTION f(schema_name text) RETURNS bool LANGUAGE sql AS $$ SELECT true FROM information_schema.tables WHERE table_schema = schema_name $$',
  "DO $$ BEGIN CREATE TYPE mood AS ENUM ('sad'); EXCEPTION WHEN duplicate_object THEN NULL; END $$",
  "DO $$ DECLARE r record; n users.id%TYPE; BEGIN FOR r IN SELECT * FROM users LOOP n := r.id; EXECUTE format('ALTER TABLE %I.%I ADD COLUMN a int', current_schema(), r.name); END LOOP; END $$",
  "DO $$ BEGIN EXECUTE 'DROP TABLE ' || quote_ident(current_schema()) || '.users'; END $$",
  'CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN DELETE FROM a; COMMIT; END $$',
  "CREATE FUNCTION f() RETURNS int LANGUAGE c AS 'lib', 'public.f'",
  'CREATE FUNCTION f(a int, OUT b int) LANGUAGE plpgsql AS $$ BEGIN b := a; END $$',
  'CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END',
] // prettier-ignore

for (const text of SQL) {
  test(`SQL: ${text.replace(/\s+/g, ' ').slice(0, 110)}`, () => {
    assert.equal(lint(text).found, [])
  })
}

const up = (body: string) => `export const up = async ({ context }) => {\n${body}\n}`
const cli = (body: string) =>
  `module.exports = {\n  async up(queryInterface, Sequelize) {\n${body}\n  },\n  down: () => Promise.resolve(),\n}`

const CODE = [
  'export async function up() {}',
  "module.exports = { up: (queryInterface) => queryInterface.dropTable('a'), down: (queryInterface) => queryInterface.dropTable('b') }",
  "module.exports = { up: (queryInterface) => { return queryInterface.dropTable('a') } }",
  "exports.up = (q) => q.dropTable('a').then(() => q.dropTable('b')).catch((error) => { throw error })",
  "exports.up = (q) => Promise.all([q.dropTable('a'), q.dropTable('b')])",
  "exports.up = function (q) { return new Promise((resolve, reject) => { q.dropTable('a').then(resolve).catch(reject) }) }",
  "exports.up = (q) => new Promise((resolve, reject) => { q.dropTable('a').then(() => resolve(), reject) })",
  cli("await queryInterface.createTable('users', { id: { type: Sequelize.INTEGER, primaryKey: true }, schema: Sequelize.STRING })"),
  cli("await queryInterface.addColumn('users', 'a', { type: Sequelize.ENUM('a', 'b'), defaultValue: 'public.a' })"),
  cli("await queryInterface.bulkInsert('tenants', [{ schema: 'public', name: 'a', sql: 'SELECT * FROM public.users' }])"),
  cli("await queryInterface.bulkDelete('tenants', { schema: 'public' })"),
  cli("await queryInterface.bulkUpdate('tenants', { schema: 'public' }, { schema: 'old' })"),
  cli("const transaction = await queryInterface.sequelize.transaction()\ntry {\n  await queryInterface.dropTable('a', { transaction })\n  await transaction.commit()\n} catch (error) {\n  await transaction.rollback()\n  throw error\n}"),
  cli("return queryInterface.sequelize.transaction((t) => Promise.all([queryInterface.dropTable('a', { transaction: t })]))"),
  cli("return queryInterface.sequelize.transaction(async (transaction) => {\n  await queryInterface.dropTable('a', { transaction })\n})"),
  cli("const promise = queryInterface.dropTable('a')\nawait promise"),
  cli("const [rows] = await queryInterface.sequelize.query('SELECT id FROM users WHERE name = :name', { replacements: { name: 'a' } })\nfor (const { id } of rows) await queryInterface.bulkDelete('a', { id })"),
  cli("await Promise.all(tables.map((table) => queryInterface.dropTable(table)))"),
  cli("await Promise.all(tables.map(async (table) => { await queryInterface.dropTable(table) }))"),
  cli("const work = tables.map((table) => queryInterface.dropTable(table))\nawait Promise.all(work)"),
  cli("const work = []\nwork.push(queryInterface.dropTable('a'))\nawait Promise.all(work)"),
  cli("tables.forEach((table) => names.push(table.name))\nawait queryInterface.dropTable(names[0])"),
  cli("await tables.reduce((before, table) => before.then(() => queryInterface.dropTable(table)), Promise.resolve())"),
  cli("await queryInterface.sequelize.query('SELECT a, b FROM t WHERE a IN (?) AND b LIKE :b', { replacements })"),
  cli("await queryInterface.sequelize.query('SELECT 1 FROM users WHERE id = $id AND name = $1', { bind: { id: 1 } })"),
  cli("await queryInterface.addIndex('users', ['name'], { where: { deleted: null }, name: 'public.name' })"),
  cli("await queryInterface.addConstraint('users', { type: 'unique', fields: ['email'], name: 'u' })"),
  cli("await queryInterface.addConstraint('a', { type: 'check', where: { b: ['x', 'y'] }, fields: ['b'] })"),
  cli("console.log('SELECT 1 FROM public.users')\nthrow new Error('DROP TABLE public.users')"),
  cli("const columns = await queryInterface.describeTable('users')\nif (!columns.name) await queryInterface.addColumn('users', 'name', Sequelize.TEXT)"),
  cli("await queryInterface.addColumn('a', 'b', { type: Sequelize.UUID, defaultValue: Sequelize.literal('gen_random_uuid()') })"),
  cli("await queryInterface.addColumn('a', 'b', { type: Sequelize.DATE, defaultValue: Sequelize.literal(\"now() + interval '1 day'\") })"),
  cli("await queryInterface.addColumn('a', 'b', { type: 'INTEGER GENERATED ALWAYS AS (a * 2) STORED' })"),
  cli("await queryInterface.createTable('a', { b: { type: Sequelize.INTEGER, references: { model: 'roles', key: 'id' } } })"),
  cli("await queryInterface.createTable('a', { b: { type: 'int', references: { model: { tableName: 'c', schema: 'shared' }, key: 'id' } } })"),
  cli("const dialect = queryInterface.sequelize.options.dialect\nif (dialect === 'sqlite') {\n  await queryInterface.sequelize.query('PRAGMA foreign_keys = 0')\n}"),
  cli("const isPostgres = dialect === 'postgres'\nif (!isPostgres) queryInterface.sequelize.query('ALTER TABLE `a` MODIFY `b` TEXT')"),
  cli("if (['mysql', 'mariadb'].includes(queryInterface.sequelize.getDialect())) return queryInterface.sequelize.query('SHOW INDEX FROM `a`')"),
  cli("await queryInterface.sequelize.query(dialect === 'mssql' ? 'SELECT [a] FROM b' : 'SELECT a FROM b')"),
  cli("sequelize.getDialect() === 'sqlite' && queryInterface.sequelize.query('PRAGMA foreign_keys = 1')"),
  cli("if (dialect === 'postgres') return queryInterface.dropTable('a')\nqueryInterface.sequelize.query('PRAGMA writable_schema = 1')"),
  up("await context.sql('SELECT 1')\nawait context.queryInterface.dropTable('a')"),
  up('await context.sql(`CREATE TABLE ${name} (id int, ${columns.join()})`)'),
  up('await context.sql(`SELECT * FROM ${schema}.users WHERE id = ${id} AND name = \'${name}\' LIMIT ${n}`)'),
  up('await context.sql(`INSERT INTO a (b) VALUES ${rows.map((row) => `(${row})`).join()}`)'),
  up('await context.sql(`ALTER TABLE a ${actions}`)\nawait context.sql(`${statement}`)\nawait context.sql(`GRANT ${what} TO app`)'),
  up('await context.sql(`SELECT 1 FROM pg_tables WHERE schemaname = \'${context.schema}\'`)'),
  up('await context.sql(`SELECT 1 FROM pg_type WHERE ${condition}`)\nawait context.sql(`SELECT 1 FROM pg_type ${where}`)'),
  up("await context.sql(`SELECT 1 FROM pg_type WHERE typname = 'a' AND ${condition} AND ${column} = current_schema()`)"),
  up("await context.sql('SELECT 1 FROM information_schema.columns WHERE table_schema = $1', [context.schema])"),
  up("const users = new Map()\nusers.delete('a')\ncontext.x.flag.toString()\ncache.update('a')"),
  up("const set = context.sequelize.define('a', {}, { schema: 'shared' })\nawait set.sync()"),
  up("const one = 'Select the users of public.users'\nconst two = 'Update: done '\nawait context.sql('SELECT $1', [one + two])"),
  up('await context.sql(`UPDATE a SET b = ${context.sequelize.escape(value)}, c = \'{"schema": "public"}\'`)'),
  up("await context.sequelize.query('SELECT 1', { type: 'SELECT', schema: 'shared' })"),
  up("return run(context)\nasync function run(q) { await q.dropTable('a') }"),
  up("await (async () => { await context.dropTable('a') })()"),
  "const run = async () => { await sequelize.query('SELECT 1') }\nif (require.main === module) run().then(() => process.exit(0))",
  "const { sql } = require('x')\nexports.up = async (q) => q.sequelize.query(sql`select ${a} from b`)",
  "import { readFile } from 'node:fs/promises'\nexport const up = async ({ context }) => context.sql(await readFile('a.sql', 'utf8'))",
] // prettier-ignore

for (const text of CODE) {
  test(`code: ${text.replace(/\s+/g, ' ').slice(0, 120)}`, () => {
    assert.equal(lint(text, '001_case.js').found, [])
  })
}

/** As a user without a configuration would have it. */
const DEFAULTS = {
  baseDir: repository,
  migrations: ['migrations/*'],
  sharedMigrations: ['migrations/shared/*'],
  sharedSchema: 'shared',
  searchPath: ['shared'],
}

test("this repository's own migrations and seeders are clean", async () => {
  const { findings, files } = await lintMigrations(DEFAULTS)
  assert.equal(findings, [])
  const folders = ['migrations', 'migrations/shared'].flatMap((folder) =>
    readdirSync(join(repository, folder), { withFileTypes: true }).filter((entry) => entry.isFile()),
  )
  assert.is(files, folders.length)
  const seeders = readdirSync(join(repository, 'seeders')).map((name) => join(repository, 'seeders', name))
  assert.equal((await lintMigrations(DEFAULTS, seeders)).findings, [])
})

test('what `create` writes is clean, in every format', async () => {
  const { MIGRATION_FORMATS, migrationTemplate } = await import('../../lib/migrations/template.ts')
  for (const format of MIGRATION_FORMATS) {
    for (const { name, text } of migrationTemplate('001_a', format)) {
      assert.equal(lint(text, name).found, [], name)
    }
  }
})

test.run()
