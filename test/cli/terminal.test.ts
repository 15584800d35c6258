/** What the streams get: colour where it is wanted, and one line that is written anew on a terminal alone. */
import { PassThrough } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { WriteStream } from 'node:tty'
import { stripVTControlCharacters } from 'node:util'

import * as assert from 'uvu/assert'

import { openLine } from '../../lib/cli/terminal.ts'
import { cliProjects } from '../support/cli.ts'
import { suite } from '../support/suite.ts'

const test = suite('cli/terminal')
const newProject = cliProjects(test, undefined)

const ESCAPE = '\u001b['

test('colour is for terminals, unless FORCE_COLOR asks for it', async () => {
  const project = await newProject()
  const printed = async (env: Record<string, string>) => (await project.cli(['up'], { env })).stderr
  assert.not.match(await printed({}), ESCAPE)
  assert.not.match(await printed({ NO_COLOR: '1' }), ESCAPE)
  assert.not.match(await printed({ FORCE_COLOR: '0' }), ESCAPE)
  assert.match(await printed({ FORCE_COLOR: '1' }), `${ESCAPE}31m`)
})

/** A terminal of 40 columns that keeps what is written to it. */
function fakeStream(): { readonly stream: WriteStream; readonly written: () => string } {
  let text = ''
  const stream = new PassThrough()
  stream.on('data', (chunk) => (text += String(chunk)))
  const terminal = {
    isTTY: true,
    columns: 40,
    cursorTo: () => true,
    moveCursor: () => true,
    clearLine: () => true,
  }
  return { stream: Object.assign(stream, terminal) as unknown as WriteStream, written: () => text } // what ora uses of one
}

test('a line is written anew, leaves the cursor visible, and is gone when it is closed', async () => {
  const { stream, written } = fakeStream()
  const line = await openLine(stream)
  assert.is(line.columns, 40)
  line.write('1 of 20 tenants')
  await sleep(200)
  assert.match(stripVTControlCharacters(written()), '1 of 20 tenants')
  line.close()
  const { length } = written()
  assert.ok(written().endsWith(`${ESCAPE}?25h`), 'the cursor stays hidden')
  await sleep(150)
  assert.is(written().length, length)
})

test('a line has no colour of its own, whatever the terminal can do', async () => {
  const { stream, written } = fakeStream()
  const line = await openLine(stream)
  await sleep(100)
  line.close()
  assert.not.match(written(), `${ESCAPE}3`)
})

test.run()
