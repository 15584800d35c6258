import * as assert from 'uvu/assert'

import type { LedgerEntry } from '../lib/ledger.ts'
import { compareHistory } from '../lib/migrations/plan.ts'
import { fingerprintOf } from '../lib/migrations/revision.ts'
import { describeStatus, KnownHistories } from '../lib/status.ts'
import { testDatabase } from './support/database.ts'
import { suite } from './support/suite.ts'
import { createTable, newId, testTenancies } from './support/tenancies.ts'

const test = suite('status')
const database = testDatabase(test)
const tenancyWith = testTenancies(test, database)

const DISK = ['1.sql', '2.sql', '3.sql']
const entry = (state: LedgerEntry['state']): LedgerEntry => ({
  id: 'a', schema: 'a', host: null, state, head: null, fingerprint: null, error: null,
}) // prettier-ignore

const standing = (recorded: string[] | undefined, state: LedgerEntry['state'] = 'migrated') =>
  describeStatus({
    id: 'a',
    schema: 'a',
    names: DISK,
    history: recorded && compareHistory(DISK, recorded),
    entry: entry(state),
  })

for (const [what, recorded, expected] of [
  ['nothing executed', [], { current: null, executed: 0, pending: DISK, state: 'pending' }],
  [
    'some executed',
    ['1.sql'],
    { current: '1.sql', executed: 1, pending: ['2.sql', '3.sql'], state: 'pending' },
  ],
  ['all executed', DISK, { current: '3.sql', executed: 3, pending: [], state: 'ok' }],
  ['more executed', [...DISK, '4.sql'], { current: '4.sql', executed: 4, pending: [], state: 'ahead' }],
  [
    'others executed',
    ['1.sql', '9.sql'],
    { current: '9.sql', executed: 2, pending: ['2.sql', '3.sql'], state: 'diverged' },
  ],
  ['no schema', undefined, { current: null, executed: 0, pending: DISK, state: 'missing' }],
] as const) {
  test(`a tenant with ${what} is ${expected.state}`, () => {
    assert.equal(standing(recorded && [...recorded]), { id: 'a', schema: 'a', head: '3.sql', ...expected })
  })
}

test('a failed last run shows as failed, unless the tenant is at head after all', () => {
  assert.is(standing(['1.sql'], 'failed').state, 'failed')
  assert.is(standing(DISK, 'failed').state, 'ok')
})

test('without migrations on disk there is no head, and nothing is pending', () => {
  const status = describeStatus({
    id: 'a',
    schema: 'a',
    names: [],
    history: compareHistory([], []),
    entry: undefined,
  })
  assert.equal([status.head, status.current, status.state], [null, null, 'ok'])
})

test('a fingerprint tells the history, if it is the first migrations without a gap', () => {
  const known = new KnownHistories(DISK)
  assert.equal(known.find(fingerprintOf(['2.js', '1.ts']))?.pending, ['3.sql'])
  assert.equal(known.find(fingerprintOf([]))?.executed, [])
  assert.is(known.find(fingerprintOf(['1.sql', '3.sql'])), undefined)
  assert.is(known.find(null), undefined)
  assert.is(known.head, fingerprintOf(DISK))
})

const TWO = { ...createTable('1_a', 'a'), ...createTable('2_b', 'b') }

test('a fleet’s status comes from the ledger, a tenant’s own and verify from its version table', async () => {
  const tenancy = await tenancyWith(TWO)
  const id = newId()
  await tenancy.provision({ id })
  await database.query(`DELETE FROM ${id}."SequelizeMeta" WHERE name = '2_b.sql'`)
  const states = async (verify: boolean) =>
    (await tenancy.status({ tenants: [id], verify })).map(({ state }) => state)
  assert.equal(await states(false), ['ok'])
  assert.equal(await states(true), ['pending'])
  assert.is((await tenancy.status({ tenant: id })).state, 'pending')
})

test('the status of a hundred tenants is a few queries', async () => {
  const queries: string[] = []
  const { Sequelize } = await import('sequelize')
  const sequelize = new Sequelize(database.url, { dialect: 'postgres', logging: false })
  sequelize.addHook('beforeQuery', () => void queries.push(''))
  const tenancy = await tenancyWith(TWO, { sequelize })
  const id = newId()
  await tenancy.provision({ id })
  await database.query(
    `INSERT INTO umzug_tenants.tenant (id, schema, state, fingerprint)
     SELECT 'many_' || n, 'many_' || n, 'migrated', (SELECT fingerprint FROM umzug_tenants.tenant WHERE id = $1)
       FROM generate_series(1, 100) AS n`,
    [id],
  )
  queries.length = 0
  const statuses = await tenancy.status({ match: 'many_*' })
  assert.is(statuses.filter(({ state }) => state === 'ok').length, 100)
  assert.is(queries.length, 2)
  await database.query("DELETE FROM umzug_tenants.tenant WHERE id LIKE 'many\\_%'")
  await tenancy.close()
  await sequelize.close()
})

test('a tenant that was never migrated has its version table read', async () => {
  const tenancy = await tenancyWith(TWO)
  const id = newId()
  await tenancy.provision({ id, up: false })
  assert.equal(
    (await tenancy.status({ tenants: [id] })).map(({ state, pending }) => [state, pending.length]),
    [['pending', 2]],
  )
})

test.run()
