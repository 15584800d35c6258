import { setTimeout as sleep } from 'node:timers/promises'

import * as assert from 'uvu/assert'

import { Lookup } from '../lib/lookup.ts'
import type { TenantQuery } from '../lib/registry.ts'
import type { Tenant } from '../lib/tenant.ts'
import { thrownBy } from './support/failure.ts'
import { suite } from './support/suite.ts'

const test = suite('lookup')

const a: Tenant = { id: 'a', schema: 'a', host: 'a.example.com' }

/** A look-up in a registry that knows `a`, and what was asked of it. */
function lookupOf(answer: (query: TenantQuery) => Promise<Tenant | undefined> | Tenant | undefined) {
  const asked: TenantQuery[] = []
  const lookup = new Lookup(async (query) => {
    asked.push(query)
    return answer(query)
  })
  return { lookup, asked }
}

test('the first question asks the registry, the second remembers', async () => {
  const { lookup, asked } = lookupOf(() => a)
  assert.is(lookup.remembered({ id: 'a' }), undefined)
  assert.is(await lookup.find({ id: 'a' }), a)
  assert.is(await lookup.find({ id: 'a' }), a)
  assert.is(lookup.remembered({ id: 'a' }), a)
  assert.equal(asked, [{ id: 'a' }])
})

test('questions at the same time are one question', async () => {
  const { lookup, asked } = lookupOf(async () => {
    await sleep(2)
    return a
  })
  const answers = await Promise.all(Array.from({ length: 100 }, () => lookup.find({ id: 'a' })))
  assert.ok(answers.every((answer) => answer === a))
  assert.is(asked.length, 1)
})

test('an id, a schema and a host of the same text are different questions', async () => {
  const { lookup, asked } = lookupOf(({ id }) => (id === undefined ? undefined : a))
  assert.is(await lookup.find({ id: 'a' }), a)
  assert.is(await lookup.find({ schema: 'a' }), undefined)
  assert.is(await lookup.find({ host: 'a' }), undefined)
  assert.is(asked.length, 3)
})

test('spellings of one host are one question', async () => {
  const { lookup, asked } = lookupOf(() => a)
  await lookup.find({ host: 'A.Example.com:80' })
  await lookup.find({ host: 'a.example.com' })
  assert.is(asked.length, 1)
})

test('that there is no such tenant is remembered too', async () => {
  const { lookup, asked } = lookupOf(() => undefined)
  await lookup.find({ id: 'x' })
  assert.is(await lookup.find({ id: 'x' }), undefined)
  assert.is(asked.length, 1)
})

test('a failed question is not remembered', async () => {
  let fails = true
  const { lookup, asked } = lookupOf(() => {
    if (fails) throw new Error('down')
    return a
  })
  assert.match(String(await thrownBy(() => lookup.find({ id: 'a' }))), 'down')
  fails = false
  assert.is(await lookup.find({ id: 'a' }), a)
  assert.is(asked.length, 2)
})

test('clear forgets everything', async () => {
  const { lookup, asked } = lookupOf(() => a)
  await lookup.find({ id: 'a' })
  lookup.clear()
  assert.is(lookup.remembered({ id: 'a' }), undefined)
  await lookup.find({ id: 'a' })
  assert.is(asked.length, 2)
})

test('an answer that was on its way when everything was forgotten is given, not remembered', async () => {
  const { lookup } = lookupOf(async () => {
    await sleep(2)
    return a
  })
  const answer = lookup.find({ id: 'a' })
  lookup.clear()
  assert.is(await answer, a)
  assert.is(lookup.remembered({ id: 'a' }), undefined)
})

test('no more is remembered than ten thousand answers', async () => {
  const { lookup, asked } = lookupOf(({ host }) => (host === 'first.example' ? a : undefined))
  await lookup.find({ host: 'first.example' })
  await Promise.all(Array.from({ length: 10_000 }, (_, index) => lookup.find({ host: `h${index}.example` })))
  assert.is(lookup.remembered({ host: 'first.example' }), undefined)
  assert.is(asked.length, 10_001)
})

test.run()
