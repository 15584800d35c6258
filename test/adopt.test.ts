/** Schemas that other tools have made and migrated become tenants; what is in them stays as it is. */
import * as assert from 'uvu/assert'

import type { TenancyConfig } from '../lib/options.ts'
import { catalogOf, rowsOf } from './support/catalog.ts'
import { testDatabase } from './support/database.ts'
import { failure } from './support/failure.ts'
import { suite } from './support/suite.ts'
import { createTable, newId, testTenancies } from './support/tenancies.ts'

const test = suite('adopt')
const database = testDatabase(test)
const tenancyWith = testTenancies(test, database)

const TWO = { ...createTable('1_a', 'a'), ...createTable('2_b', 'b') }

/** A schema as sequelize-cli leaves it after these migrations. */
async function migrated(schema: string, ...names: string[]): Promise<void> {
  await database.query(
    `CREATE SCHEMA "${schema}"; CREATE TABLE "${schema}"."SequelizeMeta" (name varchar(255) PRIMARY KEY)`,
  )
  for (const name of names) {
    await database.query(`INSERT INTO "${schema}"."SequelizeMeta" VALUES ($1)`, [name])
    await database.query(`CREATE TABLE "${schema}".${name.slice(2, 3)} (id integer PRIMARY KEY)`)
  }
}

test('a schema that was migrated is registered where it stands, and nothing is run', async () => {
  const tenancy = await tenancyWith(TWO)
  const schema = newId()
  await migrated(schema, '1_a.js')
  const before = await catalogOf(database, schema)
  const report = await tenancy.adopt({ schema, id: `x${schema}`, host: `${schema}.example.com` })
  assert.equal(report, {
    id: `x${schema}`,
    schema,
    host: `${schema}.example.com`,
    current: '1_a.sql',
    head: '2_b.sql',
    executed: 1,
    pending: ['2_b.sql'],
    state: 'pending',
    adopted: true,
    from: schema,
    recorded: [],
    statements: [],
    warnings: [],
  })
  assert.equal(await catalogOf(database, schema), before)
  const [known] = await tenancy.status({ tenants: [`x${schema}`] })
  assert.is(known?.state, 'pending')
  assert.equal((await tenancy.up({ tenant: `x${schema}` })).applied, ['2_b.sql'])
})

test('the ledger says where it stands in the words of a run, and has no runs of it', async () => {
  const tenancy = await tenancyWith(TWO)
  const schema = newId()
  await migrated(schema, '1_a.sql', '2_b.sql')
  await tenancy.adopt({ schema })
  assert.equal(
    await database.query(
      'SELECT state, head, fingerprint IS NOT NULL AS known FROM umzug_tenants.tenant WHERE id = $1',
      [schema],
    ),
    [{ state: 'migrated', head: '2_b.sql', known: true }],
  )
  assert.equal(await database.query('SELECT FROM umzug_tenants.run WHERE schema = $1', [schema]), [])
  await tenancy.run(schema, () => undefined)
})

test('again it changes nothing, whatever the tenant is called', async () => {
  const tenancy = await tenancyWith(TWO)
  const schema = newId()
  await migrated(schema, '1_a.sql')
  await tenancy.adopt({ schema, id: `x${schema}` })
  const before = await rowsOf(database, 'umzug_tenants.tenant')
  const again = await tenancy.adopt({ schema })
  assert.equal([again.id, again.adopted, again.current], [`x${schema}`, false, '1_a.sql'])
  assert.equal(await rowsOf(database, 'umzug_tenants.tenant'), before)
})

test('a revision of Alembic is read as such', async () => {
  const tenancy = await tenancyWith(TWO, { storage: 'alembic_version' })
  const schema = newId()
  await database.query(
    `CREATE SCHEMA ${schema}; CREATE TABLE ${schema}.alembic_version (version_num varchar(32) NOT NULL);
     INSERT INTO ${schema}.alembic_version VALUES ('1')`,
  )
  const report = await tenancy.adopt({ schema })
  assert.equal([report.current, report.pending, report.state], ['1_a.sql', ['2_b.sql'], 'pending'])
})

test('a schema without version table is refused with what it has and what to do', async () => {
  const tenancy = await tenancyWith(TWO)
  const schema = newId()
  await database.query(
    `CREATE SCHEMA ${schema}; CREATE TABLE ${schema}.a (); CREATE TABLE ${schema}.alembic_version ()`,
  )
  const error = await failure('VERSION_TABLE_MISSING', () => tenancy.adopt({ schema }))
  assert.is(error.title, `Schema "${schema}" has no table "SequelizeMeta".`)
  assert.is(error.detail, 'it has "a", "alembic_version"')
  assert.equal(error.fix, [
    "set storage: 'alembic_version' in the configuration, which is what Alembic writes",
    `or say where it stands: umzug-tenants tenants adopt ${schema} --stamp NAME, or --stamp head`,
  ])
  await failure('TENANT_UNKNOWN', () => tenancy.find({ id: schema }))
})

test('an empty schema is told from one of another tool', async () => {
  const tenancy = await tenancyWith(TWO)
  const schema = newId()
  await database.query(`CREATE SCHEMA ${schema}`)
  const error = await failure('VERSION_TABLE_MISSING', () => tenancy.adopt({ schema }))
  assert.is(error.detail, 'it has no table at all')
  assert.is(error.fix[0], `a schema that is empty: umzug-tenants tenants create ${schema} --schema ${schema}`)
})

test('stamp says where a schema without version table stands; a version table says it better', async () => {
  const tenancy = await tenancyWith(TWO)
  const [bare, known] = [newId(), newId()]
  await database.query(`CREATE SCHEMA ${bare}; CREATE TABLE ${bare}.a (id integer)`)
  await migrated(known, '1_a.sql')
  const first = await tenancy.adopt({ schema: bare, stamp: '1' })
  assert.equal([first.recorded, first.pending], [['1_a.sql'], ['2_b.sql']])
  assert.equal(await rowsOf(database, `${bare}."SequelizeMeta"`), ['{"name": "1_a.sql"}'])
  const second = await tenancy.adopt({ schema: known, stamp: 'head' })
  assert.equal([second.recorded, second.pending], [[], ['2_b.sql']])
})

test('stamp of a tenant that is registered already is the command of that name', async () => {
  const tenancy = await tenancyWith(TWO)
  const id = newId()
  await tenancy.provision({ id, up: false })
  const error = await failure('USAGE', () => tenancy.adopt({ schema: id, stamp: 'head' }))
  assert.equal(error.fix, [`say where it stands: umzug-tenants stamp NAME --tenant ${id}`])
  assert.is((await tenancy.adopt({ schema: id, stamp: 0 })).adopted, false)
})

test('a recorded migration without a file is told', async () => {
  const tenancy = await tenancyWith(TWO)
  const schema = newId()
  await migrated(schema, '1_a.sql', '2_b.sql', '3_c.js')
  const report = await tenancy.adopt({ schema })
  assert.is(report.state, 'ahead')
  assert.equal(report.warnings, ['3_c.js is recorded, and no file here has that name'])
})

test('an extension in the schema is told: it would be dropped with the tenant', async () => {
  const tenancy = await tenancyWith(TWO)
  const schema = newId()
  await migrated(schema)
  await database.query(`CREATE EXTENSION isn SCHEMA ${schema}; GRANT CREATE ON SCHEMA ${schema} TO PUBLIC`)
  const { warnings } = await tenancy.adopt({ schema })
  assert.equal(warnings, [
    `everybody may create objects in it: REVOKE CREATE ON SCHEMA "${schema}" FROM PUBLIC`,
    'extension "isn" is in it, and would be dropped with the tenant: ALTER EXTENSION … SET SCHEMA …',
  ])
  await database.query('DROP EXTENSION isn')
})

test("PostgreSQL's own schemas, the ledger's and the shared ones are refused", async () => {
  const tenancy = await tenancyWith(TWO, { searchPath: ['shared', 'lookups'] })
  for (const schema of [
    'pg_catalog',
    'pg_toast',
    'information_schema',
    'umzug_tenants',
    'shared',
    'Shared',
    'lookups',
  ]) {
    await failure('TENANT_NAME_RESERVED', () => tenancy.adopt({ schema, id: 'x' }))
    await failure('TENANT_NAME_RESERVED', () => tenancy.adopt({ schema, id: 'x', renameTo: 'x' }))
  }
  const error = await failure('TENANT_NAME_RESERVED', () => tenancy.adopt({ schema: 'public' }))
  assert.is(error.title, `Schema "public" cannot be a tenant's under that name.`)
  assert.equal(error.fix, ['give it another: umzug-tenants tenants adopt public --id acme --rename-to acme'])
})

test('a schema that is missing, another tenant’s, or has another name already, is refused', async () => {
  const tenancy = await tenancyWith(TWO)
  const [id, taken] = [newId(), newId()]
  await tenancy.provision({ id })
  await migrated(taken)
  await failure('SCHEMA_MISSING', () => tenancy.adopt({ schema: newId() }))
  await failure('TENANT_CONFLICT', () => tenancy.adopt({ schema: id, id: 'other' }))
  await failure('TENANT_CONFLICT', () => tenancy.adopt({ schema: taken, id }))
  const error = await failure('TENANT_CONFLICT', () =>
    tenancy.adopt({ schema: id, id: 'other', renameTo: newId() }),
  )
  assert.equal(error.fix, [
    `give that tenant's schema another name: umzug-tenants tenants rename ${id} SCHEMA`,
  ])
  await failure('SCHEMA_EXISTS', () => tenancy.adopt({ schema: taken, id: 'other', renameTo: id }))
})

test('a schema whose name is against the rules is adopted under another', async () => {
  const tenancy = await tenancyWith(TWO)
  const id = newId()
  await migrated(`Old ${id}`, '1_a.sql')
  await failure('TENANT_NAME_INVALID', () => tenancy.adopt({ schema: `Old ${id}`, id }))
  const report = await tenancy.adopt({ schema: `Old ${id}`, renameTo: id })
  assert.equal([report.id, report.schema, report.from, report.current], [id, id, `Old ${id}`, '1_a.sql'])
  assert.equal(report.statements, [`ALTER SCHEMA "Old ${id}" RENAME TO "${id}"`])
  assert.equal((await tenancy.up({ tenant: id })).applied, ['2_b.sql'])
})

test('a pattern adopts the schemas that match, and one that cannot be adopted stops no other', async () => {
  const tenancy = await tenancyWith(TWO)
  const prefix = newId()
  await migrated(`${prefix}_a`, '1_a.sql')
  await migrated(`${prefix}_b`)
  await database.query(`CREATE SCHEMA ${prefix}_c; CREATE TABLE ${prefix}_c.x ()`)
  const report = await tenancy.adopt({ match: `${prefix}_*` })
  assert.equal([report.succeeded, report.unchanged, report.failed], [2, 0, 1])
  assert.equal(
    report.tenants.map((tenant) => [tenant.id, 'current' in tenant ? tenant.current : tenant.error?.code]),
    [[`${prefix}_a`, '1_a.sql'], [`${prefix}_b`, null], [`${prefix}_c`, 'VERSION_TABLE_MISSING']],
  ) // prettier-ignore
  const again = await tenancy.adopt({ match: `${prefix}_?` })
  assert.equal([again.succeeded, again.unchanged, again.failed], [0, 2, 1])
})

test('a pattern never means public, PostgreSQL’s or the shared schemas; one that matches nothing is refused', async () => {
  const tenancy = await tenancyWith(TWO)
  await database.query('CREATE SCHEMA IF NOT EXISTS shared')
  const everything = await tenancy.adopt({ match: '*', dryRun: true })
  const never = ['public', 'shared', 'umzug_tenants', 'information_schema', 'pg_catalog']
  assert.equal(everything.tenants.filter(({ from }) => never.includes(from)), []) // prettier-ignore
  const error = await failure('USAGE', () => tenancy.adopt({ match: 'pub*' }))
  assert.is(error.title, 'No schema matches "pub*".')
})

test('a dry run writes nothing, not even the ledger', async () => {
  const tenancy = await tenancyWith(TWO)
  const schema = newId()
  await migrated(schema, '1_a.sql')
  await database.query('ALTER SCHEMA umzug_tenants RENAME TO hidden')
  const before = await catalogOf(database)
  const report = await tenancy.adopt({ schema, dryRun: true })
  assert.equal([report.adopted, report.current], [true, '1_a.sql'])
  assert.equal(await catalogOf(database), before)
  await database.query('ALTER SCHEMA hidden RENAME TO umzug_tenants')
})

test('a registry of the application must know the tenant, or be able to add it', async () => {
  const schema = newId()
  await migrated(schema, '1_a.sql')
  const known = new Set<string>()
  const config: TenancyConfig = {
    tenants: {
      list: () => [...known].map((id) => ({ id })),
      find: ({ id, schema: called }) =>
        [...known].map((each) => ({ id: each })).find((t) => t.id === (id ?? called)),
    },
  }
  await failure('REGISTRY_READ_ONLY', async () => (await tenancyWith(TWO, config)).adopt({ schema }))
  known.add(schema)
  const tenancy = await tenancyWith(TWO, config)
  assert.is((await tenancy.adopt({ schema })).adopted, false)
  assert.is((await tenancy.status({ tenant: schema })).current, '1_a.sql')
})

test('the event tells of an adopted schema once', async () => {
  const tenancy = await tenancyWith(TWO)
  const schema = newId()
  await migrated(schema)
  const events: unknown[] = []
  tenancy.on('tenant:adopted', (event) => events.push(event))
  await tenancy.adopt({ schema })
  await tenancy.adopt({ schema })
  assert.equal(events, [{ tenant: schema, schema, from: schema }])
})

test('several are adopted with the limits of a fleet', async () => {
  const tenancy = await tenancyWith(TWO)
  const schema = newId()
  await migrated(schema, '1_a.sql')
  const { notRun, remaining, failed, tenants } = await tenancy.adopt({
    schemas: [newId(), schema],
    concurrency: 1,
    failFast: true,
  })
  assert.equal([failed, notRun, remaining], [1, 1, [schema]])
  assert.equal(
    tenants.map(({ error }) => error?.code),
    ['SCHEMA_MISSING'],
  )
  const stopped = await tenancy.adopt({ schemas: [schema], signal: AbortSignal.abort() })
  assert.equal([stopped.tenants, stopped.notRun, stopped.remaining], [[], 1, [schema]])
  await failure('RUN_NOT_BEGUN', () => tenancy.adopt({ schema, signal: AbortSignal.abort() }))
  await failure('USAGE', () => tenancy.adopt({ schemas: [schema], maxFailures: 0 }))
  assert.is((await tenancy.adopt({ schemas: [schema] })).succeeded, 1)
})

test.run()
