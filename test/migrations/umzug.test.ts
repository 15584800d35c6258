import { Umzug } from 'umzug'
import * as assert from 'uvu/assert'

import { catalogOf } from '../support/catalog.ts'
import { testDatabase } from '../support/database.ts'
import { failure, thrownBy } from '../support/failure.ts'
import { suite } from '../support/suite.ts'
import { createTable, newId, testTenancies } from '../support/tenancies.ts'

const test = suite('migrations/umzug')
const database = testDatabase(test)
const tenancyWith = testTenancies(test, database)

const TWO = { ...createTable('1_a', 'a'), ...createTable('2_b', 'b') }

const names = (migrations: readonly { name: string }[]) => migrations.map(({ name }) => name)

async function tenantWith(files: Readonly<Record<string, string>>, config = {}) {
  const id = newId()
  const tenancy = await tenancyWith(files, config)
  await tenancy.provision({ id, up: false })
  return { tenancy, id, umzug: tenancy.umzug(id) }
}

test('it is a real Umzug', async () => {
  const { umzug } = await tenantWith(TWO)
  assert.instance(umzug, Umzug)
})

test('executed, pending, up and down are Umzug’s own', async () => {
  const { umzug, tenancy, id } = await tenantWith(TWO)
  assert.equal([names(await umzug.executed()), names(await umzug.pending())], [[], ['1_a.sql', '2_b.sql']])
  assert.equal(names(await umzug.up({ step: 1 })), ['1_a.sql'])
  assert.equal([names(await umzug.executed()), names(await umzug.pending())], [['1_a.sql'], ['2_b.sql']])
  assert.equal(names(await umzug.up()), ['2_b.sql'])
  assert.is((await tenancy.status({ tenant: id })).state, 'ok')
  assert.equal(names(await umzug.down()), ['2_b.sql'])
  assert.equal(names(await umzug.down({ to: 0 })), ['1_a.sql'])
  assert.is((await tenancy.status({ tenant: id })).executed, 0)
})

test('the ledger follows: a fleet’s status knows what Umzug did', async () => {
  const { umzug, tenancy, id } = await tenantWith(TWO)
  await umzug.up()
  assert.equal(
    (await tenancy.status({ tenants: [id] })).map(({ state }) => state),
    ['ok'],
  )
  await umzug.down()
  assert.equal(
    (await tenancy.status({ tenants: [id] })).map(({ state }) => state),
    ['pending'],
  )
})

test('up holds the tenant’s lock, so that a run waits for it', async () => {
  const { umzug, tenancy, id } = await tenantWith(
    { '1.mjs': 'export const up = ({ context }) => context.sql("SELECT pg_sleep(0.3)")' },
    { lock: { waitMs: 0 } },
  )
  const running = umzug.up()
  for (;;) {
    const locks = await database.query(
      `SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    )
    if (locks.length > 0) break
  }
  await failure('LOCK_HELD', () => tenancy.up({ tenant: id }))
  assert.equal(names(await running), ['1.mjs'])
})

test('a command that fails leaves nothing of itself, and Umzug’s error names the migration', async () => {
  const { umzug, id } = await tenantWith({ ...createTable('1_a', 'a'), '2.sql': 'SELECT 1/0' })
  const error = await thrownBy(() => umzug.up())
  assert.match(String(error), /Migration 2\.sql \(up\) failed/)
  assert.equal(await catalogOf(database, id), [`schema ${id}`])
})

test('a migration that refuses a transaction is refused with the call that can run it', async () => {
  const { umzug, id } = await tenantWith({
    ...createTable('1_a', 'a'),
    '2.sql': '-- transaction: false\nCREATE INDEX CONCURRENTLY i ON a (id)',
  })
  const error = await thrownBy(() => umzug.up())
  const refusal = await failure('MIGRATION_INVALID', () => {
    throw (error as Error).cause
  })
  assert.is(
    refusal.title,
    'Migration "2.sql" runs outside a transaction, and a command of this Umzug is one.',
  )
  assert.equal(refusal.fix, ['run it with tenancy.up, or umzug-tenants up'])
  assert.equal(await catalogOf(database, id), [`schema ${id}`])
})

test('a missing down is refused', async () => {
  const { umzug } = await tenantWith({ '1.sql': 'CREATE TABLE a ()' })
  await umzug.up()
  assert.match(String(await thrownBy(() => umzug.down())), 'Migration "1.sql" has no down.')
})

test('Umzug’s events are heard', async () => {
  const { umzug } = await tenantWith(TWO)
  const seen: string[] = []
  umzug.on('migrating', ({ name }) => void seen.push(`migrating ${name}`))
  umzug.on('migrated', ({ name }) => void seen.push(`migrated ${name}`))
  await umzug.up({ to: '1_a.sql' })
  assert.equal(seen, ['migrating 1_a.sql', 'migrated 1_a.sql'])
})

test('commands of two tenants at once do not meet', async () => {
  const [one, two] = [await tenantWith(TWO), await tenantWith(TWO)]
  const [first, second] = await Promise.all([one.umzug.up(), two.umzug.up({ step: 1 })])
  assert.equal([names(first), names(second)], [['1_a.sql', '2_b.sql'], ['1_a.sql']])
})

test('an unknown tenant is unknown at the first command', async () => {
  const tenancy = await tenancyWith()
  await failure('TENANT_UNKNOWN', () => tenancy.umzug('nobody').pending())
})

test.run()
