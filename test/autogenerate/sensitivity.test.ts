/** Every single change of a schema is seen, by fingerprint and by comparison, and only where it is asked for. */
import * as assert from 'uvu/assert'

import { compare } from '../../lib/autogenerate/compare.ts'
import { fingerprintOf } from '../../lib/autogenerate/fingerprint.ts'
import type { Snapshot } from '../../lib/autogenerate/snapshot.ts'
import { testDatabase } from '../support/database.ts'
import { RICH_SCHEMA } from '../support/rich-schema.ts'
import { inWords, testSchemas } from '../support/schemas.ts'
import { suite } from '../support/suite.ts'
import { OF_MODELS, OF_TENANTS } from './mutations.ts'

const test = suite('sensitivity')
const schemas = testSchemas(test, testDatabase(test))

let original: Snapshot
let fingerprint: string

test.before(async () => {
  await schemas.make('rich', RICH_SCHEMA)
  original = await schemas.read('rich')
  fingerprint = await fingerprintOf(schemas, 'rich')
})

/** The rich schema and its fingerprint after `statements`, which are undone. */
async function after(statements: string): Promise<{ changed: Snapshot; changedFingerprint: string }> {
  await schemas.query('BEGIN')
  try {
    await schemas.change('rich', statements)
    return { changed: await schemas.read('rich'), changedFingerprint: await fingerprintOf(schemas, 'rich') }
  } finally {
    await schemas.query('ROLLBACK')
  }
}

for (const statements of OF_MODELS) {
  test(`seen by models and tenants: ${statements}`, async () => {
    const { changed, changedFingerprint } = await after(statements)
    assert.ok(compare(original, changed).length > 0, 'against models')
    assert.ok(compare(original, changed, { strict: true }).length > 0, 'against a tenant')
    assert.is.not(changedFingerprint, fingerprint)
  })
}

for (const statements of OF_TENANTS) {
  test(`seen by tenants only: ${statements}`, async () => {
    const { changed, changedFingerprint } = await after(statements)
    assert.equal(inWords(compare(original, changed)), [], 'against models')
    assert.ok(compare(original, changed, { strict: true }).length > 0, 'against a tenant')
    assert.is.not(changedFingerprint, fingerprint)
  })
}

test('without a change nothing is seen', async () => {
  const { changed, changedFingerprint } = await after('SELECT 1')
  assert.equal(compare(original, changed, { strict: true }), [])
  assert.equal(changed, original)
  assert.is(changedFingerprint, fingerprint)
})

test('another schema made of the same statements has the same fingerprint', async () => {
  await schemas.make('We"ird, Name', RICH_SCHEMA)
  assert.is(await fingerprintOf(schemas, 'We"ird, Name'), fingerprint)
  assert.equal(compare(original, await schemas.read('We"ird, Name'), { strict: true }), [])
  await schemas.query('DROP SCHEMA "We""ird, Name" CASCADE')
})

test.run()
