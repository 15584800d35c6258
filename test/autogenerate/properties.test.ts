/**
 * Random pairs of models. Each migration is tried out before it is given out: up leads to the second models, down back
 * to the first. Here it is also run for good and looked at by another listing than the library's.
 *
 * `UMZUG_TENANTS_FUZZ=10000` runs so many pairs; without it as many of 300 as a minute allows.
 */
import fc from 'fast-check'
import * as assert from 'uvu/assert'

import { testDatabase } from '../support/database.ts'
import { suite } from '../support/suite.ts'
import { listingOf } from './support/listing.ts'
import { defineRandom, randomModels, type RandomModels } from './support/random.ts'
import { workbench } from './support/workbench.ts'

const test = suite('autogenerate/properties')
const database = testDatabase(test)
const open = workbench(test, database)

const wanted = process.env['UMZUG_TENANTS_FUZZ']
const seed = process.env['UMZUG_TENANTS_FUZZ_SEED']

async function check(before: RandomModels, after: RandomModels): Promise<void> {
  const bench = await open()
  const schema = await bench.make(defineRandom(before))
  const other = await bench.make(defineRandom(after))
  try {
    const list = (name: string) => listingOf(bench.session, name)
    const [start, end] = [await list(schema), await list(other)]
    const compared = await bench.compare(defineRandom(after), schema)
    assert.equal(compared.problems, [])
    if (compared.differences.length === 0) {
      assert.equal(start, end)
      return
    }
    const files = await bench.generate(compared)
    await bench.run(schema, files, 'up')
    assert.equal(await list(schema), end)
    await bench.run(schema, files, 'down')
    assert.equal(await list(schema), start)
  } finally {
    await bench.drop(schema, other)
  }
}

test('any models lead to any others and back', async () => {
  let pairs = 0
  const property = fc.asyncProperty(randomModels, randomModels, async (before, after) => {
    pairs++
    await check(before, after)
  })
  await fc.assert(property, {
    numRuns: Number(wanted ?? 300),
    endOnFailure: wanted === undefined && seed === undefined,
    includeErrorInReport: true,
    ...(seed === undefined ? {} : { seed: Number(seed) }),
    ...(wanted === undefined ? { interruptAfterTimeLimit: 60_000 } : {}),
  })
  console.log(`    ${pairs} pairs`)
})

test.run()
