import * as assert from 'uvu/assert'

import {
  compareNames,
  fingerprintOf,
  identityOf,
  isMigrationName,
  revisionOf,
} from '../../lib/migrations/revision.ts'
import { suite } from '../support/suite.ts'

const test = suite('migrations/revision')

for (const [name, revision] of [
  ['d6ba8c13303e_create_users.ts', 'd6ba8c13303e'],
  ['20261121093000-add-avatar.js', '20261121093000'],
  ['0001.sql', '0001'],
  ['0001', '0001'],
  ['a.b_c.ts', 'a'],
] as const) {
  test(`the revision of ${name} is ${revision}`, () => assert.is(revisionOf(name), revision))
}

test('the identity is the name without the extension of a migration', () => {
  assert.equal(
    ['1_a.ts', '1_a.mts', '1_a.cts', '1_a.js', '1_a.mjs', '1_a.cjs', '1_a.sql', '1_a'].map(identityOf),
    Array.from({ length: 8 }, () => '1_a'),
  )
  assert.is(identityOf('1_a.v2.ts'), '1_a.v2')
})

for (const name of ['1.ts', '1.mts', '1.cts', '1.js', '1.mjs', '1.cjs', '1.sql', 'a b.sql', '1.down.ts']) {
  test(`${name} is a migration`, () => assert.ok(isMigrationName(name)))
}

for (const name of [
  '1.d.ts',
  '1.d.mts',
  '1.d.cts',
  '1.down.sql',
  '.1.ts',
  '1.js.map',
  '1.txt',
  'README.md',
  '1',
]) {
  test(`${name} is no migration`, () => assert.not(isMigrationName(name)))
}

test('names are ordered by code point, in every locale the same', () => {
  const sorted = ['B', 'a', 'é', 'a_b', 'a-b', 'aB', '10', '9', '\u{1f600}', '\uffee'].toSorted(compareNames)
  assert.equal(sorted, ['10', '9', 'B', 'a', 'a-b', 'aB', 'a_b', 'é', '\uffee', '\u{1f600}'])
})

test('a fingerprint is that of the set: order and extension do not count', () => {
  assert.is(fingerprintOf(['1_a.ts', '2_b.sql']), fingerprintOf(['2_b.js', '1_a.mjs']))
})

test('different sets have different fingerprints', () => {
  const all = [[], ['1'], ['1', '2'], ['12'], ['1\n2', '3'], ['2']].map(fingerprintOf)
  assert.is(new Set(all).size, all.length)
})

test.run()
