import * as assert from 'uvu/assert'

import { isTenancyError } from '../../lib/errors.ts'
import { byPath } from '../../lib/middleware/path.ts'
import { byHeader, byHost, bySubdomain, firstOf, type Resolver } from '../../lib/middleware/resolve.ts'
import { suite } from '../support/suite.ts'

const test = suite('resolve')

function resolve(resolver: Resolver, headers: Record<string, string | string[]>, url = '/') {
  return resolver({ headers, url })
}

test('the host is looked up as it is compared', () => {
  assert.equal(resolve(byHost(), { host: 'ACME.example.com.:80' }), { host: 'acme.example.com' })
  assert.is(resolve(byHost(), {}), undefined)
})

test('O10 an address names no tenant', () => {
  for (const host of ['127.0.0.1:3000', '10.0.0.1', '[::1]:3000', '2130706433']) {
    assert.is(resolve(byHost(), { host }), undefined)
    assert.is(resolve(byHost({ baseDomain: 'example.com' }), { host }), undefined)
    assert.is(resolve(bySubdomain('example.com'), { host }), undefined)
  }
})

test('a name with an underscore, as containers call each other, names no tenant', () => {
  assert.is(resolve(byHost(), { host: 'web_1:3000' }), undefined)
})

test('below the base domain a host is looked up by id, and other hosts whole', () => {
  const resolver = byHost({ baseDomain: 'Example.com.' })
  const named = (host: string) => resolve(resolver, { host })
  assert.equal(named('acme.example.com:80'), { id: 'acme' })
  assert.equal(named('acme_corp.example.com'), { id: 'acme_corp' })
  assert.is(named('example.com'), undefined)
  assert.is(named('www.example.com'), undefined)
  assert.equal(named('www.acme.org'), { host: 'www.acme.org' })
  assert.equal(named('acme.org'), { host: 'acme.org' })
  assert.equal(named('badexample.com'), { host: 'badexample.com' })
  assert.equal(named('eu.acme.example.com'), { host: 'eu.acme.example.com' })
})

test('by subdomain exactly one label below the base domain is the id', () => {
  const resolver = bySubdomain('example.com')
  const named = (host: string) => resolve(resolver, { host })
  assert.equal(named('Acme.example.com'), { id: 'acme' })
  for (const host of [
    'example.com',
    'www.example.com',
    'WWW.Example.com.',
    'eu.acme.example.com',
    'acme.badexample.com',
    'badexample.com',
    'acme.example.com.evil.org',
    'acme.org',
  ])
    assert.is(named(host), undefined, host)
})

test('a base domain has to be a host name', () => {
  for (const base of ['', 'https://example.com', '127.0.0.1', '*.example.com']) {
    for (const make of [() => bySubdomain(base), () => byHost({ baseDomain: base })])
      assert.throws(
        make,
        (error: unknown) =>
          isTenancyError(error, 'CONFIG_INVALID') &&
          error.message.includes('fix: use the host name below which'),
      )
  }
})

test('a header names the tenant by id', () => {
  const resolver = byHeader('X-Tenant')
  assert.equal(resolve(resolver, { 'x-tenant': 'acme' }), { id: 'acme' })
  assert.is(resolve(resolver, { 'x-tenant': '' }), undefined)
  assert.is(resolve(resolver, { 'x-tenant': ['a', 'b'] }), undefined)
  assert.is(resolve(resolver, {}), undefined)
})

test('a part of the path names the tenant by id', () => {
  const resolver = byPath('/t/:tenant')
  const named = (url: string) => resolve(resolver, {}, url)
  assert.equal(named('/t/acme'), { id: 'acme' })
  assert.equal(named('/t/acme/users/1?tenant=other'), { id: 'acme' })
  assert.equal(named('/t/acme?x'), { id: 'acme' })
  assert.equal(named('/t/acme#x'), { id: 'acme' })
  assert.equal(named('/t/ac%6De'), { id: 'acme' })
  assert.equal(named('/t/a%2Fb'), { id: 'a/b' }, 'what no id can be is looked up, and unknown')
  assert.equal(named('/t/%zz'), { id: '%zz' })
  assert.equal(named('http://example.com/t/acme'), { id: 'acme' })
  for (const url of [
    '/',
    '/t',
    '/t/',
    '/t//acme',
    '//t/acme',
    '/T/acme',
    '/x/t/acme',
    '/tt/acme',
    '?/t/acme',
    '*',
  ])
    assert.is(named(url), undefined, url)
})

test('the path is the one that was asked for, whatever a router was mounted at', () => {
  const asked = { headers: {}, originalUrl: '/t/acme/users', url: '/users' }
  assert.equal(byPath('/t/:tenant')(asked), { id: 'acme' })
})

test('the tenant may stand anywhere in the path', () => {
  assert.equal(resolve(byPath('/:tenant/'), {}, '/acme/users'), { id: 'acme' })
  assert.equal(resolve(byPath('/api/v1/:tenant/users'), {}, '/api/v1/acme/users/7'), { id: 'acme' })
  assert.is(resolve(byPath('/api/v1/:tenant/users'), {}, '/api/v1/acme/roles'), undefined)
})

test('a pattern has words, and :tenant once', () => {
  for (const pattern of [
    '',
    '/',
    '/t',
    't/:tenant',
    '/:id',
    '/:tenant/:tenant',
    '/t/:tenant?',
    '/*/:tenant',
    '//:tenant',
  ])
    assert.throws(
      () => byPath(pattern),
      (error: unknown) =>
        isTenancyError(error, 'CONFIG_INVALID') && error.message.includes("fix: write it like '/t/:tenant'"),
      pattern,
    )
})

test('the first resolver that names a tenant decides, without a promise if none makes one', () => {
  const resolver = firstOf([byHeader('x-tenant'), byHost()])
  assert.equal(resolve(resolver, { 'x-tenant': 'a', host: 'b.com' }), { id: 'a' })
  assert.equal(resolve(resolver, { host: 'b.com' }), { host: 'b.com' })
  assert.is(resolve(resolver, {}), undefined)
  assert.is(resolve(firstOf([]), {}), undefined)
})

test('resolvers that take their time are waited for in their order', async () => {
  const asked: string[] = []
  const late =
    (name: string, id?: string): Resolver =>
    async () => {
      asked.push(name)
      return id === undefined ? null : { id }
    }
  const resolver = firstOf([late('first'), () => undefined, late('second', 'a'), late('third', 'b')])
  assert.equal(await resolve(resolver, {}), { id: 'a' })
  assert.equal(asked, ['first', 'second'])
})

test.run()
