/** docs/recipes.md: the current tenant in jobs, streams, events, timers and workers. */
import { EventEmitter, once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'

import { Sequelize } from 'sequelize'
import * as assert from 'uvu/assert'

import { isTenancyError } from '../lib/errors.ts'
import type { Tenancy } from '../lib/tenancy.ts'
import { testDatabase } from './support/database.ts'
import { failure, thrownBy } from './support/failure.ts'
import { build, createProject, repository } from './support/project.ts'
import { suite } from './support/suite.ts'
import { testTenancies } from './support/tenancies.ts'

const test = suite('recipes')
const database = testDatabase(test)
const makeTenancy = testTenancies(test, database)

const MARKER = 'CREATE TABLE marker AS SELECT current_schema()::text AS owner'

let sequelize: Sequelize
let tenancy: Tenancy

test.before(async () => {
  sequelize = new Sequelize(database.url, { logging: false, pool: { max: 3 } })
  tenancy = await makeTenancy({ '001_marker.sql': MARKER }, { sequelize })
  for (const id of ['a', 'b']) await tenancy.provision({ id })
})

test.after(() => sequelize.close())

/** Whose table a query reads now. */
async function owner(): Promise<string> {
  const [[row]] = (await sequelize.query('SELECT owner FROM marker')) as [[{ owner: string }], unknown]
  return row.owner
}

interface Job {
  readonly data: { readonly tenant: string }
}

/** A queue as BullMQ's is used: jobs are data, and a worker of its own handles them later, several at once. */
class Queue {
  readonly results: unknown[] = []
  readonly #jobs: string[] = []

  add(job: Job): void {
    this.#jobs.push(JSON.stringify(job))
  }

  async work(handle: (job: Job) => Promise<unknown>): Promise<void> {
    const outcomes = await Promise.allSettled(
      this.#jobs.splice(0).map((text) => handle(JSON.parse(text) as Job)), // what add() has written
    )
    for (const outcome of outcomes)
      this.results.push(outcome.status === 'fulfilled' ? outcome.value : outcome.reason)
  }
}

test('jobs of several tenants run at once, each in the tenant that its data names', async () => {
  const queue = new Queue()
  const ids = Array.from({ length: 30 }, (_, index) => (index % 3 === 0 ? 'a' : 'b'))
  for (const id of ids) await tenancy.run(id, () => queue.add({ data: { tenant: tenancy.require().id } }))
  await queue.work(({ data }) => tenancy.run(data.tenant, owner))
  assert.equal(queue.results, ids)
})

test('a job is run in its own tenant, whoever is current where the worker is', async () => {
  const queue = new Queue()
  queue.add({ data: { tenant: 'b' } })
  await tenancy.run('a', () => queue.work(({ data }) => tenancy.run(data.tenant, owner)))
  assert.equal(queue.results, ['b'])
})

test('a worker that forgets to run in a tenant is refused', async () => {
  const queue = new Queue()
  queue.add({ data: { tenant: 'a' } })
  await queue.work(() => owner())
  assert.ok(isTenancyError(queue.results[0], 'TENANT_CONTEXT_MISSING'))
})

test('a job cannot be added by nobody', async () => {
  await failure('TENANT_CONTEXT_MISSING', () => tenancy.require().id)
})

test('a job of a tenant that was dropped meanwhile fails, and the others do not', async () => {
  await tenancy.provision({ id: 'gone' })
  const queue = new Queue()
  for (const tenant of ['gone', 'a']) queue.add({ data: { tenant } })
  await tenancy.drop({ tenant: 'gone', confirm: 'gone' })
  await queue.work(({ data }) => tenancy.run(data.tenant, owner))
  assert.ok(isTenancyError(queue.results[0], 'TENANT_UNKNOWN'))
  assert.is(queue.results[1], 'a')
})

test('a job of a tenant behind upgrades it first', async () => {
  await tenancy.provision({ id: 'behind', up: false })
  assert.is(await tenancy.run('behind', owner), 'behind')
})

test('work for every tenant runs in each', async () => {
  const owners: string[] = []
  for (const tenant of await tenancy.list()) owners.push(await tenancy.run(tenant, owner))
  assert.equal(owners, ['a', 'b', 'behind'])
})

test('O16 a stream listener that is bound keeps its tenant, whoever sends the data', async () => {
  const stream = new PassThrough()
  const result = new Promise<string>((resolve, reject) => {
    void tenancy.run('a', () => {
      stream.on(
        'data',
        tenancy.bind(() => void owner().then(resolve, reject)),
      )
    })
  })
  await tenancy.run('b', () => stream.write('x'))
  assert.is(await result, 'a')
})

test('O16 a listener that is not bound has no tenant where the data has none', async () => {
  const stream = new PassThrough()
  const result = new Promise((resolve) => {
    void tenancy.run('a', () => stream.on('data', () => resolve(thrownBy(owner))))
  })
  await once(stream, 'resume')
  stream.write('x')
  assert.ok(isTenancyError(await result, 'TENANT_CONTEXT_MISSING'))
})

test('O16 for await and pipeline keep the tenant in which they began', async () => {
  const chunks = ['1', '2', '3']
  const owners = await tenancy.run('a', async () => {
    const seen: string[] = []
    for await (const _ of Readable.from(chunks)) seen.push(await owner())
    await pipeline(
      Readable.from(chunks),
      async function* read(source: AsyncIterable<unknown>) {
        for await (const chunk of source) {
          seen.push(await owner())
          yield chunk
        }
      },
      async (source: AsyncIterable<unknown>) => {
        for await (const _ of source) seen.push(await owner())
      },
    )
    return seen
  })
  assert.equal(owners, Array(9).fill('a'))
})

test('O16 for await keeps the tenant though another one sends the data', async () => {
  const stream = new PassThrough()
  const reading = tenancy.run('a', async () => {
    const seen: string[] = []
    for await (const _ of stream) seen.push(await owner())
    return seen
  })
  for (const text of ['1', '2']) {
    await tenancy.run('b', () => stream.write(text))
    await sleep(5)
  }
  stream.end()
  assert.equal(new Set(await reading), new Set(['a']))
})

test("O16 an event of the application's says whose it is", async () => {
  const emitter = new EventEmitter()
  const work: Promise<string>[] = []
  emitter.on('signup', ({ tenant }: { tenant: string }) => work.push(tenancy.run(tenant, owner)))
  for (const id of ['a', 'b'])
    await tenancy.run(id, (tenant) => emitter.emit('signup', { tenant: tenant.id }))
  assert.equal(await Promise.all(work), ['a', 'b'])
})

test('O16 a timer keeps the tenant in which it was started', async () => {
  const fired = await tenancy.run('a', () => {
    const result = new Promise<Promise<string>>((resolve) => setTimeout(() => resolve(owner()), 10))
    return { result }
  })
  assert.is(await tenancy.run('b', async () => fired.result), 'a')
})

test('O16 a timer without a tenant is refused', async () => {
  const result = await new Promise((resolve) => setTimeout(() => resolve(thrownBy(owner)), 1))
  assert.ok(isTenancyError(result, 'TENANT_CONTEXT_MISSING'))
})

test('O16 a worker thread is sent the id, and has a tenancy of its own', async () => {
  build()
  const project = createProject()
  const previous = process.cwd()
  process.chdir(project.folder)
  try {
    project.write('umzug-tenants.config.mjs', `export default { url: '${database.url}' }`)
    project.write('migrations/001_marker.sql', MARKER)
    const recipes = readFileSync(join(repository, 'docs/recipes.md'), 'utf8')
    const text = /^`worker\.ts`\n\n```ts\n([^]*?)```/m.exec(recipes)?.[1] ?? ''
    const file = project.write('worker.mjs', text) // it is JavaScript, too
    const worker = new Worker(file, { workerData: { tenant: 'b' }, execArgv: [] })
    const [[schema]] = await Promise.all([once(worker, 'message'), once(worker, 'exit')])
    assert.is(schema, 'b')
  } finally {
    process.chdir(previous)
    project.remove()
  }
})

test.run()
