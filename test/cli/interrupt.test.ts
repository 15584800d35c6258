import * as assert from 'uvu/assert'

import { Interruption } from '../../lib/cli/interrupt.ts'
import { suite } from '../support/suite.ts'

const test = suite('cli/interrupt')

const listeners = () => process.listenerCount('SIGINT') + process.listenerCount('SIGTERM')

/** As if the signal had come, to those that listen. */
const send = (name: 'SIGINT' | 'SIGTERM') => void process.emit(name, name)

test('it listens from watch to end, however often it is told to', () => {
  const before = listeners()
  const interruption = new Interruption(false)
  assert.is(listeners(), before)
  interruption.watch()
  interruption.watch()
  assert.is(listeners(), before + 2)
  interruption.end()
  assert.is(listeners(), before)
})

test('either signal ends the work, and the first is remembered', () => {
  const interruption = new Interruption(false)
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
  const interruption = new Interruption(true)
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
