import * as assert from 'uvu/assert'

import { isTenancyError } from '../../lib/errors.ts'
import { hostOf, readHost } from '../../lib/middleware/host.ts'
import type { TenantRequest } from '../../lib/middleware/request.ts'
import { suite } from '../support/suite.ts'

const test = suite('host')

const NAMES: readonly (readonly [text: string, host: string])[] = [
  ['acme.example.com', 'acme.example.com'],
  ['ACME.Example.COM', 'acme.example.com'],
  ['acme.example.com:8080', 'acme.example.com'],
  ['acme.example.com:', 'acme.example.com'],
  ['acme.example.com.', 'acme.example.com'],
  ['acme.example.com.:443', 'acme.example.com'],
  ['localhost:3000', 'localhost'],
  ['xn--mller-kva.example.com', 'xn--mller-kva.example.com'],
  ['acme_corp.example.com', 'acme_corp.example.com'],
  ['1.example.com', '1.example.com'],
  ['0x7f.example.com', '0x7f.example.com'],
  [`${'a'.repeat(63)}.com`, `${'a'.repeat(63)}.com`],
]

for (const [text, host] of NAMES) {
  test(`O10 host ${JSON.stringify(text.slice(0, 40))} is ${host.slice(0, 40)}`, () =>
    assert.is(readHost(text), host))
}

const ADDRESSES = [
  '127.0.0.1',
  '127.0.0.1:3000',
  '10.0.0.1.',
  '127.1',
  '2130706433',
  '0x7f000001',
  '0x7f.0x0.0x0.0x1',
  '0177.0.0.1',
  'example.1',
  '[::1]',
  '[::1]:3000',
  '[2001:DB8::1]:80',
  '[::ffff:127.0.0.1]',
]

for (const text of ADDRESSES) {
  test(`O10 ${text} is an address, and never a tenant's`, () => assert.is(readHost(text), undefined))
}

const MALFORMED = [
  '',
  ' ',
  '.',
  '-',
  'a b',
  'a.com b.com',
  'a.com,b.com',
  'a.com, b.com',
  'user@a.com',
  'user:password@a.com',
  'a.com:80@b.com',
  'a.com:80:90',
  'a.com:http',
  'a.com:123456',
  'a.com:-1',
  'a.com/../b',
  'a.com\\b.com',
  'a.com?b',
  'a.com#b',
  'http://a.com',
  'a..com',
  '.a.com',
  'a.com..',
  '-a.com',
  'a-.com',
  '%61.com',
  'a%00.com',
  'a\u0000.com',
  'a\n.com',
  'müller.com',
  'a。com',
  '\u212a.com', // the sign of kelvin, which becomes k in small letters
  '\u0130.com',
  '[::1',
  '::1',
  '[::1]a',
  '[a.com]',
  "a'; DROP SCHEMA a; --",
  `${'a'.repeat(64)}.com`,
  `${'a.'.repeat(127)}com`,
]

for (const text of MALFORMED) {
  test(`O10 ${JSON.stringify(text.slice(0, 40))} is no host, and is refused`, () => {
    assert.throws(
      () => readHost(text),
      (error: unknown) => isTenancyError(error, 'HOST_INVALID') && error.status === 400,
    )
  })
}

const refused = (request: TenantRequest) => {
  let message = 'not refused'
  try {
    hostOf(request)
  } catch (error) {
    if (!isTenancyError(error, 'HOST_INVALID')) throw error
    ;({ message } = error)
  }
  return message
}

test('a request without a Host header, or with an empty one, is for no host', () => {
  assert.is(hostOf({ headers: {} }), undefined)
  assert.is(hostOf({ headers: { host: '' } }), undefined)
})

test("HTTP/2's authority is the host", () => {
  assert.is(hostOf({ headers: { ':authority': 'a.com:443' } }), 'a.com')
})

test('O10 several Host headers are refused, wherever the framework keeps them', () => {
  const headers = { host: 'a.com' }
  const rawHeaders = ['Host', 'a.com', 'Accept', '*/*', 'HOST', 'b.com']
  for (const place of [{ rawHeaders }, { raw: { rawHeaders } }, { req: { rawHeaders } }])
    assert.match(refused({ headers, ...place }), 'The request has several Host headers.')
  assert.is(hostOf({ headers, rawHeaders: ['Host', 'a.com', 'X-Host', 'b.com', 'From', 'Host'] }), 'a.com')
})

test('O10 a target with a host of its own has to be for the same one', () => {
  const headers = { host: 'a.com:80' }
  assert.is(hostOf({ headers, url: 'http://A.com/users?x=http://b.com' }), 'a.com')
  assert.is(hostOf({ headers, url: '/http://b.com/' }), 'a.com')
  assert.is(hostOf({ headers, url: '//b.com/users' }), 'a.com')
  for (const url of [
    'http://b.com/',
    'HTTPS://b.com',
    'http://127.0.0.1/',
    'http://a.com@b.com/',
    'ws://b.com?a.com',
  ])
    assert.not.equal(refused({ headers, url }), 'not refused', url)
  assert.match(refused({ headers, originalUrl: 'http://b.com/', url: '/' }), 'for another host')
  assert.match(refused({ headers: {}, url: 'http://b.com/' }), 'for another host')
})

test('O08 X-Forwarded-Host counts where the framework sees it as the host, and only there', () => {
  const headers = { host: 'a.com', 'x-forwarded-host': 'b.com:443' }
  assert.is(hostOf({ headers }), 'a.com')
  assert.is(hostOf({ headers, hostname: 'a.com' }), 'a.com')
  assert.is(hostOf({ headers, hostname: 'b.com' }), 'b.com')
  assert.is(hostOf({ headers: { 'x-forwarded-host': 'b.com' } }), undefined)
})

test('O08 a trusted X-Forwarded-Host has to be one host, and the one that the framework sees', () => {
  const seen = (forwarded: string, hostname: string) =>
    refused({ headers: { host: 'a.com', 'x-forwarded-host': forwarded }, hostname })
  assert.match(seen('b.com, c.com', 'b.com'), 'X-Forwarded-Host names several hosts.')
  assert.match(seen('b.com, c.com', 'c.com'), 'X-Forwarded-Host names several hosts.')
  assert.match(seen('b.com,', 'b.com'), 'not a host')
  assert.match(seen('b.com:80@c.com', 'b.com'), 'not a host')
  assert.match(seen('b.com', 'c.com'), 'fix: a proxy must replace X-Forwarded-Host, not add to it')
})

test('O08 a malformed Host header is refused, whatever a proxy says', () => {
  const headers = { host: 'a b', 'x-forwarded-host': 'b.com' }
  assert.match(refused({ headers, hostname: 'b.com' }), 'fix: send one host name, such as acme.example.com')
})

test.run()
