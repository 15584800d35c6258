/** A server that is stopped and started again under an application that serves its tenants. */
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { QueryTypes, Sequelize } from 'sequelize'
import * as assert from 'uvu/assert'

import { createTenancy } from '../lib/tenancy.ts'
import { startPostgres, type PostgresServer } from '../lib/testing/postgres.ts'
import { temporaryFolders } from './support/folder.ts'
import { suite } from './support/suite.ts'

const test = suite('server restart')
const folder = temporaryFolders(test)

const CONNECTIONS = 3
const MIGRATIONS = {
  'migrations/1.sql': `CREATE TABLE users (owner text); INSERT INTO users VALUES (current_schema())`,
}

/** An address that stays the same while the server behind it gets another port each time it is started. */
async function withAddress<T>(fn: (lead: (url: string) => string) => Promise<T>): Promise<T> {
  let port = 0
  const proxy = createServer((client) => {
    const upstream = connect(port, '127.0.0.1')
    client.pipe(upstream).pipe(client)
    client.on('error', () => upstream.destroy()).on('close', () => upstream.destroy())
    upstream.on('error', () => client.destroy()).on('close', () => client.destroy())
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const own = String((proxy.address() as AddressInfo).port) // it listens on TCP
  try {
    return await fn((url) => {
      port = Number(new URL(url).port)
      return url.replace(`:${port}/`, `:${own}/`)
    })
  } finally {
    proxy.close()
  }
}

async function withDataDir<T>(fn: (start: () => Promise<PostgresServer>) => Promise<T>): Promise<T> {
  const parent = await mkdtemp(join(tmpdir(), 'umzug-tenants-restart-'))
  await chmod(parent, 0o755) // as root the server runs as another user, who must be able to enter
  try {
    return await fn(() => startPostgres({ url: '', dataDir: join(parent, 'data') }))
  } finally {
    await rm(parent, { recursive: true })
  }
}

test('O31 a server restart costs each connection one error at most, and each tenant reads its own rows again', async () => {
  await withDataDir((start) =>
    withAddress(async (lead) => {
      let server = await start()
      const url = lead(server.url)
      const sequelize = new Sequelize(url, { logging: false, pool: { max: CONNECTIONS } })
      const tenancy = createTenancy({ sequelize }, { baseDir: await folder(MIGRATIONS) })
      const read = (id: string) =>
        tenancy.run(id, () =>
          sequelize.query<{ owner: string }>('SELECT owner FROM users', { type: QueryTypes.SELECT }),
        )
      const readMany = () =>
        Promise.allSettled(Array.from({ length: 4 * CONNECTIONS }, (_, n) => read(n % 2 ? 'a' : 'b')))
      try {
        for (const id of ['a', 'b']) await tenancy.provision({ id })
        await readMany()
        await server.stop()
        const down = await readMany()
        assert.ok(down.every(({ status }) => status === 'rejected'))
        server = await start()
        assert.is(lead(server.url), url)
        const failed = (await readMany()).filter(({ status }) => status === 'rejected')
        assert.ok(failed.length <= CONNECTIONS, `${failed.length} of ${4 * CONNECTIONS} failed`)
        for (const [n, outcome] of (await readMany()).entries()) {
          assert.equal(outcome.status === 'fulfilled' && outcome.value, [{ owner: n % 2 ? 'a' : 'b' }])
        }
        assert.is((await tenancy.status({ tenant: 'a' })).state, 'ok')
      } finally {
        await tenancy.close()
        await sequelize.close()
        await server.stop()
      }
    }),
  )
})

test.run()
