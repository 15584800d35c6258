import { setTimeout as sleep } from 'node:timers/promises'

import * as assert from 'uvu/assert'

import { isTenancyError, TenancyError } from '../lib/errors.ts'
import { Events } from '../lib/events.ts'
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
    mode: 'wait',
    events: new Events(),
    look: () => Promise.resolve({ isCurrent: false }),
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
    look: () => {
      asked++
      return Promise.resolve({ isCurrent: true })
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
  const { gate, upgraded } = gateWith({ mode: 'off' })
  const error = await failureOf(gate.pass(a))
  assert.is(error.code, 'TENANT_PENDING')
  assert.match(error.message, 'umzug-tenants up --tenant a')
  assert.equal(upgraded, [])
})

test('a refusal is not remembered as a failure', async () => {
  let current = false
  const { gate } = gateWith({ mode: 'off', look: () => Promise.resolve({ isCurrent: current }) })
  await failureOf(gate.pass(a))
  current = true
  await gate.pass(a)
  assert.ok(gate.isReady(a))
})

test('O60 in the background a request is told to come back at once, and the upgrade goes on', async () => {
  let finish = () => {}
  const { gate } = gateWith({
    mode: 'background',
    upgrade: () => new Promise<void>((resolve) => (finish = resolve)),
  })
  const error = await failureOf(gate.pass(a))
  assert.equal([error.code, error.retryAfterSeconds], ['TENANT_PENDING', 2])
  await sleep(1)
  finish()
  await gate.idle()
  await gate.pass(a)
  assert.ok(gate.isReady(a))
})

test('in the background a tenant at head is served by its first request', async () => {
  const { gate } = gateWith({ mode: 'background', look: () => Promise.resolve({ isCurrent: true }) })
  await gate.pass(a)
  assert.ok(gate.isReady(a))
})

for (const mode of ['wait', 'background'] as const) {
  test(`a migration that is not for a request is not run by one that would upgrade: ${mode}`, async () => {
    const look = () => Promise.resolve({ isCurrent: false, unfit: '2_heavy.sql' })
    const { gate, upgraded } = gateWith({ mode, look })
    const error = await failureOf(gate.pass(a))
    assert.equal([error.code, error.migration], ['TENANT_PENDING', '2_heavy.sql'])
    assert.match(error.message, 'umzug-tenants up --tenant a')
    assert.equal(upgraded, [])
  })
}

/** Runs `fn` some milliseconds from now, as far as Date.now tells. */
async function afterwards<T>(ms: number, fn: () => Promise<T>): Promise<T> {
  const now = Date.now
  const then = Date.now() + ms
  Date.now = () => then
  try {
    return await fn()
  } finally {
    Date.now = now
  }
}

test('O61 when the pause is over one request tries again, and the others are refused meanwhile', async () => {
  let tries = 0
  let fail = (_error: Error) => {}
  const { gate } = gateWith({
    upgrade: () => {
      tries++
      return tries === 1 ? Promise.reject(new Error('no')) : new Promise((_, reject) => (fail = reject))
    },
  })
  await failureOf(gate.pass(a))
  await afterwards(600_000, async () => {
    const probe = failureOf(gate.pass(a))
    await sleep(5)
    assert.is(tries, 2)
    const others = await Promise.all(Array.from({ length: 50 }, () => failureOf(gate.pass(a))))
    assert.ok(others.every(({ code }) => code === 'TENANT_UNAVAILABLE'))
    fail(new Error('again'))
    assert.is((await probe).detail, 'again')
  })
  assert.is(tries, 2)
})

test('O61 a tenant that fails disturbs no other', async () => {
  const b: Tenant = { id: 'b', schema: 'b' }
  const { gate } = gateWith({
    upgrade: ({ id }) => (id === 'a' ? Promise.reject(new Error('no')) : Promise.resolve()),
  })
  await Promise.all([failureOf(gate.pass(a)), gate.pass(b)])
  assert.equal([gate.isReady(a), gate.isReady(b)], [false, true])
})

test('O61 other migrations on disk end the pause of everybody', async () => {
  let set = 'first'
  let renewed = 0
  const { gate } = gateWith({
    upgrade: () => (set === 'first' ? Promise.reject(new Error('no')) : Promise.resolve()),
    migrationSet: () => Promise.resolve(set),
    onNewMigrations: () => renewed++,
  })
  await failureOf(gate.pass(a))
  set = 'second'
  const now = Date.now
  const then = Date.now()
  Date.now = () => then
  try {
    assert.is((await failureOf(gate.pass(a))).code, 'TENANT_UNAVAILABLE')
    assert.is(renewed, 0, 'the folder is read once a second')
  } finally {
    Date.now = now
  }
  await afterwards(1001, () => gate.pass(a))
  assert.equal([gate.isReady(a), renewed], [true, 1])
})

test('O31 a server that cannot be reached is no failure of the tenant: its pause is short and does not grow', async () => {
  let isDown = true
  const { gate } = gateWith({
    look: async () => {
      if (isDown) throw new TenancyError('DATABASE_UNREACHABLE', 'It is down.', { fix: [] })
      return { isCurrent: true }
    },
  })
  for (let attempt = 1; attempt <= 8; attempt++) {
    const error = await afterwards(attempt * 2000, () => failureOf(gate.pass(a)))
    assert.is(error.code, 'DATABASE_UNREACHABLE')
  }
  isDown = false
  await afterwards(18_000, () => gate.pass(a))
  assert.ok(gate.isReady(a))
})

test('a lock that another process holds is an upgrade under way, and no failure', async () => {
  let isHeld = true
  const { gate } = gateWith({
    upgrade: async () => {
      if (isHeld) throw new TenancyError('LOCK_HELD', 'Another process has it.', { fix: [] })
    },
  })
  assert.is((await failureOf(gate.pass(a))).code, 'TENANT_PENDING')
  isHeld = false
  await gate.pass(a)
  assert.ok(gate.isReady(a))
})

test('what was seen before an invalidate does not count after it', async () => {
  let answer = (_look: { isCurrent: boolean }) => {}
  const { gate } = gateWith({ look: () => new Promise((resolve) => (answer = resolve)) })
  const passing = gate.pass(a)
  gate.invalidate(a)
  answer({ isCurrent: true })
  await passing
  assert.not(gate.isReady(a))
})

test('no more than fifty thousand tenants are remembered at head', async () => {
  const { gate } = gateWith({ look: () => Promise.resolve({ isCurrent: true }) })
  const tenant = (index: number): Tenant => ({ id: `t${index}`, schema: `t${index}` })
  for (let index = 0; index <= 50_000; index++) await gate.pass(tenant(index))
  assert.equal([gate.isReady(tenant(0)), gate.isReady(tenant(1)), gate.ready.size], [false, true, 50_000])
})

test.run()
