import * as assert from 'uvu/assert'

import { explainConfig } from '../lib/config-origins.ts'
import { resolveOptions, type TenancyConfig } from '../lib/options.ts'
import { suite } from './support/suite.ts'

const test = suite('config-origins')

const VARIABLES = ['DATABASE_URL', 'MIGRATION_DATABASE_URL']

/** The origins of `config` with these variables, as `option = value (origin)`. */
function explain(config: TenancyConfig, env: Record<string, string> = {}, url?: string): readonly string[] {
  const before = VARIABLES.map((name) => process.env[name])
  for (const name of VARIABLES) delete process.env[name]
  Object.assign(process.env, env)
  try {
    return explainConfig(config, resolveOptions(config), { file: 'config.ts', url }).map(
      ({ option, value, origin }) => `${option} = ${JSON.stringify(value)} (${origin})`,
    )
  } finally {
    VARIABLES.forEach((name, index) => {
      const value = before[index]
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    })
  }
}

const includes = (lines: readonly string[], ...wanted: string[]) =>
  assert.equal(wanted.filter((line) => !lines.includes(line)), [], lines.join('\n')) // prettier-ignore

test('what the file gives comes from the file, members of groups too; the rest is default', () => {
  includes(
    explain({ searchPath: ['a', 'b'], lock: { waitMs: 5 }, storage: 'alembic_version' }),
    'searchPath = ["a","b"] (config.ts)',
    'lock.waitMs = 5 (config.ts)',
    'storage = "alembic_version" (config.ts)',
    'timeouts.lockMs = 1000 (default)',
    'url = null (default)',
    'tenants = "umzug_tenants.tenant" (default)',
  )
})

test('a URL comes from the environment, unless the file or the command line has one', () => {
  const env = { DATABASE_URL: 'postgres://h/env', MIGRATION_DATABASE_URL: 'postgres://h/direct' }
  includes(
    explain({}, env),
    'url = "postgres://h/env" (DATABASE_URL)',
    'migrationUrl = "postgres://h/direct" (MIGRATION_DATABASE_URL)',
  )
  includes(explain({ url: 'postgres://h/file' }, env), 'url = "postgres://h/file" (config.ts)')
  includes(explain({ url: 'postgres://h/flag' }, env, 'postgres://h/flag'), 'url = "postgres://h/flag" (--url)')
}) // prettier-ignore

test('functions and objects are named, and never shown', () => {
  const tenants = { list: () => [], find: () => null, password: 'canary' }
  const lines = explain({ tenants, sequelize: () => Promise.reject(new Error()) })
  includes(
    lines,
    `tenants = "the application's registry" (config.ts)`,
    'sequelize = "a function" (config.ts)',
  )
  assert.not.match(lines.join(), 'canary')
})

test('every option there is has a line', () => {
  const lines = explain({}).join('\n')
  for (const option of Object.keys(resolveOptions({})))
    if (
      ![
        'baseDir',
        'policy',
        'lockWaitMs',
        'lockTimeoutMs',
        'statementTimeoutMs',
        'allow',
        'roles',
        'autogenerate',
      ].includes(option)
    )
      assert.match(lines, `${option} = `)
})

test.run()
