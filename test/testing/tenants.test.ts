import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { DataTypes, QueryTypes } from 'sequelize'
import * as assert from 'uvu/assert'

import { createTestTenants, type TestTenants } from '../../lib/testing/index.ts'
import { query, testDatabase } from '../support/database.ts'
import { suite } from '../support/suite.ts'

const test = suite('test tenants')
// The fixture makes a database of its own; this one is how the test watches the server.
const database = testDatabase(test)

let folder: string
let fixture: TestTenants

test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'umzug-tenants-testing-'))
  await mkdir(join(folder, 'migrations/shared'), { recursive: true })
  await writeFile(
    join(folder, 'migrations/001_users.sql'),
    'CREATE TABLE users (id serial PRIMARY KEY, name text)',
  )
  await writeFile(join(folder, 'migrations/shared/001_plans.sql'), 'CREATE TABLE plans (name text)')
  fixture = await createTestTenants({
    count: 2,
    baseDir: folder,
    url: database.url,
    models: (sequelize) =>
      sequelize.define('User', { name: DataTypes.TEXT }, { tableName: 'users', timestamps: false }),
  })
})

test.after(async () => {
  await fixture.dispose()
  assert.equal(await databasesOfFixtures(), [])
  await rm(folder, { recursive: true })
})

test.after.each(() => fixture.reset())

const namesIn = (tenant: number) =>
  fixture.run(tenant, () => fixture.sequelize.model('User').findAll({ raw: true }))

test('gives as many migrated tenants as asked for', async () => {
  assert.is(fixture.tenants.length, 2)
  const statuses = await fixture.tenancy.status()
  assert.equal(
    statuses.map(({ state }) => state),
    ['ok', 'ok'],
  )
})

test('keeps the rows of its tenants apart', async () => {
  await fixture.run(0, () => fixture.sequelize.model('User').create({ name: 'Ada' }))
  assert.is((await namesIn(0)).length, 1)
  assert.is((await namesIn(1)).length, 0)
})

test('reset empties tenants and shared tables and starts identities again', async () => {
  await fixture.run(1, () => fixture.sequelize.model('User').create({ name: 'Ben' }))
  await fixture.run(1, () => fixture.sequelize.query("INSERT INTO plans VALUES ('free')"))
  await fixture.reset()
  assert.equal(await namesIn(1), [])
  assert.equal(
    await fixture.run(0, () => fixture.sequelize.query('SELECT * FROM plans', { type: QueryTypes.SELECT })),
    [],
  )
  await fixture.run(1, () => fixture.sequelize.model('User').create({ name: 'Cleo' }))
  assert.equal(await namesIn(1), [{ id: 1, name: 'Cleo' }])
  assert.is((await fixture.tenancy.status())[0]?.state, 'ok')
})

test('takes a tenant by number or as itself, and refuses a number it does not have', async () => {
  const [first] = fixture.tenants
  assert.ok(first)
  assert.is(await fixture.run(first, ({ id }) => id), first.id)
  assert.throws(() => fixture.run(2, () => undefined), 'there are 2 tenants')
})

test('dispose leaves no database even when a migration fails', async () => {
  await writeFile(join(folder, 'broken.sql'), 'SELECT nonsense')
  const before = await databasesOfFixtures()
  const failure = await createTestTenants({
    baseDir: folder,
    url: database.url,
    config: { migrations: 'broken.sql' },
  }).catch((error: unknown) => error)
  assert.match(String(failure), 'Migration "broken.sql" failed')
  assert.equal(await databasesOfFixtures(), before)
})

test('refuses a count it cannot serve', async () => {
  for (const count of [0, -1, 1.5, 101]) {
    const failure = await createTestTenants({ count, url: database.url }).catch((error: unknown) => error)
    assert.match(String(failure), `count must be 1 to 100, not ${count}`)
  }
})

async function databasesOfFixtures(): Promise<unknown[]> {
  return query(
    database.url,
    "SELECT datname FROM pg_database WHERE starts_with(datname, 'umzug_tenants_') ORDER BY 1",
  )
}

test.run()
