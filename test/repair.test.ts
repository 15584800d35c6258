/** What is recorded of a tenant is corrected: an interrupted migration, and files that have changed. */
import * as assert from 'uvu/assert'

import { contentHash } from '../lib/migrations/integrity.ts'
import { rowsOf } from './support/catalog.ts'
import { testDatabase } from './support/database.ts'
import { failure } from './support/failure.ts'
import { suite } from './support/suite.ts'
import { createTable, newId, testTenancies } from './support/tenancies.ts'

const test = suite('repair')
const database = testDatabase(test)
const tenancyWith = testTenancies(test, database)

const THREE = { ...createTable('1_a', 'a'), ...createTable('2_b', 'b'), ...createTable('3_c', 'c') }
const CHANGED = { ...THREE, '1_a.sql': '-- as it should have been\nCREATE TABLE a (id bigint PRIMARY KEY)' }

/** A tenant whose runner was killed in the middle of 2_b.sql. */
async function interruptedTenant() {
  const tenancy = await tenancyWith(THREE)
  const id = newId()
  await tenancy.provision({ id, up: false })
  await tenancy.up({ tenant: id, to: '1' })
  await database.query(`CREATE TABLE ${id}.b (id integer PRIMARY KEY)`)
  await database.query("UPDATE umzug_tenants.tenant SET running = '2_b.sql' WHERE id = $1", [id])
  return { tenancy, id }
}

test('a migration that counts as applied has a run with the hash of its file, in its place', async () => {
  const { tenancy, id } = await interruptedTenant()
  await tenancy.repair({ tenant: id, as: 'applied' })
  const runs = await database.query(
    'SELECT migration, direction, hash FROM umzug_tenants.run WHERE schema = $1 ORDER BY id DESC LIMIT 1',
    [id],
  )
  const hash = contentHash(Buffer.from(THREE['2_b.sql'] ?? ''))
  assert.equal(runs, [{ migration: '2_b.sql', direction: 'up', hash }])
  assert.equal((await tenancy.status({ tenants: [id] }))[0]?.current, '2_b.sql')
  assert.equal((await tenancy.down({ tenant: id })).reverted, ['2_b.sql'])
})

test('its file is compared from then on', async () => {
  const { tenancy, id } = await interruptedTenant()
  await tenancy.repair({ tenant: id, as: 'applied' })
  const changed = await tenancyWith({ ...THREE, '2_b.sql': 'CREATE TABLE b ()' })
  await failure('MIGRATION_CHANGED', () => changed.up({ tenant: id }))
})

test('one that is recorded already is not recorded twice', async () => {
  const { tenancy, id } = await interruptedTenant()
  await database.query(`INSERT INTO ${id}."SequelizeMeta" VALUES ('2_b.sql')`)
  const before = await rowsOf(database, 'umzug_tenants.run')
  assert.is((await tenancy.repair({ tenant: id, as: 'applied' })).migration, '2_b.sql')
  assert.equal(await rowsOf(database, 'umzug_tenants.run'), before)
})

test('rehash accepts what the files are now, and runs nothing', async () => {
  const id = newId()
  await (await tenancyWith(THREE)).provision({ id })
  const changed = await tenancyWith(CHANGED)
  await failure('MIGRATION_CHANGED', () => changed.up({ tenant: id }))
  const allowed: unknown[] = []
  changed.on('migration:allowed', (event) => allowed.push(event))
  assert.equal(await changed.rehash({ tenant: id }), { id, schema: id, accepted: ['1_a.sql'] })
  assert.equal(allowed, [{ tenant: id, schema: id, migration: '1_a.sql', violation: 'changed' }])
  assert.equal((await changed.up({ tenant: id })).applied, [])
  assert.equal((await changed.rehash({ tenant: id })).accepted, [])
})

test('rehash leaves the order of application, and what is reverted, as it was', async () => {
  const id = newId()
  const tenancy = await tenancyWith(THREE)
  await tenancy.provision({ id })
  await tenancy.down({ tenant: id })
  const changed = await tenancyWith({ ...CHANGED, '3_c.sql': 'CREATE TABLE c ()' })
  assert.equal((await changed.rehash({ tenant: id })).accepted, ['1_a.sql'])
  assert.equal((await changed.down({ tenant: id })).reverted, ['2_b.sql'])
})

test('rehash of many tenants tells what it accepted of each, and of no other', async () => {
  const tenancy = await tenancyWith(THREE)
  const [id, other, third] = [newId(), newId(), newId()]
  for (const each of [id, other, third]) await tenancy.provision({ id: each, up: each !== other })
  const changed = await tenancyWith(CHANGED)
  const report = await changed.rehash({ tenants: [id, other] })
  assert.equal([report.succeeded, report.unchanged, report.failed], [1, 1, 0])
  assert.equal(report.tenants.map(({ accepted }) => accepted), [['1_a.sql'], []]) // prettier-ignore
  await failure('MIGRATION_CHANGED', () => changed.up({ tenant: third }))
})

test.run()
