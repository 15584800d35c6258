import { QueryInterface, Sequelize } from 'sequelize'
import * as assert from 'uvu/assert'

import { createMigrationContext, type MigrationExtras } from '../../lib/migrations/context.ts'
import { suite } from '../support/suite.ts'

const test = suite('migrations/context')

const sequelize = new Sequelize({ dialect: 'postgres' })
const queryInterface = sequelize.getQueryInterface()
const extras: MigrationExtras = {
  queryInterface,
  sequelize,
  Sequelize,
  tenant: { id: 'a', schema: 'a' },
  schema: 'a',
  sql: () => Promise.resolve([]),
  x: { seats: '3' },
}

test('the context has everything a migration asks for', () => {
  const context = createMigrationContext(extras)
  for (const [key, value] of Object.entries(extras)) assert.is(Reflect.get(context, key), value)
})

test('the context is itself the query interface', () => {
  const context = createMigrationContext(extras)
  assert.instance(context, QueryInterface)
  assert.is(Reflect.get(context, 'createTable'), Reflect.get(queryInterface, 'createTable'))
  assert.is(context.queryGenerator, queryInterface.queryGenerator)
})

test('the query interface is not changed by it', () => {
  createMigrationContext(extras)
  assert.not('sql' in queryInterface)
})

test.run()
