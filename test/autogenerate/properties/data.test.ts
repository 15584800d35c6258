/**
 * Random rows in random models: a step that fails, or that loses a value, has said that it may. Each operation is done
 * for itself, so that it is its own word that counts.
 */
import fc from 'fast-check'
import * as assert from 'uvu/assert'

import type { Assessed } from '../../../lib/autogenerate/operation.ts'
import { sqlOf } from '../../../lib/autogenerate/sql.ts'
import { messageOf } from '../../../lib/errors.ts'
import { testDatabase, type TestDatabase } from '../../support/database.ts'
import { onOtherServer } from '../../support/other-server.ts'
import { suite, type Suite } from '../../support/suite.ts'
import { overMany, type Share } from '../support/pairs.ts'
import { defineRandom, randomPair, type RandomPair } from '../support/random.ts'
import { announcedBy, contentOf, insertsOf, lossesOf, type Content } from '../support/rows.ts'
import { workbench, type Workbench } from '../support/workbench.ts'

const test = suite('autogenerate/properties: data')
prove(test, testDatabase(test), { pairs: 120, part: 0.2, seed: 1 })
test.run()

const other = suite('autogenerate/properties: data on another server')
onOtherServer(other, (of, database) => prove(of, database, { pairs: 30, part: 0.2, seed: 2 }))
other.run()

function prove(of: Suite, database: TestDatabase, share: Share): void {
  const open = workbench(of, database)
  of('no statement fails and no value is lost that was not announced', async () => {
    const bench = await open()
    const counts = { kept: 0, refused: 0 }
    const arbitrary = fc.record({ pair: randomPair, seed: fc.nat(1_000_000) })
    await overMany(arbitrary, share, async ({ pair, seed }) => {
      counts[(await areAnnounced(bench, pair, seed)) ? 'kept' : 'refused']++
    })
    // Neither would be a proof of anything.
    assert.ok(counts.kept > 3 && counts.refused > 3, JSON.stringify(counts))
  })
}

/** @returns whether both ways could be gone with these rows. */
async function areAnnounced(bench: Workbench, { before, after }: RandomPair, seed: number): Promise<boolean> {
  const schema = await bench.make(defineRandom(before), { sql: insertsOf(before, seed).join(';\n') })
  try {
    const compared = await bench.compare(defineRandom(after), schema)
    const { up, down } = await bench.way(compared)
    return await bench.within(schema, async () => {
      const start = await contentOf(bench.session)
      const there = await step(bench, up, start)
      return there !== undefined && (await step(bench, down, there)) !== undefined
    })
  } finally {
    await bench.drop(schema)
  }
}

/** What is there after the operations; nothing if one has failed as it had said. */
async function step(
  { session }: Workbench,
  operations: readonly Assessed[],
  before: Content,
): Promise<Content | undefined> {
  for (const { operation, hazards } of operations) {
    const failure = await session
      .undoable(async () => {
        for (const text of sqlOf(operation)) await session.query(text)
      })
      .then(
        () => undefined,
        (error: unknown) => messageOf(error),
      )
    if (failure === undefined) continue
    assert.ok(
      hazards.some(({ kind }) => kind === 'may-fail'),
      `${failure}: ${sqlOf(operation).join('; ')}`,
    )
    return undefined
  }
  const after = await contentOf(session)
  assert.equal(await lossesOf(session, before, after, announcedBy(operations)), [])
  return after
}
