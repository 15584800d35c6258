import { QueryTypes, Sequelize } from 'sequelize'
import * as assert from 'uvu/assert'

import { isTenancyError } from '../lib/errors.ts'
import { createTenancy } from '../lib/tenancy.ts'
import { testDatabase } from './support/database.ts'
import { failure, thrownBy } from './support/failure.ts'
import { temporaryFolders } from './support/folder.ts'
import { suite } from './support/suite.ts'
import { createTable, newId, testTenancies } from './support/tenancies.ts'

const test = suite('tenancy')
const database = testDatabase(test)
const tenancyWith = testTenancies(test, database)
const folder = temporaryFolders(test)

test('run upgrades a tenant that is behind, and runs in it', async () => {
  const id = newId()
  const tenancy = await tenancyWith(createTable('1_a', 'a'))
  await tenancy.provision({ id, up: false })
  assert.equal(
    await tenancy.run(id, (tenant) => [tenant.id, tenancy.current()?.id, tenancy.require().schema]),
    [id, id, id],
  )
  assert.is(tenancy.current(), undefined)
  assert.is((await tenancy.status({ tenant: id })).state, 'ok')
})

test('run in a tenant that nobody knows is refused', async () => {
  const tenancy = await tenancyWith()
  await failure('TENANT_UNKNOWN', () => tenancy.run('nobody', () => 1))
})

test('run without a tenant to run in is refused, whatever JavaScript hands over', async () => {
  const tenancy = await tenancyWith()
  for (const nobody of [undefined, null, 7, '']) {
    const error = await thrownBy(() => tenancy.run(nobody as unknown as string, () => 1)) // as JavaScript may
    assert.ok(isTenancyError(error), String(error))
    assert.match(error.title, /cannot be a tenant id|must be a text|No tenant/)
  }
})

test('bind keeps the tenant for a function that is called elsewhere', async () => {
  const id = newId()
  const tenancy = await tenancyWith()
  await tenancy.provision({ id })
  const bound = await tenancy.run(id, () =>
    tenancy.bind((suffix: string) => `${tenancy.current()?.id}${suffix}`),
  )
  assert.is(bound('!'), `${id}!`)
})

test('an array of an ENUM comes back as an array, in tenants made after the pool has connected and after an upgrade', async () => {
  const files = {
    'migrations/1.sql': `CREATE TYPE tag AS ENUM ('a', 'b'); CREATE TABLE t (tags tag[]); INSERT INTO t VALUES ('{a,b}')`,
  }
  const more = {
    ...files,
    'migrations/2.sql': `CREATE TYPE flag AS ENUM ('x'); ALTER TABLE t ADD flags flag[] DEFAULT '{x}'`,
  }
  const sequelize = new Sequelize(database.url, { logging: false })
  const tenancy = createTenancy({ sequelize }, { baseDir: await folder(files) })
  const id = newId()
  const read = (column: string) =>
    tenancy.run(id, () => sequelize.query(`SELECT ${column} FROM t`, { type: QueryTypes.SELECT }))
  try {
    await tenancy.runShared(() => sequelize.query('SELECT 1'))
    await tenancy.provision({ id })
    assert.equal(await read('tags'), [{ tags: ['a', 'b'] }])
    const next = createTenancy({ url: database.url }, { baseDir: await folder(more) })
    await next.up({ tenant: id })
    await next.close()
    tenancy.invalidate()
    assert.equal(await read('flags'), [{ flags: ['x'] }])
  } finally {
    await tenancy.close()
    await sequelize.close()
  }
})

test.run()
