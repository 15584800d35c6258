/**
 * Each case as in life: the first release's migration is generated and run, then the second's; what a tenant has then
 * is what plain `sync` makes of the models in a fresh schema, and the way back leads to where it came from.
 */
import { Sequelize } from 'sequelize'
import * as assert from 'uvu/assert'

import { testDatabase } from '../support/database.ts'
import { suite } from '../support/suite.ts'
import { columns } from './cases/columns.ts'
import { constraints } from './cases/constraints.ts'
import { defaults } from './cases/defaults.ts'
import { enums } from './cases/enums.ts'
import { indexes } from './cases/indexes.ts'
import { renames } from './cases/renames.ts'
import { tables } from './cases/tables.ts'
import { types } from './cases/types.ts'
import type { Case, Cases, Define } from './support/case.ts'
import { listingOf } from './support/listing.ts'
import { projects, textOf } from './support/project.ts'

const test = suite('autogenerate/cases')
const database = testDatabase(test)
/** Of its own: stock Sequelize leaves out an index that any schema of the database has. */
const stock = testDatabase(test)
const project = projects(test, database)

/** What plain `sync` makes of the models in `public`. */
async function stockListing(define: Define): Promise<readonly string[]> {
  const sequelize = new Sequelize(stock.url, { dialect: 'postgres', logging: false })
  try {
    define(sequelize)
    await sequelize.sync()
    return await listingOf(stock, 'public')
  } finally {
    await sequelize.close()
    await stock.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public')
  }
}

async function run({ before, after, sql, renames, has, hasNot, same }: Case): Promise<void> {
  const { tenant, release } = await project()
  await release(before, async (tenancy) => {
    await tenancy.autogenerate({ message: 'first', specimen: tenant })
    await tenancy.up({ tenant })
    if (sql === undefined) assert.equal(await listingOf(database, tenant), await stockListing(before))
  })
  if (sql !== undefined) await database.query(`SET search_path TO ${tenant}; ${sql}`)
  const start = await listingOf(database, tenant)
  await release(after, async (tenancy) => {
    const { files } = await tenancy.autogenerate({ message: 'second', specimen: tenant, renames })
    if (same === true) {
      assert.equal(await textOf(files), '')
      return
    }
    const text = await textOf(files)
    for (const part of has ?? []) assert.match(text, part)
    for (const part of hasNot ?? []) assert.not.match(text, part)
    assert.not.match(text, tenant)
    await tenancy.up({ tenant })
    assert.equal((await tenancy.check({ specimen: tenant })).differences, [])
    if (sql === undefined) assert.equal(await listingOf(database, tenant), await stockListing(after))
    await tenancy.down({ tenant })
    assert.equal(await listingOf(database, tenant), start)
  })
}

const ALL: Readonly<Record<string, Cases>> = {
  tables,
  columns,
  types,
  defaults,
  indexes,
  constraints,
  enums,
  renames,
}

for (const [subject, cases] of Object.entries(ALL)) {
  for (const each of cases) test(`${subject}: ${each.name}`, () => run(each))
}

test('half of the cases are of models that need no migration', () => {
  const cases = Object.values(ALL).flat()
  assert.ok(cases.filter(({ same }) => same === true).length * 2 >= cases.length)
})

test.run()
