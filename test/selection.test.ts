import * as assert from 'uvu/assert'

import { without } from '../lib/selection.ts'
import { testDatabase } from './support/database.ts'
import { failure } from './support/failure.ts'
import { suite } from './support/suite.ts'
import { createTable, testTenancies } from './support/tenancies.ts'

const test = suite('selection')
const database = testDatabase(test)
const makeTenancy = testTenancies(test, database)

const tenancyWithThree = async () => {
  const tenancy = await makeTenancy(createTable('1_a', 'a'))
  for (const id of ['x1', 'x2', 'y']) await tenancy.provision({ id, up: false })
  return tenancy
}

test('those whose ids are skipped are left out, by whole ids', () => {
  assert.equal(without([{ id: 'a' }, { id: 'ab' }], ['a', 'b']), [{ id: 'ab' }])
})

test('a fleet is every tenant, those that match, or those that are named, without the skipped', async () => {
  const tenancy = await tenancyWithThree()
  const ids = async (selection: Parameters<typeof tenancy.status>[0]) => {
    const statuses = await tenancy.status(selection)
    return (Array.isArray(statuses) ? statuses : [statuses]).map(({ id }) => id).join()
  }
  assert.is(await ids({ all: true, skip: ['x1'] }), 'x2,y')
  assert.is(await ids({ match: 'x*', skip: ['x1', 'y'] }), 'x2')
  assert.is(await ids({ tenants: ['y', 'x1'], skip: ['x1'] }), 'y')
  assert.is(await ids({ skip: ['y'] }), 'x1,x2')
})

test('nobody is run where an id to skip is unknown: it may be misspelt', async () => {
  const tenancy = await tenancyWithThree()
  for (const selection of [{ all: true as const }, { match: 'x*' }, { tenants: ['x1'] }]) {
    const error = await failure('TENANT_UNKNOWN', () => tenancy.up({ ...selection, skip: ['X1'] }))
    assert.is(error.tenant, 'X1')
  }
  assert.ok((await tenancy.status()).every(({ executed }) => executed === 0))
})

test.run()
