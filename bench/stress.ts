/**
 * `npm run stress [-- --operations N] [--tenants N]`: the long form of test/stress.test.ts. Writes what it found
 * into docs/benchmarks.md and exits 1 if a single read was wrong.
 */
import { parseArgs } from 'node:util'

import { startPostgres } from '../lib/testing/postgres.ts'
import { query, withDatabase } from '../test/support/database.ts'
import { createStressSchemas, stress } from '../test/support/stress.ts'
import { record } from './document.ts'

const { values } = parseArgs({
  options: { operations: { type: 'string', default: '100000' }, tenants: { type: 'string', default: '200' } },
})
const operations = Number(values.operations)
const tenants = Number(values.tenants)

const server = await startPostgres()
const name = `umzug_stress_${process.pid}`
const url = withDatabase(server.url, name)
let wrong = 0
try {
  await query(server.url, `CREATE DATABASE ${name}`)
  await createStressSchemas(url, tenants)
  const rows: string[] = []
  for (const namespace of ['AsyncLocalStorage', 'cls-hooked'] as const) {
    for (const killEveryMs of [0, 400]) {
      const startedAt = performance.now()
      const report = await stress({ url, operations, tenants, namespace, binding: 'product', killEveryMs })
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(0)
      const failed = Object.values(report.errors).reduce((sum, count) => sum + count, 0)
      wrong += report.wrong.length
      console.log(namespace, { killEveryMs, operations, wrong: report.wrong.length, failed, seconds })
      if (report.wrong.length > 0) console.error(report.wrong.slice(0, 10))
      if (killEveryMs === 0 && failed > 0) console.error(report.errors)
      const kills = killEveryMs === 0 ? 'none' : `one backend every ${killEveryMs} ms`
      rows.push(
        `| ${namespace} | ${operations} | ${tenants} | ${kills} | ${failed} | **${report.wrong.length}** |`,
      )
    }
  }
  await record('stress', server.url, [
    '| namespace of Sequelize CLS | operations | tenants | kills | ended with an error | wrong reads |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
  ])
} finally {
  await query(server.url, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
  await server.stop()
}
process.exit(wrong === 0 ? 0 : 1)
