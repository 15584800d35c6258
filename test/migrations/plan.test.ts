import * as assert from 'uvu/assert'

import { choose, compareHistory, divide, stateOf, type PlanRequest } from '../../lib/migrations/plan.ts'
import { failure } from '../support/failure.ts'
import { suite } from '../support/suite.ts'

const test = suite('migrations/plan')

const DISK = ['1_a.ts', '2_b.ts', '3_c.sql', '4_d.ts']
const half = compareHistory(DISK, ['1_a.ts', '2_b.ts'])
const full = compareHistory(DISK, DISK)
const empty = compareHistory(DISK, [])

test('what is recorded is compared by identity: .ts on disk and .js recorded are one migration', () => {
  assert.equal(compareHistory(['1_a.ts', '2_b.ts'], ['1_a.js', '9_z.js']), {
    executed: ['1_a.ts'],
    pending: ['2_b.ts'],
    unknown: ['9_z.js'],
  })
})

for (const [state, recorded] of [
  ['ok', DISK],
  ['pending', DISK.slice(0, 2)],
  ['pending', []],
  ['ahead', [...DISK, '5_e.ts']],
  ['diverged', ['1_a.ts', '5_e.ts']],
  ['pending', ['4_d.ts']],
] as const) {
  test(`${recorded.join(' ') || 'nothing'} recorded is ${state}`, () =>
    assert.is(stateOf(compareHistory(DISK, recorded)), state))
}

const up = (request: PlanRequest, history = half) => choose('up', history, request)
const down = (request: PlanRequest, history = full) => choose('down', history, request)

test('up runs everything pending, in order', () => {
  assert.equal(up({}), ['3_c.sql', '4_d.ts'])
  assert.equal(up({}, full), [])
})

test('up to a migration runs up to it, itself included', () => {
  for (const to of ['3_c.sql', '3_c', '3_c.ts', '3'])
    assert.equal(up({ to }, empty), ['1_a.ts', '2_b.ts', '3_c.sql'])
})

test('up to an executed migration runs nothing', () => assert.equal(up({ to: '1_a.ts' }), []))

test('up takes no more than step', () => {
  assert.equal(up({ step: 1 }), ['3_c.sql'])
  assert.equal(up({ step: 9 }), ['3_c.sql', '4_d.ts'])
  assert.equal(up({ to: '4_d', step: 1 }), ['3_c.sql'])
})

test('up runs a late file that sorts before executed ones', () => {
  assert.equal(up({}, compareHistory(DISK, ['1_a.ts', '3_c.sql'])), ['2_b.ts', '4_d.ts'])
})

test('down reverts the last executed one', () => {
  assert.equal(down({}), ['4_d.ts'])
  assert.equal(down({}, half), ['2_b.ts'])
  assert.equal(down({}, empty), [])
})

test('down reverts as many as step says, last first', () => {
  assert.equal(down({ step: 3 }), ['4_d.ts', '3_c.sql', '2_b.ts'])
  assert.equal(down({ step: 9 }, half), ['2_b.ts', '1_a.ts'])
})

test('down to a migration reverts it too; backTo leaves it; 0 reverts all', () => {
  assert.equal(down({ to: '3_c' }), ['4_d.ts', '3_c.sql'])
  assert.equal(down({ backTo: '3_c' }), ['4_d.ts'])
  assert.equal(down({ backTo: '4_d.ts' }), [])
  assert.equal(down({ to: 0 }), DISK.toReversed())
})

test('a full name is that migration, even if an earlier one has it for its revision', () => {
  const history = compareHistory(['2026_a.sql', '2026.sql'], [])
  assert.equal(choose('up', history, { to: '2026' }), ['2026_a.sql', '2026.sql'])
})

test('a revision that several migrations have names none of them', async () => {
  const history = compareHistory(['2026-a.sql', '2026-b.sql', '2027-c.sql'], [])
  const error = await failure('MIGRATION_UNKNOWN', () => choose('up', history, { to: '2026' }))
  assert.is(error.title, '2 migrations are called "2026".')
  assert.is(error.detail, '2026-a.sql, 2026-b.sql')
  assert.equal(error.fix, ['use the full file name'])
  assert.equal(choose('up', history, { to: '2026-a' }), ['2026-a.sql'])
})

for (const call of [
  () => up({ to: 'nope' }),
  () => up({ to: '' }),
  () => down({ to: 'nope' }),
  () => down({ backTo: 'nope' }),
]) {
  test(`${String(call).slice(6)} is refused: no such migration`, async () => {
    const error = await failure('MIGRATION_UNKNOWN', call)
    assert.match(error.title, /^No migration is called "(nope)?"\.$/)
    assert.match(error.message, 'use a file name or revision id from the migrations folder')
  })
}

test('down to a pending migration is refused: it is not executed here', async () => {
  for (const request of [{ to: '4_d' }, { backTo: '4_d' }]) {
    const error = await failure('MIGRATION_UNKNOWN', () => down(request, half))
    assert.is(error.title, 'Migration "4_d" is not executed here.')
    assert.match(error.message, 'umzug-tenants status shows them')
  }
})

for (const step of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
  test(`step ${step} is refused`, async () => {
    for (const direction of ['up', 'down'] as const) {
      const error = await failure('USAGE', () => choose(direction, half, { step }))
      assert.is(error.title, `step must be a whole number above 0, not ${step}.`)
    }
  })
}

const migration = (name: string, transaction = true) => ({ name, transaction })
const mixed = [migration('1'), migration('2'), migration('3', false), migration('4'), migration('5')]

test("transaction 'tenant' makes one segment of the run, divided at what refuses a transaction", () => {
  assert.equal(divide(mixed, 'tenant'), [
    { names: ['1', '2'], transaction: true },
    { names: ['3'], transaction: false },
    { names: ['4', '5'], transaction: true },
  ])
})

test("transaction 'migration' makes a segment of each", () => {
  assert.equal(
    divide(mixed, 'migration').map(({ names, transaction }) => [...names, transaction]),
    [['1', true], ['2', true], ['3', false], ['4', true], ['5', true]], // prettier-ignore
  )
})

test("transaction 'none' runs each outside a transaction", () => {
  assert.ok(divide(mixed, 'none').every(({ names, transaction }) => names.length === 1 && !transaction))
})

test('nothing to run makes no segment', () => assert.equal(divide([], 'tenant'), []))

test.run()
