/** Seed files through the library: one tenant and many, up and down, and what is recorded. */
import * as assert from 'uvu/assert'

import type { Tenancy } from '../lib/tenancy.ts'
import { testDatabase } from './support/database.ts'
import { failure } from './support/failure.ts'
import { suite } from './support/suite.ts'
import { newId, testTenancies } from './support/tenancies.ts'

const test = suite('seed')
const database = testDatabase(test)
const makeTenancy = testTenancies(test, database)

const SEEDERS = {
  '001_users.sql': 'CREATE TABLE users (name text)',
  'seeders/001_ann.sql': `INSERT INTO users VALUES ('ann')`,
  'seeders/001_ann.down.sql': `DELETE FROM users WHERE name = 'ann'`,
  'seeders/002_bob.cjs': `module.exports = {
    up: (queryInterface) => queryInterface.bulkInsert('users', [{ name: 'bob' }]),
    down: (queryInterface) => queryInterface.bulkDelete('users', { name: 'bob' }),
  }`,
}

async function tenants(count: number, files = SEEDERS): Promise<[Tenancy, readonly string[]]> {
  const tenancy = await makeTenancy(files)
  const ids = Array.from({ length: count }, newId)
  for (const id of ids) await tenancy.provision({ id })
  return [tenancy, ids]
}

const users = async (schema: string) =>
  (await database.query<{ name: string }>(`SELECT name FROM ${schema}.users ORDER BY 1`)).map(({ name }) => name) // prettier-ignore

test('seed files are applied once, and recorded as sequelize-cli records them', async () => {
  const [tenancy, [id = '']] = await tenants(1)
  const { applied } = await tenancy.seed({ tenant: id })
  assert.equal(applied, ['001_ann.sql', '002_bob.cjs'])
  assert.equal((await tenancy.seed({ tenant: id })).applied, [])
  assert.equal(await users(id), ['ann', 'bob'])
  const recorded = await database.query(`SELECT name FROM ${id}."SequelizeData" ORDER BY 1`)
  assert.equal(recorded, [{ name: '001_ann.sql' }, { name: '002_bob.cjs' }])
})

test('many tenants are seeded in one call, and one that fails stops no other', async () => {
  const [tenancy, ids] = await tenants(3)
  const [, second = ''] = ids
  await database.query(`DROP TABLE ${second}.users`)
  const report = await tenancy.seed({ tenants: ids, concurrency: 2 })
  assert.equal([report.succeeded, report.failed, report.unchanged], [2, 1, 0])
  const failed = report.tenants.find(({ id }) => id === second)
  assert.equal([failed?.error?.code, failed?.error?.migration], ['MIGRATION_FAILED', '001_ann.sql'])
})

test('direction down reverts the last seed file, or as many as are asked for', async () => {
  const [tenancy, [id = '']] = await tenants(1)
  await tenancy.seed({ tenant: id })
  assert.equal((await tenancy.seed({ tenant: id, direction: 'down' })).reverted, ['002_bob.cjs'])
  assert.equal(await users(id), ['ann'])
  await tenancy.seed({ tenant: id })
  const { reverted } = await tenancy.seed({ tenant: id, direction: 'down', to: 0 })
  assert.equal(reverted, ['002_bob.cjs', '001_ann.sql'])
  assert.equal(await users(id), [])
})

test('only the named seed files are applied or reverted, whatever is before them', async () => {
  const [tenancy, [id = '']] = await tenants(1)
  assert.equal((await tenancy.seed({ tenant: id, only: ['002_bob'] })).applied, ['002_bob.cjs'])
  assert.equal((await tenancy.seed({ tenant: id, only: ['002_bob'] })).applied, [])
  assert.equal((await tenancy.seed({ tenant: id })).applied, ['001_ann.sql'])
  const down = await tenancy.seed({ tenant: id, direction: 'down', only: ['001_ann.sql'] })
  assert.equal(down.reverted, ['001_ann.sql'])
  assert.equal(await users(id), ['bob'])
})

test('a name that no seed file has is refused, and so are only and step together', async () => {
  const [tenancy, [id = '']] = await tenants(1)
  const { title } = await failure('MIGRATION_UNKNOWN', () => tenancy.seed({ tenant: id, only: ['bob'] }))
  assert.match(title, '"bob"')
  await failure('USAGE', () => tenancy.seed({ tenant: id, only: ['002_bob'], step: 1 }))
})

test('a seed file without a way back is not reverted', async () => {
  const files = { ...SEEDERS, 'seeders/003_eve.sql': `INSERT INTO users VALUES ('eve')` }
  const [tenancy, [id = '']] = await tenants(1, files)
  await tenancy.seed({ tenant: id })
  await failure('MIGRATION_IRREVERSIBLE', () => tenancy.seed({ tenant: id, direction: 'down' }))
  assert.equal(await users(id), ['ann', 'bob', 'eve'])
})

test('the shared schema has no seed files', async () => {
  const tenancy = await makeTenancy(SEEDERS)
  const shared = { shared: true } as unknown as { tenant: string } // what the types refuse
  await failure('USAGE', () => tenancy.seed(shared))
})

test('seedStatus tells what each tenant has had, and creates nothing', async () => {
  const [tenancy, ids] = await tenants(2)
  const [first = '', second = ''] = ids
  await tenancy.seed({ tenant: first, only: ['001_ann'] })
  await database.query(`DROP SCHEMA ${second} CASCADE`)
  const statuses = await tenancy.seedStatus({ tenants: ids })
  assert.equal(statuses, [
    { id: first, schema: first, current: '001_ann.sql', head: '002_bob.cjs', executed: 1, pending: ['002_bob.cjs'], state: 'pending' },
    { id: second, schema: second, current: null, head: '002_bob.cjs', executed: 0, pending: ['001_ann.sql', '002_bob.cjs'], state: 'missing' },
  ]) // prettier-ignore
  await database.query(`CREATE SCHEMA ${second}`)
  await tenancy.seedStatus({ tenants: ids })
  assert.equal(await database.query('SELECT FROM pg_tables WHERE schemaname = $1', [second]), [])
})

test.run()
