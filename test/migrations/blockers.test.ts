/** Errors of a run that waits in vain name who is in the way. */
import pg from 'pg'
import * as assert from 'uvu/assert'

import { testDatabase } from '../support/database.ts'
import { failure } from '../support/failure.ts'
import { suite } from '../support/suite.ts'
import { createTable, newId, testTenancies } from '../support/tenancies.ts'

const test = suite('migrations/blockers')
const database = testDatabase(test)
const tenancyWith = testTenancies(test, database)

/** A session that has read table `a` of `id` in a transaction it leaves open, while `fn` runs. */
async function whileReading<T>(id: string, fn: (reader: pg.Client, pid: number) => Promise<T>): Promise<T> {
  const reader = new pg.Client({ connectionString: database.url, application_name: 'monthly report' })
  await reader.connect()
  try {
    await reader.query('BEGIN')
    await reader.query(`SELECT * FROM ${id}.a`)
    const { rows } = await reader.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
    await reader.query(`SELECT 'the last', count(*) FROM ${id}.a WHERE 'x' <> 'password=canary'`)
    return await fn(reader, rows[0]?.pid ?? 0)
  } finally {
    await reader.end()
  }
}

const ALTER = { ...createTable('1_a', 'a'), '2_b.sql': 'ALTER TABLE a ADD b integer' }

test('O40 a table that stays locked: the error names the session in the way, for how long, and its statement', async () => {
  const tenancy = await tenancyWith(ALTER, { timeouts: { lockMs: 250 } })
  const id = newId()
  await tenancy.provision({ id, up: false })
  await tenancy.up({ tenant: id, step: 1 })
  await whileReading(id, async (_, pid) => {
    const error = await failure('MIGRATION_FAILED', () => tenancy.up({ tenant: id }))
    assert.equal([error.sqlstate, error.tenant, error.migration], ['55P03', id, '2_b.sql'])
    assert.match(
      error.detail ?? '',
      new RegExp(
        `\\nheld by pid ${pid} \\(monthly report, idle in transaction for \\d+ s, last statement: SELECT 'the last', count`,
      ),
    )
    assert.not.match(error.detail ?? '', 'canary')
    assert.equal(error.fix, [
      'wait until the table is free and run again, or raise timeouts.lockMs',
      `or end it: SELECT pg_terminate_backend(${pid})`,
    ])
  })
})

test('only the session that is waited for is named, not others that hold tables of the schema', async () => {
  const tenancy = await tenancyWith({ ...createTable('0_c', 'c'), ...ALTER }, { timeouts: { lockMs: 250 } })
  const id = newId()
  await tenancy.provision({ id, up: false })
  await tenancy.up({ tenant: id, step: 2 })
  const bystander = new pg.Client({ connectionString: database.url, application_name: 'bystander' })
  await bystander.connect()
  try {
    await bystander.query('BEGIN')
    await bystander.query(`SELECT * FROM ${id}.c`)
    await whileReading(id, async () => {
      const error = await failure('MIGRATION_FAILED', () => tenancy.up({ tenant: id }))
      assert.match(error.detail ?? '', 'monthly report')
      assert.not.match(error.detail ?? '', 'bystander')
    })
  } finally {
    await bystander.end()
  }
})

test('a statement that does not wait at all names those who hold tables of the schema', async () => {
  const tenancy = await tenancyWith({
    ...createTable('1_a', 'a'),
    '2_b.sql': 'LOCK TABLE a IN ACCESS EXCLUSIVE MODE NOWAIT',
  })
  const id = newId()
  await tenancy.provision({ id, up: false })
  await tenancy.up({ tenant: id, step: 1 })
  await whileReading(id, async (_, pid) => {
    const error = await failure('MIGRATION_FAILED', () => tenancy.up({ tenant: id }))
    assert.match(error.detail ?? '', `held by pid ${pid} (monthly report, idle in transaction`)
  })
})

test('outside a transaction a lock that is not got names its holder too', async () => {
  const tenancy = await tenancyWith(
    { ...createTable('1_a', 'a'), '2_b.sql': '-- transaction: false\nALTER TABLE a ADD b integer' },
    { timeouts: { lockMs: 50 } },
  )
  const id = newId()
  await tenancy.provision({ id, up: false })
  await tenancy.up({ tenant: id, step: 1 })
  await whileReading(id, async (_, pid) => {
    const error = await failure('MIGRATION_FAILED', () => tenancy.up({ tenant: id }))
    assert.match(error.detail ?? '', `held by pid ${pid}`)
  })
})

test.run()
