/** What `tenantMigrations` promises, in every framework it serves: real servers, a real database. */
import { setTimeout as sleep } from 'node:timers/promises'

import { Sequelize } from 'sequelize'
import * as assert from 'uvu/assert'

import { byHeader, byHost, byJwt, byPath, bySubdomain, createTenancy, type Tenancy } from '../../lib/index.ts'
import { TenancyError } from '../../lib/errors.ts'
import type { TenantMigrationsOptions } from '../../lib/middleware/admission.ts'
import { testDatabase } from '../support/database.ts'
import { temporaryFolders } from '../support/folder.ts'
import { FRAMEWORKS, type Application } from '../support/frameworks.ts'
import { request, sendLines, type Answer, type RequestOptions } from '../support/http.ts'
import { suite } from '../support/suite.ts'

const test = suite('frameworks')
const database = testDatabase(test)
const folder = temporaryFolders(test)

let sequelize: Sequelize
let tenancy: Tenancy
let files: string

test.before(async () => {
  files = await folder({
    'migrations/001_marker.sql': 'CREATE TABLE marker AS SELECT current_schema()::text AS owner',
  })
  sequelize = new Sequelize(database.url, { logging: false, pool: { max: 3 } })
  tenancy = createTenancy({ sequelize }, { baseDir: files })
  await tenancy.provision({ id: 'a', host: 'a.example.com' })
  await tenancy.provision({ id: 'b', host: 'b.example.com' })
})

test.after(async () => {
  await tenancy.close()
  await sequelize.close()
})

const rowsOf = (id: string) => ({ tenant: id, rows: [{ owner: id }] })

for (const framework of FRAMEWORKS) {
  const { name, codeOf } = framework

  /** Serves while `fn` runs; `get` asks as a client does. */
  const serving = async (
    options: TenantMigrationsOptions,
    fn: (
      get: (host: string, more?: Omit<RequestOptions, 'port'>) => Promise<Answer>,
      port: number,
    ) => Promise<void>,
    application: Partial<Application> = {},
  ) => {
    const later = () => undefined
    const server = await framework.serve({
      tenancy,
      sequelize,
      options,
      trustProxy: false,
      later,
      ...application,
    })
    const get = (host: string, { headers, ...more }: Omit<RequestOptions, 'port'> = {}) =>
      request({ path: '/owner', ...more, port: server.port, headers: { host, ...headers } })
    try {
      await fn(get, server.port)
    } finally {
      await server.close()
    }
  }

  /** Each request is refused with `status` and `code`, and says nothing else of what happened. */
  const assertRefused = (answer: Answer, status: number, code: string) => {
    assert.equal([answer.status, codeOf(answer)], [status, code])
    assert.not.match(answer.text, /SELECT|example|umzug|schema|at .*:\d+/)
  }

  test(`${name}: a request is served from its tenant's schema`, () =>
    serving({}, async (get) => {
      assert.equal((await get('a.example.com')).json(), rowsOf('a'))
      assert.equal((await get('B.Example.com:8080')).json(), rowsOf('b'))
    }))

  test(`${name}: a tenant behind is upgraded by its first request`, async () => {
    const id = `lazy_${name.replaceAll(/\W/g, '')}`
    await tenancy.provision({ id, host: `${id.replace('_', '-')}.example.com`, up: false })
    await serving({}, async (get) => {
      const host = `${id.replace('_', '-')}.example.com`
      assert.equal((await get(host)).json(), rowsOf(id))
      assert.equal((await get(host)).json(), rowsOf(id))
    })
  })

  test(`O01 ${name}: an unknown tenant is answered 404 with a code`, () =>
    serving({}, async (get) => assertRefused(await get('nobody.example.com'), 404, 'TENANT_UNKNOWN')))

  test(`${name}: a request of an unknown tenant passes on where that is chosen, and its queries fail closed`, () =>
    serving({ onUnknown: 'next' }, async (get) => {
      const answer = await get('nobody.example.com')
      assert.is(answer.status, 500)
      assert.not.match(answer.text, 'rows')
    }))

  test(`O02 ${name}: a request without a tenant passes on, and its queries fail closed`, () =>
    serving({}, async (get) => {
      const answer = await get('127.0.0.1')
      assert.is(answer.status, 500)
      assert.not.match(answer.text, 'rows')
    }))

  test(`O02 ${name}: a request without a tenant is answered 400 where that is chosen`, () =>
    serving({ onMissing: 400 }, async (get) => assertRefused(await get('127.0.0.1'), 400, 'TENANT_REQUIRED')))

  test(`O08 ${name}: X-Forwarded-Host is ignored, unless the framework trusts its proxy`, async () => {
    const headers = { 'x-forwarded-host': 'b.example.com' }
    await serving({}, async (get) =>
      assert.equal((await get('a.example.com', { headers })).json(), rowsOf('a')),
    )
    await serving(
      {},
      async (get) => {
        assert.equal((await get('a.example.com', { headers })).json(), rowsOf('b'))
        assert.equal((await get('127.0.0.1', { headers })).json(), rowsOf('b'))
        assert.equal((await get('a.example.com')).json(), rowsOf('a'))
      },
      { trustProxy: true },
    )
  })

  test(`O08 ${name}: a trusted X-Forwarded-Host with two hosts is refused, for the client may have sent one`, () =>
    serving(
      {},
      async (get) => {
        for (const forwarded of ['b.example.com, a.example.com', 'a.example.com,b.example.com']) {
          // Whichever the framework takes: with the host of neither, it takes a forwarded one.
          const answer = await get('localhost', { headers: { 'x-forwarded-host': forwarded } })
          assertRefused(answer, 400, 'HOST_INVALID')
        }
        const same = { 'x-forwarded-host': 'b.example.com, B.example.com:443' }
        assert.equal((await get('localhost', { headers: same })).json(), rowsOf('b'))
      },
      { trustProxy: true },
    ))

  test(`O09 ${name}: who may not use the tenant is answered 403, and the tenant is not upgraded`, async () => {
    const id = `guarded_${name.replaceAll(/\W/g, '')}`
    await tenancy.provision({ id, up: false })
    const options: TenantMigrationsOptions = {
      resolve: byHeader('x-tenant'),
      authorize: async (incoming, tenant) => incoming.headers['x-user'] === tenant.id,
    }
    await serving(options, async (get) => {
      const as = (user: string, tenant: string) =>
        get('any', { headers: { 'x-tenant': tenant, 'x-user': user } })
      assertRefused(await as('a', id), 403, 'TENANT_FORBIDDEN')
      assert.is((await tenancy.status({ tenant: id })).state, 'pending')
      assertRefused(await as('a', 'b'), 403, 'TENANT_FORBIDDEN')
      assert.equal((await as('b', 'b')).json(), rowsOf('b'))
      assert.equal((await as(id, id)).json(), rowsOf(id))
      assertRefused(await as('a', id), 403, 'TENANT_FORBIDDEN')
    })
  })

  test(`${name}: authorize lets in by a clear yes only`, () =>
    // What an application in JavaScript may answer; the types forbid it.
    serving({ authorize: (() => 'yes') as unknown as () => boolean }, async (get) =>
      assertRefused(await get('a.example.com'), 403, 'TENANT_FORBIDDEN'),
    ))

  test(`O10 ${name}: a malformed host is answered 400, and so are two hosts in one request`, () =>
    serving({}, async (get, port) => {
      assertRefused(await get('a.example.com, b.example.com'), 400, 'HOST_INVALID')
      assertRefused(await get('user@a.example.com'), 400, 'HOST_INVALID')
      for (const lines of [
        ['GET /owner HTTP/1.1', 'Host: a.example.com', 'host: b.example.com'],
        ['GET http://b.example.com/owner HTTP/1.1', 'Host: a.example.com'],
        ['GET http://a.example.com@b.example.com/owner HTTP/1.1', 'Host: b.example.com'],
      ]) {
        const response = await sendLines(port, lines)
        assert.match(response, /^HTTP\/1\.1 400 /)
        assert.match(response, 'HOST_INVALID')
      }
    }))

  test(`O12 ${name}: names that every object has are unknown tenants`, () =>
    serving({ resolve: [byHeader('x-tenant'), byPath('/:tenant')] }, async (get) => {
      for (const id of ['__proto__', 'constructor', 'toString', 'a,b', 'a, b', '../../x']) {
        assertRefused(await get('any', { headers: { 'x-tenant': id } }), 404, 'TENANT_UNKNOWN')
      }
      assertRefused(await get('any', { path: '/__proto__' }), 404, 'TENANT_UNKNOWN')
    }))

  test(`O13 ${name}: a registry that cannot be asked is answered 503 with Retry-After, not 404`, async () => {
    const unreachable = createTenancy({ url: 'postgres://u:p@127.0.0.1:1/none' }, { baseDir: files })
    await serving(
      {},
      async (get) => {
        const answer = await get('a.example.com')
        assertRefused(answer, 503, 'DATABASE_UNREACHABLE')
        assert.is(answer.headers['retry-after'], '5')
      },
      { tenancy: unreachable },
    )
    await unreachable.close()
  })

  test(`O14 ${name}: concurrent requests of two tenants over three connections get their own rows`, () =>
    serving({}, async (get) => {
      await Promise.all(
        Array.from({ length: 100 }, async (_, index) => {
          const id = index % 3 === 0 ? 'a' : 'b'
          assert.equal((await get(`${id}.example.com`)).json(), rowsOf(id))
        }),
      )
    }))

  test(`O15 ${name}: a body read behind the middleware keeps the tenant`, () =>
    serving({}, async (get) => {
      const body = { text: 'x'.repeat(90_000) } // several packets
      for (const id of ['a', 'b', 'a']) {
        const answer = await get(`${id}.example.com`, { method: 'POST', body })
        assert.equal(answer.json(), { ...rowsOf(id), body })
      }
    }))

  test(`O20 ${name}: work that goes on after the answer keeps the tenant`, async () => {
    let work: Promise<unknown> | undefined
    const later = (promise: Promise<unknown>) => {
      work = promise
    }
    await serving({}, async (get) => void (await get('b.example.com', { path: '/later' })), { later })
    assert.equal(await work, rowsOf('b'))
  })

  test(`O72 ${name}: a tenant whose upgrade fails is answered 503 with Retry-After and a code alone`, async () => {
    const baseDir = await folder({ 'migrations/001.sql': 'SELECT secret FROM nowhere' })
    const broken = createTenancy({ url: database.url }, { baseDir })
    await serving(
      {},
      async (get) => {
        const answer = await get('a.example.com')
        assertRefused(answer, 503, 'TENANT_UNAVAILABLE')
        assert.ok(Number(answer.headers['retry-after']) >= 1)
        assert.not.match(answer.text, /secret|nowhere/)
      },
      { tenancy: broken },
    )
    await broken.close()
  })

  test(`${name}: a token that is not valid is answered 401, whatever else names a tenant`, async () => {
    const verify = async (token: string) => {
      await sleep(1)
      if (token === 'outage') throw Object.assign(new Error('mine'), { status: 500 })
      if (!token.startsWith('for-')) throw new Error('bad signature')
      return { tenant: token.slice('for-'.length) }
    }
    await serving({ resolve: [byJwt(verify, 'tenant'), byHost()] }, async (get) => {
      const as = (token: string) => get('b.example.com', { headers: { authorization: `Bearer ${token}` } })
      assert.equal((await as('for-a')).json(), rowsOf('a'))
      const forged = await as('forged')
      assertRefused(forged, 401, 'TOKEN_INVALID')
      assert.is(forged.headers['www-authenticate'], 'Bearer error="invalid_token"')
      assert.is((await as('outage')).status, 500)
      assert.equal((await get('b.example.com')).json(), rowsOf('b'))
    })
  })

  test(`${name}: a tenant is found by a subdomain`, () =>
    serving({ resolve: bySubdomain('example.org'), onMissing: 400 }, async (get) => {
      assert.equal((await get('a.example.org')).json(), rowsOf('a'))
      for (const host of ['example.org', 'www.example.org', 'x.a.example.org', 'a.example.com'])
        assertRefused(await get(host), 400, 'TENANT_REQUIRED')
    }))

  test(`${name}: the application's own errors are its own`, () =>
    serving({}, async (get) => {
      const answer = await get('a.example.com', { path: '/throws' })
      assert.is(answer.status, 500)
      if (name !== 'nest') assert.is(answer.json<{ message: string }>().message, 'mine')
    }))
}

test('a resolver that throws an error of its own is no refusal', async () => {
  const [express] = FRAMEWORKS
  const options = {
    resolve: () => {
      throw new TenancyError('CONFIG_INVALID', 'mine', { fix: [] })
    },
  }
  const server = await express?.serve({
    tenancy,
    sequelize,
    options,
    trustProxy: false,
    later: () => undefined,
  })
  const answer = await request({
    port: server?.port ?? 0,
    path: '/owner',
    headers: { host: 'a.example.com' },
  })
  await server?.close()
  assert.equal([answer.status, answer.json()], [500, { message: 'mine' }])
})

test.run()
