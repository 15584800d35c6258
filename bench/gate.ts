/** What the gate costs a request whose tenant is at head: time, promises, statements. */
import { createHook } from 'node:async_hooks'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { Sequelize } from 'sequelize'

import { tenantMigrations } from '../lib/middleware/express.ts'
import { createTenancy, type Tenancy } from '../lib/tenancy.ts'
import { median, tableOf } from './statistics.ts'

const TENANTS = 500
const ROUNDS = 21
const CHECKS = 100_000

const schemaOf = (index: number) => `t_${index}`
const hostOf = (index: number) => `t-${index}.example.com`

export async function benchGate(url: string): Promise<string[]> {
  const baseDir = await mkdtemp(join(tmpdir(), 'umzug-tenants-bench-'))
  let statements = 0
  const sequelize = new Sequelize(url, { logging: () => void statements++ })
  const tenancy = createTenancy({ sequelize, lazy: { recheckMs: 600_000 } }, { baseDir })
  try {
    await writeFile(join(baseDir, 'umzug-tenants.config.mjs'), 'export default {}')
    for (let index = 0; index < TENANTS; index++) {
      await tenancy.provision({ id: schemaOf(index), host: hostOf(index) })
    }
    for (let index = 0; index < TENANTS; index++) {
      await tenancy.run(schemaOf(index), () => undefined)
      await tenancy.find({ host: hostOf(index) })
    }
    const checks = await checksOf(tenancy)
    const rows = Object.entries(checks).map(([name, check]) => {
      const before = statements
      const { nanoseconds, promises } = measure(check)
      return [name, nanoseconds.toFixed(0), String(promises), String(statements - before)]
    })
    return [
      `${TENANTS} tenants at head, asked for in turns; medians of ${ROUNDS} rounds of ${CHECKS}.`,
      '',
      ...tableOf(['check', 'ns', 'promises', 'statements'], rows),
    ]
  } finally {
    await tenancy.close()
    await sequelize.close()
    await rm(baseDir, { recursive: true })
  }
}

async function checksOf(tenancy: Tenancy): Promise<Readonly<Record<string, (index: number) => void>>> {
  const middleware = tenantMigrations(tenancy)
  const requests = Array.from({ length: TENANTS }, (_, index) => ({ headers: { host: hostOf(index) } }))
  const queries = Array.from({ length: TENANTS }, (_, index) => ({ host: hostOf(index) }))
  const passed = () => undefined
  // The first request waits for the tenancy.
  await new Promise((resolve) => middleware(requests[0] as never, {} as never, resolve))
  return {
    'a function that does nothing': passed,
    'look-up by host, and whether it is at head': (index) => {
      if (tenancy.readyTenant(queries[index] ?? {}) === undefined) throw new Error('the tenant is not ready')
    },
    'the middleware of Express, up to the next one': (index) => {
      middleware(requests[index] as never, {} as never, passed) // all that the middleware looks at
    },
  }
}

/** Time of one check, and promises of all of them. */
function measure(check: (index: number) => void): { nanoseconds: number; promises: number } {
  let promises = 0
  const hook = createHook({ init: (_id, type) => void (type === 'PROMISE' && promises++) }).enable()
  for (let index = 0; index < TENANTS; index++) check(index)
  hook.disable()
  const rounds = Array.from({ length: ROUNDS }, () => {
    const startedAt = performance.now()
    for (let count = 0; count < CHECKS; count++) check(count % TENANTS)
    return ((performance.now() - startedAt) / CHECKS) * 1e6
  })
  return { nanoseconds: median(rounds), promises }
}
