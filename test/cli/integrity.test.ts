/**
 * What the command line says of a set of migrations that has changed: exit code, document, flags; in this process,
 * unless it is about the locale of one.
 */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'

import * as assert from 'uvu/assert'

import type { ErrorDocument } from '../../lib/errors.ts'
import {
  cliProjects,
  inThisProcess,
  projectsInThisProcess,
  tableMigration,
  type CliProject,
} from '../support/cli.ts'
import { testDatabase } from '../support/database.ts'
import { suite } from '../support/suite.ts'
import { newId } from '../support/tenancies.ts'

const test = suite('cli/integrity')
const database = testDatabase(test)
const newProject = projectsInThisProcess(test, database)
const newProcessProject = cliProjects(test, database)

interface Report {
  readonly tenants: readonly {
    readonly id: string
    readonly applied?: readonly string[]
    readonly reverted?: readonly string[]
    readonly error?: ErrorDocument
  }[]
}

/** A project with a tenant that has 1_a and 2_b. */
async function projectWithTenant(): Promise<CliProject & { readonly id: string }> {
  const id = `c${newId()}`
  const project = await newProject({ ...tableMigration('1_a', 'a'), ...tableMigration('2_b', 'b') })
  const { code, stderr } = await project.cli(['tenants', 'create', id, '--up'])
  assert.is(code, 0, stderr)
  return { ...project, id }
}

const remove = (project: CliProject, ...names: string[]) =>
  Promise.all(names.map((name) => rm(join(project.folder, 'migrations', name))))

const CASES = [
  {
    code: 'MIGRATION_CHANGED',
    flag: '--allow-changed',
    migration: '1_a.sql',
    spoil: (project: CliProject) =>
      project.write({ 'migrations/1_a.sql': 'changed', ...tableMigration('3_c', 'c') }),
    applied: ['3_c.sql'],
    words: 'allowed: 1_a.sql has changed since it was applied',
  },
  {
    code: 'MIGRATION_MISSING',
    flag: '--allow-missing',
    migration: '1_a.sql',
    spoil: async (project: CliProject) => {
      await remove(project, '1_a.sql', '1_a.down.sql')
      await project.write(tableMigration('3_c', 'c'))
    },
    applied: ['3_c.sql'],
    words: 'allowed: 1_a.sql is applied and has no file',
  },
  {
    code: 'MIGRATION_OUT_OF_ORDER',
    flag: '--allow-out-of-order',
    migration: '15_x.sql',
    spoil: (project: CliProject) => project.write(tableMigration('15_x', 'x')),
    applied: ['15_x.sql'],
    words: 'allowed: 15_x.sql sorts before one that is applied',
  },
] as const

for (const { code, flag, migration, spoil, applied, words } of CASES) {
  test(`${code} exits 8 with its document and its flag; with ${flag} it runs and says so on stderr`, async () => {
    const project = await projectWithTenant()
    const { id } = project
    await spoil(project)

    const refused = await project.cli(['up', '--tenant', id])
    assert.is(refused.code, 8)
    assert.match(refused.stderr, `✖ ${code} Migration "${migration}"`)
    assert.match(refused.stderr, `umzug-tenants up --tenant ${id} ${flag}`)

    const { document, ...asJson } = await project.json<Report>(['up', '--tenant', id])
    assert.equal([asJson.code, asJson.stderr], [8, ''])
    const [outcome] = document.tenants
    assert.equal([outcome?.applied, outcome?.error?.code, outcome?.error?.tenant], [[], code, id])
    assert.is(outcome?.error?.migration, migration)
    assert.match(outcome?.error?.fix.join('\n') ?? '', flag)

    const preview = await project.json<Report>(['up', '--tenant', id, '--dry-run'])
    assert.equal([preview.code, preview.document.tenants[0]?.error?.code], [8, code])

    const others = CASES.map((other) => other.flag).filter((other) => other !== flag)
    assert.is((await project.cli(['up', '--tenant', id, ...others])).code, 8)

    const allowed = await project.json<Report>(['up', '--tenant', id, flag])
    assert.is(allowed.code, 0)
    assert.equal(allowed.document.tenants[0]?.applied, applied)
    assert.is(allowed.stderr, `${words} (${id})\n`)
  })
}

test('the spellings of Alembic and sequelize-cli take the flags, too', async () => {
  const project = await projectWithTenant()
  const { id } = project
  await project.write(tableMigration('15_x', 'x'))
  const flags = ['--allow-out-of-order', '--allow-missing', '--allow-changed']
  for (const [argv, words] of [
    [['upgrade', 'head'], 'up to date · 1 migration'],
    [['downgrade', '-1', '--yes'], 'reverted 15_x.sql'],
    [['db:migrate'], 'up to date · 1 migration'],
    [['db:migrate:undo', '--yes'], 'reverted 15_x.sql'],
    [['up', '--dry-run'], '15_x.sql'],
    [['db:migrate:undo:all', '--yes'], 'reverted 1_a.sql'],
  ] as const) {
    const { code, stdout, stderr } = await project.cli(['-x', `tenant=${id}`, ...argv, ...flags])
    assert.is(code, 0, stderr)
    assert.match(stdout, words)
  }
})

test('down exits 8 for a missing file, and passes over it with --allow-missing', async () => {
  const project = await projectWithTenant()
  await remove(project, '2_b.sql', '2_b.down.sql')
  const down = ['down', '--tenant', project.id, '--yes']
  const refused = await project.json<Report>(down)
  assert.equal([refused.code, refused.document.tenants[0]?.error?.code], [8, 'MIGRATION_MISSING'])
  const allowed = await project.json<Report>([...down, '--allow-missing'])
  assert.equal([allowed.code, allowed.document.tenants[0]?.reverted], [0, ['1_a.sql']])
  assert.is(allowed.stderr, `allowed: 2_b.sql is applied and has no file (${project.id})\n`)
})

test('a duplicate name exits 8, for a tenant and for all', async () => {
  const project = await projectWithTenant()
  await project.write({ 'migrations/1_A.mjs': 'export const up = () => {}' })
  for (const selection of [['--tenant', project.id], ['--all']]) {
    const { code, document } = await project.json<{ error: ErrorDocument }>(['up', ...selection])
    assert.equal([code, document.error.code], [8, 'MIGRATION_DUPLICATE'])
  }
})

test('the order is the same in every locale', async () => {
  const names = ['10', '9', 'A_2', 'I', 'a-1', 'i', 'z', 'ä', 'ı']
  const files = names
    .filter((name) => name !== 'i') // one name with I, letter case aside
    .map((name) => [`migrations/${name}.sql`, 'SELECT 1'] as const)
  const project = await newProcessProject({
    ...Object.fromEntries(files),
    'umzug-tenants.config.mjs': `export default { url: ${JSON.stringify(database.url)} }`,
  })
  const orders = []
  for (const locale of ['C', 'de_DE.UTF-8', 'tr_TR.UTF-8', 'sv_SE.UTF-8']) {
    const id = `c${newId()}`
    const env = { LC_ALL: locale, LANG: locale, LANGUAGE: locale }
    await inThisProcess(project).cli(['tenants', 'create', id])
    const { code, document } = await project.json<Report>(['up', '--tenant', id], { env })
    assert.is(code, 0)
    orders.push(document.tenants[0]?.applied)
  }
  const expected = names.filter((name) => name !== 'i').map((name) => `${name}.sql`)
  assert.equal(orders, [expected, expected, expected, expected])
})

test.run()
