import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

import * as assert from 'uvu/assert'

import { isTenancyError } from '../lib/errors.ts'
import { Lookup } from '../lib/lookup.ts'
import type { TenantQuery } from '../lib/registry.ts'
import type { Tenant } from '../lib/tenant.ts'
import { failure, thrownBy } from './support/failure.ts'
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

test('no more is remembered than ten thousand tenants', async () => {
  const { lookup, asked } = lookupOf(({ id = '' }) => ({ id, schema: id }))
  for (let index = 0; index <= 10_000; index++) await lookup.find({ id: `t${index}` })
  assert.is(lookup.remembered({ id: 't0' }), undefined)
  assert.is(lookup.remembered({ id: 't1' })?.id, 't1')
  assert.is(asked.length, 10_001)
})

test('ten thousand tenants that are asked for at once are all found', async () => {
  const { lookup } = lookupOf(async ({ id = '' }) => {
    await turn()
    return { id, schema: id }
  })
  const found = await Promise.all(
    Array.from({ length: 10_000 }, (_, index) => lookup.find({ id: `t${index}` })),
  )
  assert.ok(found.every((tenant, index) => tenant?.id === `t${index}`))
})

test('no more than four questions are asked at once', async () => {
  let asking = 0
  let most = 0
  const { lookup } = lookupOf(async () => {
    most = Math.max(most, ++asking)
    await turn()
    asking--
    return a
  })
  await Promise.all(Array.from({ length: 100 }, (_, index) => lookup.find({ id: `t${index}` })))
  assert.is(most, 4)
})

test('forget forgets the tenants of a schema under every name, who is unknown, and nobody else', async () => {
  const b: Tenant = { id: 'b', schema: 'b' }
  const { lookup, asked } = lookupOf(({ id }) => (id === 'x' ? undefined : id === 'b' ? b : a))
  for (const query of [{ id: 'a' }, { host: 'a.example.com' }, { id: 'b' }, { id: 'x' }])
    await lookup.find(query)
  lookup.forget(new Set(['a']))
  assert.equal(
    [
      lookup.remembered({ id: 'a' }),
      lookup.remembered({ host: 'a.example.com' }),
      lookup.remembered({ id: 'b' }),
    ],
    [undefined, undefined, b],
  )
  await lookup.find({ id: 'x' })
  assert.is(asked.length, 5)
})

/** Asks for `count` hosts that nobody has, in waves as a server gets them; the answers by their kind. */
async function flood(
  lookup: Lookup,
  count: number,
  name = 'unknown',
): Promise<{ unknown: number; busy: number }> {
  const answers = { unknown: 0, busy: 0 }
  for (let begun = 0; begun < count; begun += 1000) {
    const wave = Array.from({ length: 1000 }, (_, index) =>
      lookup.find({ host: `${name}-${begun + index}.example` }).then(
        (tenant) => tenant ?? answers.unknown++,
        (error: unknown) => {
          assert.ok(isTenancyError(error, 'REGISTRY_BUSY'), String(error))
          assert.is(error.retryAfterSeconds, 1)
          answers.busy++
        },
      ),
    )
    await Promise.all(wave)
  }
  return answers
}

test('O62 a hundred thousand unknown hosts cost some hundred questions, little memory, and not one line of log', async () => {
  const { lookup, asked } = lookupOf(({ host }) => (host === 'a.example.com' ? a : undefined))
  await lookup.find({ host: 'a.example.com' })
  const printed: unknown[] = []
  const { stdout, stderr } = process
  const own = [
    Object.getOwnPropertyDescriptor(stdout, 'write'),
    Object.getOwnPropertyDescriptor(stderr, 'write'),
  ]
  stdout.write = stderr.write = (text: unknown) => printed.push(text) > 0
  const startedAt = Date.now()
  let answers = { unknown: 0, busy: 0 }
  const before = heapUsed()
  try {
    answers = await flood(lookup, 100_000)
  } finally {
    for (const [index, stream] of [stdout, stderr].entries()) {
      Reflect.deleteProperty(stream, 'write')
      if (own[index] !== undefined) Object.defineProperty(stream, 'write', own[index])
    }
  }
  const seconds = (Date.now() - startedAt) / 1000
  assert.equal(printed, [])
  assert.is(answers.unknown + answers.busy, 100_000)
  assert.ok(asked.length <= 502 + 50 * seconds, `${asked.length} questions in ${seconds} s`)
  assert.is(asked.length - 1, answers.unknown)
  const grown = (heapUsed() - before) / 2 ** 20
  assert.ok(grown < 16, `the heap has grown by ${grown} MiB`)
  assert.is(lookup.remembered({ host: 'a.example.com' }), a, 'who is known stays known')
})

test('O62 who was known is asked about again in the middle of a flood', async () => {
  const { lookup } = lookupOf(({ host }) => (host === 'a.example.com' ? a : undefined))
  await lookup.find({ host: 'a.example.com' })
  await flood(lookup, 2000)
  const now = Date.now
  try {
    // The answer is 30 s old, and the ration is not refilled.
    const before = Date.now()
    Date.now = () => before + 30_001
    lookup.find({ host: 'refill.example' }).catch(() => undefined)
    await flood(lookup, 1000, 'other')
    assert.is(lookup.remembered({ host: 'a.example.com' }), undefined)
    assert.is(await lookup.find({ host: 'a.example.com' }), a)
    await failure('REGISTRY_BUSY', () => lookup.find({ host: 'b.example.com' }))
  } finally {
    Date.now = now
  }
})

test('after a flood unknown names are looked up again', async () => {
  const { lookup } = lookupOf(() => undefined)
  assert.ok((await flood(lookup, 2000)).busy > 0)
  const now = Date.now
  const later = Date.now() + 1000
  Date.now = () => later
  try {
    assert.is(await lookup.find({ host: 'x.example' }), undefined)
  } finally {
    Date.now = now
  }
})

/** Bytes on the heap that something still refers to. */
function heapUsed(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void // V8's own, once the flag is set
  collect()
  return process.memoryUsage().heapUsed
}

test.run()
