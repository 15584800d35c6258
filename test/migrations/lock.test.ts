import * as assert from 'uvu/assert'

import { lockKey } from '../../lib/migrations/lock.ts'
import { testDatabase } from '../support/database.ts'
import { suite } from '../support/suite.ts'

const test = suite('migrations/lock')
const database = testDatabase(test)

test('the key is the same in every process', () => {
  assert.is(lockKey('app', 'a'), lockKey('app', 'a'))
  assert.is(lockKey('app', 'a'), 8560126050004274484n)
})

test('database and schema both count, and do not run into each other', () => {
  const keys = [
    lockKey('a', 'b'),
    lockKey('b', 'a'),
    lockKey('ab', ''),
    lockKey('', 'ab'),
    lockKey('a","b', ''),
  ]
  assert.is(new Set(keys).size, keys.length)
})

test('ten thousand schemas have ten thousand keys, of both signs', () => {
  const keys = new Set(Array.from({ length: 10_000 }, (_, index) => lockKey('app', `t${index}`)))
  assert.is(keys.size, 10_000)
  assert.ok([...keys].some((key) => key < 0n) && [...keys].some((key) => key > 0n))
})

test('every key is one that PostgreSQL takes', async () => {
  const keys = Array.from({ length: 50 }, (_, index) => String(lockKey('app', `t${index}`)))
  const rows = await database.query<{ locked: boolean }>(
    'SELECT pg_try_advisory_lock(key) AS locked FROM unnest($1::bigint[]) AS key',
    [keys],
  )
  assert.ok(rows.every(({ locked }) => locked))
})

test.run()
