/** The models alone, on the fixtures that an application's own tests would use: no server, no HTTP. */
import { QueryTypes, Sequelize } from 'sequelize'
import { createTestTenants, type TestTenants } from 'umzug-tenants/testing'
import * as assert from 'uvu/assert'

import { namespace } from '../../example-app/database.ts'
import { defineModels, type Models } from '../../example-app/models.ts'
import { testDatabase } from '../support/database.ts'
import { leaveNamespace } from '../support/example-app.ts'
import { repository } from '../support/project.ts'
import { suite } from '../support/suite.ts'

const test = suite('example app: fixtures')
// The fixture makes a database of its own on the server of this one.
const database = testDatabase(test)

let fixture: TestTenants
let models: Models

test.before(async () => {
  Sequelize.useCLS(namespace)
  fixture = await createTestTenants({
    count: 2,
    config: { namespace },
    baseDir: repository, // where migrations/ and seeders/ are
    url: database.url,
    models: (sequelize) => (models = defineModels(sequelize)),
  })
})
test.after.each(() => fixture.reset())
test.after(async () => {
  await fixture.dispose()
  leaveNamespace()
})

test('a user of one tenant is not in the other', async () => {
  await fixture.run(0, () => models.User.create(ada))
  assert.is(await fixture.run(0, () => models.User.count()), 1)
  assert.is(await fixture.run(1, () => models.User.count()), 0)
})

test('a transaction that throws leaves nothing, without being passed to the queries', async () => {
  const failed = await fixture
    .run(0, () =>
      models.sequelize.transaction(async () => {
        await models.User.create(ada)
        throw new Error('changed my mind')
      }),
    )
    .catch((error: unknown) => error)
  assert.match(String(failed), 'changed my mind')
  assert.is(await fixture.run(0, () => models.User.count()), 0)
})

test('the seed files give a tenant its roles, and again nothing', async () => {
  const [first] = fixture.tenants
  assert.ok(first)
  assert.equal((await fixture.tenancy.seed({ tenant: first.id })).applied, [
    '20260105100000_default_roles.ts',
  ])
  assert.equal((await fixture.tenancy.seed({ tenant: first.id })).applied, [])
  const roles = await fixture.run(0, () =>
    models.Role.findAll({ include: 'permissions', order: [['id', 'ASC']] }),
  )
  assert.equal(
    roles.map(({ roleName, permissions }) => [roleName, permissions?.length]),
    [
      ['admin', 4],
      ['member', 2],
    ],
  )
  assert.is(await fixture.run(1, () => models.Role.count()), 0)
})

test('a tenant sees the shared tables behind its own', async () => {
  await fixture.tenancy.runShared(() =>
    models.TenantRecord.create({ name: 'acme', schema: 'acme', host: null }),
  )
  const rows = await fixture.run(0, () =>
    models.sequelize.query('SELECT name FROM tenants', { type: QueryTypes.SELECT }),
  )
  assert.equal(rows, [{ name: 'acme' }])
})

const ada = { email: 'ada@example.com', firstName: 'Ada', lastName: null, userRoleId: null }

test.run()
