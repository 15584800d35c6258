import { DataTypes } from 'sequelize'
import * as assert from 'uvu/assert'

import { MIGRATION_FORMATS, type MigrationFormat } from '../../lib/migrations/template.ts'
import { testDatabase } from '../support/database.ts'
import { suite } from '../support/suite.ts'
import { items, type Define } from './support/case.ts'
import { listingOf } from './support/listing.ts'
import { workbench } from './support/workbench.ts'

const test = suite('autogenerate/render')
const database = testDatabase(test)
const open = workbench(test, database)

const { STRING, INTEGER, TEXT, ENUM, JSONB } = DataTypes

async function textsFor(before: Define, after: Define, format: MigrationFormat): Promise<readonly string[]> {
  const bench = await open()
  const schema = await bench.make(before)
  try {
    const files = await bench.generate(await bench.compare(after, schema), { message: 'say `it`' }, format)
    return files.map(({ text }) => text)
  } finally {
    await bench.drop(schema)
  }
}

const after: Define = (sequelize) => {
  items({ name: { type: STRING, allowNull: false, defaultValue: 'x' } })(sequelize)
  const attributes = {
    state: { type: ENUM('a', 'b'), defaultValue: 'a' },
    data: { type: JSONB, defaultValue: {} },
  }
  sequelize.define('thing', attributes, { timestamps: false, indexes: [{ fields: ['state'] }] })
}

test('TypeScript reads as somebody would have written it', async () => {
  const [text] = await textsFor(items({ old: INTEGER }), after, 'ts')
  assert.is(
    text,
    `import type { Migration } from 'umzug-tenants'

// say \`it\`: written by autogenerate; read it before it runs

export const up: Migration = async ({ context }) => {
  const { Sequelize } = context
  const { DataTypes } = Sequelize
  await context.createTable('things', {
    id: { type: DataTypes.INTEGER, autoIncrement: true, primaryKey: true },
    state: { type: DataTypes.ENUM('a', 'b'), defaultValue: 'a' },
    data: { type: DataTypes.JSONB, defaultValue: {} },
  })
  await context.addColumn('items', 'name', {
    type: DataTypes.STRING,
    allowNull: false,
    defaultValue: 'x',
  })
  // data-loss: Every value of items.old is gone.
  // breaks-code: Running code may still read items.old.
  await context.removeColumn('items', 'old')
  await context.addIndex('things', ['state'], { name: 'things_state' })
}

export const down: Migration = async ({ context }) => {
  const { Sequelize } = context
  const { DataTypes } = Sequelize
  await context.addColumn('items', 'old', { type: DataTypes.INTEGER })
  // data-loss: Every value of items.name is gone.
  // breaks-code: Running code may still read items.name.
  await context.removeColumn('items', 'name')
  // data-loss: Every row of things is gone.
  // breaks-code: Running code may still read things.
  await context.dropTable('things')
  await context.sql(\`DROP TYPE "enum_things_state"\`)
}
`,
  )
})

for (const format of MIGRATION_FORMATS) {
  test(`${format} leads to the models and back, and is the same again`, async () => {
    const bench = await open()
    const schema = await bench.make(items({ old: INTEGER }))
    const wanted = await bench.make(after)
    try {
      const start = await listingOf(bench.session, schema)
      const files = await bench.generate(await bench.compare(after, schema), {}, format)
      assert.equal(await bench.generate(await bench.compare(after, schema), {}, format), files)
      await bench.run(schema, files, 'up')
      assert.equal(await listingOf(bench.session, schema), await listingOf(bench.session, wanted))
      await bench.run(schema, files, 'down')
      assert.equal(await listingOf(bench.session, schema), start)
    } finally {
      await bench.drop(schema, wanted)
    }
  })
}

test('the order in which models are defined does not change the text', async () => {
  const a: Define = (sequelize) => void sequelize.define('a', { x: INTEGER, y: TEXT })
  const b: Define = (sequelize) => void sequelize.define('b', { z: INTEGER })
  const one = await textsFor(items({}), (s) => [a, b, items({})].forEach((define) => define(s)), 'ts')
  const other = await textsFor(items({}), (s) => [items({}), b, a].forEach((define) => define(s)), 'ts')
  assert.equal(one, other)
})

test('SQL has one file for each way, and the hazards in both', async () => {
  const [up, down] = await textsFor(items({ a: INTEGER }), items({}), 'sql')
  assert.match(up ?? '', '-- data-loss: Every value of items.a is gone.\n')
  assert.match(up ?? '', 'ALTER TABLE "items" DROP COLUMN "a";\n')
  assert.match(down ?? '', 'ALTER TABLE "items" ADD COLUMN "a" integer;\n')
})

test.run()
