import * as assert from 'uvu/assert'

import { testDatabase } from './support/database.ts'
import { createStressSchemas, stress } from './support/stress.ts'
import { suite } from './support/suite.ts'

const TENANTS = 200

const test = suite('stress')
const database = testDatabase(test)

test.before(() => createStressSchemas(database.url, TENANTS))

// First: after cls-hooked every promise of this process is slower.
test('the stress catches a binding that remembers the path', async () => {
  const report = await stress({
    url: database.url,
    operations: 500,
    tenants: 5,
    namespace: 'AsyncLocalStorage',
    binding: 'memo',
    killEveryMs: 0,
  })
  assert.ok(report.wrong.length > 0)
})

for (const namespace of ['AsyncLocalStorage', 'cls-hooked'] as const) {
  test(`10,000 mixed operations on ${TENANTS} tenants read no other tenant's row (${namespace})`, async () => {
    const report = await stress({
      url: database.url,
      operations: 10_000,
      tenants: TENANTS,
      namespace,
      binding: 'product',
      killEveryMs: 0,
    })
    assert.equal(report.wrong, [])
    assert.equal(report.errors, {})
  })

  test(`killed backends make errors, not wrong reads (${namespace})`, async () => {
    const report = await stress({
      url: database.url,
      operations: 1500,
      tenants: TENANTS,
      namespace,
      binding: 'product',
      killEveryMs: 100,
    })
    assert.equal(report.wrong, [])
    assert.ok(Object.values(report.done).reduce((sum, count) => sum + count, 0) > 1250)
  })
}

test.run()
