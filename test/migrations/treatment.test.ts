/** Migrations that were written for a connection without a transaction, run unmodified in one. */
import * as assert from 'uvu/assert'

import { Treatments, type Symptoms } from '../../lib/migrations/treatment.ts'
import type { Tenancy } from '../../lib/tenancy.ts'
import { testDatabase } from '../support/database.ts'
import { failure } from '../support/failure.ts'
import type { Files } from '../support/folder.ts'
import { suite } from '../support/suite.ts'
import { createTable, newId, testTenancies } from '../support/tenancies.ts'

const test = suite('migrations/treatment')
const database = testDatabase(test)
const tenancyWith = testTenancies(test, database)

async function freshTenant(files: Files, config = {}): Promise<{ tenancy: Tenancy; id: string }> {
  const id = newId()
  const tenancy = await tenancyWith(files, config)
  await tenancy.provision({ id, up: false })
  return { tenancy, id }
}

/** Columns, tables and indexes of a schema, apart from the version table. */
async function namesIn(schema: string): Promise<string[]> {
  const rows = await database.query<{ name: string }>(
    `SELECT c.relname AS name FROM pg_class c WHERE c.relnamespace = $1::regnamespace
        AND c.relkind IN ('r', 'i') AND c.relname !~ '^SequelizeMeta' ORDER BY 1`,
    [schema],
  )
  return rows.map(({ name }) => name)
}

const js = (body: string) =>
  `export async function up(queryInterface, Sequelize) { const { sequelize } = queryInterface; ${body} }`

test('a failure that a migration catches does not stop it', async () => {
  const { tenancy, id } = await freshTenant({
    ...createTable('1_a', 'a'),
    '2_b.mjs': js(`
      await queryInterface.createTable('b', { id: Sequelize.INTEGER })
      await queryInterface.removeIndex('b', 'never_made').catch(() => {})
      try { await sequelize.query('ALTER TABLE never_made ADD COLUMN x text') } catch {}
      await queryInterface.addColumn('b', 'x', Sequelize.TEXT)
      await sequelize.transaction(async (transaction) => {
        await sequelize.query('INSERT INTO b (id) VALUES (1)', { transaction })
        await sequelize.query('INSERT INTO nowhere VALUES (1)', { transaction }).catch(() => {})
      }).catch(() => {})`),
    ...createTable('3_c', 'c'),
  })
  assert.equal((await tenancy.up({ tenant: id })).applied, ['1_a.sql', '2_b.mjs', '3_c.sql'])
  assert.equal(await namesIn(id), ['a', 'a_pkey', 'b', 'c', 'c_pkey'])
  assert.equal(await database.query(`SELECT id, x FROM ${id}.b`), [{ id: 1, x: null }])
})

test('a failure that a migration does not catch is its failure, however often others were caught', async () => {
  const { tenancy, id } = await freshTenant({
    ...createTable('1_a', 'a'),
    '2_b.mjs': js(`
      await sequelize.query('SELECT caught FROM nowhere').catch(() => {})
      await sequelize.query('SELECT uncaught FROM nowhere')`),
  })
  const error = await failure('MIGRATION_FAILED', () => tenancy.up({ tenant: id }))
  assert.equal(
    [error.migration, error.sqlstate, error.detail],
    ['2_b.mjs', '42P01', 'relation "nowhere" does not exist'],
  )
  assert.equal(await namesIn(id), [])
})

for (const [what, body, index] of [
  [
    'an index that the query interface builds concurrently',
    `await queryInterface.addIndex('a', ['id'], { name: 'live', concurrently: true })`,
    'live',
  ],
  [
    'CREATE INDEX CONCURRENTLY in a text',
    `await sequelize.query('CREATE INDEX CONCURRENTLY live ON a (id)')`,
    'live',
  ],
  [
    'VACUUM',
    `await sequelize.query('VACUUM a'); await sequelize.query('CREATE INDEX live ON a (id)')`,
    'live',
  ],
] as const) {
  test(`${what} runs outside a transaction without being told so`, async () => {
    const { tenancy, id } = await freshTenant({
      ...createTable('1_a', 'a'),
      '2_index.mjs': js(body),
      ...createTable('3_c', 'c'),
    })
    assert.equal((await tenancy.up({ tenant: id })).applied, ['1_a.sql', '2_index.mjs', '3_c.sql'])
    assert.equal(await namesIn(id), ['a', 'a_pkey', 'c', 'c_pkey', index])
  })
}

test('CREATE INDEX CONCURRENTLY whose refusal is caught still builds its index', async () => {
  const { tenancy, id } = await freshTenant({
    ...createTable('1_a', 'a'),
    '2_index.mjs': js(`await sequelize.query('CREATE INDEX CONCURRENTLY live ON a (id)').catch(() => {})`),
  })
  await tenancy.up({ tenant: id })
  assert.ok((await namesIn(id)).includes('live'))
})

test('an enum value is added by one migration and used by the next of the same run', async () => {
  const { tenancy, id } = await freshTenant({
    '1_mood.sql': `CREATE TYPE mood AS ENUM ('good'); CREATE TABLE people (id integer, mood mood)`,
    '2_add.mjs': js(`await sequelize.query("ALTER TYPE mood ADD VALUE 'bad'")`),
    '3_use.sql': `INSERT INTO people VALUES (1, 'bad')`,
    ...createTable('4_d', 'd'),
  })
  await tenancy.up({ tenant: id, to: '1_mood.sql' })
  assert.equal((await tenancy.up({ tenant: id })).applied, ['2_add.mjs', '3_use.sql', '4_d.sql'])
  assert.equal(await database.query(`SELECT mood::text FROM ${id}.people`), [{ mood: 'bad' }])
})

test('an enum value is added and used by one migration', async () => {
  const { tenancy, id } = await freshTenant({
    '1_mood.sql': `CREATE TYPE mood AS ENUM ('good'); CREATE TABLE people (id integer, mood mood)`,
    '2_both.mjs': js(`
      await sequelize.query("ALTER TYPE mood ADD VALUE IF NOT EXISTS 'bad'")
      await queryInterface.bulkInsert('people', [{ id: 1, mood: 'bad' }])`),
  })
  await tenancy.up({ tenant: id, to: '1_mood.sql' })
  await tenancy.up({ tenant: id })
  assert.equal(await database.query(`SELECT mood::text FROM ${id}.people`), [{ mood: 'bad' }])
})

test('a transaction with an isolation level of its own is a real one', async () => {
  const { tenancy, id } = await freshTenant({
    '1_serial.mjs': js(`
      await queryInterface.createTable('seen', { level: Sequelize.TEXT })
      await sequelize.transaction({ isolationLevel: 'SERIALIZABLE' }, (transaction) => sequelize.query(
        "INSERT INTO seen SELECT current_setting('transaction_isolation')", { transaction }))`),
  })
  await tenancy.up({ tenant: id })
  assert.equal(await database.query(`SELECT level FROM ${id}.seen`), [{ level: 'serializable' }])
})

for (const [what, before, after] of [
  ['an index built concurrently', `await sequelize.query('CREATE INDEX CONCURRENTLY live ON a (id)')`, ''],
  [
    'a failure that is caught where its text does not show',
    '',
    `await swallow(sequelize.query('SELECT FROM nowhere'))`,
  ],
  [
    'a value of an enum that was just extended',
    '',
    `await sequelize.query("INSERT INTO people (mood) VALUES ('bad')")`,
  ],
] as const) {
  test(`${what} does not make what came before it run again`, async () => {
    const { tenancy, id } = await freshTenant({
      ...createTable('0_a', 'a'),
      '1_mood.sql': `CREATE TYPE mood AS ENUM ('good'); CREATE TABLE people (id serial, mood mood)`,
      'migrations/swallow/swallow.mjs':
        'export const swallow = async (promise) => { try { await promise } catch {} }',
      '2_counted.mjs': js(`
        globalThis.counted = (globalThis.counted ?? 0) + 1
        await sequelize.query("INSERT INTO people (mood) VALUES ('good')")
        await sequelize.query("ALTER TYPE mood ADD VALUE 'bad'")`),
      '3_next.mjs': `import { swallow } from './swallow/swallow.mjs'; ${js(`${before};${after}`)}`,
      '4_last.sql': `INSERT INTO people (mood) VALUES ('good')`,
    })
    const counted = globalThis as { counted?: number }
    counted.counted = 0
    await tenancy.up({ tenant: id })
    assert.is(counted.counted, 1)
    const rows = await database.query<{ id: number }>(
      `SELECT id FROM ${id}.people WHERE mood = 'good' ORDER BY id`,
    )
    assert.equal([rows[0]?.id, rows.length], [1, 2])
  })
}

test('a text with a transaction of its own, and statements after it, goes to the tenant as a whole', async () => {
  const { tenancy, id } = await freshTenant({
    ...createTable('1_a', 'a'),
    '2_b.sql': `BEGIN; CREATE TABLE b (id integer); COMMIT; CREATE TABLE c (id integer);`,
    '3_d.mjs': js(
      `await sequelize.query('BEGIN; CREATE TABLE d (id integer); COMMIT; CREATE TABLE e (id integer)')`,
    ),
    ...createTable('4_f', 'f'),
  })
  await tenancy.up({ tenant: id })
  assert.equal(
    (await namesIn(id)).filter((name) => name.length === 1),
    ['a', 'b', 'c', 'd', 'e', 'f'],
  )
})

test('what a migration rolls back by itself is rolled back, and what it commits stays', async () => {
  const { tenancy, id } = await freshTenant({
    ...createTable('1_a', 'a'),
    '2_b.mjs': js(`
      await sequelize.query('BEGIN')
      await sequelize.query('INSERT INTO a VALUES (1)')
      await sequelize.query('ROLLBACK')
      await sequelize.query('BEGIN')
      await sequelize.query('INSERT INTO a VALUES (2)')
      await sequelize.query('COMMIT')`),
  })
  await tenancy.up({ tenant: id })
  assert.equal(await database.query(`SELECT id FROM ${id}.a`), [{ id: 2 }])
})

test('a procedure and a DO block may commit', async () => {
  const { tenancy, id } = await freshTenant({
    ...createTable('1_a', 'a'),
    '2_b.sql': `DO $$ BEGIN FOR i IN 1..3 LOOP INSERT INTO a VALUES (i); COMMIT; END LOOP; END $$`,
  })
  await tenancy.up({ tenant: id })
  assert.is((await database.query(`SELECT FROM ${id}.a`)).length, 3)
})

test('a transaction that a migration leaves open is its failure, and nothing of it stays', async () => {
  const { tenancy, id } = await freshTenant({
    ...createTable('1_a', 'a'),
    '2_b.mjs': js(`await sequelize.query('BEGIN'); await sequelize.query('INSERT INTO a VALUES (1)')`),
  })
  const error = await failure('MIGRATION_FAILED', () => tenancy.up({ tenant: id }))
  assert.equal(
    [error.migration, error.detail, error.committed],
    [
      '2_b.mjs',
      'it has begun a transaction and not ended it, so what was done in it is rolled back',
      ['1_a.sql'],
    ],
  )
  assert.equal(await database.query(`SELECT id FROM ${id}.a`), [])
  assert.equal((await tenancy.status({ tenant: id })).executed, 1)
})

test('a text with statements that want no transaction, among others, runs outside one by one', async () => {
  const { tenancy, id } = await freshTenant({
    '1_a.sql': 'CREATE TABLE a (id integer); CREATE INDEX CONCURRENTLY live ON a (id); VACUUM a',
  })
  await tenancy.up({ tenant: id })
  assert.equal(await namesIn(id), ['a', 'live'])
})

test('transactions that are begun side by side commit and roll back each for itself', async () => {
  const { tenancy, id } = await freshTenant({
    '1_rows.mjs': js(`
      await queryInterface.createTable('rows', { n: Sequelize.INTEGER })
      const insert = (n, fails) => sequelize.transaction(async (transaction) => {
        await sequelize.query('INSERT INTO rows VALUES (' + n + ')', { transaction })
        await new Promise((resolve) => setTimeout(resolve, 5))
        if (fails) throw new Error('back')
      }).catch(() => {})
      await Promise.all([insert(1), insert(2, true), insert(3), insert(4, true)])`),
  })
  await tenancy.up({ tenant: id })
  assert.equal(await database.query(`SELECT n FROM ${id}.rows ORDER BY n`), [{ n: 1 }, { n: 3 }])
})

test('a transaction inside the callback of another, without being told so, does not wait for it', async () => {
  const { tenancy, id } = await freshTenant({
    '1_rows.mjs': js(`
      await queryInterface.createTable('rows', { n: Sequelize.INTEGER })
      await sequelize.transaction(async () => {
        await sequelize.transaction(() => sequelize.query('INSERT INTO rows VALUES (1)'))
        await sequelize.transaction(async () => { await sequelize.query('INSERT INTO rows VALUES (2)'); throw new Error('back') }).catch(() => {})
      })`),
  })
  await tenancy.up({ tenant: id })
  assert.equal(await database.query(`SELECT n FROM ${id}.rows`), [{ n: 1 }])
})

test('what is to happen after a commit happens after it', async () => {
  const { tenancy, id } = await freshTenant({
    '1_hook.mjs': js(`
      await queryInterface.createTable('rows', { n: Sequelize.INTEGER })
      await sequelize.transaction(async (transaction) => {
        transaction.afterCommit(() => sequelize.query('INSERT INTO rows SELECT count(*) + 10 FROM rows'))
        await sequelize.query('INSERT INTO rows VALUES (1)', { transaction })
      })`),
  })
  await tenancy.up({ tenant: id })
  assert.equal(await database.query(`SELECT n FROM ${id}.rows ORDER BY n`), [{ n: 1 }, { n: 11 }])
})

test('a forgotten statement that fails is the failure of its migration', async () => {
  for (const statement of [
    `queryInterface.addColumn('nowhere', 'x', Sequelize.TEXT)`,
    `sequelize.query('ALTER TABLE nowhere ADD x text')`,
    `sequelize.transaction((transaction) => sequelize.query('SELECT FROM nowhere', { transaction }))`,
  ]) {
    const { tenancy, id } = await freshTenant({
      '1_forgets.mjs': js(statement),
      ...createTable('2_b', 'b'),
    })
    const error = await failure('MIGRATION_FAILED', () => tenancy.up({ tenant: id }))
    assert.is(error.migration, '1_forgets.mjs')
    assert.is(
      error.detail?.replace(/"\w+"\."nowhere"|"\w+\.nowhere"/, '"nowhere"'),
      'a statement that nobody waits for failed: relation "nowhere" does not exist',
    )
    assert.equal(await namesIn(id), [])
  }
})

test('statements of context.sql are waited for like all others', async () => {
  const { tenancy, id } = await freshTenant({
    '1_forgets.mjs': `export async function up({ context }) {
      context.sql('SELECT pg_sleep(0.05)').then(() => context.sql('CREATE TABLE late ()'))
      context.createTable('soon', { id: 'integer' })
    }`,
  })
  await tenancy.up({ tenant: id })
  assert.equal(await namesIn(id), ['late', 'soon'])
})

test('a module that keeps what it was given is not mistaken about its tenant: 20 tenants, 5 at once', async () => {
  const tenancy = await tenancyWith({
    '1_keeps.mjs': `let kept, sql
      const pause = () => new Promise((resolve) => setTimeout(resolve, Math.random() * 10))
      async function create() {
        await kept.createTable('a', { id: 'integer' })
        await pause()
        await kept.sequelize.transaction(async (transaction) => {
          await pause()
          await kept.addColumn('a', 'x', 'text', { transaction })
          await sql("INSERT INTO a (x) VALUES (current_schema())")
        })
      }
      export async function up({ context }) {
        kept = context.queryInterface
        sql = context.sql
        await pause()
        await create()
      }`,
  })
  const ids = Array.from({ length: 20 }, newId)
  for (const id of ids) await tenancy.provision({ id, up: false })
  const report = await tenancy.up({ tenants: ids, concurrency: 5 })
  assert.equal([report.succeeded, report.failed], [20, 0])
  for (const id of ids) assert.equal(await database.query(`SELECT x FROM ${id}.a`), [{ x: id }])
})

test('a transaction of another Sequelize is refused', async () => {
  const { tenancy, id } = await freshTenant({
    '1_foreign.mjs': js(`
      const other = new Sequelize(process.env.NONE ?? 'postgres://nobody@127.0.0.1:1/none', { logging: false })
      const transaction = Object.assign(Object.create(null), { sequelize: other, connection: {} })
      await sequelize.query('SELECT 1', { transaction })`),
  })
  const error = await failure('CROSS_TENANT_TRANSACTION', () => tenancy.up({ tenant: id }))
  assert.equal([error.migration, error.tenant], ['1_foreign.mjs', id])
  assert.match(error.message, 'queryInterface.sequelize.transaction')
})

test('a treatment is tried once', () => {
  const treatments = new Treatments()
  const symptoms = {
    migration: 'a',
    isFirst: true,
    failedWith: ['25001'],
    wasCaught: false,
    needsOwnTransaction: false,
  }
  assert.is(treatments.learn(symptoms), 'outside')
  assert.is(treatments.has('a', 'outside'), true)
  assert.is(treatments.learn(symptoms), undefined)
  assert.is(treatments.learn({ ...symptoms, failedWith: ['42P01'] }), undefined)
})

test('what a migration needs is told from how it fails', () => {
  const base = {
    migration: 'a',
    isFirst: false,
    failedWith: [],
    wasCaught: false,
    needsOwnTransaction: false,
  }
  const learnt = (symptoms: Partial<Symptoms>) => {
    const treatments = new Treatments()
    treatments.learn({ ...base, ...symptoms })
    return (['outside', 'apart', 'savepoints'] as const).filter((treatment) => treatments.has('a', treatment))
  }
  assert.equal(learnt({}), [])
  assert.equal(learnt({ failedWith: ['42P01'] }), [])
  assert.equal(learnt({ failedWith: ['55P04'] }), ['apart'])
  assert.equal(learnt({ failedWith: ['55P04'], isFirst: true }), ['outside'])
  assert.equal(learnt({ failedWith: ['42P01', '25P02'], wasCaught: true }), ['savepoints'])
  assert.equal(learnt({ failedWith: ['25001', '25P02'], wasCaught: true }), ['outside'])
  assert.equal(learnt({ failedWith: ['2D000'] }), ['outside'])
  assert.equal(learnt({ needsOwnTransaction: true }), ['outside'])
})

test.run()
