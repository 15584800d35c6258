/**
 * `npm run stress [-- --operations N] [--tenants N] [--pgbouncer] [--server URL] [--kill-every MS]`: the long form of
 * test/stress.test.ts, on the embedded server, on the one at UMZUG_TENANTS_OTHER_SERVER if that is set, and with
 * `--pgbouncer` through PgBouncer in transaction mode before each of them; `--server` names the only one instead. Writes
 * what it found into docs/benchmarks.md and exits 1 if a single read was wrong.
 */
import { parseArgs } from 'node:util'

import { startPostgres } from '../lib/testing/postgres.ts'
import { query, withDatabase } from '../test/support/database.ts'
import { hasPgBouncer, startPgBouncer } from '../test/support/pgbouncer.ts'
import { createStressSchemas, stress, type StressOptions } from '../test/support/stress.ts'
import { record } from './document.ts'

const { values } = parseArgs({
  options: {
    operations: { type: 'string', default: '100000' },
    tenants: { type: 'string', default: '200' },
    'kill-every': { type: 'string', default: '400' },
    pgbouncer: { type: 'boolean', default: false },
    server: { type: 'string' },
  },
})
const operations = Number(values.operations)
const tenants = Number(values.tenants)
const killEveryMs = Number(values['kill-every'])
if (values.pgbouncer && !hasPgBouncer) {
  console.error('pgbouncer is not installed: apt-get install pgbouncer, or leave out --pgbouncer')
  process.exit(2)
}

/** Server connections of the pooler: a nested operation holds two, and the pool of the stress is ten. */
const POOLER_CONNECTIONS = 14

let wrong = 0
const rows: string[] = []
const embedded = await startPostgres({ url: values.server })
try {
  await stressServer(embedded.url)
  const other = process.env['UMZUG_TENANTS_OTHER_SERVER']
  if (other !== undefined && values.server === undefined) await stressServer(other)
  await record('stress', embedded.url, [
    '| PostgreSQL | PgBouncer | namespace of Sequelize CLS | operations | tenants | kills | ended with an error | wrong reads |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
  ])
} finally {
  await embedded.stop()
}
process.exit(wrong === 0 ? 0 : 1)

async function stressServer(serverUrl: string): Promise<void> {
  const name = `umzug_stress_${process.pid}`
  const url = withDatabase(serverUrl, name)
  const [server] = await query<{ server_version: string }>(serverUrl, 'SHOW server_version')
  const version = server?.server_version ?? '?'
  await query(serverUrl, `CREATE DATABASE ${name}`)
  try {
    await createStressSchemas(url, tenants)
    await stressUrl(url, url, version, false)
    if (!values.pgbouncer) return
    const pooler = await startPgBouncer(url, { mode: 'transaction', poolSize: POOLER_CONNECTIONS })
    try {
      await stressUrl(pooler.url(url), url, version, true)
    } finally {
      await pooler.stop()
    }
  } finally {
    await query(serverUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
  }
}

async function stressUrl(url: string, killUrl: string, version: string, pooled: boolean): Promise<void> {
  for (const namespace of ['AsyncLocalStorage', 'cls-hooked'] as const) {
    for (const every of new Set([0, killEveryMs])) {
      await stressOnce(
        { url, killUrl, pooled, namespace, killEveryMs: every, operations, tenants, binding: 'product' },
        version,
      )
    }
  }
}

async function stressOnce(options: StressOptions, version: string): Promise<void> {
  const { namespace, pooled = false, killEveryMs: every } = options
  const startedAt = performance.now()
  const report = await stress(options)
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0)
  const failed = Object.values(report.errors).reduce((sum, count) => sum + count, 0)
  wrong += report.wrong.length
  console.log(version, namespace, {
    pooled,
    killEveryMs: every,
    operations,
    wrong: report.wrong.length,
    failed,
    seconds,
  })
  if (report.wrong.length > 0) console.error(report.wrong.slice(0, 10))
  if (every === 0 && failed > 0) console.error(report.errors)
  const kills = every === 0 ? 'none' : `one backend every ${every} ms`
  const pooler = pooled ? 'transaction mode' : 'no'
  rows.push(
    `| ${version} | ${pooler} | ${namespace} | ${operations} | ${tenants} | ${kills} | ${failed} | **${report.wrong.length}** |`,
  )
}
