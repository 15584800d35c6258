import * as assert from 'uvu/assert'

import type { LastRun } from '../lib/ledger.ts'
import { describeHistory } from '../lib/tenant-history.ts'
import { testDatabase } from './support/database.ts'
import { suite } from './support/suite.ts'
import { createTable, newId, testTenancies } from './support/tenancies.ts'

const test = suite('tenant-history')
const database = testDatabase(test)
const tenancyWith = testTenancies(test, database)

const run = (migration: string, direction: LastRun['direction'] = 'up'): LastRun => ({
  migration,
  direction,
  finishedAt: new Date('2026-11-21T09:00:00Z'),
  durationMs: 12,
})

test('migrations are in the order in which they were applied, then those pending', () => {
  const history = { executed: ['1', '2', '3'], pending: ['4'], unknown: [] }
  const entries = describeHistory(history, [run('1'), run('3'), run('2')], false)
  assert.equal(entries.map(({ name, state }) => `${name} ${state}`), ['1 executed', '3 executed', '2 executed', '4 pending']) // prettier-ignore
  assert.equal(entries[0], {
    name: '1',
    state: 'executed',
    appliedAt: '2026-11-21T09:00:00.000Z',
    durationMs: 12,
  })
})

test('what another tool has applied has neither time nor duration', () => {
  const history = { executed: ['1', '2'], pending: [], unknown: ['9'] }
  const entries = describeHistory(history, [run('2', 'down')], false)
  assert.equal(entries.map(({ name, state, appliedAt }) => [name, state, appliedAt]), [
    ['1', 'executed', null],
    ['9', 'unknown', null],
    ['2', 'executed', null],
  ]) // prettier-ignore
})

test('a head alone tells no order but that of the names', () => {
  const history = { executed: ['1', '2'], pending: [], unknown: [] }
  const entries = describeHistory(history, [run('2'), run('1')], true)
  assert.equal(entries.map(({ name }) => name), ['1', '2']) // prettier-ignore
})

test('it is read from the ledger, for one tenant, for many, and for a schema that has none', async () => {
  const tenancy = await tenancyWith({ ...createTable('1_a', 'a'), ...createTable('2_b', 'b') })
  const [id, other] = [newId(), newId()]
  for (const each of [id, other]) await tenancy.provision({ id: each, up: false })
  const before = await tenancy.history({ tenant: id })
  assert.equal(before.migrations.map(({ state }) => state), ['pending', 'pending']) // prettier-ignore
  await tenancy.up({ tenant: id, to: '1' })
  const { migrations } = await tenancy.history({ tenant: id })
  assert.equal(migrations.map(({ name, state }) => [name, state]), [['1_a.sql', 'executed'], ['2_b.sql', 'pending']]) // prettier-ignore
  const { appliedAt, durationMs } = migrations[0] ?? {}
  assert.ok(Math.abs(Date.parse(appliedAt ?? '') - Date.now()) < 60_000)
  assert.type(durationMs, 'number')
  const all = await tenancy.history()
  assert.equal(all.map((each) => each.id), [id, other]) // prettier-ignore
  assert.equal((await tenancy.history({ match: other })).length, 1)
})

test.run()
