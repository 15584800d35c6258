import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
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

test('a process that has used an embedded server ends with its own exit code', () => {
  const module = new URL('../../lib/testing/postgres.ts', import.meta.url).href
  const script = `import { startPostgres } from '${module}'
       const server = await startPostgres({ url: '' })
       await server.stop()
       process.exitCode = 3`
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), '--input-type=module', '-e', script],
    { cwd: folder },
  )
  assert.equal([status, String(stderr)], [3, ''])
})

test('what a killed server left behind is not taken for a running one', async () => {
  const dataDir = join(folder, 'stale')
  await mkdir(dataDir)
  // The process of line 1 lives (it is this one), and nobody listens on the port of line 4.
  await writeFile(join(dataDir, 'postmaster.pid'), `${process.pid}\n${dataDir}\n0\n1\n`)
  assert.is(await runningPostgres(dataDir), undefined)
})

if (process.getuid?.() === 0) {
  test('below a folder that postgres cannot enter, root is told so', async () => {
    const locked = join(folder, 'locked')
    await mkdir(locked, { mode: 0o700 })
    const failure = await startPostgres({ url: '', dataDir: join(locked, 'data') }).catch(
      (error: unknown) => error,
    )
    assert.match(String(failure), `The embedded PostgreSQL cannot run below ${locked}.`)
    assert.match(String(failure), 'or set DATABASE_URL to a server')
  })
}

test.run()
