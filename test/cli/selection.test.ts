import * as assert from 'uvu/assert'

import {
  describeSelection,
  isOne,
  readSelection,
  readVariables,
  refuseDryRun,
  requireSelection,
  wordFor,
} from '../../lib/cli/selection.ts'
import { failure } from '../support/failure.ts'
import { suite } from '../support/suite.ts'

const test = suite('cli/selection')

test('tenants are listed with repeated flags, with commas and with -x, each once', () => {
  const flags = { tenant: ['a,b', ' c '], x: ['tenant=d', 'tenant=a'] }
  assert.equal(readSelection(flags), { tenants: ['a', 'b', 'c', 'd'] })
})

test('a pattern, all tenants and the shared schema are selections', () => {
  assert.equal(readSelection({ match: 'a*' }), { match: 'a*' })
  assert.equal(readSelection({ all: true }), { all: true })
  assert.equal(readSelection({ shared: true }), { shared: true })
  assert.is(readSelection({}), undefined)
})

test('-x tenant takes one id as it is: neither a list nor the word all', () => {
  assert.equal(readSelection({ x: ['tenant=all'] }), { tenants: ['all'] })
  assert.equal(readSelection({ x: ['tenant=a,b'] }), { tenants: ['a,b'] })
})

test('two selections at once are refused', async () => {
  await failure('USAGE', () => readSelection({ all: true, tenant: ['a'] }))
  await failure('USAGE', () => readSelection({ shared: true, x: ['tenant=a'] }))
})

test('an empty id is refused rather than left out', async () => {
  for (const id of ['', ',', 'a,,b']) await failure('USAGE', () => readSelection({ tenant: [id] }))
  await failure('USAGE', () => readSelection({ x: ['tenant='] }))
})

test('a missing selection is refused with every way to select', async () => {
  const { fix } = await failure('USAGE', () => requireSelection({ x: ['version=2'] }))
  for (const flag of ['--tenant', '-x tenant=', '--match', '--all', '--shared'])
    assert.match(fix.join('\n'), flag)
})

test('one tenant and the shared schema are one; a list, a pattern and all are a fleet', () => {
  assert.ok(isOne({ tenants: ['a'] }))
  assert.ok(isOne({ shared: true }))
  assert.not(isOne({ tenants: ['a', 'b'] }))
  assert.not(isOne({ match: 'a' }))
  assert.not(isOne({ all: true }))
})

test('a selection has a word to confirm it by, and a sentence', () => {
  assert.is(wordFor({ tenants: ['a', 'b'] }), 'a,b')
  assert.is(wordFor({ all: true }), 'all')
  assert.is(wordFor({ match: 'a*' }), 'a*')
  assert.is(wordFor({ shared: true }), 'shared')
  assert.is(describeSelection({ tenants: ['a', 'b'] }), 'tenants "a", "b"')
  assert.is(describeSelection({ match: 'a*' }), 'every tenant that matches a*')
})

test('what a file names is a selection, and excludes the others', async () => {
  assert.equal(readSelection({ tenantsFile: ['a', 'b', 'a'] }), { tenants: ['a', 'b'] })
  await failure('USAGE', () => readSelection({ tenantsFile: ['a'], all: true }))
  await failure('USAGE', () => readSelection({ tenantsFile: ['a'], tenant: ['b'] }))
})

test('of many tenants some are skipped, in lists and repeatedly', () => {
  assert.equal(readSelection({ all: true, skip: ['a,b', 'c'] }), { all: true, skip: ['a', 'b', 'c'] })
  assert.equal(readSelection({ match: 'x*', skip: ['a'] }), { match: 'x*', skip: ['a'] })
  assert.equal(readSelection({ tenantsFile: ['a', 'b'], skip: ['a'] }), { tenants: ['a', 'b'], skip: ['a'] })
})

test('skipping without many is refused, and so is skipping nobody', async () => {
  for (const flags of [{ skip: ['a'] }, { tenant: ['a', 'b'], skip: ['a'] }, { shared: true, skip: ['a'] }]) {
    const { fix } = await failure('USAGE', () => readSelection(flags))
    assert.match(fix.join(), 'select them: --all, --match or --tenants-file')
  }
  for (const skip of ['', 'a,']) await failure('USAGE', () => readSelection({ all: true, skip: [skip] }))
})

test('who is skipped is said before something is confirmed', () => {
  assert.is(describeSelection({ all: true, skip: ['a'] }), 'every tenant but tenant "a"')
})

test('more tenants than a person would type are counted', () => {
  const tenants = ['a', 'b', 'c', 'd', 'e', 'f']
  assert.is(wordFor({ tenants }), '6 tenants')
  assert.is(describeSelection({ tenants }), '6 tenants')
})

test('-x pairs but tenant and dry_run reach the migrations, also what looks like a prototype', () => {
  const { x, dryRun } = readVariables({ x: ['tenant=a', 'version=2', 'note=a=b', 'empty=', '__proto__=1'] })
  assert.equal(Object.entries(x), [
    ['version', '2'],
    ['note', 'a=b'],
    ['empty', ''],
    ['__proto__', '1'],
  ])
  assert.is(dryRun, false)
})

test('dry_run is true or false in the usual spellings, and nothing else', async () => {
  for (const value of ['True', 'true', '1', 'yes'])
    assert.ok(readVariables({ x: [`dry_run=${value}`] }).dryRun)
  for (const value of ['False', '0', 'no']) assert.not(readVariables({ x: [`dry_run=${value}`] }).dryRun)
  await failure('USAGE', () => readVariables({ x: ['dry_run=maybe'] }))
})

test('a pair without a key or an equals sign is refused', async () => {
  for (const pair of ['tenant', '=a', '']) await failure('USAGE', () => readVariables({ x: [pair] }))
})

test('what cannot be tried out refuses dry_run', async () => {
  await failure('USAGE', () => refuseDryRun({ x: ['dry_run=True'] }))
  refuseDryRun({ x: ['dry_run=False'] })
})

test.run()
