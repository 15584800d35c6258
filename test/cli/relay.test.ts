import { EventEmitter } from 'node:events'

import * as assert from 'uvu/assert'

import { SignalRelay } from '../../lib/cli/relay.ts'
import { suite } from '../support/suite.ts'

const test = suite('cli/relay')

/** Not the process: whoever else listens there would end it. */
const signals = new EventEmitter()
const listeners = () => signals.listenerCount('SIGINT') + signals.listenerCount('SIGTERM')
const send = (name: 'SIGINT' | 'SIGTERM') => void signals.emit(name, name)

test('it listens from watch to end, however often it is told to', () => {
  const before = listeners()
  const relay = new SignalRelay(false, signals)
  assert.is(listeners(), before)
  relay.watch()
  relay.watch()
  assert.is(listeners(), before + 2)
  relay.end()
  assert.is(listeners(), before)
})

test('either signal ends the work, and the first is remembered', () => {
  const relay = new SignalRelay(false, signals)
  relay.watch()
  try {
    assert.equal([relay.signal.aborted, relay.by], [false, undefined])
    send('SIGINT')
    send('SIGTERM')
    assert.equal([relay.signal.aborted, relay.by], [true, 'SIGINT'])
  } finally {
    relay.end()
  }
})

test('where the keyboard is left to another program, Ctrl-C ends nothing and SIGTERM does', () => {
  const relay = new SignalRelay(true, signals)
  relay.watch()
  try {
    send('SIGINT')
    assert.is(relay.signal.aborted, false)
    send('SIGTERM')
    assert.equal([relay.signal.aborted, relay.by], [true, 'SIGTERM'])
  } finally {
    relay.end()
  }
})

test.run()
