import * as assert from 'uvu/assert'

import {
  describeDown,
  readDowngrade,
  readDownTarget,
  readFleet,
  readUpgrade,
  readUpTarget,
} from '../../lib/cli/target.ts'
import { failure } from '../support/failure.ts'
import { suite } from '../support/suite.ts'

const test = suite('cli/target')

test('up goes to head, to a name, or some steps', () => {
  assert.equal(readUpTarget({}), {})
  assert.equal(readUpTarget({ to: '002' }), { to: '002' })
  assert.equal(readUpTarget({ step: '2' }), { step: 2 })
})

test('down goes to a name, to 0, or some steps', () => {
  assert.equal(readDownTarget({}), {})
  assert.equal(readDownTarget({ to: '002' }), { to: '002' })
  assert.equal(readDownTarget({ to: '0' }), { to: 0 })
  assert.equal(readDownTarget({ step: '2' }), { step: 2 })
})

test('upgrade takes head, +N and a revision', () => {
  assert.equal(readUpgrade('head'), {})
  assert.equal(readUpgrade('+2'), { step: 2 })
  assert.equal(readUpgrade('d6ba8c13303e'), { to: 'd6ba8c13303e' })
})

test('downgrade takes base, -N and a revision, which stays', () => {
  assert.equal(readDowngrade('base'), { to: 0 })
  assert.equal(readDowngrade('-2'), { step: 2 })
  assert.equal(readDowngrade('d6ba8c13303e'), { backTo: 'd6ba8c13303e' })
})

test('a count that is no whole number above 0 is refused', async () => {
  for (const step of ['0', '-1', '1.5', 'x', '', '1e3', ' 1'])
    await failure('USAGE', () => readUpTarget({ step }))
  await failure('USAGE', () => readUpgrade('+'))
  await failure('USAGE', () => readDowngrade('-0'))
})

test('a target and a count exclude each other', async () => {
  await failure('USAGE', () => readUpTarget({ to: 'a', step: '1' }))
  await failure('USAGE', () => readDownTarget({ to: 'a', step: '1' }))
})

test('concurrency is 1 to 64, or the configuration decides', async () => {
  assert.equal(readFleet({}), {})
  assert.equal(readFleet({ concurrency: '64' }), { concurrency: 64 })
  for (const concurrency of ['0', '65']) await failure('USAGE', () => readFleet({ concurrency }))
})

test('a limit of failures is 1 or more, and is said in one way', async () => {
  assert.equal(readFleet({ failFast: true }), { failFast: true })
  assert.equal(readFleet({ maxFailures: '10' }), { maxFailures: 10 })
  for (const maxFailures of ['0', '-1', 'all', '']) await failure('USAGE', () => readFleet({ maxFailures }))
  const error = await failure('USAGE', () => readFleet({ failFast: true, maxFailures: '2' }))
  assert.is(error.title, '--fail-fast and --max-failures exclude each other.')
})

test('what a down reverts can be said', () => {
  assert.is(describeDown({}), 'the last migration')
  assert.is(describeDown({ step: 2 }), 'the last 2 migrations')
  assert.is(describeDown({ to: 0 }), 'every migration')
  assert.is(describeDown({ to: '002' }), 'the migrations back to 002, and that one too')
  assert.is(describeDown({ backTo: '002' }), 'the migrations after 002')
})

test.run()
