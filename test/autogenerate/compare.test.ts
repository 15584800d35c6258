/** Pairs of schemas, compared and led from one to the other on a real server. */
import * as assert from 'uvu/assert'

import { sqlOf } from '../../lib/autogenerate/sql.ts'
import { testDatabase } from '../support/database.ts'
import { dumpOf, inWords, testSchemas } from '../support/schemas.ts'
import { suite } from '../support/suite.ts'
import { DIFFERENCES, EQUALS } from './cases.ts'

const test = suite('compare')
const database = testDatabase(test)
const schemas = testSchemas(test, database)

for (const { name, before, after } of DIFFERENCES) {
  test(`${name}: a difference, which goes and comes back`, async () => {
    const { operations, left, leftBack } = await schemas.lead(before, after)
    assert.ok(operations.length > 0, 'it is found')
    assert.equal(inWords(left), [], 'nothing is left of it')
    assert.equal(inWords(leftBack), [], 'nothing is left of it on the way back')
    await schemas.change('before', operations.flatMap(sqlOf).join(';\n'))
    const dumps = await Promise.all(['before', 'after'].map((schema) => dumpOf(database.url, schema)))
    if (dumps[0] !== undefined) assert.equal(dumps[0], dumps[1], 'pg_dump says the same of both')
  })
}

for (const { name, before, after } of EQUALS) {
  test(`${name}: no difference, either way`, async () => {
    assert.equal(inWords(await schemas.compare(before, after)), [])
    assert.equal(inWords(await schemas.compare(after, before)), [])
  })
}

test.run()
