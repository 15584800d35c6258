import { EventEmitter } from 'node:events'

import * as assert from 'uvu/assert'

import { Interruption } from '../../lib/cli/interrupt.ts'
import { suite } from '../support/suite.ts'

const test = suite('cli/interrupt')

/** Not the process: whoever else listens there would end it. */
const signals = new EventEmitter()
const listeners = () => signals.listenerCount('SIGINT') + signals.listenerCount('SIGTERM')
const send = (name: 'SIGINT' | 'SIGTERM') => void signals.emit(name, name)

test('it listens from watch to end, however often it is told to', () => {
  const before = listeners()
  const interruption = new Interruption(false, signals)
  assert.is(listeners(), before)
  interruption.watch()
  interruption.watch()
  assert.is(listeners(), before + 2)
  interruption.end()
  assert.is(listeners(), before)
})

test('either signal ends the work, and the first is remembered', () => {
  const interruption = new Interruption(false, signals)
  interruption.watch()
  try {
    assert.equal([interruption.signal.aborted, interruption.by], [false, undefined])
    send('SIGINT')
    send('SIGTERM')
    assert.equal([interruption.signal.aborted, interruption.by], [true, 'SIGINT'])
  } finally {
    interruption.end()
  }
})

test('where the keyboard is left to another program, Ctrl-C ends nothing and SIGTERM does', () => {
  const interruption = new Interruption(true, signals)
  interruption.watch()
  try {
    send('SIGINT')
    assert.is(interruption.signal.aborted, false)
    send('SIGTERM')
    assert.equal([interruption.signal.aborted, interruption.by], [true, 'SIGTERM'])
  } finally {
    interruption.end()
  }
})

test.run()
