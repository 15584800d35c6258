import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { setImmediate as turn } from 'node:timers/promises'

import * as assert from 'uvu/assert'

import { Events, type Listener, type Observer, type TenancyEvents } from '../lib/events.ts'
import { suite } from './support/suite.ts'

const test = suite('events')

const provisioned: TenancyEvents['tenant:provisioned'] = { tenant: 'a', schema: 'a' }

test('each listener is called with the payload, in the order of registration', () => {
  const events = new Events()
  const seen: unknown[] = []
  events.on('tenant:provisioned', (event) => seen.push(['first', event]))
  events.on('tenant:provisioned', (event) => seen.push(['second', event]))
  events.emit('tenant:provisioned', provisioned)
  assert.equal(seen, [
    ['first', provisioned],
    ['second', provisioned],
  ])
})

test('a listener hears its own event only', () => {
  const events = new Events()
  events.on('tenant:dropped', () => assert.unreachable())
  events.emit('tenant:provisioned', provisioned)
})

test('the returned function ends the listening, of that listener alone', () => {
  const events = new Events()
  const seen: string[] = []
  const end = events.on('tenant:dropped', () => seen.push('ended'))
  events.on('tenant:dropped', () => seen.push('staying'))
  end()
  end()
  events.emit('tenant:dropped', provisioned)
  assert.equal(seen, ['staying'])
})

test('a throwing listener disturbs neither the emitter nor the listeners after it', () => {
  const events = new Events()
  let called = 0
  events.on('tenant:dropped', () => {
    throw new Error('mine')
  })
  events.on('tenant:dropped', () => called++)
  events.emit('tenant:dropped', provisioned)
  assert.is(called, 1)
})

test('the error of a throwing listener is told by listener:error', () => {
  const events = new Events()
  const error = new Error('mine')
  const seen: unknown[] = []
  events.on('listener:error', (event) => seen.push(event))
  events.on('tenant:dropped', () => {
    throw error
  })
  events.emit('tenant:dropped', provisioned)
  assert.equal(seen, [{ event: 'tenant:dropped', error }])
})

test('a listener that returns a rejected promise does not end the process', async () => {
  const events = new Events()
  const error = new Error('mine')
  const seen: unknown[] = []
  events.on('listener:error', (event) => seen.push(event))
  const rejected = (): unknown => Promise.reject(error)
  // What JavaScript lets a caller write: a listener that answers with a promise.
  const later: Listener<'tenant:dropped'> = rejected
  events.on('tenant:dropped', later)
  events.emit('tenant:dropped', provisioned)
  await turn()
  assert.equal(seen, [{ event: 'tenant:dropped', error }])
})

test('a listener of listener:error that throws is not called again for its own error', () => {
  const events = new Events()
  let called = 0
  events.on('listener:error', () => {
    called++
    throw new Error('again')
  })
  events.emit('listener:error', { event: 'x', error: 'y' })
  assert.is(called, 1)
})

test('more than ten listeners raise no warning', async () => {
  const events = new Events()
  const warnings: string[] = []
  const warned = ({ name }: Error) => warnings.push(name)
  process.on('warning', warned)
  for (let index = 0; index < 20; index++) events.on('tenant:dropped', () => undefined)
  await turn()
  process.off('warning', warned)
  assert.equal(warnings, [])
})

test('every event is published on the diagnostics channel of its name', () => {
  const events = new Events()
  const seen: unknown[] = []
  const subscriber = (message: unknown, name: string | symbol) => seen.push([name, message])
  subscribe('umzug-tenants:tenant:provisioned', subscriber)
  events.emit('tenant:provisioned', provisioned)
  unsubscribe('umzug-tenants:tenant:provisioned', subscriber)
  events.emit('tenant:provisioned', provisioned)
  assert.equal(seen, [['umzug-tenants:tenant:provisioned', provisioned]])
})

test('observers see an operation begin and end, each around the next, until they leave', async () => {
  const events = new Events()
  const seen: string[] = []
  const observer =
    (who: string): Observer =>
    async (_operation, fn) => {
      seen.push(`${who} begins`)
      const result = await fn()
      seen.push(`${who} ends`)
      return result
    }
  const leave = events.observe(observer('a'))
  events.observe(observer('b'))
  assert.is(await events.observing({ name: 'fleet', direction: 'up' }, async () => 5), 5)
  assert.equal(seen, ['a begins', 'b begins', 'b ends', 'a ends'])
  leave()
  seen.length = 0
  await events.observing({ name: 'fleet', direction: 'up' }, async () => 5)
  assert.equal(seen, ['b begins', 'b ends'])
})

test.run()
