/** What one session, which serves tenant after tenant, must not carry from one to the next. */
import * as assert from 'uvu/assert'

import { testDatabase } from '../support/database.ts'
import { suite } from '../support/suite.ts'
import { newId, testTenancies } from '../support/tenancies.ts'
import { schemaCatalog } from './schema-catalog.ts'

const test = suite('corpus for a fleet')
const database = testDatabase(test)
const tenancyWith = testTenancies(test, database)

test('models of one tenant’s run are not synchronised in the next one’s', async () => {
  const [one, two] = [newId(), newId()]
  const tenancy = await tenancyWith({
    '1.cjs': `exports.up = async (queryInterface, { DataTypes }) => {
      queryInterface.sequelize.define('First', { kind: DataTypes.ENUM('a') }, { timestamps: false })
      await queryInterface.sequelize.sync()
    }`,
    '2.cjs': `exports.up = async (queryInterface) => {
      const tables = await queryInterface.showAllTables()
      await queryInterface.createTable('seen', { ['at_' + tables.length]: 'integer' })
    }`,
    '3.cjs': `exports.up = async (queryInterface, { DataTypes }) => {
      queryInterface.sequelize.define('Later', { kind: DataTypes.ENUM('b') }, { timestamps: false })
      await queryInterface.sequelize.sync()
    }`,
  })
  for (const id of [one, two]) await tenancy.provision({ id, up: false })
  assert.is((await tenancy.up({ all: true, concurrency: 1 })).failed, 0)
  const [first, second] = await Promise.all([one, two].map((id) => schemaCatalog(database.url, id)))
  assert.equal(second, first)
})

test.run()

const sessions = suite('corpus for a fleet, in one session')
const emptyDatabase = testDatabase(sessions)
const tenancyOf = testTenancies(sessions, emptyDatabase)

sessions('what a migration leaves in its session is not there for the next tenant’s', async () => {
  const [one, two] = [newId(), newId()]
  const tenancy = await tenancyOf({
    '1.cjs': `exports.up = async ({ sequelize }) => {
      await sequelize.query("CREATE TABLE seen AS SELECT current_setting('timezone') AS zone, current_setting('session_replication_role') AS role, current_user")
      await sequelize.query("SET timezone = 'Asia/Tokyo'; SET session_replication_role = replica; SET ROLE pg_read_all_data")
      await sequelize.query('RESET ROLE; CREATE TEMP TABLE mapping AS SELECT 1 AS id')
    }`,
  })
  for (const id of [one, two]) await tenancy.provision({ id, up: false })
  assert.is((await tenancy.up({ all: true, concurrency: 1 })).failed, 0)
  const [first, second] = await Promise.all([one, two].map((id) => schemaCatalog(emptyDatabase.url, id)))
  assert.equal(second, first)
})

sessions.run()
