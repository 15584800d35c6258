/**
 * `npm run bench [-- NAME]`: runs the benchmarks, or one of them, on one server, and writes what they found into
 * docs/benchmarks.md between the marks of its section.
 */
import { startPostgres } from '../lib/testing/postgres.ts'
import { query, withDatabase } from '../test/support/database.ts'
import { benchCli } from './cli.ts'
import { benchAutogenerate } from './autogenerate.ts'
import { record } from './document.ts'
import { benchGate } from './gate.ts'
import { benchRequest } from './request.ts'

const BENCHMARKS: Readonly<Record<string, (url: string) => Promise<string[]>>> = {
  request: benchRequest,
  gate: benchGate,
  cli: benchCli,
  autogenerate: benchAutogenerate,
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !(name in BENCHMARKS))
if (unknown.length > 0) {
  console.error(
    `no benchmark is called ${unknown.join(', ')}; there are: ${Object.keys(BENCHMARKS).join(', ')}`,
  )
  process.exit(2)
}

const server = await startPostgres()
try {
  for (const [name, bench] of Object.entries(BENCHMARKS)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue
    const lines = await onOwnDatabase(server.url, bench)
    console.log(lines.join('\n'))
    await record(name, server.url, lines)
  }
} finally {
  await server.stop()
}

async function onOwnDatabase<T>(serverUrl: string, fn: (url: string) => Promise<T>): Promise<T> {
  const name = `umzug_bench_${process.pid}`
  await query(serverUrl, `CREATE DATABASE ${name}`)
  try {
    return await fn(withDatabase(serverUrl, name))
  } finally {
    await query(serverUrl, `DROP DATABASE ${name} WITH (FORCE)`)
  }
}
