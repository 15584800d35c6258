import { existsSync } from 'node:fs'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import * as assert from 'uvu/assert'

import { runningPostgres, startPostgres } from '../../lib/testing/postgres.ts'
import { query } from '../support/database.ts'
import { suite } from '../support/suite.ts'

const test = suite('postgres')

let folder: string

test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'umzug-tenants-postgres-'))
  await chmod(folder, 0o755) // as root the server runs as another user, who must be able to enter
})

test.after(() => rm(folder, { recursive: true }))

test('a URL that is given is used as it is, and stop leaves that server alone', async () => {
  const server = await startPostgres({ url: 'postgres://somewhere/else' })
  assert.is(server.url, 'postgres://somewhere/else')
  await server.stop()
})

test('an embedded server listens on the loopback interface only and keeps its data between runs', async () => {
  const dataDir = join(folder, 'data')
  const first = await startPostgres({ url: '', dataDir })
  await query(first.url, 'CREATE TABLE kept (n integer)')
  assert.equal(await query(first.url, 'SHOW listen_addresses'), [{ listen_addresses: '127.0.0.1' }])
  assert.is(await runningPostgres(dataDir), first.url)

  const joined = await startPostgres({ url: '', dataDir })
  assert.is(joined.url, first.url)
  await joined.stop()
  assert.equal(await query(first.url, 'SELECT * FROM kept'), [], 'whoever did not start it does not stop it')

  await first.stop()
  assert.is(await runningPostgres(dataDir), undefined)
  const second = await startPostgres({ url: '', dataDir })
  assert.equal(await query(second.url, 'SELECT * FROM kept'), [])
  await second.stop()
  assert.ok(existsSync(dataDir))
})

test.run()
