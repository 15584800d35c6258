import * as assert from 'uvu/assert'

import { quoteIdentifier, searchPath, sqlStateOf } from '../lib/sql.ts'
import { suite } from './support/suite.ts'
import { testDatabase } from './support/database.ts'

const test = suite('sql')
const database = testDatabase(test)

test('quotes every identifier, doubling quotes inside', () => {
  assert.is(quoteIdentifier('a'), '"a"')
  assert.is(quoteIdentifier('a"; DROP TABLE x; --'), '"a""; DROP TABLE x; --"')
})

test('refuses identifiers that PostgreSQL has no spelling for', () => {
  assert.throws(() => quoteIdentifier(''), RangeError)
  assert.throws(() => quoteIdentifier('a\0b'), RangeError)
})

test('puts temporary tables last on a search path', () => {
  assert.is(searchPath(['a', 'shared']), '"a", "shared", pg_temp')
})

test('finds the SQLSTATE in nested errors', async () => {
  const error = await database.query('SELECT 1/0').catch((thrown: unknown) => thrown)
  assert.is(sqlStateOf(new Error('outer', { cause: { original: error } })), '22012')
  assert.is(sqlStateOf(new Error('none')), undefined)
})

test.run()
