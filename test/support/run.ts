/**
 * `npm test [PATTERN …]`: one PostgreSQL for the whole run, every `test/**\/*.test.ts` that has one of them in its path,
 * some of them in a process and as many processes as there are cores, and a last look that nothing was left behind.
 * Ends with `N passed, N failed`.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'

import { startPostgres } from '../../lib/testing/postgres.ts'
import { DATABASE_PREFIX, query, useServerForTests } from './database.ts'
import { build, useBuiltLibrary } from './project.ts'

/** More would be more than one server takes: some files open a hundred connections. */
const MOST_AT_ONCE = 4

/** Half of what most files take is starting Node, tsx and Sequelize; to the end they are dealt out in smaller parts. */
const MOST_TOGETHER = 12

const testDir = new URL('..', import.meta.url).pathname
const patterns = process.argv.slice(2)
const results = { passed: 0, failed: 0 }

const names = (await readdir(testDir, { recursive: true })).filter((name) => name.endsWith('.test.ts'))
const isWanted = (name: string) => patterns.length === 0 || patterns.some((pattern) => name.includes(pattern))
const wanted = names.filter(isWanted).toSorted()
if (wanted.length === 0) console.error(`no test matches ${patterns.join(' ')}`)

const startedAt = performance.now()
const server = await startPostgres()
// A password costs its server thousands of rounds of hashing, for each of thousands of connections.
if (!process.env['DATABASE_URL'])
  await query(server.url, `SET scram_iterations = 1; ALTER ROLE postgres PASSWORD 'postgres'`)
useServerForTests(server.url)
process.env['NODE_ENV'] = 'test'
try {
  if (wanted.length > 1) {
    build()
    useBuiltLibrary()
  }
  const before = await leftBehind()
  const workers = Math.min(MOST_AT_ONCE, availableParallelism())
  const { alone, together } = await divide(wanted)
  const next = () =>
    alone.length > 0
      ? alone.splice(0, 1)
      : together.splice(0, Math.min(MOST_TOGETHER, Math.ceil(together.length / (3 * workers))))
  const work = async () => {
    for (let files = next(); files.length > 0; files = next()) await runFiles(files)
  }
  await Promise.all(Array.from({ length: workers }, work))
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

/** A cls-hooked namespace slows every promise of its process for good: whoever makes one is alone in it. */
async function divide(files: readonly string[]): Promise<Record<'alone' | 'together', string[]>> {
  const alone: string[] = []
  const together: string[] = []
  for (const name of files) {
    const text = await readFile(join(testDir, name), 'utf8')
    ;(text.includes('cls-hooked') ? alone : together).push(name)
  }
  return { alone, together }
}

/** Runs `files` in one process, one after another. */
async function runFiles(files: readonly string[]): Promise<void> {
  const script = join(testDir, 'support/files.ts')
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), script, ...files], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, FORCE_COLOR: '0' }, // its counts are read from its output
  })
  let printed = ''
  // Read while it runs: a parent that does not would stall it.
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (printed += String(chunk)))
  await once(child, 'close')
  console.log(`\n${printed.trim()}`)
  const count = (what: string) => Number(new RegExp(`^ {2}${what}:\\D*(\\d+)`, 'm').exec(printed)?.[1] ?? 0)
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
