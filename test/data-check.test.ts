/** `tenancy.check({ data })`: whose rows are counted, and what becomes of a tenant where they cannot be. */
import pg from 'pg'
import { DataTypes, Sequelize } from 'sequelize'
import * as assert from 'uvu/assert'

import type { DataReport } from '../lib/data-check.ts'
import type { Tenancy } from '../lib/tenancy.ts'
import { testDatabase } from './support/database.ts'
import { suite } from './support/suite.ts'
import { createTable, testTenancies } from './support/tenancies.ts'

const test = suite('data-check')
const database = testDatabase(test)
const make = testTenancies(test, database)

let tenancy: Tenancy
let sequelize: Sequelize

test.before(async () => {
  sequelize = new Sequelize(database.url, { dialect: 'postgres', logging: false })
  const id = { type: DataTypes.INTEGER, primaryKey: true }
  const name = { type: DataTypes.TEXT, allowNull: false }
  sequelize.define('note', { id, name }, { timestamps: false })
  const files = {
    ...createTable('1_notes', 'notes'),
    '2_name.sql': 'ALTER TABLE notes ADD name text',
    '2_name.down.sql': 'ALTER TABLE notes DROP name',
  }
  tenancy = await make(files, { sequelize, timeouts: { lockMs: 200 } })
  for (const each of ['a', 'b', 'behind']) await tenancy.provision({ id: each })
  await database.query('INSERT INTO b.notes (id) VALUES (1), (2)')
})

test.after(() => sequelize.close())

const counted = async (data: Parameters<Tenancy['check']>[0]): Promise<DataReport> => {
  const report = await tenancy.check({ specimen: 'a', ...data })
  if (report.data === undefined) throw new Error('nothing was counted')
  return report.data
}

test('rows are counted only if they are asked for', async () => {
  assert.not.ok('data' in (await tenancy.check({ specimen: 'a' })))
})

test('all tenants are counted, and those that have such rows are named', async () => {
  const { tenants, succeeded, unchanged, failed, notRun } = await counted({ data: true })
  assert.equal(tenants.find(({ id }) => id === 'b')?.findings, [
    { kind: 'null', table: 'notes', what: 'notes.name is NULL', rows: 2 },
  ])
  assert.equal({ succeeded, unchanged, failed, notRun }, { succeeded: 1, unchanged: 2, failed: 0, notRun: 0 })
})

test('tenants are selected as for other runs on fleets', async () => {
  const { tenants } = await counted({ data: { match: '?', skip: ['a'], concurrency: 1 } })
  assert.equal(
    tenants.map(({ id }) => id),
    ['b'],
  )
})

test('a tenant that is behind is told what it lacks', async () => {
  await tenancy.down({ tenant: 'behind' })
  const { tenants } = await counted({ data: { tenants: ['behind'] } })
  assert.equal(tenants, [
    { id: 'behind', schema: 'behind', findings: [], absent: [{ table: 'notes', column: 'name' }] },
  ])
})

test('a tenant whose table is locked fails alone, and says what to do', async () => {
  const holder = new pg.Client({ connectionString: database.url })
  await holder.connect()
  await holder.query('BEGIN; LOCK TABLE a.notes IN ACCESS EXCLUSIVE MODE')
  const { tenants, failed } = await counted({ data: true })
  await holder.query('ROLLBACK')
  await holder.end()
  assert.is(failed, 1)
  const [locked, other] = tenants
  assert.is(locked?.error?.code, 'ROWS_NOT_COUNTED')
  assert.match(locked?.error?.fix.join() ?? '', 'raise timeouts.lockMs')
  assert.is(other?.findings.length, 1)
})

test('after a stop no tenant is begun', async () => {
  const { notRun, remaining } = await counted({ data: { signal: AbortSignal.abort() } })
  assert.is(notRun, 3)
  assert.equal(remaining, ['a', 'b', 'behind'])
})

test.run()
