/** Rules in JavaScript and TypeScript: each case says by marks where its findings are. */
import * as assert from 'uvu/assert'

import { lintText, type LintText } from '../support/lint.ts'
import { suite } from '../support/suite.ts'

const test = suite('lint/code')

let lint: LintText

test.before(async () => {
  lint = await lintText()
})

/** The body of a migration in Umzug's form. */
const up = (body: string) => `export const up = async ({ context }) => {\n${body}\n}`

/** The body of one in sequelize-cli's form. */
const cli = (body: string) =>
  `module.exports = {\n  async up(queryInterface, Sequelize) {\n${body}\n  },\n  down: async () => {},\n}`

const CASES: Readonly<Record<string, readonly string[]>> = {
  'SQL given to queries': [
    up("await context.sql('SELECT 1 FROM ‹foreign-schema›public.users')"),
    up('await context.sql(`\n  CREATE TABLE ‹foreign-schema›public.a (\n    b ‹foreign-schema›public.mood\n  )\n`)'),
    up("const { sql } = context\nawait sql('‹database-wide›CREATE EXTENSION citext')"),
    up('const { sequelize } = context\nawait sequelize.query("DROP TABLE ‹foreign-schema›public.a", { raw: true })'),
    up("await context.sequelize.query({ query: 'DROP TABLE ‹foreign-schema›public.a', values: [] })"),
    cli("return queryInterface.sequelize.query('‹search-path›SET search_path TO public')"),
    cli("await queryInterface.sequelize.query('‹transaction-control›BEGIN')"),
    up("const [client] = await pool()\nawait client.query({ text: 'DELETE FROM ‹foreign-schema›public.a' })"),
    up("await context.sql('SELECT \\'é\\' FROM ‹foreign-schema›public.a')"),
    up("await context.sql('SELECT 1\\n  FROM \\u0061 JOIN ‹foreign-schema›public.a b ON true')"),
    up("await context.sql('SELECT 1 FROM ' +\n  '‹foreign-schema›public.users ' +\n  where)"),
    up('await context.sql(`SELECT 1 FROM ${table} JOIN ‹foreign-schema›public.${other} USING (id)`)'),
    up('await context.sql(`CREATE TABLE ‹foreign-schema›public.a (${columns.join()})`)'),
    up('await context.sql(`‹database-wide›CREATE EXTENSION ${name}; ${rest}`)'),
    up("await context.sql(['SELECT 1', 'FROM ‹foreign-schema›public.a'].join('\\n'))"),
    up("await context.sequelize.query('SELECT 1 FROM ‹foreign-schema›public.a WHERE id = :id AND b IN (?)', { replacements })"),
    up("await context.sql('SELECT FROM ‹syntax›FROM a')"),
    "const text = `DROP TABLE ‹foreign-schema›public.a`\nexport const up = ({ context }) => context.sql(text)",
    up("for (const text of ['DROP TABLE a', 'DROP TABLE ‹foreign-schema›public.b']) await context.sql(text)"),
    up('await run(context, sql`SELECT 1 FROM ‹foreign-schema›public.a`)'),
    up("await context.sql(`\n  -- the first\n  SELECT 1 FROM ‹unfiltered-catalog›pg_type WHERE typname = '${name}'`)"),
    up("await context.sql(\"SELECT 1 FROM information_schema.tables WHERE table_schema = ‹foreign-schema›'public'\")"),
    up('await context.sql(`DO $$ BEGIN\n  PERFORM 1 FROM ‹foreign-schema›public.a;\nEND $$`)'),
  ],
  'fragments and types': [
    cli("await queryInterface.addColumn('a', 'b', { type: Sequelize.UUID, defaultValue: Sequelize.literal('‹foreign-schema›public.uuid_generate_v4()') })"),
    cli("await queryInterface.addColumn('a', 'b', { type: '‹foreign-schema›public.mood', allowNull: false })"),
    up("await context.createTable('a', { mood: 'int REFERENCES ‹foreign-schema›public.b (id)', id: 'serial' })"),
    up("await context.createTable('a', { b: { type: 'uuid', defaultValue: fn(‹foreign-schema›'public.gen') } })"),
    up("await context.addIndex('a', { fields: [literal(\"lower(b COLLATE pg_catalog.c)\"), literal('‹foreign-schema›public.f(b)')] })"),
  ],
  'schemas in arguments': [
    up("await context.createTable({ tableName: 'a', schema: ‹foreign-schema›'public' }, { id: 'int' })"),
    up("await context.addColumn(‹foreign-schema›'public.a', 'b', { type: 'int' })"),
    up("await context.dropTable('a', { schema: ‹foreign-schema›'public', cascade: true })"),
    up("await context.createTable('a', { b: { type: 'int', references: { model: { tableName: 'b', schema: ‹foreign-schema›'other' }, key: 'id' } } })"),
    up("await context.addConstraint('a', { type: 'foreign key', fields: ['b'], references: { table: { tableName: 'b', schema: ‹foreign-schema›\"public\" }, field: 'id' } })"),
    up("await context.bulkInsert({ tableName: 'a', schema: ‹foreign-schema›'public' }, [{ schema: 'x' }])"),
    up("await context.createTable('a', { b: { type: 'int', references: { model: ‹foreign-schema›'public.b', key: 'id' } } })"),
    up("await context.describeTable('a', { schema: ‹foreign-schema›`public` })"),
    up("await context.sequelize.query('SELECT 1', { searchPath: ‹search-path›'public' })"),
    up("await ‹database-wide›context.createSchema('reports')"),
    cli('await ‹database-wide›queryInterface.dropAllSchemas()'),
  ],
  'not-awaited': [
    up("‹not-awaited›context.createTable('a', {})"),
    up("‹not-awaited›context.sql('SELECT 1')"),
    cli("‹not-awaited›queryInterface.sequelize.query('SELECT 1')"),
    "module.exports = { up: (queryInterface) => { ‹not-awaited›queryInterface.dropTable('a') } }",
    "exports.up = function (q) { ‹not-awaited›q.dropTable('a') }",
    "exports.up = async (qi) => { await qi.dropTable('a'); ‹not-awaited›qi.dropTable('b') }",
    "export async function up({ context: queries }) { ‹not-awaited›queries.dropTable('a') }",
    "export async function up(params) { ‹not-awaited›params.context.dropTable('a') }",
    "export async function up(params) { const { context } = params; ‹not-awaited›context.dropTable('a') }",
    "export async function up(q) { const s = q.sequelize; ‹not-awaited›s.query('SELECT 1') }",
    "export async function up({ context: { queryInterface: q, sequelize } }) { ‹not-awaited›q.dropTable('a'); ‹not-awaited›sequelize.query('SELECT 1') }",
    up("const q = context.sequelize.getQueryInterface()\n‹not-awaited›q.dropTable('a')"),
    up("const { dropTable, sql: run } = context\n‹not-awaited›run('SELECT 1')\n‹not-awaited›dropTable('a')"),
    up("if (a) ‹not-awaited›context.dropTable('a')\nelse ‹not-awaited›context.dropTable('b')"),
    up("a && ‹not-awaited›context.dropTable('a')"),
    up("a ? ‹not-awaited›context.dropTable('a') : null"),
    up("void ‹not-awaited›context.dropTable('a')"),
    up("‹not-awaited›context.dropTable('a').then(() => context.dropTable('b'))"),
    up("‹not-awaited›context.dropTable('a').catch(() => {})"),
    up("await context.dropTable('a').then(() => { ‹not-awaited›context.dropTable('b') })"),
    up("‹not-awaited›Promise.all([context.dropTable('a'), context.dropTable('b')])"),
    up("‹not-awaited›Promise.all(tables.map((table) => context.dropTable(table)))"),
    up("tables.forEach((table) => ‹not-awaited›context.dropTable(table))"),
    up("tables.forEach(‹not-awaited›async (table) => { await context.dropTable(table) })"),
    up("tables.forEach((table) => { return ‹not-awaited›context.dropTable(table) })"),
    up("tables.map((table) => ‹not-awaited›context.dropTable(table))"),
    up("for (const table of tables) ‹not-awaited›context.dropTable(table)"),
    up("‹not-awaited›context.sequelize.transaction(async (transaction) => { await context.dropTable('a', { transaction }) })"),
    up("try { ‹not-awaited›context.dropTable('a') } catch {}"),
    up("‹not-awaited›(async () => { await context.dropTable('a') })()"),
    up("setTimeout(() => ‹not-awaited›context.dropTable('a'), 10)"),
    up("‹not-awaited›context?.dropTable('a')"),
    up("‹not-awaited›context['dropTable']('a')"),
    "async function add(q, table) { await q.addColumn(table, 'a', {}) }\nexport const up = async ({ context }) => { ‹not-awaited›add(context, 'x') }",
    "const add = (q, table) => { ‹not-awaited›q.addColumn(table, 'a', {}) }\nexport const up = ({ context }) => add(context, 'x')",
  ],
  'other dialects': [
    cli("if (queryInterface.sequelize.getDialect() === 'postgres') await queryInterface.sequelize.query('DROP TABLE ‹foreign-schema›public.a')"),
    cli("if (dialect !== 'sqlite') ‹not-awaited›queryInterface.dropTable('a')\nelse queryInterface.dropTable('b')"),
    cli("if (dialect === 'sqlite' || forced) ‹not-awaited›queryInterface.dropTable('a')"),
    cli("if (kind === 'sqlite') ‹not-awaited›queryInterface.dropTable('a')"),
    cli("if (sequelize.options.dialect === 'postgres') {\n  ‹not-awaited›queryInterface.dropTable('a')\n  return\n}\nqueryInterface.dropTable('b')"),
    cli("switch (dialect) {\n  case 'mysql':\n  case 'postgres': {\n    ‹not-awaited›queryInterface.dropTable('a')\n    break\n  }\n  default:\n    queryInterface.dropTable('b')\n}"),
    cli("switch (dialect) {\n  case 'sqlite':\n    queryInterface.dropTable('a')\n    break\n  default:\n    ‹not-awaited›queryInterface.dropTable('b')\n}"),
  ],
  syntax: ['export const up = async ({ context }) => {\n  await context.sql(‹syntax›]\n}'],
} // prettier-ignore

for (const [subject, texts] of Object.entries(CASES)) {
  for (const text of texts) {
    test(`${subject}: ${text.replace(/‹.+?›/g, '').replace(/\s+/g, ' ').slice(0, 110)}`, () => {
      const { found, expected } = lint(text, '001_case.js')
      assert.equal(found, expected)
    })
  }
}

const TYPESCRIPT = `
import type { Migration } from 'umzug-tenants'
enum Table { A = 'a' }
@decorated() class Helper { constructor(private readonly name: string) {} }
export const up: Migration = async ({ context }) => {
  const rows = await context.sql<{ id: number }>(\`SELECT id FROM ‹foreign-schema›public.\${Table.A as string}\`)
  ;‹not-awaited›(context as Migration).dropTable('b')
  await (context satisfies object)!.dropTable(<any>'c')
}
export class M { async up(queryInterface: QueryInterface): Promise<void> { ‹not-awaited›queryInterface.dropTable('a') } }
`

for (const extension of ['ts', 'mts', 'cts']) {
  test(`TypeScript is read as it is, .${extension}`, () => {
    const { found, expected } = lint(TYPESCRIPT, `a.${extension}`)
    assert.equal(found, expected)
  })
}

test('both kinds of modules are read, whatever the extension', () => {
  for (const extension of ['js', 'mjs', 'cjs']) {
    const esm = lint(
      "import a from 'a'\nawait a()\nexport async function up(q) { q.dropTable('a') }",
      `a.${extension}`,
    )
    const cjs = lint("'use strict'\nexports.up = async (q) => { q.dropTable('a') }", `a.${extension}`)
    assert.equal([esm.found, cjs.found], [['3:31 not-awaited'], ['2:29 not-awaited']], extension)
  }
})

test('a migration that declines the transaction may have its own, in every form of export', () => {
  for (const text of [
    "export const transaction = false\nexport const up = ({ context }) => context.sql('BEGIN')",
    "module.exports = { transaction: false, up: (q) => q.sequelize.query('COMMIT') }",
    "export default { transaction: false, up: (q) => q.sequelize.query('COMMIT') }",
    "exports.transaction = false\nexports.up = (q) => q.sequelize.query('COMMIT')",
  ]) {
    assert.equal(lint(text, 'a.js').found, [], text)
  }
  const other = "module.exports = { up: (q) => q.sequelize.query('COMMIT', { transaction: false }) }"
  assert.equal(lint(other, 'a.js').found, ['1:50 transaction-control'])
})

test('a message shows the call, and the remedy says await', () => {
  const [finding] = lint("exports.up = async (q) => { q.sequelize.query('SELECT 1') }", 'a.js').findings
  assert.match(finding?.message ?? '', 'nobody waits for q.sequelize.query(…)')
  assert.match(finding?.remedy ?? '', 'write await before it, or return it')
})

test('a text that cannot be read whole is told the name as it is written', () => {
  const { findings } = lint('exports.up = (q) => q.sequelize.query(\'JOIN public."Users" ON true\')', 'a.js')
  assert.match(findings[1]?.message ?? '', '"public.Users"')
})

test('lines that Windows ends are counted as others', () => {
  const text = up('await context.sql(`\n  SELECT 1\n  FROM ‹foreign-schema›public.a`)')
  const { expected } = lint(text, 'a.js')
  assert.equal(lint(text.replaceAll('\n', '\r\n'), 'a.js').found, expected)
})

test.run()
