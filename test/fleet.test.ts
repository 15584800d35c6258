import * as assert from 'uvu/assert'

import { TenancyError } from '../lib/errors.ts'
import { runFleet, TENANTS_PER_SESSION, type FleetCounts, type FleetOptions } from '../lib/fleet.ts'
import type { RunReport } from '../lib/migrations/run.ts'
import type { MigrationSession } from '../lib/migrations/session.ts'
import type { Tenant } from '../lib/tenant.ts'
import { testDatabase } from './support/database.ts'
import { failure, thrownBy } from './support/failure.ts'
import { suite } from './support/suite.ts'
import { createTable, newId, testTenancies } from './support/tenancies.ts'

const test = suite('fleet')
const database = testDatabase(test)
const tenancyWith = testTenancies(test, database)

const tenantsOf = (count: number): Tenant[] =>
  Array.from({ length: count }, (_, index) => ({ id: `t${index}`, schema: `t${index}` }))

/** A fleet without a database; sessions and runs are counted. */
function fake(run: FleetOptions<RunReport>['run'], concurrency = 3) {
  const counts = { open: 0, most: 0, opened: 0 }
  const options: FleetOptions<RunReport> = {
    concurrency,
    async withSession(fn) {
      counts.opened++
      counts.most = Math.max(counts.most, ++counts.open)
      const session = { number: counts.opened, query: async () => [] } as unknown as MigrationSession // what a fleet uses
      return fn(session).finally(() => counts.open--)
    },
    run,
    isUnchanged: ({ migrations }) => migrations.length === 0,
  }
  return { options, counts }
}

const report = ({ id, schema }: Tenant) => ({ id, schema, migrations: ['1'], durationMs: 1 })

test('every tenant runs once, and the results are in the order of the tenants', async () => {
  const tenants = tenantsOf(50)
  const { options } = fake(async (_, tenant) => {
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 4))
    return report(tenant)
  })
  const { results } = await runFleet(tenants, options)
  assert.equal(
    results.map(({ tenant }) => tenant),
    tenants,
  )
})

test('no more sessions are open than allowed, nor than there are tenants', async () => {
  for (const [count, concurrency, expected] of [
    [20, 4, 4],
    [2, 8, 2],
    [0, 4, 0],
  ] as const) {
    // prettier-ignore
    const { options, counts } = fake(async (_, tenant) => report(tenant), concurrency)
    await runFleet(tenantsOf(count), options)
    assert.equal([counts.most, counts.opened, counts.open], [expected, expected, 0])
  }
})

test('a tenant that fails is reported and stops no other', async () => {
  const { options } = fake(async (_, tenant) => {
    if (tenant.id === 't3')
      throw new TenancyError('MIGRATION_FAILED', 'It failed.', { tenant: 't3', fix: [] })
    if (tenant.id === 't5') throw new TypeError('mine')
    return report(tenant)
  })
  const { results } = await runFleet(tenantsOf(10), options)
  const errors = results.flatMap((result) => ('error' in result ? [result.error] : []))
  assert.equal(errors, [
    { code: 'MIGRATION_FAILED', title: 'It failed.', tenant: 't3', fix: [] },
    {
      code: 'MIGRATION_FAILED',
      title: 'The run failed on tenant "t5".',
      tenant: 't5',
      detail: 'mine',
      fix: ['run it alone: umzug-tenants up --tenant t5'],
    },
  ])
})

test('when no session can be opened, the fleet throws why', async () => {
  const error = new Error('down')
  const { options } = fake(async (_, tenant) => report(tenant))
  assert.is(
    await thrownBy(() => runFleet(tenantsOf(5), { ...options, withSession: () => Promise.reject(error) })),
    error,
  )
})

test('O55 when some sessions cannot be opened, the others do all the work', async () => {
  let opened = 0
  const { options } = fake(async (_, tenant) => report(tenant))
  const withSession: FleetOptions<RunReport>['withSession'] = (fn) =>
    opened++ === 0 ? options.withSession(fn) : Promise.reject(new Error('no slot'))
  const { results } = await runFleet(tenantsOf(9), { ...options, withSession })
  assert.is(results.filter((result) => 'report' in result).length, 9)
})

test('when the last session dies and none can be opened, what did not run says so', async () => {
  let opened = 0
  const { options } = fake(async (_, tenant) => {
    if (tenant.id === 't1') throw new Error('connection lost')
    return report(tenant)
  }, 1)
  const dead = { query: () => Promise.reject(new Error('dead')) } as unknown as MigrationSession // what a fleet uses
  const withSession: FleetOptions<RunReport>['withSession'] = (fn) =>
    opened++ === 0
      ? fn(dead)
      : Promise.reject(new TenancyError('DATABASE_UNREACHABLE', 'It is down.', { fix: [] }))
  const { results } = await runFleet(tenantsOf(4), { ...options, withSession })
  assert.equal(
    results.map((result) => ('error' in result ? result.error.code : 'ok')),
    ['ok', 'MIGRATION_FAILED', 'DATABASE_UNREACHABLE', 'DATABASE_UNREACHABLE'],
  )
})

test('a worker renews its session after some hundreds of tenants, and opens none in vain', async () => {
  const { options, counts } = fake(async (_, tenant) => report(tenant), 1)
  await runFleet(tenantsOf(TENANTS_PER_SESSION), options)
  assert.is(counts.opened, 1)
  await runFleet(tenantsOf(TENANTS_PER_SESSION * 2 + 1), options)
  assert.equal([counts.opened, counts.most], [4, 1])
})

test('after as many failures as allowed no tenant is begun, and those that run go on to their end', async () => {
  const { options } = fake(async (_, tenant) => {
    if (Number(tenant.id.slice(1)) % 2 === 1)
      throw new TenancyError('MIGRATION_FAILED', 'It failed.', { fix: [] })
    return report(tenant)
  }, 1)
  const { results, notRun } = await runFleet(tenantsOf(10), { ...options, maxFailures: 2 })
  assert.is(results.length, 4)
  assert.equal(
    notRun.map(({ id }) => id),
    ['t4', 't5', 't6', 't7', 't8', 't9'],
  )
})

test('a fleet that is stopped begins no tenant, and reports those that had begun', async () => {
  const stop = new AbortController()
  const { options } = fake(async (_, tenant) => {
    if (tenant.id === 't4') stop.abort()
    await new Promise((resolve) => setTimeout(resolve, 2))
    return report(tenant)
  }, 3)
  const { results, notRun } = await runFleet(tenantsOf(20), { ...options, signal: stop.signal })
  assert.equal([results.length + notRun.length, results.every((result) => 'report' in result)], [20, true])
  assert.ok(results.length >= 5 && results.length <= 7, `${results.length} were run`)
})

test('a fleet that is stopped before it begins opens no session', async () => {
  const { options, counts } = fake(async (_, tenant) => report(tenant))
  for (const key of ['signal', 'cancelSignal']) {
    const { notRun } = await runFleet(tenantsOf(3), { ...options, [key]: AbortSignal.abort() })
    assert.equal([notRun.length, counts.opened], [3, 0])
  }
})

test('a tenant known to have nothing to run is unchanged in its place, and takes no session', async () => {
  const ran: string[] = []
  const told: FleetCounts[] = []
  const { options } = fake(async (_, tenant) => {
    ran.push(tenant.id)
    return report(tenant)
  }, 1)
  const { results } = await runFleet(tenantsOf(4), {
    ...options,
    idle: (tenant) => (/[12]/.test(tenant.id) ? { ...report(tenant), migrations: [] } : undefined),
    onProgress: (counts) => told.push(counts),
  })
  assert.equal(ran, ['t0', 't3'])
  assert.equal(
    results.map((result) => 'report' in result && [result.report.id, result.report.migrations.length]),
    [['t0', 1], ['t1', 0], ['t2', 0], ['t3', 1]], // prettier-ignore
  )
  assert.equal(told, [
    { total: 4, succeeded: 0, unchanged: 2, failed: 0 },
    { total: 4, succeeded: 1, unchanged: 2, failed: 0 },
    { total: 4, succeeded: 2, unchanged: 2, failed: 0 },
  ])
})

const TWO = { ...createTable('1_a', 'a'), ...createTable('2_b', 'b') }

test('O54 one tenant of many fails: the others are done, and the next run does only the rest', async () => {
  const tenancy = await tenancyWith(TWO)
  const ids = Array.from({ length: 12 }, newId)
  for (const id of ids) await tenancy.provision({ id, up: false })
  const broken = ids[5] ?? ''
  await database.query(`CREATE TABLE ${broken}.b (in_the_way integer)`)
  const first = await tenancy.up({ tenants: ids })
  assert.equal([first.succeeded, first.unchanged, first.failed, first.notRun], [11, 0, 1, 0])
  const entry = first.tenants[5]
  assert.equal([entry?.id, entry?.applied, entry?.error?.code, entry?.error?.migration], [broken, [], 'MIGRATION_FAILED', '2_b.sql']) // prettier-ignore
  await database.query(`DROP TABLE ${broken}.b`)
  const second = await tenancy.up({ tenants: ids })
  assert.equal([second.succeeded, second.unchanged, second.failed], [1, 11, 0])
})

test('a connection that dies takes one tenant with it, not those after it', async () => {
  const tenancy = await tenancyWith({
    '1.mjs': `export const up = ({ context: { tenant, sql } }) =>
      tenant.id === process.env.UMZUG_TEST_VICTIM ? sql('SELECT pg_terminate_backend(pg_backend_pid())') : sql('CREATE TABLE a ()')`,
  })
  const ids = Array.from({ length: 5 }, newId)
  for (const id of ids) await tenancy.provision({ id, up: false })
  process.env['UMZUG_TEST_VICTIM'] = ids[1]
  const { tenants, succeeded } = await tenancy.up({ tenants: ids, concurrency: 1 })
  delete process.env['UMZUG_TEST_VICTIM']
  assert.equal(
    tenants.map(({ error }) => error?.sqlstate),
    [undefined, '57P01', undefined, undefined, undefined],
  )
  assert.is(succeeded, 4)
})

test('a fleet goes down as it goes up', async () => {
  const tenancy = await tenancyWith(TWO)
  const ids = Array.from({ length: 3 }, newId)
  for (const id of ids) await tenancy.provision({ id })
  const { tenants, succeeded } = await tenancy.down({ tenants: ids, to: 0 })
  assert.is(succeeded, 3)
  assert.ok(tenants.every(({ reverted }) => reverted.length === 2))
})

test('tenants are chosen by pattern or by id, each once; an unknown one stops the run before it begins', async () => {
  const tenancy = await tenancyWith(TWO)
  for (const id of ['eu-1', 'eu-2', 'us-1', 'eu.x'])
    await tenancy.provision({ id, schema: id.replace(/\W/, '_'), up: false })
  const ids = async (selection: { match: string } | { tenants: string[] }) =>
    (await tenancy.status(selection)).map(({ id }) => id)
  assert.equal(await ids({ match: 'eu-*' }), ['eu-1', 'eu-2'])
  assert.equal(await ids({ match: '?u-1' }), ['eu-1'])
  assert.equal(await ids({ match: 'eu.*' }), ['eu.x'])
  assert.equal(await ids({ match: 'eu' }), [])
  assert.equal(await ids({ tenants: ['us-1', 'eu-1', 'us-1'] }), ['us-1', 'eu-1'])
  await failure('TENANT_UNKNOWN', () => tenancy.up({ tenants: ['eu-1', 'nobody'] }))
  assert.is((await tenancy.status({ tenant: 'eu-1' })).executed, 0)
  const error = await failure('USAGE', () => tenancy.up({ match: '' }))
  assert.is(error.title, 'An empty pattern matches no tenant.')
})

test('O57 a fleet’s migrations are one list of files: what changes meanwhile does not count', async () => {
  const tenancy = await tenancyWith({
    '1.mjs': `import { rmSync } from 'node:fs'
      export const up = ({ path, context }) => {
        rmSync(new URL('2.mjs', import.meta.url), { force: true })
        return context.sql('CREATE TABLE a ()')
      }`,
    '2.mjs': "export const up = ({ context }) => context.sql('CREATE TABLE b ()')",
  })
  const ids = [newId(), newId()]
  for (const id of ids) await tenancy.provision({ id, up: false })
  const { tenants } = await tenancy.up({ tenants: ids, concurrency: 1 })
  assert.equal(
    tenants.map(({ applied, error }) => error ?? applied),
    [['1.mjs', '2.mjs'], ['1.mjs', '2.mjs']], // prettier-ignore
  )
})

test.run()
