import * as assert from 'uvu/assert'

import { byJwt, type Claims, type VerifyToken } from '../../lib/middleware/jwt.ts'
import { failure, thrownBy } from '../support/failure.ts'
import { suite } from '../support/suite.ts'

const test = suite('jwt')

const withToken = (authorization: string) => ({ headers: { authorization } })

function claiming(claims: Claims | null | undefined, claim = 'tenant') {
  return byJwt(() => claims, claim)(withToken('Bearer token'))
}

test('the claim of a verified token names the tenant by id, without a promise if the function makes none', () => {
  assert.equal(claiming({ tenant: 'acme' }), { id: 'acme' })
  assert.equal(claiming({ 'https://example.com/tenant': 'acme' }, 'https://example.com/tenant'), {
    id: 'acme',
  })
})

test('a function that takes its time is waited for', async () => {
  const verify = async () => ({ tenant: 'acme' })
  assert.equal(await byJwt(verify, 'tenant')(withToken('Bearer token')), { id: 'acme' })
})

test('the function is given the token and the request', () => {
  const seen: unknown[] = []
  const verify: VerifyToken = (...given) => {
    seen.push(...given)
    return { tenant: 'acme' }
  }
  const request = withToken('bearer  abc.def-_.ghi')
  byJwt(verify, 'tenant')(request)
  assert.equal(seen, ['abc.def-_.ghi', request])
})

test('a request without a bearer token names no tenant, and nothing is verified', () => {
  const verify = () => {
    throw new Error('asked')
  }
  for (const authorization of ['Basic dTpw', 'Bearer', 'Bearer ', 'Bearer a b', ''])
    assert.is(byJwt(verify, 'tenant')(withToken(authorization)), undefined, authorization)
  assert.is(byJwt(verify, 'tenant')({ headers: {} }), undefined)
})

test('a genuine token without the claim names no tenant', () => {
  assert.is(claiming({}), undefined)
  assert.is(claiming({ tenant: null }), undefined)
  for (const claim of ['__proto__', 'constructor', 'toString']) assert.is(claiming({}, claim), undefined)
})

test('a token that the function refuses is refused with 401', async () => {
  const thrown = new Error('signature is wrong')
  const error = await failure('TOKEN_INVALID', () =>
    byJwt(() => {
      throw thrown
    }, 'tenant')(withToken('Bearer token')),
  )
  assert.is(error.status, 401)
  assert.is(error.cause, thrown)
  assert.is(
    error.message,
    "The request's token is not valid.\n  signature is wrong\n  fix: send a token that is genuine and in force: Authorization: Bearer TOKEN",
  )
  const late = byJwt(() => Promise.reject(thrown), 'tenant')(withToken('Bearer token'))
  await failure('TOKEN_INVALID', () => late)
})

test('claims that are none, and a tenant that is no text, are refused', async () => {
  for (const claims of [
    undefined,
    null,
    { tenant: 7 },
    { tenant: '' },
    { tenant: ['a'] },
    { tenant: { id: 'a' } },
  ])
    assert.is((await failure('TOKEN_INVALID', () => claiming(claims))).status, 401)
  const error = await failure('TOKEN_INVALID', () => claiming({ tenant: 7 }))
  assert.is(error.detail, 'claim "tenant" is no text')
})

test('an error with a status of its own passes as it is: the token may be genuine', async () => {
  const outage = Object.assign(new Error('no keys'), { status: 503 })
  const late = byJwt(() => Promise.reject(outage), 'tenant')(withToken('Bearer token'))
  assert.is(await thrownBy(() => late), outage)
})

test.run()
