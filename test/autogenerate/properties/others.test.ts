/** What is true of any migration beside that it leads there and back, over random pairs of models. */
import * as assert from 'uvu/assert'

import { fingerprintOf } from '../../../lib/autogenerate/fingerprint.ts'
import { catalogOf } from '../../support/catalog.ts'
import { testDatabase } from '../../support/database.ts'
import { suite } from '../../support/suite.ts'
import { overMany } from '../support/pairs.ts'
import { defineRandom, randomPair, type RandomModels } from '../support/random.ts'
import { workbench } from '../support/workbench.ts'

const test = suite('autogenerate/properties: others')
const database = testDatabase(test)
const open = workbench(test, database)

/** The same models, defined in another order. */
function turned(models: RandomModels): RandomModels {
  return models.toReversed()
}

test('models are no difference to what they have made, in whatever order they are defined', async () => {
  const bench = await open()
  await overMany(randomPair, { pairs: 30, part: 0.05, seed: 1 }, async ({ before }) => {
    // A foreign key names its target by place.
    const models = before.map((table) => ({ ...table, refersTo: undefined }))
    const schema = await bench.make(defineRandom(models))
    assert.equal((await bench.compare(defineRandom(turned(models)), schema)).differences, [])
    await bench.drop(schema)
  })
})

test('the same pair gives the same bytes, and they name no schema', async () => {
  const bench = await open()
  await overMany(randomPair, { pairs: 15, part: 0.05, seed: 2 }, async ({ before, after }) => {
    const schemas = [await bench.make(defineRandom(before)), await bench.make(defineRandom(before))]
    const texts: string[] = []
    for (const schema of schemas) {
      const files = await bench.generate(await bench.compare(defineRandom(after), schema))
      texts.push(files.map(({ name, text }) => name + text).join('\n'))
    }
    assert.is(texts[0], texts[1])
    assert.not.match(texts[0] ?? '', /\bmade\d|umzug_tenants_/)
    await bench.drop(...schemas)
  })
})

test('two tenants after one migration have one fingerprint, and nothing else has changed', async () => {
  const bench = await open()
  await overMany(randomPair, { pairs: 15, part: 0.05, seed: 3 }, async ({ before, after }) => {
    const [one, other] = [await bench.make(defineRandom(before)), await bench.make(defineRandom(before))]
    const elsewhere = async () => (await catalogOf(database)).filter((line) => !line.includes(one))
    const start = await elsewhere()
    const files = await bench.generate(await bench.compare(defineRandom(after), one))
    await bench.run(one, files, 'up')
    assert.equal(await elsewhere(), start)
    await bench.run(other, files, 'up')
    assert.is(await fingerprintOf(bench.session, one), await fingerprintOf(bench.session, other))
    // A second migration would have nothing to say.
    assert.equal((await bench.compare(defineRandom(after), other)).differences, [])
    await bench.drop(one, other)
  })
})

test.run()
