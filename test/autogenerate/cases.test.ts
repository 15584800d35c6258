/**
 * Each case: a schema of the first release's models, a migration to the second's, run for good. What is there then is
 * what the second's models make in a schema of their own, by another listing than the library's; and the way back
 * leads to where it came from.
 */
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
import type { Case, Cases } from './support/case.ts'
import { listingOf } from './support/listing.ts'
import { workbench } from './support/workbench.ts'

const test = suite('autogenerate/cases')
const database = testDatabase(test)
const open = workbench(test, database)

async function run({ before, after, sql, renames: hints, has, hasNot, same }: Case): Promise<void> {
  const bench = await open()
  const list = (name: string) => listingOf(bench.session, name)
  const schema = await bench.make(before, sql)
  // What models cannot say is not in the other one.
  const wanted = sql === undefined ? await bench.make(after) : undefined
  try {
    const start = await list(schema)
    const compared = await bench.compare(after, schema)
    assert.equal(compared.problems, [])
    if (same === true) {
      assert.equal(compared.differences, [])
      return
    }
    const files = await bench.generate(compared, { renames: hints })
    const text = files.map((file) => file.text).join('\n')
    for (const part of has ?? []) assert.match(text, part)
    for (const part of hasNot ?? []) assert.not.match(text, part)
    assert.not.match(text, /\bmade\d|umzug_tenants_/)
    await bench.run(schema, files, 'up')
    assert.equal((await bench.compare(after, schema)).differences, [])
    if (wanted !== undefined) assert.equal(await list(schema), await list(wanted))
    await bench.run(schema, files, 'down')
    assert.equal(await list(schema), start)
  } finally {
    await bench.drop(schema, ...(wanted === undefined ? [] : [wanted]))
  }
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

test.run()
