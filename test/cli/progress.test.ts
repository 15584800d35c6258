import { setTimeout as sleep } from 'node:timers/promises'

import * as assert from 'uvu/assert'

import { progressText, withProgress } from '../../lib/cli/progress.ts'
import type { Line } from '../../lib/cli/terminal.ts'
import { Events, type TenancyEvents } from '../../lib/events.ts'
import type { Tenancy } from '../../lib/tenancy.ts'
import { fakeTerminal } from '../support/cli.ts'
import { suite } from '../support/suite.ts'

const test = suite('cli/progress')

const half = { done: 100, total: 200, failed: 2, leftMs: 21_000 }

test('a terminal’s line has a bar, the counts, the failures and the time left', () => {
  assert.is(
    progressText(half, 100),
    '[############------------] 100 of 200 tenants · 2 failed · about 21 s left',
  )
  assert.is(
    progressText({ done: 200, total: 200, failed: 0, leftMs: 0 }, 100),
    '[########################] 200 of 200 tenants',
  )
})

test('before the first tenant is done nobody knows how long it takes', () => {
  assert.is(
    progressText({ ...half, done: 0, failed: 0, leftMs: undefined }, 80),
    '[------------------------] 0 of 200 tenants',
  )
})

test('a narrow terminal has a shorter bar, then none, and the line never wraps', () => {
  assert.is(progressText(half, 65), '[######------] 100 of 200 tenants · 2 failed · about 21 s left')
  assert.is(progressText(half, 55), '100 of 200 tenants · 2 failed · about 21 s left')
  assert.is(progressText(half, 20), '100 of 200 tenant')
  for (let columns = 1; columns < 120; columns++) {
    const { length } = progressText(half, columns)
    assert.ok(length + 2 < Math.max(columns, 3), `${length} of ${columns}`)
  }
})

test('a log’s line has words alone', () => {
  assert.is(progressText(half, 0), 'progress: 100 of 200 tenants, 2 failed, about 21 s left')
})

const counts = (total: number, succeeded: number): TenancyEvents['fleet:progress'] => ({
  total,
  succeeded,
  unchanged: 0,
  failed: 0,
})

/** Something that emits a fleet's progress, which is all of a tenancy that is asked for. */
function fakeTenancy() {
  const events = new Events()
  return { events, tenancy: events as unknown as Tenancy }
}

test('without a terminal a long fleet writes a line now and then, and none after its end', async () => {
  const { events, tenancy } = fakeTenancy()
  const terminal = fakeTerminal()
  await withProgress(
    tenancy,
    terminal,
    async () => {
      events.emit('fleet:progress', counts(20, 0))
      events.emit('fleet:progress', counts(20, 5))
      await sleep(90)
    },
    40,
  )
  assert.match(terminal.printed.err, /^(progress: 5 of 20 tenants, about \d+ s left\n){1,2}$/)
  assert.is(terminal.printed.out, '')
  const { err } = terminal.printed
  await sleep(60)
  assert.is(terminal.printed.err, err)
})

test('a small fleet has lines of its own instead', async () => {
  const { events, tenancy } = fakeTenancy()
  const terminal = fakeTerminal()
  await withProgress(
    tenancy,
    terminal,
    async () => {
      events.emit('fleet:progress', counts(10, 0))
      await sleep(30)
    },
    5,
  )
  assert.is(terminal.printed.err, '')
})

test('on a terminal one line is written anew, and taken away when the work ends or fails', async () => {
  const { events, tenancy } = fakeTenancy()
  const written: string[] = []
  const line: Line = { columns: 40, write: (text) => written.push(text), close: () => written.push('closed') }
  const terminal = { ...fakeTerminal(), line: () => Promise.resolve(line) }
  const work = withProgress(tenancy, terminal, async () => {
    events.emit('fleet:progress', counts(20, 0))
    events.emit('fleet:progress', counts(20, 20))
    await sleep(1)
    throw new Error('it failed')
  })
  await work.catch(() => undefined)
  assert.is(written.at(-2), '[##################] 20 of 20 tenants')
  assert.is(written.at(-1), 'closed')
})

test.run()
