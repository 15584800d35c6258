import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import * as assert from 'uvu/assert'

import { describeHealth, type HealthGroup } from '../lib/health.ts'
import { health } from '../lib/middleware/health.ts'
import { fingerprintOf } from '../lib/migrations/revision.ts'
import { createTenancy, type Tenancy } from '../lib/tenancy.ts'
import { testDatabase } from './support/database.ts'
import { thrownBy } from './support/failure.ts'
import { request, type Answer } from './support/http.ts'
import { suite } from './support/suite.ts'
import { createTable, newId, testTenancies } from './support/tenancies.ts'

const test = suite('health')
const database = testDatabase(test)
const tenancyWith = testTenancies(test, database)

const names = ['1_a.sql', '2_b.sql', '3_c.sql']

/** Tenants that have had these migrations. */
function group(
  executed: readonly string[],
  count: number,
  state: HealthGroup['state'] = 'migrated',
): HealthGroup {
  return { state, count, head: executed.at(-1) ?? null, fingerprint: fingerprintOf(executed) }
}

const created: HealthGroup = { state: 'created', head: null, fingerprint: null, count: 2 }

for (const [what, groups, expected] of [
  ['no tenants', [], { status: 'ok', tenants: 0, behind: 0, failing: 0 }],
  ['all at head', [group(names, 5)], { status: 'ok', tenants: 5, behind: 0, failing: 0 }],
  [
    'some lack the last',
    [group(names, 5), group(names.slice(0, 2), 3)],
    { status: 'behind', tenants: 8, behind: 3, failing: 0 },
  ],
  ['some were never upgraded', [created], { status: 'behind', tenants: 2, behind: 2, failing: 0 }],
  [
    'a gap',
    [group(['1_a.sql', '2_x.sql', '2_b.sql'], 1)],
    { status: 'behind', tenants: 1, behind: 1, failing: 0 },
  ],
  ['one ahead', [group([...names, '4_d.sql'], 1)], { status: 'ok', tenants: 1, behind: 0, failing: 0 }],
  [
    'one failing',
    [group(names, 1), created, group(['1_a.sql'], 1, 'failed')],
    { status: 'failing', tenants: 4, behind: 2, failing: 1 },
  ],
  [
    'one that failed and is at head',
    [group(names, 1, 'failed')],
    { status: 'ok', tenants: 1, behind: 0, failing: 0 },
  ],
] as const) {
  test(`health of a fleet: ${what}`, () =>
    assert.equal(describeHealth(names, groups), { head: '3_c.sql', ...expected }))
}

/** What the handler answers. */
async function answerOf(tenancy: Tenancy): Promise<Answer> {
  const server = createServer(health(tenancy)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    return await request({ port: (server.address() as AddressInfo).port }) // a TCP server's address
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

test('the handler answers 200 with the report, whatever becomes of single tenants, from one query', async () => {
  const tenancy = await tenancyWith(createTable('1_a', 'a'))
  const none = await answerOf(tenancy)
  assert.equal(
    [none.status, none.json()],
    [200, { status: 'ok', head: '1_a.sql', tenants: 0, behind: 0, failing: 0 }],
  )
  await tenancy.provision({ id: newId() })
  await tenancy.provision({ id: newId(), up: false })
  const behind = await answerOf(tenancy)
  assert.equal(
    [behind.status, behind.json()],
    [200, { status: 'behind', head: '1_a.sql', tenants: 2, behind: 1, failing: 0 }],
  )
  const broken = await tenancyWith({ ...createTable('1_a', 'a'), '2_b.sql': 'SELECT nonsense' })
  const id = newId()
  await broken.provision({ id, up: false })
  await thrownBy(() => broken.run(id, () => undefined))
  assert.equal(await broken.health(), {
    status: 'failing',
    head: '2_b.sql',
    tenants: 3,
    behind: 2,
    failing: 1,
  })
})

test('O72 a ledger that cannot be read is answered 503 with a code alone', async () => {
  const unreachable = createTenancy({ url: 'postgres://u:canary@127.0.0.1:1/none' })
  const answer = await answerOf(unreachable)
  assert.equal(
    [answer.status, answer.json()],
    [503, { status: 'unknown', error: { code: 'DATABASE_UNREACHABLE' } }],
  )
  await unreachable.close()
})

test.run()
