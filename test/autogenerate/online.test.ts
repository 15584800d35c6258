/**
 * The online form, its files run as they are: the second outside a transaction, with CONCURRENTLY. Whatever the plain
 * form leads to, it leads to as well, and back in the same two steps.
 */
import { DataTypes, Sequelize, type IndexesOptions } from 'sequelize'
import * as assert from 'uvu/assert'

import type { HazardKind } from '../../lib/autogenerate/operation.ts'
import type { MigrationFormat, NewFile } from '../../lib/migrations/template.ts'
import { testDatabase } from '../support/database.ts'
import { suite } from '../support/suite.ts'
import { columns } from './cases/columns.ts'
import { constraints } from './cases/constraints.ts'
import { enums } from './cases/enums.ts'
import { indexes } from './cases/indexes.ts'
import { renames } from './cases/renames.ts'
import { tables } from './cases/tables.ts'
import { items, type Case, type Cases, type Define } from './support/case.ts'
import { listingOf } from './support/listing.ts'
import { overMany } from './support/pairs.ts'
import { defineRandom, randomPair } from './support/random.ts'
import { workbench } from './support/workbench.ts'

const test = suite('autogenerate/online')
const database = testDatabase(test)
const open = workbench(test, database)

const { INTEGER, STRING, TEXT } = DataTypes

/** Runs the migrations of a case one by one and back; the answer is their texts. */
async function run(
  { before, after, sql, renames: hints }: Case,
  format: MigrationFormat = 'mjs',
): Promise<readonly string[]> {
  const bench = await open()
  // What was NOT VALID and has been read through stays valid on the way back.
  const list = async (name: string) =>
    (await listingOf(bench.session, name)).map((line) => line.replace(' NOT VALID', ''))
  const schema = await bench.make(before, { sql })
  let wanted: string | undefined
  try {
    const compared = await bench.compare(after, schema)
    const { migrations } = await bench.generateOnline(compared, { renames: hints }, format)
    const texts = migrations.map((files) => files.map(({ text }) => text).join('\n'))
    // What is done in a transaction as ever is run as ever: cases.test.ts.
    if (!migrations.some(isOutside)) return texts
    if (sql === undefined) wanted = await bench.make(after)
    const begun: { readonly files: readonly NewFile[]; readonly listing: readonly string[] }[] = []
    for (const files of migrations) {
      begun.push({ files, listing: await list(schema) })
      await bench.run(schema, files, 'up')
    }
    assert.equal((await bench.compare(after, schema)).differences, [])
    if (wanted !== undefined) assert.equal(await list(schema), await list(wanted))
    // What has failed half way is run again from its start, and may have failed at its very end.
    const [last] = migrations.toReversed()
    if (last !== undefined && isOutside(last)) await bench.run(schema, last, 'up')
    for (const { files, listing } of begun.toReversed()) {
      await bench.run(schema, files, 'down')
      if (isOutside(files)) await bench.run(schema, files, 'down')
      assert.equal(await list(schema), listing)
    }
    return texts
  } finally {
    await bench.drop(schema, ...(wanted === undefined ? [] : [wanted]))
  }
}

function isOutside([file]: readonly NewFile[]): boolean {
  return /\btransaction\s*[:=]\s*false\b/.test(file?.text ?? '')
}

const ALL: Readonly<Record<string, Cases>> = { tables, columns, indexes, constraints, enums, renames }

for (const [subject, cases] of Object.entries(ALL)) {
  for (const each of cases.filter(({ same }) => same !== true)) {
    test(`${subject}: ${each.name}`, async () => void (await run(each)))
  }
}

const withIndexes = (...list: IndexesOptions[]): Define => items({ a: STRING, b: INTEGER }, { indexes: list })

const related =
  (type: typeof INTEGER | typeof TEXT, target: string): Define =>
  (sequelize) => {
    sequelize.define('user', { id: { type, primaryKey: true } }, { timestamps: false })
    sequelize.define('group', { id: { type, primaryKey: true } }, { timestamps: false })
    const references = { model: target, key: 'id' }
    sequelize.define('post', { owner: { type, references } }, { timestamps: false })
  }

test('an index is made and dropped concurrently, and needs no other file', async () => {
  const texts = await run({ name: '', before: withIndexes(), after: withIndexes({ fields: ['a'] }) })
  assert.is(texts.length, 1)
  assert.match(texts[0] ?? '', 'export const transaction = false')
  assert.match(texts[0] ?? '', 'CREATE INDEX CONCURRENTLY IF NOT EXISTS "items_a" ON')
  assert.match(texts[0] ?? '', 'DROP INDEX CONCURRENTLY IF EXISTS "items_a"')
})

test('an index that is replaced serves under another name until the new one is there', async () => {
  const [first = '', second = ''] = await run({
    name: '',
    before: withIndexes({ fields: ['a'], name: 'i' }),
    after: withIndexes({ fields: ['a', 'b'], name: 'i' }),
  })
  assert.match(first, 'ALTER INDEX "i" RENAME TO "i__before"')
  assert.match(first, 'ALTER INDEX "i__before" RENAME TO "i"')
  assert.not.match(first, 'transaction = false')
  const [up = '', down = ''] = second.split('export const down')
  assert.ok(up.indexOf('IF NOT EXISTS "i" ON') < up.indexOf('IF EXISTS "i__before"'))
  assert.ok(down.indexOf('IF NOT EXISTS "i__before" ON') < down.indexOf('IF EXISTS "i"`'))
})

test('a unique constraint takes over an index that was made concurrently', async () => {
  const before = items({ a: STRING, b: INTEGER })
  const after = items({ a: STRING, b: { type: INTEGER, unique: true } })
  const [only = ''] = await run({ name: '', before, after })
  assert.match(only, 'CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS "items_b_key" ON "items" (b)')
  assert.match(only, 'ADD CONSTRAINT "items_b_key" UNIQUE USING INDEX "items_b_key"')
})

test('a unique constraint keeps what is special about it', async () => {
  const rest = ['NULLS NOT DISTINCT (a) INCLUDE (b)', '(a) DEFERRABLE INITIALLY DEFERRED', '(a, "B")']
  for (const definition of rest) {
    const sql = `ALTER TABLE items ADD CONSTRAINT special UNIQUE ${definition}`
    const models = items({ a: STRING, b: INTEGER, B: INTEGER })
    const [only = ''] = await run({ name: '', before: models, after: models, sql })
    assert.match(only, `UNIQUE USING INDEX "special"${definition.includes('DEFERRED') ? ' DEFERRABLE' : ''}`)
  }
})

test('NOT NULL is set with the help of a check, and taken away without', async () => {
  const [only = ''] = await run({
    name: '',
    before: items({ a: STRING }),
    after: items({ a: { type: STRING, allowNull: false } }),
  })
  const [up = '', down = ''] = only.split('export const down')
  const steps = [
    'CHECK ("a" IS NOT NULL) NOT VALID',
    'VALIDATE CONSTRAINT "items_a__filled"',
    'ALTER COLUMN "a" SET NOT NULL',
    'DROP CONSTRAINT IF EXISTS "items_a__filled"`',
  ]
  const places = steps.map((step) => up.indexOf(step))
  assert.equal(
    places,
    places.toSorted((a, b) => a - b),
  )
  assert.ok(!places.includes(-1))
  assert.match(down, 'DROP NOT NULL')
  assert.not.match(down, 'VALIDATE')
})

test('NULL that is allowed is forbidden on the way back with the help of a check', async () => {
  const [only = ''] = await run({
    name: '',
    before: items({ a: { type: STRING, allowNull: false } }),
    after: items({ a: STRING }),
  })
  assert.match(only.split('export const down')[1] ?? '', 'CHECK ("a" IS NOT NULL) NOT VALID')
})

test('a column that changes its type too does that in the transaction', async () => {
  const [first = '', second = ''] = await run({
    name: '',
    before: items({ a: INTEGER, b: STRING(10) }),
    after: items({ a: { type: INTEGER, allowNull: false, defaultValue: 3 }, b: STRING(20) }),
  })
  assert.match(first, 'ALTER COLUMN "b" TYPE character varying(20)')
  assert.match(first, 'SET DEFAULT 3')
  assert.not.match(first, 'SET NOT NULL')
  assert.match(second, 'SET NOT NULL')
})

test('a foreign key is NOT VALID at first, and one that it replaces goes afterwards', async () => {
  const [first = '', second = ''] = await run({
    name: '',
    before: related(INTEGER, 'users'),
    after: related(INTEGER, 'groups'),
  })
  assert.match(first, 'RENAME CONSTRAINT "posts_owner_fkey" TO "posts_owner_fkey__before"')
  const [up = ''] = second.split('export const down')
  const steps = [
    /REFERENCES groups\(id\).* NOT VALID/,
    /VALIDATE CONSTRAINT/,
    /DROP .*"posts_owner_fkey__before"/,
  ]
  const places = steps.map((step) => up.search(step))
  assert.equal(
    places,
    places.toSorted((a, b) => a - b),
    up,
  )
  assert.ok(!places.includes(-1), up)
})

test('a foreign key that is cut for a new type returns in the transaction, and is read for afterwards', async () => {
  const [first = '', second = ''] = await run({
    name: '',
    before: related(INTEGER, 'users'),
    after: related(TEXT, 'users'),
  })
  assert.match(first, /ADD CONSTRAINT "posts_owner_fkey" FOREIGN KEY .* NOT VALID/)
  assert.match(second, 'VALIDATE CONSTRAINT "posts_owner_fkey"')
})

test('a check that models do not have returns NOT VALID on the way back', async () => {
  const models = items({ a: INTEGER })
  const sql = `ALTER TABLE items ADD CONSTRAINT positive CHECK (a > 0)`
  const [only = ''] = await run({ name: '', before: models, after: models, sql })
  assert.match(only.split('export const down')[1] ?? '', /CHECK .*a > 0.* NOT VALID/)
})

test('what is new has no rows, and what is partitioned no such form: all in one transaction', async () => {
  const created = await run({
    name: '',
    before: () => undefined,
    after: items({ a: { type: STRING, unique: true } }, { indexes: [{ fields: ['a'], name: 'i' }] }),
  })
  assert.is(created.length, 1)
  assert.not.match(created[0] ?? '', 'transaction = false')
  const bench = await open()
  const key = { type: INTEGER, primaryKey: true }
  const schema = await bench.make(items({ id: key, a: STRING }), {
    sql: 'DROP TABLE items; CREATE TABLE items (id integer PRIMARY KEY, a varchar(255)) PARTITION BY LIST (id)',
  })
  const models = items({ id: key, a: STRING }, { indexes: [{ fields: ['a'], name: 'i' }] })
  const { migrations } = await bench.generateOnline(await bench.compare(models, schema))
  const [partitioned, ...others] = migrations.map(([file]) => file?.text ?? '')
  assert.equal(others, [])
  assert.match(partitioned ?? '', "addIndex('items', ['a']")
  await bench.drop(schema)
})

const MANY: Case = {
  name: 'many at once',
  before: (sequelize) => {
    sequelize.define('user', { name: STRING, code: INTEGER }, { timestamps: false, indexes: [{ fields: ['name'], name: 'n' }] }) // prettier-ignore
    sequelize.define('post', { author: INTEGER, title: STRING }, { timestamps: false })
  },
  after: (sequelize) => {
    const code = { type: INTEGER, unique: true, allowNull: false, comment: "it's" }
    const name = { type: STRING, allowNull: false }
    const byName = { fields: [Sequelize.fn('lower', Sequelize.col('name'))], name: 'n', unique: true }
    sequelize.define('user', { name, code, more: TEXT }, { timestamps: false, indexes: [byName] })
    const author = { type: INTEGER, references: { model: 'users', key: 'code' } }
    sequelize.define('post', { author, title: STRING(300) }, { timestamps: false, indexes: [{ fields: ['author'] }] }) // prettier-ignore
    sequelize.define('vote', { user: { type: INTEGER, references: { model: 'users', key: 'code' } } })
  },
}

for (const format of ['ts', 'mjs', 'cjs', 'sql'] as const) {
  test(`${format}: many changes at once, there and back, and each again`, async () => {
    const texts = await run(MANY, format)
    assert.is(texts.length, 2)
    assert.match(texts[1] ?? '', 'outside a transaction')
    assert.equal(await run(MANY, format), texts)
  })
}

test('random models are led to others and back', async () => {
  const bench = await open()
  await overMany(randomPair, { pairs: 15, part: 0.05, seed: 4 }, async ({ before: one, after: other }) => {
    const [before, after] = [defineRandom(one), defineRandom(other)]
    const schema = await bench.make(before)
    const { migrations } = await bench.generateOnline(await bench.compare(after, schema))
    for (const files of migrations) await bench.run(schema, files, 'up')
    assert.equal((await bench.compare(after, schema)).differences, [])
    for (const files of migrations.toReversed()) await bench.run(schema, files, 'down')
    assert.equal((await bench.compare(before, schema)).differences, [])
    await bench.drop(schema)
  })
})

test('hazards: nobody waits any more; what rows may break still may fail', async () => {
  const bench = await open()
  const schema = await bench.make(MANY.before)
  const compared = await bench.compare(MANY.after, schema)
  const kinds = async (online: boolean) => {
    const found = new Set<HazardKind>()
    if (online) {
      const { assessed } = await bench.generateOnline(compared)
      for (const { hazards } of assessed) for (const { kind } of hazards) found.add(kind)
      return found
    }
    for (const { text } of await bench.generate(compared))
      for (const [, kind] of text.matchAll(/\/\/ (may-fail|long-lock|breaks-code|rewrite|data-loss):/g))
        found.add(kind as HazardKind)
    return found
  }
  assert.ok((await kinds(false)).has('long-lock'))
  assert.equal([...(await kinds(true))].toSorted(), ['breaks-code', 'may-fail'])
  await bench.generateOnline(compared, { failOn: ['long-lock'] })
  await bench.drop(schema)
})

test.run()
