/**
 * `npm test [PATTERN …]`: one PostgreSQL for the whole run, every `test/**\/*.test.ts` that has one of them in its path,
 * each in a process of its own and as many at once as there are cores, and a last look that nothing was left behind.
 * Ends with `N passed, N failed`.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'

import { startPostgres } from '../../lib/testing/postgres.ts'
import { DATABASE_PREFIX, query, useServerForTests } from './database.ts'
import { build, useBuiltLibrary } from './project.ts'

/** More would be more than one server takes: some files open a hundred connections. */
const MOST_AT_ONCE = 4

const testDir = new URL('..', import.meta.url).pathname
const patterns = process.argv.slice(2)
const results = { passed: 0, failed: 0 }

const names = (await readdir(testDir, { recursive: true })).filter((name) => name.endsWith('.test.ts'))
const isWanted = (name: string) => patterns.length === 0 || patterns.some((pattern) => name.includes(pattern))
const wanted = names.filter(isWanted).toSorted()
if (wanted.length === 0) console.error(`no test matches ${patterns.join(' ')}`)

const startedAt = performance.now()
const server = await startPostgres()
useServerForTests(server.url)
process.env['NODE_ENV'] = 'test'
try {
  if (wanted.length > 1) {
    build()
    useBuiltLibrary()
  }
  const before = await leftBehind()
  const queue = wanted.values()
  const work = async () => {
    for (const name of queue) await runFile(name)
  }
  await Promise.all(Array.from({ length: Math.min(MOST_AT_ONCE, availableParallelism()) }, work))
  const after = (await leftBehind()).filter((name) => !before.includes(name))
  if (after.length > 0) {
    results.failed++
    console.error(`  FAIL  databases were left behind: ${after.join(', ')}`)
  }
} finally {
  await server.stop()
}
console.log(`\n${Math.round((performance.now() - startedAt) / 1000)} s`)
console.log(`${results.passed} passed, ${results.failed} failed`)
process.exit(results.failed === 0 && results.passed > 0 ? 0 : 1)

/**
 * A process for each file: what one leaves behind, such as a cls-hooked namespace, which slows every promise of its
 * process for good, is no matter to the next.
 */
async function runFile(name: string): Promise<void> {
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), join(testDir, name)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, FORCE_COLOR: '0' }, // its counts are read from its output
  })
  let printed = ''
  // Read while it runs: a parent that does not would stall it.
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (printed += String(chunk)))
  await once(child, 'close')
  console.log(`\n${name}\n${printed.trim()}`)
  const count = (what: string) => Number(new RegExp(`${what}:\\D*(\\d+)`).exec(printed)?.[1] ?? 0)
  const failed = count('Total') - count('Passed')
  results.passed += count('Passed')
  results.failed += failed === 0 && child.exitCode !== 0 ? 1 : failed
}

async function leftBehind(): Promise<string[]> {
  const rows = await query<{ datname: string }>(
    server.url,
    'SELECT datname FROM pg_database WHERE starts_with(datname, $1)',
    [DATABASE_PREFIX],
  )
  return rows.map(({ datname }) => datname)
}
