/**
 * Random pairs of models: the migration from the first to the second, run for good, makes what the second's own models
 * make, by another listing than the library's; its way back leads to the start. It is split into files, so that they
 * run side by side.
 *
 * `UMZUG_TENANTS_FUZZ=10000` runs so many pairs, with other seeds each time; `UMZUG_TENANTS_FUZZ_SEED` names one.
 */
import fc from 'fast-check'
import * as assert from 'uvu/assert'

import type { TestDatabase } from '../../support/database.ts'
import type { Suite } from '../../support/suite.ts'
import { listingOf } from './listing.ts'
import { defineRandom, randomPair, type RandomPair } from './random.ts'
import { workbench, type Workbench } from './workbench.ts'

/** How many pairs a file runs. */
export interface Share {
  /** Of the tests. */
  readonly pairs: number
  /** Of `UMZUG_TENANTS_FUZZ`. */
  readonly part: number
  /** Of the tests: the same pairs each time, so that what has passed passes. */
  readonly seed: number
}

const wanted = process.env['UMZUG_TENANTS_FUZZ']
const givenSeed = process.env['UMZUG_TENANTS_FUZZ_SEED']

/** `property` holds for as many random values as the share says: for fewer it fails. */
export async function overMany<T>(
  arbitrary: fc.Arbitrary<T>,
  { pairs, part, seed }: Share,
  property: (value: T) => Promise<void>,
): Promise<void> {
  const numRuns = wanted === undefined ? pairs : Math.ceil(Number(wanted) * part)
  const isFuzz = wanted !== undefined || givenSeed !== undefined
  let count = 0
  const counted = fc.asyncProperty(arbitrary, async (value) => {
    count++
    await property(value)
  })
  const start = performance.now()
  await fc.assert(counted, {
    numRuns,
    // To make a failure smaller takes a while.
    endOnFailure: !isFuzz,
    includeErrorInReport: true,
    ...(givenSeed === undefined ? (isFuzz ? {} : { seed }) : { seed: Number(givenSeed) }),
  })
  assert.ok(count >= numRuns, `only ${count} of ${numRuns} pairs`)
  console.log(`    ${count} pairs, ${Math.round((performance.now() - start) / count)} ms each`)
}

export function provePairs(test: Suite, database: TestDatabase, share: Share): void {
  const open = workbench(test, database)
  test('any models lead to any others and back', async () => {
    const bench = await open()
    const format = fc.constantFrom('mjs' as const, 'sql' as const)
    await overMany(fc.record({ pair: randomPair, format }), share, ({ pair, format: chosen }) =>
      leadsThereAndBack(bench, pair, chosen),
    )
  })
}

async function leadsThereAndBack(
  bench: Workbench,
  { before, after }: RandomPair,
  format: 'mjs' | 'sql',
): Promise<void> {
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
    const files = await bench.generate(compared, {}, format)
    await bench.loading(schema, files, async ({ up, down }) => {
      await up()
      assert.equal(await list(schema), end)
      await down()
      assert.equal(await list(schema), start)
    })
  } finally {
    await bench.drop(schema, other)
  }
}
