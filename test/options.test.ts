import { resolve } from 'node:path'

import { createNamespace, destroyNamespace } from 'cls-hooked'
import { Sequelize } from 'sequelize'
import * as assert from 'uvu/assert'

import { defineConfig, resolveOptions, type TenancyConfig } from '../lib/options.ts'
import { createTenancy } from '../lib/tenancy.ts'
import { failure } from './support/failure.ts'
import { suite } from './support/suite.ts'

const test = suite('options')

const ENVIRONMENT = ['DATABASE_URL', 'MIGRATION_DATABASE_URL']
const saved = ENVIRONMENT.map((name) => process.env[name])

function setEnvironment(values: readonly (string | undefined)[]): void {
  for (const [index, name] of ENVIRONMENT.entries()) {
    const value = values[index]
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
}

test.before.each(() => setEnvironment([]))
test.after(() => setEnvironment(saved))

test('an empty configuration has every default', () => {
  const { policy, lazy, storage, ...options } = resolveOptions({})
  assert.equal(policy, { names: 'strict', reserved: ['shared', 'shared'] })
  assert.equal(lazy, { mode: 'wait', concurrency: 2, maxWaitMs: 30_000, recheckMs: 30_000, listen: false })
  assert.is(storage.table, 'SequelizeMeta')
  assert.ok(options.concurrency >= 2 && options.concurrency <= 8)
  assert.equal(
    { ...options, concurrency: 0 },
    {
      url: undefined,
      sequelize: undefined,
      migrationUrl: undefined,
      baseDir: process.cwd(),
      migrations: ['migrations/*'],
      sharedMigrations: ['migrations/shared/*'],
      sharedSchema: 'shared',
      seeders: ['seeders/*'],
      tenants: undefined,
      searchPath: ['shared'],
      models: undefined,
      autogenerate: {
        include: [],
        exclude: [],
        ignore: [],
        operation: undefined,
        baseline: 'autogenerate.baseline.json',
        shadowUrl: undefined,
      },
      namespace: undefined,
      transaction: 'tenant',
      guard: 'schema',
      onMissing: 'error',
      allow: { missing: false, changed: false, outOfOrder: false },
      concurrency: 0,
      lockWaitMs: 60_000,
      lockTimeoutMs: 1000,
      statementTimeoutMs: 0,
      roles: {},
    },
  )
})

test('what is given takes the place of the defaults', () => {
  const storage = { table: 'v', executed: async () => [], record: async () => {}, forget: async () => {} }
  const tenants = { list: () => [], find: () => undefined }
  const options = resolveOptions(
    {
      url: 'postgres://h/d',
      migrationUrl: 'postgresql://m/d',
      migrations: ['a/*', 'b/*'],
      sharedSchema: 'common',
      storage,
      tenants,
      transaction: 'none',
      names: 'quoted',
      onMissing: 'shared',
      concurrency: 64,
      lazy: { maxWaitMs: 0 },
      lock: { waitMs: 0 },
      timeouts: { lockMs: 0, statementMs: 5 },
    },
    'some/folder',
  )
  assert.is(options.url, 'postgres://h/d')
  assert.is(options.migrationUrl, 'postgresql://m/d')
  assert.equal(options.migrations, ['a/*', 'b/*'])
  assert.equal([options.sharedSchema, options.searchPath], ['common', ['common']])
  assert.is(options.storage, storage)
  assert.is(options.tenants, tenants)
  assert.equal([options.transaction, options.policy.names, options.onMissing], ['none', 'quoted', 'shared'])
  assert.equal(options.lazy, { mode: 'wait', concurrency: 2, maxWaitMs: 0, recheckMs: 30_000, listen: false })
  assert.equal([options.lockWaitMs, options.lockTimeoutMs, options.statementTimeoutMs], [0, 0, 5])
  assert.is(options.baseDir, resolve('some/folder'))
})

test('alembic_version is a storage by name, and lazy: false switches upgrades off', () => {
  const options = resolveOptions({ storage: 'alembic_version', lazy: false })
  assert.equal([options.storage.table, options.lazy.mode], ['alembic_version', 'off'])
})

test('lazy is a mode, true or false, or an object with a mode', () => {
  const modes = (['wait', 'background', true, false, { mode: 'background' }, {}] as const).map(
    (lazy) => resolveOptions({ lazy }).lazy.mode,
  )
  assert.equal(modes, ['wait', 'background', 'wait', 'off', 'background', 'wait'])
})

test('shared schemas and the search path are reserved: no tenant may have them', () => {
  const { policy } = resolveOptions({ sharedSchema: 'common', searchPath: ['common', 'extensions'] })
  assert.equal(policy.reserved, ['common', 'common', 'extensions'])
})

test('an empty search path is one', () => assert.equal(resolveOptions({ searchPath: [] }).searchPath, []))

test('the environment gives both URLs, unless the configuration does', () => {
  setEnvironment(['postgres://env/d', 'postgres://migrator/d'])
  const fromEnvironment = resolveOptions({})
  assert.equal(
    [fromEnvironment.url, fromEnvironment.migrationUrl],
    ['postgres://env/d', 'postgres://migrator/d'],
  )
  const given = resolveOptions({ url: 'postgres://x/d', migrationUrl: 'postgres://y/d' })
  assert.equal([given.url, given.migrationUrl], ['postgres://x/d', 'postgres://y/d'])
})

test('an empty environment variable is one that is not set', () => {
  setEnvironment(['', ''])
  const { url, migrationUrl } = resolveOptions({})
  assert.equal([url, migrationUrl], [undefined, undefined])
})

test('a wrong URL in the environment names the variable, and is not shown', async () => {
  setEnvironment(['mysql://root:secret@h/d'])
  const { message } = await failure('CONFIG_INVALID', () => resolveOptions({}))
  assert.match(
    message,
    'Option "url" must be a URL that begins with postgres://; it is another text (in DATABASE_URL).',
  )
  assert.match(message, 'fix: correct the environment variable DATABASE_URL')
  assert.not.match(message, 'secret')
})

test('what autogenerate compares is checked word by word', async () => {
  const wrong = (autogenerate: object) => failure('CONFIG_INVALID', () => resolveOptions({ autogenerate }))
  assert.match((await wrong({ ignore: ['colours'] })).message, 'autogenerate.ignore')
  assert.match((await wrong({ operation: 1 })).message, 'autogenerate.operation')
  assert.match((await wrong({ exlude: 'x' })).message, 'Option "autogenerate.exlude" is unknown')
  assert.equal(resolveOptions({ autogenerate: { exclude: 'a*' } }).autogenerate.exclude, ['a*'])
})

test('names of members of Object are no options', async () => {
  for (const key of ['__proto__', 'constructor']) {
    const config = JSON.parse(`{ "${key}": 1 }`) as TenancyConfig
    await failure('CONFIG_INVALID', () => resolveOptions(config))
  }
})

const SCHEMA_LIST = 'an array of schema names'
const GLOBS = 'a glob or an array of globs'
const URL_FORM = 'a URL that begins with postgres://'

/** Option, wrong value, what was expected, what was found. */
const WRONG: readonly (readonly [string, unknown, string, string])[] = [
  ['url', 'mysql://root:secret@h/d', URL_FORM, 'another text'],
  ['url', '', URL_FORM, 'another text'],
  ['url', 5, URL_FORM, '5'],
  ['migrationUrl', { host: 'x' }, URL_FORM, 'an object'],
  ['sequelize', {}, 'a Sequelize, or a function that returns one', 'an object'],
  ['sequelize', 'postgres://h/d', 'a Sequelize, or a function that returns one', '"postgres://h/d"'],
  ['migrations', '', GLOBS, '""'],
  ['migrations', ['a', 3], GLOBS, '["a", 3]'],
  ['sharedMigrations', 3, GLOBS, '3'],
  ['seeders', {}, GLOBS, 'an object'],
  ['sharedSchema', '', 'a schema name', '""'],
  ['sharedSchema', 3, 'a schema name', '3'],
  ['sharedSchema', 'a\0', 'a schema name', '"a\\u0000"'],
  ['sharedSchema', 'é'.repeat(32), 'a schema name', `"${'é'.repeat(32)}"`],
  ['searchPath', 'shared', SCHEMA_LIST, '"shared"'],
  ['searchPath', ['a', ''], SCHEMA_LIST, '["a", ""]'],
  ['searchPath', ['a'.repeat(64)], SCHEMA_LIST, `["${'a'.repeat(64)}"]`],
  ['storage', 'knex', "'SequelizeMeta', 'alembic_version' or a VersionStorage", '"knex"'],
  ['storage', { executed: () => [] }, "'SequelizeMeta', 'alembic_version' or a VersionStorage", 'an object'],
  ['storage', null, "'SequelizeMeta', 'alembic_version' or a VersionStorage", 'null'],
  ['tenants', [], 'an object with list, find', '[]'],
  ['tenants', { list: () => [] }, 'an object with list, find', 'an object'],
  ['namespace', 'app', 'an object with run, bind, get, set', '"app"'],
  ['namespace', {}, 'an object with run, bind, get, set', 'an object'],
  ['transaction', 'each', "'tenant' or 'migration' or 'fleet' or 'none'", '"each"'],
  ['names', true, "'strict' or 'quoted'", 'true'],
  ['onMissing', 'ignore', "'error' or 'shared'", '"ignore"'],
  ['allow', true, 'an object with missing, changed, outOfOrder', 'true'],
  ['allow.changed', 'yes', 'true or false', '"yes"'],
  ['concurrency', 0, 'a whole number from 1 to 64', '0'],
  ['concurrency', 65, 'a whole number from 1 to 64', '65'],
  ['concurrency', 1.5, 'a whole number from 1 to 64', '1.5'],
  ['concurrency', Number.NaN, 'a whole number from 1 to 64', 'NaN'],
  ['concurrency', '4', 'a whole number from 1 to 64', '"4"'],
  ['lazy', 'no', 'an object with mode, concurrency, maxWaitMs, recheckMs, listen', '"no"'],
  ['lazy.concurrency', 0, 'a whole number from 1 to 64', '0'],
  ['lazy.maxWaitMs', -1, 'a whole number from 0 to 86400000', '-1'],
  ['lazy.mode', 'off', "'wait' or 'background'", '"off"'],
  ['lazy.recheckMs', -1, 'a whole number from 0 to 86400000', '-1'],
  ['lazy.listen', 'yes', 'true or false', '"yes"'],
  ['lock', 5, 'an object with waitMs', '5'],
  ['lock.waitMs', -1, 'a whole number from 0 to 86400000', '-1'],
  ['timeouts.lockMs', '1s', 'a whole number from 0 to 86400000', '"1s"'],
  ['timeouts.statementMs', Number.POSITIVE_INFINITY, 'a whole number from 0 to 86400000', 'Infinity'],
]

/** A configuration with this value, as JavaScript could write it. */
function configWith(option: string, value: unknown): TenancyConfig {
  const [group = '', key] = option.split('.')
  return key === undefined ? { [group]: value } : { [group]: { [key]: value } }
}

for (const [option, value, expected, found] of WRONG) {
  test(`${option} ${found.slice(0, 30)} is refused with what was expected and found`, async () => {
    const error = await failure('CONFIG_INVALID', () => resolveOptions(configWith(option, value)))
    assert.is(error.title, `Option "${option}" must be ${expected}; it is ${found}.`)
    assert.equal(error.fix, [`correct ${option} in the configuration`])
  })
}

for (const [option, known] of [
  ['migration', 'url, sequelize, migrationUrl, migrations'],
  ['lock.waitMS', 'waitMs'],
  ['timeouts.lock', 'lockMs, statementMs'],
  ['lazy.wait', 'mode, concurrency, maxWaitMs, recheckMs, listen'],
] as const) {
  test(`the misspelt option ${option} is refused with the known ones`, async () => {
    const error = await failure('CONFIG_INVALID', () => resolveOptions(configWith(option, 5)))
    assert.is(error.title, `Option "${option}" is unknown.`)
    assert.match(error.message, `known are ${known}`)
  })
}

test('a Sequelize, a function, a namespace of cls-hooked are what they are', () => {
  const sequelize = new Sequelize({ dialect: 'postgres' })
  const namespace = createNamespace('options test')
  const later = () => sequelize
  assert.is(resolveOptions({ sequelize, namespace }).sequelize, sequelize)
  assert.is(resolveOptions({ namespace }).namespace, namespace)
  assert.is(resolveOptions({ sequelize: later }).sequelize, later)
  destroyNamespace('options test')
})

test('defineConfig returns its configuration', () => {
  const config = { url: 'postgres://h/d' }
  assert.is(defineConfig(config), config)
})

test('createTenancy refuses a wrong option at once and opens nothing', async () => {
  await failure('CONFIG_INVALID', () => createTenancy({ concurrency: 0 }))
  await createTenancy({ url: 'postgres://127.0.0.1:1/none' }).close()
})

test.run()
