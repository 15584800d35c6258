import * as assert from 'uvu/assert'

import { catalogOf, rowsOf } from '../support/catalog.ts'
import { testDatabase } from '../support/database.ts'
import { failure } from '../support/failure.ts'
import { suite } from '../support/suite.ts'
import { createTable, newId, testTenancies, type MakeTenancy } from '../support/tenancies.ts'

const test = suite('storage/alembic-version')
const database = testDatabase(test)
const make = testTenancies(test, database)
const tenancyWith: MakeTenancy = (files, config) => make(files, { storage: 'alembic_version', ...config })

const THREE = { ...createTable('a1_a', 'a'), ...createTable('b2_b', 'b'), ...createTable('c3_c', 'c') }

const headsOf = (schema: string) => rowsOf(database, `${schema}.alembic_version`)
const head = (revision: string) => [`{"version_num": "${revision}"}`]

test('the table is as Alembic makes it', async () => {
  const id = newId()
  const tenancy = await tenancyWith(THREE)
  await tenancy.provision({ id })
  const lines = (await catalogOf(database, id)).filter((line) => line.includes('alembic'))
  assert.equal(lines, [
    `constraint ${id}.alembic_version_pkc PRIMARY KEY (version_num)`,
    `i ${id}.alembic_version_pkc version_num character varying(32) f`,
    `r ${id}.alembic_version version_num character varying(32) t`,
    `type ${id}._alembic_version `,
    `type ${id}.alembic_version `,
  ])
})

test('exactly one row holds the head, up and down, and none at base', async () => {
  const id = newId()
  const tenancy = await tenancyWith(THREE)
  await tenancy.provision({ id, up: false })
  const seen: (readonly string[])[] = []
  for (let step = 0; step < 3; step++) {
    await tenancy.up({ tenant: id, step: 1 })
    seen.push(await headsOf(id))
  }
  for (let step = 0; step < 3; step++) {
    await tenancy.down({ tenant: id })
    seen.push(await headsOf(id))
  }
  assert.equal(seen, [head('a1'), head('b2'), head('c3'), head('b2'), head('a1'), []])
})

test('to 0 leaves no row, and up begins again', async () => {
  const id = newId()
  const tenancy = await tenancyWith(THREE)
  await tenancy.provision({ id })
  assert.equal((await tenancy.down({ tenant: id, to: 0 })).reverted, ['c3_c.sql', 'b2_b.sql', 'a1_a.sql'])
  assert.equal(await headsOf(id), [])
  assert.is((await tenancy.status({ tenant: id })).current, null)
  assert.is((await tenancy.up({ tenant: id })).applied.length, 3)
  assert.equal(await headsOf(id), head('c3'))
})

test('every migration up to the head is executed', async () => {
  const id = newId()
  const tenancy = await tenancyWith(THREE)
  await tenancy.provision({ id, up: false })
  await database.query(
    `CREATE TABLE ${id}.alembic_version (version_num varchar(32) NOT NULL);
     INSERT INTO ${id}.alembic_version VALUES ('b2')`,
  )
  const { current, executed, pending, state } = await tenancy.status({ tenant: id })
  assert.equal([current, executed, pending, state], ['b2_b.sql', 2, ['c3_c.sql'], 'pending'])
  assert.equal((await tenancy.up({ tenant: id })).applied, ['c3_c.sql'])
})

test('a head that no file has is ahead: nothing is run again, neither asked for nor on access', async () => {
  const id = newId()
  const tenancy = await tenancyWith(THREE)
  await tenancy.provision({ id })
  await database.query(`UPDATE ${id}.alembic_version SET version_num = 'd4'`)
  const before = await catalogOf(database, id)
  for (const status of [
    await tenancy.status({ tenant: id }),
    ...(await tenancy.status({ tenants: [id], verify: true })),
  ]) {
    assert.equal([status.state, status.current, status.pending], ['ahead', 'd4', []])
  }
  tenancy.invalidate()
  await tenancy.run(id, () => undefined)
  assert.equal((await tenancy.up({ tenant: id })).applied, [])
  assert.equal(await catalogOf(database, id), before)
  assert.equal(await headsOf(id), head('d4'))
})

test('from a head that no file has nothing can be reverted', async () => {
  const id = newId()
  const tenancy = await tenancyWith(THREE)
  await tenancy.provision({ id })
  await database.query(`UPDATE ${id}.alembic_version SET version_num = 'd4'`)
  const before = await catalogOf(database, id)
  const error = await failure('MIGRATION_UNKNOWN', () => tenancy.down({ tenant: id }))
  assert.is(error.title, `Schema "${id}" is at revision "d4", which no migration to revert has.`)
  assert.match(error.message, 'revert with the release that has it, or put its file back')
  assert.equal(await catalogOf(database, id), before)
  assert.equal(await headsOf(id), head('d4'))
})

test('two migrations of one revision are refused: the table could not tell them apart', async () => {
  const id = newId()
  const tenancy = await tenancyWith({
    ...createTable('2026-11-21-a', 'a'),
    ...createTable('2026-11-22-b', 'b'),
  })
  await tenancy.provision({ id, up: false })
  const before = await catalogOf(database, id)
  for (const call of [() => tenancy.up({ tenant: id }), () => tenancy.status({ tenant: id })]) {
    const error = await failure('MIGRATION_DUPLICATE', call)
    assert.is(error.title, 'Two migrations have the revision id "2026".')
    assert.is(error.detail, '2026-11-21-a.sql and 2026-11-22-b.sql')
    assert.match(error.message, 'begin each file name with an id of its own, ended by _, - or .')
  }
  assert.equal(await catalogOf(database, id), before)
})

test('a revision longer than the column is refused with the form of a name', async () => {
  const id = newId()
  const tenancy = await tenancyWith(createTable(`${'x'.repeat(33)}_a`, 'a'))
  await tenancy.provision({ id, up: false })
  const error = await failure('MIGRATION_INVALID', () => tenancy.up({ tenant: id }))
  assert.match(error.title, 'has 33 characters; alembic_version holds 32.')
  assert.match(error.message, 'begin the file name with a shorter id')
  assert.equal(await catalogOf(database, id), [`schema ${id}`])
})

test('several heads are refused: branches are merged with Alembic first', async () => {
  const id = newId()
  const tenancy = await tenancyWith(THREE)
  await tenancy.provision({ id })
  await database.query(`INSERT INTO ${id}.alembic_version VALUES ('z9')`)
  const error = await failure('MIGRATION_INVALID', () => tenancy.status({ tenant: id }))
  assert.is(error.title, `alembic_version of schema "${id}" has 2 heads.`)
  assert.match(error.message, 'merge the branches with Alembic first')
})

test('reading creates nothing', async () => {
  const id = newId()
  const tenancy = await tenancyWith(THREE)
  await tenancy.provision({ id, up: false })
  const before = await catalogOf(database)
  assert.is((await tenancy.status({ tenant: id })).state, 'pending')
  assert.is((await tenancy.plan({ tenant: id })).migrations.length, 3)
  assert.is((await tenancy.umzug(id).pending()).length, 3)
  assert.equal(await catalogOf(database), before)
})

test('O34 tables of that name in public and in the shared schema are neither read nor written', async () => {
  const id = newId()
  await database.query('CREATE SCHEMA IF NOT EXISTS shared')
  for (const schema of ['public', 'shared']) {
    await database.query(
      `CREATE TABLE ${schema}.alembic_version (version_num varchar(32));
       INSERT INTO ${schema}.alembic_version VALUES ('b2')`,
    )
  }
  const tenancy = await tenancyWith(THREE, { searchPath: ['shared', 'public'] })
  await tenancy.provision({ id, up: false })
  assert.is((await tenancy.status({ tenant: id })).executed, 0)
  assert.is((await tenancy.up({ tenant: id })).applied.length, 3)
  assert.is((await tenancy.down({ tenant: id, to: 0 })).reverted.length, 3)
  for (const schema of ['public', 'shared']) {
    assert.equal(await headsOf(schema), head('b2'))
    await database.query(`DROP TABLE ${schema}.alembic_version`)
  }
})

test('the head is atomic with its migration: what fails leaves the head where it was', async () => {
  const id = newId()
  const first = await tenancyWith(createTable('a1_a', 'a'))
  await first.provision({ id })
  const second = await tenancyWith({
    ...createTable('a1_a', 'a'),
    ...createTable('b2_b', 'b'),
    'c3_c.sql': 'CREATE TABLE c (); SELECT 1/0',
  })
  const before = await catalogOf(database, id)
  await failure('MIGRATION_FAILED', () => second.up({ tenant: id }))
  assert.equal(await headsOf(id), head('a1'))
  assert.equal(await catalogOf(database, id), before)
})

test.run()
