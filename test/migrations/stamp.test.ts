import * as assert from 'uvu/assert'

import { compareHistory } from '../../lib/migrations/plan.ts'
import { chooseStamp, type StampTarget } from '../../lib/migrations/stamp.ts'
import { failure } from '../support/failure.ts'
import { suite } from '../support/suite.ts'

const test = suite('migrations/stamp')

const DISK = ['1_a.ts', '2_b.ts', '3_c.ts']

const stamp = (recorded: readonly string[], to: StampTarget, headOnly = false) => {
  const { recorded: record, forgotten } = chooseStamp(compareHistory(DISK, recorded), to, headOnly)
  return `+${record.join()} -${forgotten.join()}`
}

test('what is up to the target and not recorded is recorded, in order', () => {
  assert.is(stamp([], '2_b.ts'), '+1_a.ts,2_b.ts -')
  assert.is(stamp(['1_a.ts'], '2_b'), '+2_b.ts -')
  assert.is(stamp(['2_b.ts'], '3'), '+1_a.ts,3_c.ts -')
})

test('what is recorded after the target is forgotten, the last first', () => {
  assert.is(stamp(DISK, '1'), '+ -3_c.ts,2_b.ts')
  assert.is(stamp(['3_c.ts'], '1'), '+1_a.ts -3_c.ts')
})

test('head is the last file; 0 and base are before the first', () => {
  for (const head of ['head', 'heads']) assert.is(stamp(['1_a.ts'], head), '+2_b.ts,3_c.ts -')
  for (const base of [0, '0', 'base'] as const) assert.is(stamp(['1_a.ts'], base), '+ -1_a.ts')
})

test('a name with another extension is the same migration', () => {
  assert.is(stamp(['1_a.js'], '1'), '+ -')
  assert.is(stamp(['1_a.js'], 0), '+ -1_a.ts')
})

test('a recorded name without a file is forgotten if it sorts after the target', () => {
  assert.is(stamp(['0_x.ts', '2_y.ts', '9_z.ts'], '2_b'), '+1_a.ts,2_b.ts -9_z.ts,2_y.ts')
  assert.is(stamp(['0_x.ts', '9_z.ts'], 0), '+ -9_z.ts,0_x.ts')
})

test('of a head that no file has, nothing is known but that it goes', () => {
  const lost = [...DISK, 'ffff']
  assert.is(stamp(lost, '2', true), '+1_a.ts,2_b.ts -ffff')
  assert.is(stamp(lost, 0, true), '+ -ffff')
})

test('an unknown target is refused', async () => {
  const error = await failure('MIGRATION_UNKNOWN', () => stamp([], '9_z'))
  assert.is(error.title, 'No migration is called "9_z".')
})

test('head of an empty folder is refused: it would forget everything', async () => {
  const error = await failure('MIGRATION_UNKNOWN', () =>
    chooseStamp(compareHistory([], ['1_a.ts']), 'head', false),
  )
  assert.equal(error.fix, [
    'correct migrations in the configuration',
    'or stamp 0 if nothing is to be recorded',
  ])
})

test.run()
