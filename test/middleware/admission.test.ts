/** The decision about a request, below all frameworks. */
import * as assert from 'uvu/assert'

import { Admission } from '../../lib/middleware/admission.ts'
import { isPromise } from '../../lib/middleware/awaitable.ts'
import type { TenantRequest } from '../../lib/middleware/request.ts'
import { byHeader, byHost } from '../../lib/middleware/resolve.ts'
import type { Tenancy } from '../../lib/tenancy.ts'
import { testDatabase } from '../support/database.ts'
import { failure, thrownBy } from '../support/failure.ts'
import { suite } from '../support/suite.ts'
import { createTable, testTenancies } from '../support/tenancies.ts'

const test = suite('admission')
const database = testDatabase(test)
const makeTenancy = testTenancies(test, database)

let tenancy: Tenancy

test.before(async () => {
  tenancy = await makeTenancy(createTable('001_notes', 'notes'))
  await tenancy.provision({ id: 'a', host: 'a.example.com' })
})

const to = (host: string, headers: Record<string, string> = {}): TenantRequest => ({
  headers: { host, ...headers },
})

test('a tenant that is known and at head is let in without a promise', async () => {
  const authorize = () => true
  const admission = new Admission(tenancy, { resolve: [byHeader('x-tenant'), byHost()], authorize })
  assert.ok(isPromise(admission.decide(to('a.example.com'))), 'the first time it has to be asked')
  await admission.decide(to('a.example.com'))
  const decision = admission.decide(to('a.example.com'))
  assert.not(isPromise(decision))
  const { verdict, ...rest } = await decision
  assert.is(verdict, 'enter')
  assert.equal('tenant' in rest && rest.tenant.id, 'a')
})

test('a request without a tenant, and one that is malformed, are decided without a promise', async () => {
  const admission = new Admission(tenancy, { onMissing: 400 })
  await admission.decide(to('a.example.com'))
  for (const [host, code] of [
    ['127.0.0.1', 'TENANT_REQUIRED'],
    ['a b', 'HOST_INVALID'],
  ] as const) {
    const decision = admission.decide(to(host))
    assert.not(isPromise(decision))
    const decided = await decision
    assert.equal('refusal' in decided && decided.refusal.body, { error: { code } })
  }
})

test('a refusal keeps for logs what its body does not say', async () => {
  const decided = await new Admission(tenancy, {}).decide(to('nobody.example.com'))
  assert.ok(decided.verdict === 'refuse')
  const { status, headers, body, error } = decided.refusal
  assert.equal([status, headers, body], [404, {}, { error: { code: 'TENANT_UNKNOWN' } }])
  assert.match(error.message, 'No tenant "nobody.example.com" is registered.')
})

test('authorize is asked for each request, before the tenant is upgraded, and its advice names the function', async () => {
  await tenancy.provision({ id: 'behind', up: false })
  const asked: string[] = []
  const admission = new Admission(tenancy, {
    resolve: byHeader('x-tenant'),
    authorize: ({ headers }, { id }) => {
      asked.push(`${String(headers['x-user'])} ${id}`)
      return headers['x-user'] === 'owner'
    },
  })
  const as = (user: string) => admission.decide(to('any', { 'x-tenant': 'behind', 'x-user': user }))
  const refused = await as('stranger')
  assert.ok(refused.verdict === 'refuse')
  assert.match(
    refused.refusal.error.message,
    'fix: the function authorize of tenantMigrations() decides this',
  )
  assert.is((await tenancy.status({ tenant: 'behind' })).state, 'pending')
  assert.is((await as('owner')).verdict, 'enter')
  assert.is((await as('stranger')).verdict, 'refuse')
  assert.equal(asked, ['stranger behind', 'owner behind', 'stranger behind'])
})

test('an error of authorize is the application’s own', async () => {
  const mine = new Error('mine')
  const throwing = new Admission(tenancy, {
    authorize: () => {
      throw mine
    },
  })
  const rejecting = new Admission(tenancy, { authorize: () => Promise.reject(mine) })
  for (const admission of [throwing, rejecting, throwing])
    assert.is(await thrownBy(() => admission.decide(to('a.example.com'))), mine)
})

test('O12 what a client sent and is no text is an unknown tenant', async () => {
  const values: unknown[] = [['a'], { toString: null }, 7, true, {}, undefined]
  for (const sent of values) {
    const resolve = () => ({ id: sent as string }) // as an application in JavaScript may hand on `request.query.tenant`
    const decided = await new Admission(tenancy, { resolve }).decide(to('any'))
    assert.equal('refusal' in decided && decided.refusal.body, { error: { code: 'TENANT_UNKNOWN' } })
  }
})

test('a tenancy that cannot be had now is asked for again by the next request', async () => {
  const previous = process.cwd()
  process.chdir('/')
  try {
    const admission = new Admission(undefined, {})
    await failure('CONFIG_NOT_FOUND', () => admission.decide(to('a.example.com')))
    await failure('CONFIG_NOT_FOUND', () => admission.decide(to('a.example.com')))
    await admission.close()
  } finally {
    process.chdir(previous)
  }
})

test('a tenancy of the application is not closed with the middleware', async () => {
  const admission = new Admission(tenancy, {})
  await admission.decide(to('a.example.com'))
  await admission.close()
  assert.is((await tenancy.find({ id: 'a' })).id, 'a')
})

test.run()
