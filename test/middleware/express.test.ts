import { once } from 'node:events'
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import express, { type Express, type NextFunction, type Request, type Response } from 'express'
import { Sequelize } from 'sequelize'
import * as assert from 'uvu/assert'

import {
  byHeader,
  byHost,
  createTenancy,
  tenantMigrations,
  type Tenancy,
  type TenancyConfig,
} from '../../lib/index.ts'
import type { TenantMigrationsOptions } from '../../lib/middleware/admission.ts'
import { startChild, type Child } from '../support/child.ts'
import { testDatabase } from '../support/database.ts'
import { request, type Answer } from '../support/http.ts'
import { suite } from '../support/suite.ts'
import { TENANT_SERVER } from '../support/tenant-server.ts'

const test = suite('express')
const database = testDatabase(test)

let folder: string
let sequelize: Sequelize
let tenancy: Tenancy

test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'umzug-tenants-express-'))
  await mkdir(join(folder, 'migrations'))
  // The counter stands outside the tenants: it tells how often the migration has run in truth.
  await database.query('CREATE TABLE public.runs (schema text)')
  await writeFile(
    join(folder, 'migrations/001_marker.sql'),
    `CREATE TABLE marker AS SELECT current_schema()::text AS owner;
     INSERT INTO public.runs SELECT current_schema();
     SELECT pg_sleep(0.1);`,
  )
  await writeFile(
    join(folder, 'umzug-tenants.config.mjs'),
    'export default { sequelize: () => globalThis.applicationSequelize }',
  )
  sequelize = new Sequelize(database.url, { logging: false })
  tenancy = createTenancy({ sequelize }, { baseDir: folder })
})

test.after(async () => {
  await tenancy.close()
  await sequelize.close()
  await rm(folder, { recursive: true })
})

/** Serves an application behind the middleware while `fn` runs. */
async function serving(
  options: { tenancy?: Tenancy; middleware?: TenantMigrationsOptions; routes?: (app: Express) => void },
  fn: (
    get: (host: string, path?: string, headers?: Record<string, string>) => Promise<Answer>,
  ) => Promise<void>,
): Promise<void> {
  const app = express()
  app.use(tenantMigrations(options.tenancy ?? tenancy, options.middleware))
  options.routes?.(app)
  app.get('/owner', async (incoming, response) => {
    const [rows] = await sequelize.query('SELECT owner FROM marker')
    response.json({ tenant: incoming.tenant?.id, rows })
  })
  app.use((error: Error & { code?: string }, _request: Request, response: Response, _next: NextFunction) => {
    response.status(500).json({ from: 'application', code: error.code, message: error.message })
  })
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // a TCP server's address
  try {
    await fn((host, path = '/owner', headers = {}) => request({ port, path, headers: { host, ...headers } }))
  } finally {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
}

function tenancyWith(config: TenancyConfig): Tenancy {
  return createTenancy({ url: database.url, ...config }, { baseDir: folder })
}

const rowsOf = (schema: string) => ({ tenant: schema, rows: [{ owner: schema }] })

test('a tenant is found by its host and served from its own schema', async () => {
  await tenancy.provision({ id: 'a', host: 'a.example.com' })
  await tenancy.provision({ id: 'b', host: 'b.example.com' })
  await serving({}, async (get) => {
    assert.equal((await get('a.example.com')).json(), rowsOf('a'))
    assert.equal((await get('B.Example.Com.:8080')).json(), rowsOf('b'))
    assert.equal((await get('a.example.com')).json(), rowsOf('a'))
  })
})

test('a tenant is found by a header or by the first resolver that names one', async () => {
  await tenancy.provision({ id: 'by_header', host: 'by-header.example.com' })
  await serving({ middleware: { resolve: [byHeader('x-tenant'), byHost()] } }, async (get) => {
    assert.equal((await get('nowhere', '/owner', { 'x-tenant': 'by_header' })).json(), rowsOf('by_header'))
    assert.equal((await get('by-header.example.com')).json(), rowsOf('by_header'))
  })
})

test('a tenant that was created but not upgraded is upgraded by its first request', async () => {
  await tenancy.provision({ id: 'lazy', host: 'lazy.example.com', up: false })
  const migrated: string[] = []
  const stop = tenancy.on('tenant:migrated', ({ tenant, migrations }) => migrated.push(tenant, ...migrations))
  await serving({}, async (get) => {
    assert.equal((await get('lazy.example.com')).json(), rowsOf('lazy'))
    assert.equal((await get('lazy.example.com')).json(), rowsOf('lazy'))
  })
  stop()
  assert.equal(migrated, ['lazy', '001_marker.sql'])
})

test('O01 an unknown tenant is answered 404 with a code, and nothing is written', async () => {
  await tenancy.provision({ id: 'known', host: 'known.example.com' })
  const before = await contents()
  await serving({}, async (get) => {
    for (const host of ['nobody.example.com', 'constructor']) {
      const answer = await get(host)
      assert.equal([answer.status, answer.json()], [404, { error: { code: 'TENANT_UNKNOWN' } }])
    }
    const malformed = await get("x'; DROP SCHEMA a; --")
    assert.equal([malformed.status, malformed.json()], [400, { error: { code: 'HOST_INVALID' } }])
  })
  await serving({ middleware: { resolve: byHeader('x-tenant') } }, async (get) => {
    for (const id of ['nobody', '__proto__', 'toString', '../../x', "a'; DROP SCHEMA a", 'x'.repeat(500)]) {
      const answer = await get('any', '/owner', { 'x-tenant': id })
      assert.equal([answer.status, answer.json()], [404, { error: { code: 'TENANT_UNKNOWN' } }])
    }
  })
  assert.equal(await contents(), before)
})

test('O02 a request without a tenant passes on, and its queries fail closed', async () => {
  await serving({}, async (get) => {
    const answer = await get('127.0.0.1')
    assert.equal(answer.status, 500)
    assert.equal(answer.json<{ code: string }>().code, 'TENANT_CONTEXT_MISSING')
  })
})

test('O02 a request without a tenant is answered 400 where that is chosen', async () => {
  await serving({ middleware: { onMissing: 400 } }, async (get) => {
    const answer = await get('127.0.0.1')
    assert.equal([answer.status, answer.json()], [400, { error: { code: 'TENANT_REQUIRED' } }])
  })
})

test('O72 a tenant whose upgrade fails is answered 503 with Retry-After and without SQL', async () => {
  await writeFile(join(folder, 'broken.sql'), 'SELECT secret FROM nowhere')
  const broken = tenancyWith({ migrations: ['broken.sql'] })
  await broken.provision({ id: 'broken', host: 'broken.example.com', up: false })
  await serving({ tenancy: broken }, async (get) => {
    const answer = await get('broken.example.com')
    assert.equal([answer.status, answer.json()], [503, { error: { code: 'TENANT_UNAVAILABLE' } }])
    assert.ok(Number(answer.headers['retry-after']) >= 1)
    const other = await get('a.example.com')
    assert.is(other.status, 503, 'tenant a is behind on this set of migrations too, and fails by itself')
  })
  await broken.close()
})

test('O60 a request that has waited long enough is answered 503 while the upgrade goes on', async () => {
  await writeFile(
    join(folder, 'slow.sql'),
    "SELECT pg_sleep(0.4); CREATE TABLE marker AS SELECT 'slow' AS owner",
  )
  const slow = tenancyWith({ migrations: ['slow.sql'], lazy: { maxWaitMs: 50 } })
  await slow.provision({ id: 'slow', host: 'slow.example.com', up: false })
  await serving({ tenancy: slow }, async (get) => {
    const answer = await get('slow.example.com')
    assert.equal([answer.status, answer.json()], [503, { error: { code: 'TENANT_PENDING' } }])
    assert.is(answer.headers['retry-after'], '2')
    await sleep(600)
    assert.is((await slow.status({ tenant: 'slow' })).state, 'ok')
  })
  await slow.close()
})

test('O63 without lazy upgrades a tenant behind is answered 503 and stays as it is', async () => {
  const strict = tenancyWith({ lazy: false })
  await strict.provision({ id: 'strict', host: 'strict.example.com', up: false })
  await serving({ tenancy: strict }, async (get) => {
    const answer = await get('strict.example.com')
    assert.equal([answer.status, answer.json()], [503, { error: { code: 'TENANT_PENDING' } }])
  })
  assert.is((await strict.status({ tenant: 'strict' })).state, 'pending')
  await strict.close()
})

test('O13 a registry that cannot be asked is answered 503, not 404', async () => {
  const unreachable = createTenancy({ url: 'postgres://u:p@127.0.0.1:1/none' }, { baseDir: folder })
  await serving({ tenancy: unreachable }, async (get) => {
    const answer = await get('a.example.com')
    assert.equal([answer.status, answer.json()], [503, { error: { code: 'DATABASE_UNREACHABLE' } }])
  })
  await unreachable.close()
})

test("the application's own errors are not answered by the middleware", async () => {
  const routes = (app: Express) => {
    app.get('/throws', () => {
      throw new Error('mine')
    })
  }
  await serving({ routes }, async (get) => {
    assert.equal((await get('a.example.com', '/throws')).json(), { from: 'application', message: 'mine' })
  })
})

test('O14 concurrent requests of many tenants over a small pool are each served their own rows', async () => {
  const ids = Array.from({ length: 10 }, (_, index) => `many_${index}`)
  for (const id of ids) await tenancy.provision({ id, host: `${id.replace('_', '-')}.example.com` })
  await serving({}, async (get) => {
    await Promise.all(
      Array.from({ length: 500 }, async (_, index) => {
        const id = ids[index % ids.length] ?? ''
        assert.equal((await get(`${id.replace('_', '-')}.example.com`)).json(), rowsOf(id))
      }),
    )
  })
})

test('O15 a listener of the body that is bound keeps the tenant; one that is not fails closed', async () => {
  const app = express()
  app.use(tenantMigrations(tenancy))
  app.post('/:how', (incoming, response, next) => {
    const answer = () => {
      sequelize.query('SELECT owner FROM marker').then(([rows]) => response.json(rows), next)
    }
    incoming.on('end', incoming.params.how === 'bound' ? tenancy.bind(answer) : answer).resume()
  })
  app.use((error: Error & { code?: string }, _request: Request, response: Response, _next: NextFunction) => {
    response.status(500).json(error.code)
  })
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // a TCP server's address
  try {
    // One after the other, so that the requests of both tenants come over one connection.
    for (let round = 0; round < 20; round++) {
      const id = round % 2 === 0 ? 'a' : 'b'
      const headers = { host: `${id}.example.com` }
      const body = { text: 'x'.repeat(200_000) } // several packets
      const bound = await request({ port, path: '/bound', method: 'POST', headers, body })
      assert.equal(bound.json(), [{ owner: id }])
      const unbound = await request({ port, path: '/unbound', method: 'POST', headers, body })
      assert.equal(unbound.json(), 'TENANT_CONTEXT_MISSING')
    }
  } finally {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
})

test('O20 work that goes on after the answer keeps the tenant', async () => {
  let later: Promise<unknown> | undefined
  const routes = (app: Express) => {
    app.get('/later', (_request, response) => {
      response.end()
      later = sleep(20).then(() => sequelize.query('SELECT owner FROM marker'))
    })
  }
  await serving({ routes }, async (get) => {
    await get('b.example.com', '/later')
    assert.equal(((await later) as [unknown])[0], [{ owner: 'b' }])
  })
})

test('O59 200 first requests over four processes run each migration once', async () => {
  await tenancy.provision({ id: 'herd', host: 'herd.example.com', up: false })
  const processes = await Promise.all(
    Array.from({ length: 4 }, () => startChild(TENANT_SERVER, database.url, folder)),
  )
  try {
    const ports = await Promise.all(processes.map(portOf))
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        request({ port: ports[index % 4] ?? 0, path: '/owner', headers: { host: 'herd.example.com' } }),
      ),
    )
    const bodies = answers.map((answer) => answer.json<{ tenant: string; rows: unknown; pid: number }>())
    for (const { tenant, rows } of bodies) assert.equal({ tenant, rows }, rowsOf('herd'))
    assert.is(new Set(bodies.map(({ pid }) => pid)).size, 4)
    assert.equal(await database.query("SELECT count(*)::int AS n FROM public.runs WHERE schema = 'herd'"), [
      { n: 1 },
    ])
  } finally {
    await Promise.all(processes.map(stopServer))
  }
})

async function portOf({ process: server, outcome }: Child): Promise<number> {
  if (server.stdout === null) throw new Error('the server has no output')
  const ended = outcome.then(({ stderr }) => Promise.reject(new Error(stderr)))
  const [line] = (await Promise.race([once(server.stdout, 'data'), ended])) as [Buffer] // the event's one argument
  return Number(line.toString())
}

async function stopServer({ process: server, outcome }: Child): Promise<void> {
  server.stdin?.end()
  assert.is((await outcome).stderr, '')
}

/** Every object and every registered tenant: what a request could have written. */
function contents(): Promise<unknown[]> {
  return database.query(
    `SELECT 'schema ' || nspname AS name FROM pg_namespace
     UNION ALL SELECT 'object ' || oid::regclass::text FROM pg_class
     UNION ALL SELECT 'tenant ' || id || state || updated_at FROM umzug_tenants.tenant
     UNION ALL SELECT 'run ' || id FROM umzug_tenants.run ORDER BY 1`,
  )
}

test.run()
