import type { IncomingMessage } from 'node:http'

import * as assert from 'uvu/assert'

import { byHeader, byHost, firstOf, type Resolver } from '../../lib/middleware/resolve.ts'
import { suite } from '../support/suite.ts'

const test = suite('resolve')

function resolve(resolver: Resolver, headers: Record<string, string | string[]>) {
  return resolver({ headers } as IncomingMessage)
}

const HOSTS: readonly (readonly [header: string, host: string | undefined])[] = [
  ['acme.example.com', 'acme.example.com'],
  ['ACME.Example.COM', 'acme.example.com'],
  ['acme.example.com:8080', 'acme.example.com'],
  ['acme.example.com.', 'acme.example.com'],
  ['localhost:3000', 'localhost'],
  ['127.0.0.1:3000', undefined],
  ['10.0.0.1', undefined],
  ['[::1]:3000', undefined],
  ['acme.example.com/../b', undefined],
  ['a b', undefined],
  ["a'; DROP SCHEMA a", undefined],
  ['', undefined],
  ['-', undefined],
  [`${'a'.repeat(300)}.com`, undefined],
]

for (const [header, host] of HOSTS) {
  test(`O10 Host ${JSON.stringify(header.slice(0, 40))} ${host === undefined ? 'names no tenant' : `is ${host}`}`, () => {
    assert.equal(resolve(byHost(), { host: header }), host === undefined ? undefined : { host })
  })
}

test('a request without a Host header names no tenant', () => {
  assert.is(resolve(byHost(), {}), undefined)
})

test('O08 X-Forwarded-Host is ignored', () => {
  assert.equal(resolve(byHost(), { host: 'a.com', 'x-forwarded-host': 'b.com' }), { host: 'a.com' })
})

test('a subdomain of the base domain is the tenant id', () => {
  const resolver = byHost({ baseDomain: 'Example.com' })
  assert.equal(resolve(resolver, { host: 'acme.example.com:80' }), { id: 'acme' })
  assert.is(resolve(resolver, { host: 'example.com' }), undefined)
  assert.equal(resolve(resolver, { host: 'acme.org' }), { host: 'acme.org' })
  assert.equal(resolve(resolver, { host: 'badexample.com' }), { host: 'badexample.com' })
})

test('a header names the tenant by id', () => {
  const resolver = byHeader('X-Tenant')
  assert.equal(resolve(resolver, { 'x-tenant': 'acme' }), { id: 'acme' })
  assert.is(resolve(resolver, { 'x-tenant': '' }), undefined)
  assert.is(resolve(resolver, { 'x-tenant': ['a', 'b'] }), undefined)
  assert.is(resolve(resolver, {}), undefined)
})

test('the first resolver that names a tenant decides', async () => {
  const resolver = firstOf([byHeader('x-tenant'), byHost()])
  assert.equal(await resolve(resolver, { 'x-tenant': 'a', host: 'b.com' }), { id: 'a' })
  assert.equal(await resolve(resolver, { host: 'b.com' }), { host: 'b.com' })
  assert.is(await resolve(resolver, {}), undefined)
})

test.run()
