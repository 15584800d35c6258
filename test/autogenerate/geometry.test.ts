/** GEOMETRY and GEOGRAPHY, on the first server that has PostGIS. */
import { DataTypes, type Sequelize } from 'sequelize'
import * as assert from 'uvu/assert'

import { testDatabase, type TestDatabase } from '../support/database.ts'
import { onOtherServer } from '../support/other-server.ts'
import { suite, type Suite } from '../support/suite.ts'
import { items } from './support/case.ts'
import { listingOf } from './support/listing.ts'
import { workbench } from './support/workbench.ts'

const { GEOMETRY, GEOGRAPHY } = DataTypes

const test = suite('autogenerate/geometry')
prove(test, testDatabase(test))
test.run()

const other = suite('autogenerate/geometry on another server')
onOtherServer(other, prove)
other.run()

function prove(of: Suite, database: TestDatabase): void {
  const open = workbench(of, database, { searchPath: ['extensions'] })
  const places = items(
    { a: GEOMETRY, b: GEOMETRY('POINT', 4326), c: GEOGRAPHY('POINT', 4326) },
    { indexes: [{ fields: ['b'], using: 'gist' }] },
  )

  /** A test for a server with PostGIS. */
  const withPostgis = (name: string, fn: () => Promise<void>) =>
    of(name, async () => {
      const found = await database.query(`SELECT FROM pg_available_extensions WHERE name = 'postgis'`)
      if (found.length === 0) return console.log('    skipped: this server has no PostGIS')
      await database.query(
        'CREATE SCHEMA IF NOT EXISTS extensions; CREATE EXTENSION IF NOT EXISTS postgis SCHEMA extensions',
      )
      return fn()
    })

  withPostgis('what PostGIS makes of them is no difference to the models', async () => {
    const bench = await open()
    const schema = await bench.make(() => undefined, {
      sql: `CREATE TABLE items (id serial PRIMARY KEY, a extensions.geometry, b extensions.geometry(Point, 4326),
                                c extensions.geography(Point, 4326)); CREATE INDEX items_b ON items USING gist (b)`,
    })
    const { problems, differences } = await bench.compare(places, schema)
    assert.equal(problems, [])
    assert.equal(differences, [])
    await bench.drop(schema)
  })

  withPostgis('columns of them come and go', async () => {
    const bench = await open()
    const none = (sequelize: Sequelize) => items({})(sequelize)
    const [schema, wanted] = [await bench.make(none), await bench.make(places)]
    const list = (name: string) => listingOf(bench.session, name)
    const start = await list(schema)
    const files = await bench.generate(await bench.compare(places, schema))
    await bench.loading(schema, files, async ({ up, down }) => {
      await up()
      assert.equal(await list(schema), await list(wanted))
      await down()
      assert.equal(await list(schema), start)
    })
    await bench.drop(schema, wanted)
  })
}
