import { DataTypes, Sequelize } from 'sequelize'
import * as assert from 'uvu/assert'

import { bindQueryInterface } from '../../lib/query-interface/bind.ts'
import { testDatabase } from '../support/database.ts'
import { failure } from '../support/failure.ts'
import { suite } from '../support/suite.ts'
import { newId, testTenancies } from '../support/tenancies.ts'

const test = suite('query-interface/schemas')
const database = testDatabase(test)
const tenancyWith = testTenancies(test, database)

let schema: string | undefined
let sequelize: Sequelize | undefined

function bound(): Sequelize {
  if (sequelize === undefined) {
    sequelize = new Sequelize(database.url, { dialect: 'postgres', logging: false })
    bindQueryInterface(sequelize, () => schema)
  }
  return sequelize
}

test.before(() => database.query('CREATE SCHEMA a; CREATE SCHEMA b; CREATE SCHEMA audit'))
test.before.each(() => (schema = 'a'))
test.after(() => sequelize?.close())

async function schemas(): Promise<string[]> {
  const rows = await database.query<{ name: string }>(
    "SELECT nspname AS name FROM pg_namespace WHERE nspname !~ '^pg_|^info' ORDER BY 1",
  )
  return rows.map(({ name }) => name)
}

test('dropAllSchemas is refused, on the query interface and on Sequelize', async () => {
  const before = await schemas()
  await failure('FOREIGN_SCHEMA', () => bound().getQueryInterface().dropAllSchemas())
  const error = await failure('FOREIGN_SCHEMA', () => bound().dropAllSchemas({}))
  assert.match(error.message, 'dropAllTables(), dropAllEnums()')
  schema = undefined
  await failure('FOREIGN_SCHEMA', () => bound().dropAllSchemas({}))
  assert.equal(await schemas(), before)
})

test('dropping another schema is refused, and so is one that was there before createSchema', async () => {
  // Sequelize does not type a model's dropSchema.
  const Model = bound().define('m', { a: DataTypes.TEXT }) as unknown as {
    dropSchema(name: string): Promise<void>
  }
  for (const attempt of [
    () => bound().getQueryInterface().dropSchema('b'),
    () => bound().dropSchema('b', {}),
    () => Model.dropSchema('b'),
    async () => {
      await bound().createSchema('b', {})
      await bound().dropSchema('b', {})
    },
  ]) {
    const error = await failure('FOREIGN_SCHEMA', attempt)
    assert.match(error.message, 'a run may drop only a schema that it has created itself')
  }
  assert.ok((await schemas()).includes('b'))
})

test("dropping the tenant's own schema is refused, and the message says how to drop a tenant", async () => {
  const error = await failure('FOREIGN_SCHEMA', () => bound().dropSchema('a', {}))
  assert.match(error.message, 'umzug-tenants tenants drop ID')
  assert.equal([error.exitCode, error.status, error.schema], [1, 500, 'a'])
})

test('a schema that was created may be dropped again, once and from where it was created', async () => {
  await bound().createSchema('scratch', {})
  assert.equal(await bound().showAllSchemas({}), ['scratch'])
  schema = 'b'
  assert.equal(await bound().showAllSchemas({}), [])
  await failure('FOREIGN_SCHEMA', () => bound().dropSchema('scratch', {}))
  schema = 'a'
  await bound().dropSchema('scratch', {})
  assert.equal(await bound().showAllSchemas({}), [])
  await failure('FOREIGN_SCHEMA', () => bound().dropSchema('scratch', {}))
})

test('a migration that drops all schemas fails with the code, and no tenant is harmed', async () => {
  const [one, two] = [newId(), newId()]
  const tenancy = await tenancyWith({
    '1.cjs': 'module.exports = { up: (queryInterface) => queryInterface.dropAllSchemas() }',
  })
  for (const id of [one, two]) await tenancy.provision({ id, up: false })
  const before = await schemas()
  const error = await failure('FOREIGN_SCHEMA', () => tenancy.up({ tenant: one }))
  assert.is(error.schema, one)
  assert.equal(await schemas(), before)
})

test.run()
