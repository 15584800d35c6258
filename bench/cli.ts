/**
 * What a command costs its user in waiting: each is started again and again, by turns, beside a process of Node that
 * does nothing and beside sequelize-cli.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { median, tableOf } from './statistics.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const CLI = join(ROOT, 'dist/cli/main.js')
const SEQUELIZE_CLI = join(ROOT, 'node_modules/sequelize-cli/lib/sequelize')
const ROUNDS = 15

const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  'node, nothing': ['-e', '0'],
  '--version': [CLI, '--version'],
  '--help': [CLI, '--help'],
  'up --help': [CLI, 'up', '--help'],
  'status --tenant a': [CLI, 'status', '--tenant', 'a'],
  'up --tenant a, at head': [CLI, 'up', '--tenant', 'a'],
  'up --all, 50 tenants at head': [CLI, 'up', '--all'],
  'sequelize-cli --version': [SEQUELIZE_CLI, '--version'],
  'sequelize-cli db:migrate, at head': [SEQUELIZE_CLI, 'db:migrate'],
}

/** Whose own time is what it takes beyond Node itself. */
const BARE = 'node, nothing'

export async function benchCli(url: string): Promise<string[]> {
  execFileSync('npm', ['run', '--silent', 'build'], { cwd: ROOT, stdio: ['ignore', 'inherit', 'ignore'] })
  const folder = mkdtempSync(join(tmpdir(), 'umzug-tenants-bench-'))
  try {
    prepare(folder, url)
    return Promise.resolve(table(measure(folder, url)))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** A project with forty migrations and fifty tenants at head, for either tool. */
function prepare(folder: string, url: string): void {
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  writeFileSync(join(folder, 'package.json'), '{ "private": true }')
  writeFileSync(join(folder, 'umzug-tenants.config.mjs'), 'export default {}')
  mkdirSync(join(folder, 'migrations'))
  mkdirSync(join(folder, 'config'))
  writeFileSync(join(folder, 'config/config.json'), JSON.stringify({ development: { url, dialect: 'postgres', logging: false } })) // prettier-ignore
  for (let n = 10; n < 50; n++) {
    writeFileSync(
      join(folder, `migrations/202601010000${n}-table.js`),
      `exports.up = (q, S) => q.createTable('table_${n}', { id: { type: S.INTEGER, primaryKey: true } })
       exports.down = (q) => q.dropTable('table_${n}')`,
    )
  }
  for (let n = 0; n < 50; n++) run(folder, url, [CLI, 'tenants', 'create', n === 0 ? 'a' : `t_${n}`])
  run(folder, url, [CLI, 'up', '--all'])
  run(folder, url, [SEQUELIZE_CLI, 'db:migrate'])
}

function run(cwd: string, url: string, args: readonly string[]): number {
  const startedAt = performance.now()
  const { status, stderr } = spawnSync(process.execPath, [...args], {
    cwd,
    env: { ...process.env, DATABASE_URL: url },
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}:\n${stderr}`)
  return performance.now() - startedAt
}

function measure(folder: string, url: string): ReadonlyMap<string, readonly number[]> {
  const times = new Map<string, number[]>(Object.keys(COMMANDS).map((name) => [name, []]))
  for (let round = -1; round < ROUNDS; round++) {
    for (const [name, args] of Object.entries(COMMANDS)) {
      const ms = run(folder, url, args)
      if (round >= 0) times.get(name)?.push(ms) // the first round warms the file cache
    }
  }
  return times
}

function table(times: ReadonlyMap<string, readonly number[]>): string[] {
  const bare = median(times.get(BARE) ?? [])
  const rows = [...times].map(([name, each]) => [
    name,
    median(each).toFixed(0),
    (median(each) - bare).toFixed(0),
    `${Math.min(...each).toFixed(0)}–${Math.max(...each).toFixed(0)}`,
  ])
  return [
    `Medians of ${ROUNDS} starts, by turns; 40 migrations. Own time is what a command takes beyond Node itself.`,
    '',
    ...tableOf(['command', 'ms', 'own ms', 'spread'], rows),
  ]
}
