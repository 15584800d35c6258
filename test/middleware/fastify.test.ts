/** What is Fastify's own: encapsulation, the error handler, `inject`, the end of the application. */
import Fastify from 'fastify'
import * as assert from 'uvu/assert'

import { isTenancyError } from '../../lib/errors.ts'
import { tenantMigrations } from '../../lib/middleware/fastify.ts'
import type { Tenancy } from '../../lib/tenancy.ts'
import { testDatabase } from '../support/database.ts'
import { suite } from '../support/suite.ts'
import { createTable, testTenancies } from '../support/tenancies.ts'

const test = suite('fastify')
const database = testDatabase(test)
const makeTenancy = testTenancies(test, database)

let tenancy: Tenancy

test.before(async () => {
  tenancy = await makeTenancy(createTable('001_notes', 'notes'))
  await tenancy.provision({ id: 'a', host: 'a.example.com' })
})

const host = 'a.example.com'

test('it holds for routes beside it and in children', async () => {
  const app = Fastify()
  await app.register(tenantMigrations, { tenancy })
  app.get('/beside', async ({ tenant }) => ({ tenant: tenant?.id, current: tenancy.current()?.id }))
  await app.register(async (child) => {
    child.get('/child', async ({ tenant }) => ({ tenant: tenant?.id, current: tenancy.current()?.id }))
  })
  for (const url of ['/beside', '/child'])
    assert.equal((await app.inject({ url, headers: { host } })).json(), { tenant: 'a', current: 'a' })
  await app.close()
})

test('registered with a child it leaves the other routes alone', async () => {
  const app = Fastify()
  await app.register(async (child) => {
    await child.register(tenantMigrations, { tenancy })
    child.get('/child', async ({ tenant }) => ({ tenant: tenant?.id }))
  })
  app.get('/beside', async ({ tenant }) => ({ tenant: tenant?.id, current: tenancy.current()?.id }))
  assert.equal((await app.inject({ url: '/child', headers: { host } })).json(), { tenant: 'a' })
  assert.equal((await app.inject({ url: '/beside', headers: { host } })).json(), {})
  await app.close()
})

test('a request without a tenant has null, which is what the type says', async () => {
  const app = Fastify()
  await app.register(tenantMigrations, { tenancy })
  app.get('/', async ({ tenant }) => ({ tenant }))
  assert.equal((await app.inject({ url: '/', headers: { host: '127.0.0.1' } })).json(), { tenant: null })
  await app.close()
})

test("a refusal passes through the application's error handler, which learns why", async () => {
  const app = Fastify()
  const causes: unknown[] = []
  app.setErrorHandler((error: Error & { statusCode?: number; code?: string }, _request, reply) => {
    causes.push(error.cause)
    return reply.status(error.statusCode ?? 500).send({ mine: error.code })
  })
  await app.register(tenantMigrations, { tenancy })
  const answer = await app.inject({ url: '/', headers: { host: 'nobody.example.com' } })
  assert.equal([answer.statusCode, answer.json()], [404, { mine: 'TENANT_UNKNOWN' }])
  assert.ok(isTenancyError(causes[0], 'TENANT_UNKNOWN'))
  await app.close()
})

test("without one the answer has Fastify's own form", async () => {
  const app = Fastify()
  await app.register(tenantMigrations, { tenancy })
  const answer = await app.inject({ url: '/', headers: { host: 'nobody.example.com' } })
  assert.equal(answer.json(), {
    statusCode: 404,
    code: 'TENANT_UNKNOWN',
    error: 'Not Found',
    message: 'TENANT_UNKNOWN',
  })
  await app.close()
})

test('Fastify knows the plugin by name', async () => {
  const app = Fastify()
  await app.register(tenantMigrations, { tenancy })
  assert.ok(app.hasPlugin('umzug-tenants'))
  await app.close()
})

test('a tenancy of the application stays open when Fastify ends', async () => {
  const app = Fastify()
  await app.register(tenantMigrations, { tenancy })
  await app.inject({ url: '/', headers: { host } })
  await app.close()
  assert.is((await tenancy.up({ tenant: 'a' })).id, 'a')
})

test.run()
