/** Pairs of schemas, compared and led from one to the other on a real server. */
import * as assert from 'uvu/assert'

import { compare } from '../../lib/autogenerate/compare.ts'
import type { Snapshot } from '../../lib/autogenerate/snapshot.ts'
import { sqlOf } from '../../lib/autogenerate/sql.ts'
import { testDatabase } from '../support/database.ts'
import { sameDumps } from '../support/dump.ts'
import { RICH_SCHEMA } from '../support/rich-schema.ts'
import { inWords, testSchemas } from '../support/schemas.ts'
import { suite } from '../support/suite.ts'
import { DIFFERENCES, EQUALS } from './cases.ts'

const test = suite('compare')
const database = testDatabase(test)
const schemas = testSchemas(test, database)

/** The same in another order. */
function turned({ tables, enums, ...snapshot }: Snapshot): Snapshot {
  return {
    ...snapshot,
    tables: tables
      .map((table) => ({
        ...table,
        columns: table.columns.toReversed(),
        constraints: table.constraints.toReversed(),
        indexes: table.indexes.toReversed(),
      }))
      .toReversed(),
    enums: enums.toReversed(),
  }
}

for (const { name, before, after } of DIFFERENCES) {
  test(`${name}: a difference, which goes and comes back`, async () => {
    const { start, goal, operations, left, leftBack } = await schemas.lead(before, after)
    assert.ok(operations.length > 0, 'it is found')
    assert.equal(inWords(left), [], 'nothing is left of it')
    assert.equal(inWords(leftBack), [], 'nothing is left of it on the way back')
    assert.equal(
      new Set(inWords(compare(turned(start), goal))),
      new Set(inWords(operations)),
      'whatever order the parts of the specimen are in',
    )
    await schemas.change('before', operations.flatMap(sqlOf).join(';\n'))
    await sameDumps(database.url, 'before', 'after')
  })
}

for (const { name, before, after } of EQUALS) {
  test(`${name}: no difference, either way`, async () => {
    assert.equal(inWords(await schemas.compare(before, after)), [])
    assert.equal(inWords(await schemas.compare(after, before)), [])
  })
}

test('everything a schema can hold is no difference to itself', async () => {
  await schemas.make('before', RICH_SCHEMA)
  await schemas.make('after', RICH_SCHEMA)
  const [before, after] = [await schemas.read('before'), await schemas.read('after')]
  assert.equal(compare(before, after, { strict: true }), [])
  assert.equal(compare(after, before, { strict: true }), [])
})

test('nothing becomes everything that models can say, and back', async () => {
  const tables = RICH_SCHEMA.slice(0, RICH_SCHEMA.indexOf('CREATE VIEW')).replace(
    /CREATE (?:DOMAIN|FUNCTION)[^;]*;(?: END';)?|positive positive,/g,
    '',
  )
  const { left, leftBack } = await schemas.lead('', tables)
  assert.equal(inWords(left), [])
  assert.equal(inWords(leftBack), [])
})

test('names alone are no difference if they are not asked for', async () => {
  const table = 'CREATE TABLE t (a integer, b integer);'
  const operations = await schemas.compare(
    `${table} CREATE INDEX i ON t (a); ALTER TABLE t ADD CONSTRAINT u UNIQUE (b), ADD CONSTRAINT c CHECK (a > 0)`,
    `${table} CREATE INDEX j ON t (a); ALTER TABLE t ADD CONSTRAINT v UNIQUE (b), ADD CONSTRAINT d CHECK (a > 0)`,
    { names: false },
  )
  assert.equal(operations, [])
})

test('a comment on an index that is made anew is kept', async () => {
  const schema = (type: string) => `CREATE TABLE t (a ${type}); CREATE INDEX i ON t ((a IS NULL));`
  const operations = await schemas.compare(`${schema('integer')} COMMENT ON INDEX i IS 'x'`, schema('text'))
  assert.equal(inWords(operations), [
    'drop index t i',
    'alter column t a a',
    'create index t i',
    'comment t.i null x',
  ])
})

test.run()
