import { setTimeout as sleep } from 'node:timers/promises'

import * as assert from 'uvu/assert'

import { isTenancyError, TenancyError } from '../lib/errors.ts'
import { Gate, type GateOptions } from '../lib/gate.ts'
import type { Tenant } from '../lib/tenant.ts'
import { suite } from './support/suite.ts'

const a: Tenant = { id: 'a', schema: 'a' }

const test = suite('gate')

/** A gate over tenants that are all behind, whose upgrades are counted. */
function gateWith(options: Partial<GateOptions> = {}) {
  const upgraded: string[] = []
  const gate = new Gate({
    concurrency: 2,
    maxWaitMs: 5000,
    upgrades: true,
    isCurrent: () => Promise.resolve(false),
    upgrade: async ({ id }) => {
      upgraded.push(id)
      await sleep(5)
    },
    ...options,
  })
  return { gate, upgraded }
}

async function failureOf(promise: Promise<unknown>): Promise<TenancyError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  assert.ok(isTenancyError(error), `expected a TenancyError, got ${String(error)}`)
  return error
}

test('one upgrade serves everybody who waits', async () => {
  const { gate, upgraded } = gateWith()
  await Promise.all(Array.from({ length: 200 }, () => gate.pass(a)))
  assert.equal(upgraded, ['a'])
  assert.ok(gate.isReady(a))
})

test('a tenant at head is not upgraded and afterwards not even asked about', async () => {
  let asked = 0
  const { gate, upgraded } = gateWith({
    isCurrent: () => {
      asked++
      return Promise.resolve(true)
    },
  })
  await gate.pass(a)
  await gate.pass(a)
  assert.equal([asked, upgraded], [1, []])
})

test('no more upgrades run at once than allowed', async () => {
  let running = 0
  let most = 0
  const { gate } = gateWith({
    concurrency: 3,
    upgrade: async () => {
      most = Math.max(most, ++running)
      await sleep(5)
      running--
    },
  })
  await Promise.all(
    Array.from({ length: 20 }, (_, index) => gate.pass({ id: `t${index}`, schema: `t${index}` })),
  )
  assert.is(most, 3)
})

test('a caller that has waited long enough is told to come back while the upgrade goes on', async () => {
  let finish = () => {}
  const { gate } = gateWith({
    maxWaitMs: 10,
    upgrade: () => new Promise<void>((resolve) => (finish = resolve)),
  })
  const error = await failureOf(gate.pass(a))
  assert.is(error.code, 'TENANT_PENDING')
  assert.is(error.retryAfterSeconds, 2)
  finish()
  await gate.idle()
  assert.ok(gate.isReady(a))
})

test('a tenant that failed is left alone until its pause is over', async () => {
  let tries = 0
  const { gate } = gateWith({
    upgrade: () => {
      tries++
      throw new TenancyError('MIGRATION_FAILED', 'It failed.', {
        migration: '2.sql',
        sqlstate: '42P01',
        fix: ['mend it'],
      })
    },
  })
  for (let request = 0; request < 5; request++) {
    const error = await failureOf(gate.pass(a))
    assert.is(error.code, 'TENANT_UNAVAILABLE')
    assert.equal([error.migration, error.sqlstate, error.fix], ['2.sql', '42P01', ['mend it']])
    assert.ok((error.retryAfterSeconds ?? 0) >= 1)
  }
  assert.is(tries, 1)
})

test('pauses grow with each failure', async () => {
  const { gate } = gateWith({ upgrade: () => Promise.reject(new Error('no')) })
  const now = Date.now
  const pauses: number[] = []
  try {
    for (let attempt = 0; attempt < 4; attempt++) {
      pauses.push((await failureOf(gate.pass(a))).retryAfterSeconds ?? 0)
      const later = Date.now() + 600_000
      Date.now = () => later
    }
  } finally {
    Date.now = now
  }
  assert.ok(pauses[3] !== undefined && pauses[0] !== undefined && pauses[3] > 3 * pauses[0], pauses.join())
})

test('a failed tenant is tried again at once after invalidate', async () => {
  let broken = true
  const { gate } = gateWith({ upgrade: () => (broken ? Promise.reject(new Error('no')) : Promise.resolve()) })
  await failureOf(gate.pass(a))
  broken = false
  gate.invalidate(a)
  await gate.pass(a)
  assert.ok(gate.isReady(a))
})

test('a tenant behind is refused with the command to run where upgrades are off', async () => {
  const { gate, upgraded } = gateWith({ upgrades: false })
  const error = await failureOf(gate.pass(a))
  assert.is(error.code, 'TENANT_PENDING')
  assert.match(error.message, 'umzug-tenants up --tenant a')
  assert.equal(upgraded, [])
})

test('a refusal is not remembered as a failure', async () => {
  let current = false
  const { gate } = gateWith({ upgrades: false, isCurrent: () => Promise.resolve(current) })
  await failureOf(gate.pass(a))
  current = true
  await gate.pass(a)
  assert.ok(gate.isReady(a))
})

test.run()
