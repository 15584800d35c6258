/** A schema's record changes and nothing runs: the version table, the ledger's row and the rows of its runs agree. */
import * as assert from 'uvu/assert'

import { contentHash } from '../lib/migrations/integrity.ts'
import type { TenancyConfig } from '../lib/options.ts'
import { catalogOf, rowsOf } from './support/catalog.ts'
import { testDatabase } from './support/database.ts'
import { failure } from './support/failure.ts'
import { suite } from './support/suite.ts'
import { createTable, newId, testTenancies } from './support/tenancies.ts'

const test = suite('stamp')
const database = testDatabase(test)
const tenancyWith = testTenancies(test, database)

const THREE = { ...createTable('1_a', 'a'), ...createTable('2_b', 'b'), ...createTable('3_c', 'c') }
const NAMES = ['1_a.sql', '2_b.sql', '3_c.sql']

async function versionsOf(schema: string, storage: TenancyConfig['storage']): Promise<readonly unknown[]> {
  const [table, column] =
    storage === 'alembic_version' ? [storage, 'version_num'] : ['"SequelizeMeta"', 'name']
  const rows = await database.query(`SELECT ${column} AS name FROM ${schema}.${table} ORDER BY 1`)
  return rows.map(({ name }) => name as unknown)
}

async function tenant(config: TenancyConfig = {}, up = false) {
  const tenancy = await tenancyWith(THREE, config)
  const id = newId()
  await tenancy.provision({ id, up })
  return { tenancy, id }
}

for (const storage of ['SequelizeMeta', 'alembic_version'] as const) {
  const isMeta = storage === 'SequelizeMeta'

  test(`${storage}: versions up to a migration are recorded, and nothing is run`, async () => {
    const { tenancy, id } = await tenant({ storage })
    const report = await tenancy.stamp({ tenant: id, to: '2_b' })
    assert.equal(report, { id, schema: id, recorded: NAMES.slice(0, 2), forgotten: [] })
    assert.equal(await versionsOf(id, storage), isMeta ? NAMES.slice(0, 2) : ['2'])
    const tables = (await catalogOf(database, id)).filter((line) => line.startsWith('r '))
    assert.is(tables.length, 1, 'the version table alone')
    assert.equal((await tenancy.plan({ tenant: id })).migrations, ['3_c.sql'])
  })

  test(`${storage}: versions after it are forgotten, and the tables stay`, async () => {
    const { tenancy, id } = await tenant({ storage }, true)
    const report = await tenancy.stamp({ tenant: id, to: '1' })
    assert.equal(report, { id, schema: id, recorded: [], forgotten: ['3_c.sql', '2_b.sql'] })
    assert.equal(await versionsOf(id, storage), isMeta ? ['1_a.sql'] : ['1'])
    assert.ok((await catalogOf(database, id)).some((line) => line.startsWith(`r ${id}.c `)))
    assert.equal((await tenancy.status({ tenant: id })).pending, ['2_b.sql', '3_c.sql'])
  })

  test(`${storage}: head and 0 are the two ends`, async () => {
    const { tenancy, id } = await tenant({ storage })
    assert.equal((await tenancy.stamp({ tenant: id, to: 'head' })).recorded, NAMES)
    assert.is((await tenancy.status({ tenant: id })).state, 'ok')
    assert.equal((await tenancy.stamp({ tenant: id, to: 0 })).forgotten, NAMES.toReversed())
    assert.equal(await versionsOf(id, storage), [])
  })

  test(`${storage}: a head that no file has is replaced`, async () => {
    const { tenancy, id } = await tenant({ storage }, true)
    const table = isMeta ? '"SequelizeMeta" (name)' : 'alembic_version (version_num)'
    if (!isMeta) await database.query(`DELETE FROM ${id}.alembic_version`)
    await database.query(`INSERT INTO ${id}.${table} VALUES ('9_z')`)
    const report = await tenancy.stamp({ tenant: id, to: '3_c' })
    assert.equal(report.forgotten, ['9_z'])
    assert.equal(await versionsOf(id, storage), isMeta ? NAMES : ['3'])
    await database.query(isMeta ? 'SELECT' : `UPDATE ${id}.alembic_version SET version_num = '9_z'`)
    await tenancy.stamp({ tenant: id, to: 0 })
    assert.equal(await versionsOf(id, storage), [])
  })
}

test('the ledger says where the tenant stands, and the runs have the content hashes of the files', async () => {
  const { tenancy, id } = await tenant()
  await tenancy.stamp({ tenant: id, to: '2' })
  assert.equal(await database.query('SELECT state, head FROM umzug_tenants.tenant WHERE id = $1', [id]), [
    { state: 'migrated', head: '2_b.sql' },
  ])
  assert.equal(
    await database.query(
      'SELECT migration, direction, hash FROM umzug_tenants.run WHERE schema = $1 ORDER BY id',
      [id],
    ),
    NAMES.slice(0, 2).map((migration) => ({
      migration,
      direction: 'up',
      hash: contentHash(Buffer.from(THREE[migration] ?? '')),
    })),
  )
  const [known] = await tenancy.status({ tenants: [id] })
  assert.equal([known?.current, known?.pending], ['2_b.sql', ['3_c.sql']])
})

test('a file that changes after the stamp is refused, as after a run', async () => {
  const { tenancy, id } = await tenant()
  await tenancy.stamp({ tenant: id, to: '2' })
  const changed = await tenancyWith({ ...THREE, '1_a.sql': 'CREATE TABLE a (id bigint)' })
  const error = await failure('MIGRATION_CHANGED', () => changed.up({ tenant: id }))
  assert.is(error.migration, '1_a.sql')
})

test('what was stamped away is reverted in the ledger, too: applied again it has its new place', async () => {
  const { tenancy, id } = await tenant({}, true)
  await tenancy.stamp({ tenant: id, to: '1' })
  await tenancy.stamp({ tenant: id, to: 'head' })
  const runs = await database.query<{ run: string }>(
    `SELECT direction || ' ' || migration AS run FROM umzug_tenants.run WHERE schema = $1 ORDER BY id`,
    [id],
  )
  assert.equal(runs.map(({ run }) => run).slice(3), [
    'down 3_c.sql',
    'down 2_b.sql',
    'up 2_b.sql',
    'up 3_c.sql',
  ])
  assert.equal((await tenancy.down({ tenant: id, step: 2 })).reverted, ['3_c.sql', '2_b.sql'])
})

test('again it changes nothing', async () => {
  const { tenancy, id } = await tenant()
  await tenancy.stamp({ tenant: id, to: 'head' })
  const before = [
    await rowsOf(database, 'umzug_tenants.run'),
    await rowsOf(database, `${id}."SequelizeMeta"`),
  ]
  assert.equal(await tenancy.stamp({ tenant: id, to: 'head' }), {
    id,
    schema: id,
    recorded: [],
    forgotten: [],
  })
  const after = [await rowsOf(database, 'umzug_tenants.run'), await rowsOf(database, `${id}."SequelizeMeta"`)]
  assert.equal(after, before)
})

test('rows with another extension than the file has now are forgotten, too', async () => {
  const { tenancy, id } = await tenant({}, true)
  await database.query(`UPDATE ${id}."SequelizeMeta" SET name = replace(name, '.sql', '.js')`)
  assert.equal((await tenancy.stamp({ tenant: id, to: '1' })).forgotten, ['3_c.sql', '2_b.sql'])
  assert.equal(await versionsOf(id, 'SequelizeMeta'), ['1_a.js'])
})

test('a dry run says what would change, and writes nothing', async () => {
  const { tenancy, id } = await tenant({}, true)
  const before = [await catalogOf(database), await rowsOf(database, `${id}."SequelizeMeta"`)]
  const report = await tenancy.stamp({ tenant: id, to: 0, dryRun: true })
  assert.equal(report.forgotten, NAMES.toReversed())
  assert.equal([await catalogOf(database), await rowsOf(database, `${id}."SequelizeMeta"`)], before)
})

test('many tenants are stamped, and one that fails stops no other', async () => {
  const { tenancy, id } = await tenant()
  const broken = newId()
  await tenancy.provision({ id: broken, up: false })
  await database.query(`DROP SCHEMA ${broken}`)
  const report = await tenancy.stamp({ tenants: [id, broken], to: 'head' })
  assert.equal([report.succeeded, report.unchanged, report.failed], [1, 0, 1])
  assert.equal(report.tenants[0], { id, schema: id, recorded: NAMES, forgotten: [] })
  assert.is(report.tenants[1]?.error?.code, 'SCHEMA_MISSING')
  await tenancy.drop({ tenant: broken, confirm: broken })
})

test('a tenant in the middle of a migration is refused until it is repaired', async () => {
  const { tenancy, id } = await tenant({}, true)
  await database.query("UPDATE umzug_tenants.tenant SET running = '3_c.sql' WHERE id = $1", [id])
  const error = await failure('MIGRATION_INTERRUPTED', () => tenancy.stamp({ tenant: id, to: 0 }))
  assert.match(error.message, `umzug-tenants repair --tenant ${id} --mark-applied`)
  assert.is((await versionsOf(id, 'SequelizeMeta')).length, 3)
})

test('the shared schema is stamped among its own migrations; one that is missing is refused', async () => {
  const tenancy = await tenancyWith(
    { 'migrations/shared/1_s.sql': 'CREATE TABLE s ()' },
    { sharedSchema: 'stamped' },
  )
  const error = await failure('SCHEMA_MISSING', () => tenancy.stamp({ shared: true, to: 'head' }))
  assert.equal(error.fix, ['create it: umzug-tenants up --shared'])
  await database.query('CREATE SCHEMA stamped')
  const report = await tenancy.stamp({ shared: true, to: 'head' })
  assert.equal(report, { id: 'shared', schema: 'stamped', recorded: ['1_s.sql'], forgotten: [] })
  assert.equal((await tenancy.up({ shared: true })).applied, [])
})

test('the event tells what changed, and nothing where nothing did; the gate looks again', async () => {
  const { tenancy, id } = await tenant({ lazy: false }, true)
  await tenancy.run(id, () => undefined)
  const events: unknown[] = []
  tenancy.on('tenant:stamped', (event) => events.push(event))
  await tenancy.stamp({ tenant: id, to: 'head' })
  await tenancy.stamp({ tenant: id, to: '2' })
  assert.equal(events, [{ tenant: id, schema: id, recorded: [], forgotten: ['3_c.sql'] }])
  await failure('TENANT_PENDING', () => tenancy.run(id, () => undefined))
})

test.run()
