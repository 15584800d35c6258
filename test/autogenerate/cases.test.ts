/**
 * Each case: a schema of the first release's models, a migration to the second's, run for good. What is there then is
 * what the second's models make in a schema of their own, by another listing than the library's and by `pg_dump`; and
 * the way back leads to where it came from, by both. At least half of them are traps: nothing is different, and none is
 * found.
 */
import * as assert from 'uvu/assert'

import { testDatabase, type TestDatabase } from '../support/database.ts'
import { sameDumps } from '../support/dump.ts'
import { onOtherServer } from '../support/other-server.ts'
import { suite, type Suite } from '../support/suite.ts'
import { CASES } from './cases/all.ts'
import type { Case } from './support/case.ts'
import { listingOf } from './support/listing.ts'
import { EVERYTHING, workbench, type Workbench } from './support/workbench.ts'

const test = suite('autogenerate/cases')
prove(test, testDatabase(test))
test('at least half of the cases are of no difference', () => {
  const all = Object.values(CASES).flat()
  const same = all.filter((each) => each.same === true)
  assert.ok(same.length * 2 >= all.length, `${same.length} of ${all.length}`)
})
test.run()

const other = suite('autogenerate/cases on another server')
onOtherServer(other, prove)
other.run()

function prove(of: Suite, database: TestDatabase): void {
  const open = workbench(of, database, { searchPath: ['extensions'] })
  of.before(() => database.query('CREATE SCHEMA extensions; CREATE EXTENSION citext SCHEMA extensions'))
  for (const [subject, cases] of Object.entries(CASES)) {
    for (const each of cases) {
      of(`${subject}: ${each.name}`, async () => {
        const bench = await open()
        await (each.same === true ? isSame(bench, each) : leadsThereAndBack(bench, each, database.url))
      })
    }
  }
}

/** Whatever words the schema was made with, they mean what the models mean. */
async function isSame(bench: Workbench, { before, after, sql, migrate, rules }: Case): Promise<void> {
  const schema = await bench.make(before, { sql, migrate })
  try {
    const { problems, differences } = await bench.compare(after, schema, { ...EVERYTHING, ...rules })
    assert.equal(problems, [])
    assert.equal(differences, [])
  } finally {
    await bench.drop(schema)
  }
}

async function leadsThereAndBack(
  bench: Workbench,
  { before, after, sql, migrate, renames: hints, has, hasNot }: Case,
  url: string,
): Promise<void> {
  const list = (name: string) => listingOf(bench.session, name)
  const made: string[] = []
  const make = async (...what: Parameters<Workbench['make']>) => {
    const schema = await bench.make(...what)
    made.push(schema)
    return schema
  }
  try {
    const schema = await make(before, { sql, migrate })
    // What models cannot say is not in the other one.
    const wanted = sql === undefined ? await make(after) : undefined
    const start = await list(schema)
    const compared = await bench.compare(after, schema)
    assert.equal(compared.problems, [])
    const files = await bench.generate(compared, { renames: hints })
    const text = files.map((file) => file.text).join('\n')
    for (const part of has ?? []) assert.match(text, part)
    for (const part of hasNot ?? []) assert.not.match(text, part)
    assert.not.match(text, /\bmade\d|umzug_tenants_/)
    await bench.run(schema, files, 'up')
    assert.equal((await bench.compare(after, schema)).differences, [])
    if (wanted !== undefined) {
      assert.equal(await list(schema), await list(wanted))
      await sameDumps(url, schema, wanted)
    }
    await bench.run(schema, files, 'down')
    assert.equal(await list(schema), start)
    await sameDumps(url, schema, await make(before, { sql, migrate }))
  } finally {
    await bench.drop(...made)
  }
}
