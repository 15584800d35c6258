/** What a script says; that it does what a run does is proved with the corpus. */
import * as assert from 'uvu/assert'

import { writeScript } from '../lib/migrations/script.ts'
import { loadReader } from '../lib/lint/sql-reads.ts'
import type { Step } from '../lib/migrations/rehearsal.ts'
import { rowsOf } from './support/catalog.ts'
import { testDatabase } from './support/database.ts'
import { failure } from './support/failure.ts'
import { suite } from './support/suite.ts'
import { createTable, newId, testTenancies } from './support/tenancies.ts'

const test = suite('offline')
const database = testDatabase(test)
const tenancyWith = testTenancies(test, database)

const sent = (text: string, values: readonly unknown[] = []): Step => ({
  kind: 'statement',
  text,
  values,
  isMigration: true,
})

for (const [what, step, expected] of [
  [
    'values stand where their parameters were',
    sent('SELECT f($1, $2, $1)', ["it's", null]),
    "SELECT f('it''s', NULL, 'it''s');",
  ],
  ['a parameter in a constant is none', sent("SELECT f('$1', $$ $1 $$)", [1]), "SELECT f('$1', $$ $1 $$);"],
  ['a date is an instant', sent('CALL p($1)', [new Date(0)]), "CALL p('1970-01-01T00:00:00.000Z');"],
  ['bytes are hexadecimal', sent('CALL p($1)', [Buffer.from('\0a')]), "CALL p('\\x0061');"],
  ['a list is an array', sent('CALL p($1)', [['a"b', 'c\\d', null]]), `CALL p('{"a\\"b","c\\\\d",NULL}');`],
  ['an object is JSON', sent('CALL p($1)', [{ a: true }]), `CALL p('{"a":true}');`],
  ['a statement is ended once', sent('CALL p();\n'), 'CALL p();'],
  ['a last line that is a comment does not swallow the end', sent('CALL p() -- done'), 'CALL p() -- done\n;'],
] as const) {
  test(what, async () => {
    const { text } = writeScript('a', [step], await loadReader())
    assert.is(text, `-- a\n${expected}\n`)
  })
}

for (const [statement, rows, acts] of [
  ['SELECT * FROM users', true, false],
  ['WITH x AS (SELECT 1) SELECT id FROM users, x', true, false],
  ['INSERT INTO users VALUES (1) RETURNING id', true, true],
  ['INSERT INTO users SELECT * FROM others', false, true],
  ['SELECT relname FROM pg_class', false, false],
  ['SELECT column_name FROM information_schema.columns', false, false],
  ["SELECT setval('s', (SELECT max(id) FROM users))", false, true],
  ["SELECT nextval('s')", false, true],
  ['SELECT touch(id) FROM users', true, true],
  ['not a statement', false, true],
] as const) {
  test(`${statement}: ${rows ? 'answers with rows' : 'answers nothing'}, ${acts ? 'acts' : 'does nothing'}`, async () => {
    assert.equal((await loadReader())(statement), { rows, acts })
  })
}

test('a rehearsal writes nothing, whether it succeeds or fails, and no event says that it ran', async () => {
  const id = newId()
  const tenancy = await tenancyWith({ ...createTable('1_a', 'a'), '2_b.sql': 'SELECT FROM nowhere' })
  await tenancy.provision({ id, up: false })
  const everything = async () => [
    await rowsOf(database, 'umzug_tenants.tenant'),
    await rowsOf(database, 'umzug_tenants.run'),
  ]
  const before = await everything()
  const events: string[] = []
  for (const name of ['migration:start', 'migration:success', 'tenant:migrated', 'tenant:failed'] as const)
    tenancy.on(name, () => events.push(name))
  assert.match(await tenancy.sql({ tenant: id, to: '1' }), 'CREATE TABLE a')
  await failure('MIGRATION_FAILED', () => tenancy.sql({ tenant: id }))
  assert.equal(await everything(), before)
  assert.equal(events, [])
  assert.equal((await tenancy.status({ tenant: id })).pending, ['1_a.sql', '2_b.sql'])
})

test('a tenant at head has a part that does nothing', async () => {
  const id = newId()
  const tenancy = await tenancyWith(createTable('1_a', 'a'))
  await tenancy.provision({ id })
  const script = await tenancy.sql({ tenant: id })
  assert.match(script, `-- ${id} (schema ${id}): 0 migrations up\n`)
  assert.not.match(script, 'BEGIN')
})

test('what runs outside a transaction stands between the transactions, on the tenant’s path', async () => {
  const id = newId()
  const tenancy = await tenancyWith({
    ...createTable('1_a', 'a'),
    '2_index.sql': 'CREATE INDEX CONCURRENTLY live ON a (id)',
    ...createTable('3_c', 'c'),
  })
  await tenancy.provision({ id, up: false })
  const script = await tenancy.sql({ tenant: id })
  const lines = script
    .split('\n')
    .filter((line) => /^(?:BEGIN|COMMIT|SET search|RESET|CREATE (?:TABLE (?!IF)|INDEX))/.test(line))
  assert.equal(lines, [
    'BEGIN;',
    'CREATE TABLE a (id integer PRIMARY KEY);',
    'COMMIT;',
    `SET search_path TO "${id}", "shared";`,
    'CREATE INDEX CONCURRENTLY live ON a (id);',
    'RESET search_path;',
    'BEGIN;',
    'CREATE TABLE c (id integer PRIMARY KEY);',
    'COMMIT;',
  ])
})

test('several tenants have a part each, and the shared schema has its own migrations', async () => {
  const [a, b] = [newId(), newId()]
  const tenancy = await tenancyWith({
    ...createTable('1_a', 'a'),
    'migrations/shared/1_s.sql': 'CREATE TABLE s ()',
  })
  for (const id of [a, b]) await tenancy.provision({ id, up: false })
  const many = await tenancy.sql({ tenants: [a, b] })
  assert.equal(many.match(/^SET LOCAL search_path TO "\w+"/gm), [
    `SET LOCAL search_path TO "${a}"`,
    `SET LOCAL search_path TO "${b}"`,
  ])
  assert.match(await tenancy.sql({ shared: true }), 'CREATE TABLE s ()')
})

test.run()
