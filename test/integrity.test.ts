/** The integrity of the migration set as users meet it: files change between two runs of a tenant. */
import { rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import * as assert from 'uvu/assert'

import { contentHash } from '../lib/migrations/integrity.ts'
import type { TenancyConfig } from '../lib/options.ts'
import { createTenancy, type Tenancy } from '../lib/tenancy.ts'
import { catalogOf, rowsOf } from './support/catalog.ts'
import { testDatabase } from './support/database.ts'
import { failure } from './support/failure.ts'
import { temporaryFolders, type Files } from './support/folder.ts'
import { suite } from './support/suite.ts'
import { createTable, newId } from './support/tenancies.ts'

const test = suite('integrity')
const database = testDatabase(test)
const newFolder = temporaryFolders(test)
const open: Tenancy[] = []
test.after(() => Promise.all(open.map((tenancy) => tenancy.close())))

interface Project {
  readonly tenancy: Tenancy
  /** The tenant, and its schema. */
  readonly id: string
  readonly write: (files: Files) => Promise<void>
  readonly remove: (...names: string[]) => Promise<void>
  readonly move: (from: string, to: string) => Promise<void>
  /** Another process, as it were: nothing is remembered. */
  readonly restarted: (more?: TenancyConfig) => Tenancy
}

/** A project whose tenant has all of `files`; names are in `migrations/` unless they have a folder. */
async function project(files: Files, config: TenancyConfig = {}): Promise<Project> {
  const pathOf = (name: string) => (name.includes('/') ? name : `migrations/${name}`)
  const baseDir = await newFolder(
    Object.fromEntries(Object.entries(files).map(([name, text]) => [pathOf(name), text])),
  )
  const restarted = (more: TenancyConfig = {}) => {
    const tenancy = createTenancy({ url: database.url, ...config, ...more }, { baseDir })
    open.push(tenancy)
    return tenancy
  }
  const tenancy = restarted()
  const id = newId()
  await tenancy.provision({ id })
  return {
    tenancy,
    id,
    restarted,
    async write(more) {
      for (const [name, text] of Object.entries(more)) await writeFile(join(baseDir, pathOf(name)), text)
    },
    async remove(...names) {
      for (const name of names) await rm(join(baseDir, pathOf(name)))
    },
    move: (from, to) => rename(join(baseDir, pathOf(from)), join(baseDir, pathOf(to))),
  }
}

/** Everything there is, to compare: catalog, ledger, versions. */
async function everything(id: string): Promise<unknown> {
  return [
    await catalogOf(database),
    await rowsOf(database, 'umzug_tenants.tenant'),
    await rowsOf(database, 'umzug_tenants.run'),
    await rowsOf(database, `${id}."SequelizeMeta"`),
  ]
}

async function versionsOf(id: string): Promise<readonly unknown[]> {
  return (await database.query(`SELECT name FROM ${id}."SequelizeMeta" ORDER BY name COLLATE "C"`)).map(
    ({ name }) => name as unknown,
  )
}

const TWO = { ...createTable('1_a', 'a'), ...createTable('2_b', 'b') }

test('the ledger keeps the content hash of each migration, and not of its way back', async () => {
  const { id, write, tenancy } = await project(TWO)
  const hashes = await database.query('SELECT migration, hash FROM umzug_tenants.run WHERE schema = $1', [id])
  assert.equal(hashes, [
    { migration: '1_a.sql', hash: contentHash(Buffer.from(TWO['1_a.sql'] ?? '')) },
    { migration: '2_b.sql', hash: contentHash(Buffer.from(TWO['2_b.sql'] ?? '')) },
  ])
  await write({ '1_a.down.sql': 'DROP TABLE IF EXISTS a' })
  assert.equal((await tenancy.up({ tenant: id })).applied, [])
})

// ------------------------------------------------------------------------------------------------- changed

test('O43 a changed file is refused before anything runs, and nothing is written', async () => {
  const { tenancy, id, write } = await project(TWO)
  await write({ '1_a.sql': 'CREATE TABLE a (id bigint)', ...createTable('3_c', 'c') })
  const before = await everything(id)
  const error = await failure('MIGRATION_CHANGED', () => tenancy.up({ tenant: id }))
  assert.is(error.title, `Migration "1_a.sql" has changed since it was applied on tenant "${id}".`)
  assert.match(error.detail ?? '', /^1_a\.sql \(was [0-9a-f]{12}, is [0-9a-f]{12}\)$/)
  assert.match(error.message, `umzug-tenants up --tenant ${id} --allow-changed`)
  await failure('MIGRATION_CHANGED', () => tenancy.plan({ tenant: id }))
  assert.equal(await everything(id), before)
})

test('O43 a changed file is refused with nothing to run, too', async () => {
  const { tenancy, id, write } = await project(TWO)
  await write({ '2_b.sql': 'CREATE TABLE b (id bigint)' })
  await failure('MIGRATION_CHANGED', () => tenancy.up({ tenant: id }))
})

test('O43 line endings and a byte order mark are no change', async () => {
  const text = 'CREATE TABLE a (\n  id integer\n);\n'
  const { tenancy, id, write } = await project({ '1_a.sql': text })
  for (const same of [
    text.replaceAll('\n', '\r\n'),
    `\uFEFF${text}`,
    `\uFEFF${text.replaceAll('\n', '\r')}`,
  ]) {
    await write({ '1_a.sql': same })
    assert.equal((await tenancy.up({ tenant: id })).applied, [])
  }
  await write({ '1_a.sql': `${text}\n` })
  await failure('MIGRATION_CHANGED', () => tenancy.up({ tenant: id }))
})

test('O43 a module that has changed is refused without being loaded', async () => {
  const { tenancy, id, write } = await project({ '1_a.mjs': 'export const up = async () => {}' })
  await write({ '1_a.mjs': "throw new Error('loaded')", '2_b.mjs': "throw new Error('loaded')" })
  const error = await failure('MIGRATION_CHANGED', () => tenancy.up({ tenant: id }))
  assert.not.match(error.message, 'loaded')
})

test('a change that is let through is told, and is the known content from then on', async () => {
  const { tenancy, id, write } = await project(TWO)
  const seen: unknown[] = []
  tenancy.on('migration:allowed', (event) => seen.push(event))
  await write({ '1_a.sql': '-- a comment\nCREATE TABLE a (id integer)', ...createTable('3_c', 'c') })
  assert.equal((await tenancy.up({ tenant: id, allow: { changed: true } })).applied, ['3_c.sql'])
  assert.equal(seen, [{ tenant: id, schema: id, migration: '1_a.sql', violation: 'changed' }])
  assert.equal((await tenancy.up({ tenant: id })).applied, [])
  await write({ '1_a.sql': 'again' })
  await failure('MIGRATION_CHANGED', () => tenancy.up({ tenant: id }))
})

test('a change is let through with nothing to run, and not known if the run fails', async () => {
  const { tenancy, id, write, remove } = await project(TWO)
  await write({ '1_a.sql': 'changed', '3_c.sql': 'SELECT 1/0' })
  await failure('MIGRATION_FAILED', () => tenancy.up({ tenant: id, allow: { changed: true } }))
  await remove('3_c.sql')
  await failure('MIGRATION_CHANGED', () => tenancy.up({ tenant: id }))
  await tenancy.up({ tenant: id, allow: { changed: true } })
  await tenancy.up({ tenant: id })
})

test('a migration that another tool has applied has no known content: nothing to compare', async () => {
  const { tenancy, id, write } = await project(TWO)
  await database.query('DELETE FROM umzug_tenants.run WHERE schema = $1', [id])
  await write({ '1_a.sql': 'changed' })
  assert.equal((await tenancy.up({ tenant: id })).applied, [])
})

test('a migration that was reverted and applied again is held to its new content', async () => {
  const { tenancy, id, write } = await project(TWO)
  await write({ '2_b.sql': 'CREATE TABLE b (id bigint)' })
  assert.equal((await tenancy.down({ tenant: id })).reverted, ['2_b.sql'])
  assert.equal((await tenancy.up({ tenant: id })).applied, ['2_b.sql'])
  assert.equal((await tenancy.up({ tenant: id })).applied, [])
})

test('.ts in development and .js after a build are one migration, with contents of their own', async () => {
  const { tenancy, id, remove, write, restarted } = await project({
    '1_a.ts':
      "export const up = async ({ context }: { context: { sql(text: string): unknown } }) => context.sql('CREATE TABLE a ()')",
  })
  const built = (name: string, table: string) => ({
    [`${name}.js`]: `exports.up = async ({ context }) => context.sql('CREATE TABLE ${table} ()')`,
  })
  await remove('1_a.ts')
  await write({ ...built('1_a', 'a'), ...built('2_b', 'b') })
  assert.equal((await tenancy.up({ tenant: id })).applied, ['2_b.js'])
  assert.is((await tenancy.status({ tenant: id })).state, 'ok')
  assert.equal(await versionsOf(id), ['1_a.ts', '2_b.js'])
  await remove('1_a.js', '2_b.js')
  await write({ '1_a.mts': 'export const up = 1', '2_b.mts': 'export const up = 1' })
  assert.equal((await restarted().up({ tenant: id })).applied, [])
})

// ------------------------------------------------------------------------------------------------- missing

test('O42 a recorded migration whose file is missing is refused before anything runs, and nothing is written', async () => {
  const { tenancy, id, write, remove } = await project(TWO)
  await remove('2_b.sql', '2_b.down.sql')
  await write(createTable('3_c', 'c'))
  const before = await everything(id)
  const error = await failure('MIGRATION_MISSING', () => tenancy.up({ tenant: id }))
  assert.is(error.title, `Migration "2_b.sql" is applied on tenant "${id}", and its file is missing.`)
  assert.match(error.message, `umzug-tenants up --tenant ${id} --allow-missing`)
  assert.is((await tenancy.status({ tenant: id })).state, 'diverged')
  assert.equal(await everything(id), before)
  assert.equal((await tenancy.up({ tenant: id, allow: { missing: true } })).applied, ['3_c.sql'])
})

test('O42 a missing file before the last one is refused with nothing to run, and served all the same', async () => {
  const { id, remove, restarted } = await project(TWO)
  await remove('1_a.sql', '1_a.down.sql')
  const tenancy = restarted()
  await failure('MIGRATION_MISSING', () => tenancy.up({ tenant: id }))
  assert.is((await tenancy.status({ tenant: id })).state, 'ahead')
  assert.is(await tenancy.run(id, ({ schema }) => schema), id)
})

test('O42 a deployment that was rolled back goes on: up has nothing to do, and requests are served', async () => {
  const { id, remove, restarted } = await project(TWO)
  await remove('2_b.sql', '2_b.down.sql')
  const tenancy = restarted()
  assert.is((await tenancy.status({ tenant: id })).state, 'ahead')
  assert.equal((await tenancy.up({ tenant: id })).applied, [])
  assert.is(await tenancy.run(id, ({ schema }) => schema), id)
})

test('O42 a tenant that lacks a file and a migration is not upgraded on access', async () => {
  const { id, remove, write, restarted } = await project(TWO)
  await remove('1_a.sql', '1_a.down.sql')
  await write(createTable('3_c', 'c'))
  const before = await everything(id)
  const error = await failure('TENANT_UNAVAILABLE', () => restarted().run(id, () => undefined))
  assert.match(error.detail ?? '', 'Migration "1_a.sql" is applied')
  assert.is(error.status, 503)
  assert.equal(await everything(id), before)
})

test('down refuses to revert what has no file, and passes over it if it may', async () => {
  const { tenancy, id, remove } = await project({ ...TWO, ...createTable('3_c', 'c') })
  await remove('2_b.sql', '2_b.down.sql')
  const before = await everything(id)
  const error = await failure('MIGRATION_MISSING', () => tenancy.down({ tenant: id, step: 2 }))
  assert.equal([error.migration, error.direction], ['2_b.sql', 'down'])
  assert.match(error.message, `umzug-tenants down --tenant ${id} --allow-missing`)
  await failure('MIGRATION_MISSING', () => tenancy.down({ tenant: id, to: 0 }))
  assert.equal(await everything(id), before)
  assert.equal((await tenancy.down({ tenant: id })).reverted, ['3_c.sql'])
  await failure('MIGRATION_MISSING', () => tenancy.down({ tenant: id }))
  const allow = { missing: true }
  assert.equal((await tenancy.down({ tenant: id, to: 0, allow })).reverted, ['1_a.sql'])
  assert.equal(await versionsOf(id), ['2_b.sql'])
})

// -------------------------------------------------------------------------------------------- out of order

test('O44 a new file that sorts before an applied one is refused before anything runs', async () => {
  const { tenancy, id, write } = await project(TWO)
  await write({ ...createTable('15_x', 'x'), ...createTable('3_c', 'c') })
  const before = await everything(id)
  const error = await failure('MIGRATION_OUT_OF_ORDER', () => tenancy.up({ tenant: id }))
  assert.is(error.detail, '15_x.sql sorts before 2_b.sql')
  assert.match(error.message, `umzug-tenants up --tenant ${id} --allow-out-of-order`)
  assert.equal(await everything(id), before)
})

test('O44 what was applied out of order is reverted first: down goes back the way up has come', async () => {
  const { tenancy, id, write } = await project(TWO)
  await write(createTable('15_x', 'x'))
  const allow = { outOfOrder: true }
  assert.equal((await tenancy.up({ tenant: id, allow })).applied, ['15_x.sql'])
  assert.equal((await tenancy.up({ tenant: id })).applied, [])
  await write(createTable('3_c', 'c'))
  assert.equal((await tenancy.up({ tenant: id })).applied, ['3_c.sql'])
  assert.equal((await tenancy.down({ tenant: id, step: 2 })).reverted, ['3_c.sql', '15_x.sql'])
  assert.equal((await tenancy.up({ tenant: id, allow })).applied, ['15_x.sql', '3_c.sql'])
  assert.equal((await tenancy.down({ tenant: id, backTo: '2_b' })).reverted, ['3_c.sql', '15_x.sql'])
  await tenancy.up({ tenant: id, allow })
  assert.equal((await tenancy.down({ tenant: id, to: 0 })).reverted, [
    '3_c.sql',
    '15_x.sql',
    '2_b.sql',
    '1_a.sql',
  ])
})

test('what another tool has applied counts as applied before the others', async () => {
  const { tenancy, id, write } = await project(TWO)
  await database.query("DELETE FROM umzug_tenants.run WHERE schema = $1 AND migration = '2_b.sql'", [id])
  await write(createTable('15_x', 'x'))
  await tenancy.up({ tenant: id, allow: { outOfOrder: true } })
  assert.equal((await tenancy.down({ tenant: id, to: 0 })).reverted, ['15_x.sql', '1_a.sql', '2_b.sql'])
})

test('order is by code point, whatever a locale would say', async () => {
  const names = ['10', '9', 'A_2', 'a-1', 'a_1', 'b', 'ä', '\uFF21', '\u{1F600}'].map((name) => `${name}.sql`)
  const files = Object.fromEntries(names.toReversed().map((name) => [name, `CREATE TABLE "${name}" ()`]))
  const { id, tenancy } = await project(files)
  const runs = await database.query('SELECT migration FROM umzug_tenants.run WHERE schema = $1 ORDER BY id', [
    id,
  ])
  assert.equal(
    runs.map(({ migration }) => migration as unknown),
    names,
  )
  assert.equal((await tenancy.up({ tenant: id })).applied, [])
})

// ------------------------------------------------------------------------------------------------- doors

test('the configuration allows for every run; a call decides otherwise', async () => {
  const { id, write, restarted } = await project(TWO)
  await write({ '1_a.sql': 'changed', ...createTable('15_x', 'x') })
  const tenancy = restarted({ allow: { changed: true, outOfOrder: true } })
  await failure('MIGRATION_CHANGED', () => tenancy.up({ tenant: id, allow: { changed: false } }))
  await failure('MIGRATION_OUT_OF_ORDER', () => tenancy.up({ tenant: id, allow: { outOfOrder: false } }))
  await tenancy.run(id, () => undefined)
  assert.equal(await versionsOf(id), ['15_x.sql', '1_a.sql', '2_b.sql'])
})

test('a tenant of a fleet that is refused stops no other', async () => {
  const { tenancy, id, write } = await project(TWO)
  await tenancy.provision({ id: `${id}x`, up: false })
  await write({ '1_a.sql': 'CREATE TABLE a (id bigint)' })
  const { tenants, succeeded, failed } = await tenancy.up({ tenants: [id, `${id}x`] })
  assert.equal([succeeded, failed], [1, 1])
  assert.equal(
    tenants.map(({ applied, error }) => [applied.length, error?.code]),
    [
      [0, 'MIGRATION_CHANGED'],
      [2, undefined],
    ],
  )
})

test('provision of a tenant that exists is refused as up is', async () => {
  const { tenancy, id, write } = await project(TWO)
  await write(createTable('15_x', 'x'))
  await failure('MIGRATION_OUT_OF_ORDER', () => tenancy.provision({ id }))
})

test('the shared schema’s migrations are held to their contents and order, too', async () => {
  const { tenancy, write, remove } = await project(
    { 'migrations/shared/1_a.sql': 'CREATE TABLE a ()', 'migrations/shared/2_b.sql': 'CREATE TABLE b ()' },
    { sharedSchema: 'common' },
  )
  assert.is((await tenancy.up({ shared: true })).applied.length, 2)
  await write({ 'migrations/shared/1_a.sql': 'changed' })
  const changed = await failure('MIGRATION_CHANGED', () => tenancy.up({ shared: true }))
  assert.match(changed.message, 'on the shared schema.')
  assert.match(changed.message, 'umzug-tenants up --shared --allow-changed')
  await write({ 'migrations/shared/1_a.sql': 'CREATE TABLE a ()', 'migrations/shared/15_x.sql': 'SELECT 1' })
  await failure('MIGRATION_OUT_OF_ORDER', () => tenancy.up({ shared: true }))
  await remove('migrations/shared/15_x.sql', 'migrations/shared/1_a.sql')
  await failure('MIGRATION_MISSING', () => tenancy.up({ shared: true }))
  await database.query("DROP SCHEMA common CASCADE; DELETE FROM umzug_tenants.run WHERE schema = 'common'")
})

test('a seed file may be changed, removed and added anywhere; its name must be its own', async () => {
  const { tenancy, id, write, remove } = await project({
    'seeders/1.sql': 'SELECT 1',
    'seeders/2.sql': 'SELECT 1',
  })
  assert.is((await tenancy.seed({ tenant: id })).applied.length, 2)
  await write({ 'seeders/1.sql': 'SELECT 2', 'seeders/15.sql': 'SELECT 1' })
  await remove('seeders/2.sql')
  assert.equal((await tenancy.seed({ tenant: id })).applied, ['15.sql'])
  await write({ 'seeders/1.mjs': 'export const up = () => {}' })
  await failure('MIGRATION_DUPLICATE', () => tenancy.seed({ tenant: id }))
})

test("a tenant's Umzug is refused as up is, leaves its rows, and reverts in the reverse of the order of application", async () => {
  const { tenancy, id, write } = await project(TWO, { allow: { outOfOrder: true } })
  await write(createTable('15_x', 'x'))
  const umzug = tenancy.umzug(id)
  assert.is((await umzug.up()).length, 1)
  assert.equal(
    (await umzug.down({ step: 2 })).map(({ name }) => name),
    ['15_x.sql', '2_b.sql'],
  )
  const runs = await database.query(
    'SELECT migration, direction, hash IS NOT NULL AS hashed FROM umzug_tenants.run WHERE schema = $1 ORDER BY id OFFSET 2',
    [id],
  )
  assert.equal(runs, [
    { migration: '15_x.sql', direction: 'up', hashed: true },
    { migration: '15_x.sql', direction: 'down', hashed: true },
    { migration: '2_b.sql', direction: 'down', hashed: true },
  ])
  await write({ '1_a.sql': 'changed' })
  const before = await everything(id)
  await failure('MIGRATION_CHANGED', () => umzug.up())
  assert.equal(await everything(id), before)
})

test('with alembic_version a change is known; a head that no file has, and the order, are not', async () => {
  const { tenancy, id, write } = await project(TWO, { storage: 'alembic_version' })
  await write(createTable('3_c', 'c'))
  await tenancy.up({ tenant: id })
  // Whatever the ledger says: one head goes back from file to file.
  await database.query(
    `INSERT INTO umzug_tenants.run (tenant, schema, migration, direction, duration_ms) VALUES ($1, $1, '1_a.sql', 'up', 0)`,
    [id],
  )
  assert.equal((await tenancy.down({ tenant: id, step: 2 })).reverted, ['3_c.sql', '2_b.sql'])
  await database.query('DELETE FROM umzug_tenants.run WHERE schema = $1 AND hash IS NULL', [id])
  await write({ '1_a.sql': 'changed' })
  await failure('MIGRATION_CHANGED', () => tenancy.up({ tenant: id }))
  await write({ '1_a.sql': TWO['1_a.sql'] ?? '' })
  await database.query(`UPDATE ${id}.alembic_version SET version_num = '0'`)
  assert.equal((await tenancy.up({ tenant: id })).applied, [])
})

test('O44 with alembic_version a new file that sorts before the head is refused, and counts as applied if let pass', async () => {
  const { tenancy, id, write } = await project(
    { ...createTable('1_a', 'a'), ...createTable('3_c', 'c') },
    { storage: 'alembic_version' },
  )
  await write(createTable('2_b', 'b'))
  const error = await failure('MIGRATION_OUT_OF_ORDER', () => tenancy.up({ tenant: id }))
  assert.is(error.title, `Migration "2_b.sql" sorts before the head of tenant "${id}", and was not run.`)
  assert.match(error.fix.join(), 'rename it so that it sorts last; let pass, it counts as applied')
  await tenancy.up({ tenant: id, allow: { outOfOrder: true } })
  assert.equal((await tenancy.up({ tenant: id })).applied, [])
})

test('with alembic_version a head that another tool has moved is taken for what it says', async () => {
  const { tenancy, id, write } = await project(createTable('1_a', 'a'), { storage: 'alembic_version' })
  await write({ ...createTable('2_b', 'b'), ...createTable('3_c', 'c') })
  await database.query(`UPDATE ${id}.alembic_version SET version_num = '3'`)
  assert.equal((await tenancy.up({ tenant: id })).applied, [])
})

test('a table of names under another name is checked as SequelizeMeta is', async () => {
  const { sequelizeMeta } = await import('../lib/storage/sequelize-meta.ts')
  const { tenancy, id, write, remove } = await project(TWO, { storage: sequelizeMeta('Versions') })
  await remove('1_a.sql', '1_a.down.sql')
  await write(createTable('3_c', 'c'))
  await failure('MIGRATION_MISSING', () => tenancy.up({ tenant: id }))
})

// ---------------------------------------------------------------------------------------------- duplicates

for (const [what, files] of [
  ['in two folders', { 'migrations/x/1_a.sql': 'SELECT 1' }],
  ['with two extensions', { '1_a.mjs': 'export const up = () => {}' }],
  ['in two letter cases', { '1_A.sql': 'SELECT 1' }],
  ['in two folders, letter cases and extensions', { 'migrations/x/1_A.mjs': 'export const up = () => {}' }],
] as const) {
  test(`a name ${what} is refused before anything runs, and nothing is written`, async () => {
    const { tenancy, id, write } = await project(
      { ...TWO, 'migrations/x/0.sql': 'SELECT 1' },
      { migrations: 'migrations/**/*' },
    )
    await write({ ...files, ...createTable('3_c', 'c') })
    const before = await everything(id)
    const error = await failure('MIGRATION_DUPLICATE', () => tenancy.up({ tenant: id }))
    assert.is(error.exitCode, 8)
    assert.match(error.title, /^Two migrations are called "1_[aA]"\.$/)
    assert.equal(await everything(id), before)
  })
}

test('a file that is renamed is a missing one and a new one', async () => {
  const { tenancy, id, move } = await project(TWO)
  await move('1_a.sql', '1_aa.sql')
  const error = await failure('MIGRATION_MISSING', () => tenancy.up({ tenant: id }))
  assert.is(error.migration, '1_a.sql')
})

test('the lazy gate does not read the runs of a tenant at head', async () => {
  const { id, restarted } = await project(TWO)
  const tenancy = restarted()
  await database.query('ALTER TABLE umzug_tenants.run RENAME TO hidden')
  try {
    await tenancy.run(id, () => undefined)
  } finally {
    await database.query('ALTER TABLE umzug_tenants.hidden RENAME TO run')
  }
})

test.run()
