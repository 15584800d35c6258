/**
 * `npm test [PATTERN]`: one PostgreSQL for the whole run, every `test/**\/*.test.ts` whose path matches, and a
 * last look that nothing was left behind. Ends with `N passed, N failed`.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { basename, relative } from 'node:path'

import { parse } from 'uvu/parse'
import { run } from 'uvu/run'

import { startPostgres } from '../../lib/testing/postgres.ts'
import { DATABASE_PREFIX, query, useServerForTests } from './database.ts'

// Before anything imports uvu: with it the suites wait for run() instead of starting by themselves.
Object.assign(globalThis, { UVU_DEFER: 1 })
const { results } = await import('./suite.ts')

const testDir = new URL('..', import.meta.url).pathname
const pattern = process.argv[2] ?? ''

const server = await startPostgres()
useServerForTests(server.url)
process.env['NODE_ENV'] = 'test'
try {
  const before = await leftBehind()
  const { suites } = await parse(testDir, '\\.test\\.ts$')
  const wanted = suites.filter(({ file }) => relative(testDir, file).includes(pattern))
  for (const { file } of wanted.filter(isAlone)) await runAlone(file)
  await run(wanted.filter((suite) => !isAlone(suite)))
  const after = (await leftBehind()).filter((name) => !before.includes(name))
  if (after.length > 0) {
    results.failed++
    console.error(`  FAIL  databases were left behind: ${after.join(', ')}`)
  }
} finally {
  await server.stop()
}
if (results.passed === 0 && results.failed === 0) console.error(`no test matches "${pattern}"`)
console.log(`${results.passed} passed, ${results.failed} failed`)
process.exit(results.failed === 0 && results.passed > 0 ? 0 : 1)

/**
 * The stress has a process of its own: a cls-hooked namespace that another suite has made slows every promise of
 * its process several times, for good.
 */
function isAlone({ file }: { readonly file: string }): boolean {
  return basename(file) === 'stress.test.ts'
}

async function runAlone(file: string): Promise<void> {
  // Not spawnSync: a parent that does not read the log of its embedded server stalls the server.
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), file], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, FORCE_COLOR: '0' }, // its counts are read from its output
  })
  let stdout = ''
  child.stdout.on('data', (chunk) => {
    stdout += String(chunk)
    process.stdout.write(String(chunk))
  })
  await once(child, 'close')
  const count = (what: string) => Number(new RegExp(`${what}:\\D*(\\d+)`).exec(stdout)?.[1] ?? 0)
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
