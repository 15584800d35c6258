/** `npm start -- --once`, as a newcomer types it, and what it runs, on this suite's database. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import * as assert from 'uvu/assert'

import { testDatabase } from '../support/database.ts'
import { build, repository } from '../support/project.ts'
import { suite } from '../support/suite.ts'

const test = suite('example app: guided run')
const database = testDatabase(test)

const NPM_START = ['npm', 'start', '--', '--once']
/** What npm runs there, half a second sooner. */
const MAIN = [process.execPath, '--import', 'tsx', 'example-app/main.ts', '--once']

async function start(
  [command = '', ...args]: readonly string[],
  port = 0,
): Promise<{ exitCode: number | null; printed: string }> {
  const child = spawn(command, args, {
    cwd: repository,
    env: { ...process.env, DATABASE_URL: database.url, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let printed = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => (printed += String(chunk)))
  await once(child, 'close')
  return { exitCode: child.exitCode, printed }
}

test.before(() => build()) // the tour runs the command line, which is compiled

test('shows the lazy upgrade and two tenants apart, also when its port is taken', async () => {
  const other = createServer()
  await once(other.listen(0, '127.0.0.1'), 'listening')
  const { port } = other.address() as AddressInfo // a TCP server's address
  const { exitCode, printed } = await start(NPM_START, port)
  other.close()
  assert.is(exitCode, 0, printed)
  for (const claim of [
    'tenant a is registered',
    /its first request took \d+ ms, \d+ of them for 3 migrations/,
    '20260105091000_create_users.cjs',
    /created ada\.\d+@example\.com in a/,
    'b still has 0 users',
    'npx umzug-tenants status',
    'the command line sees b at head',
  ])
    assert.match(printed, claim)
  assert.not.match(printed, `Serving on http://127.0.0.1:${port}\n`)
})

test('runs again on data that was kept', async () => {
  const { exitCode, printed } = await start(MAIN)
  assert.is(exitCode, 0, printed)
  assert.match(printed, 'tenant a was there already')
  assert.match(printed, 'it was at head already')
})

test('fails when something is not as it says', async () => {
  await database.query("DELETE FROM shared.tenants WHERE name = 'b'")
  const { exitCode, printed } = await start(MAIN)
  assert.is(exitCode, 1, printed)
  assert.match(printed, 'this should hold, and does not: tenant b is registered')
})

test.run()
