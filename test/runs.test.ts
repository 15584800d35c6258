import { Sequelize } from 'sequelize'
import * as assert from 'uvu/assert'

import { catalogOf, rowsOf } from './support/catalog.ts'
import { testDatabase } from './support/database.ts'
import { failure } from './support/failure.ts'
import { suite } from './support/suite.ts'
import { createTable, newId, testTenancies } from './support/tenancies.ts'

const test = suite('runs')
const database = testDatabase(test)
const tenancyWith = testTenancies(test, database)

const THREE = { ...createTable('1_a', 'a'), ...createTable('2_b', 'b'), ...createTable('3_c', 'c') }

test('a report names tenant, schema, what was applied and how long it took', async () => {
  const tenancy = await tenancyWith(THREE)
  const id = newId()
  await tenancy.provision({ id, schema: `s_${id}`, up: false })
  const { durationMs, ...report } = await tenancy.up({ tenant: id })
  assert.equal(report, { id, schema: `s_${id}`, applied: ['1_a.sql', '2_b.sql', '3_c.sql'] })
  assert.ok(durationMs > 0)
})

test('plan is what up then runs, and writes nothing', async () => {
  const tenancy = await tenancyWith(THREE)
  const id = newId()
  await tenancy.provision({ id, up: false })
  const before = await catalogOf(database)
  const plan = await tenancy.plan({ tenant: id, to: '2_b' })
  assert.equal(plan, { id, schema: id, migrations: ['1_a.sql', '2_b.sql'] })
  assert.equal(await catalogOf(database), before)
  assert.equal((await tenancy.up({ tenant: id, to: '2_b' })).applied, plan.migrations)
  assert.equal((await tenancy.plan({ tenant: id, step: 5 })).migrations, ['3_c.sql'])
})

test('an unknown migration or a wrong step is refused before the tenant is touched, and marks nothing failed', async () => {
  const tenancy = await tenancyWith(THREE)
  const id = newId()
  await tenancy.provision({ id, up: false })
  await failure('MIGRATION_UNKNOWN', () => tenancy.up({ tenant: id, to: 'nope' }))
  await failure('USAGE', () => tenancy.up({ tenant: id, step: 0 }))
  await failure('MIGRATION_UNKNOWN', () => tenancy.plan({ tenant: id, to: 'nope' }))
  assert.is((await tenancy.status({ tenant: id })).state, 'pending')
  assert.equal(await catalogOf(database, id), [`schema ${id}`])
})

test('up, down, seed, status and plan of an unknown tenant are refused', async () => {
  const tenancy = await tenancyWith(THREE)
  for (const call of [
    () => tenancy.up({ tenant: 'nobody' }),
    () => tenancy.down({ tenant: 'nobody' }),
    () => tenancy.seed({ tenant: 'nobody' }),
    () => tenancy.status({ tenant: 'nobody' }),
    () => tenancy.plan({ tenant: 'nobody' }),
    () => tenancy.drop({ tenant: 'nobody', confirm: 'nobody' }),
  ]) {
    await failure('TENANT_UNKNOWN', call)
  }
})

test('a failing seed file leaves nothing, and the tenant’s state as it was', async () => {
  const tenancy = await tenancyWith({
    ...createTable('1_a', 'a'),
    'seeders/1.sql': 'INSERT INTO a VALUES (1)',
    'seeders/2.sql': 'INSERT INTO a VALUES (1)',
  })
  const id = newId()
  await tenancy.provision({ id })
  const error = await failure('MIGRATION_FAILED', () => tenancy.seed({ tenant: id }))
  assert.equal([error.migration, error.sqlstate], ['2.sql', '23505'])
  assert.equal(await rowsOf(database, `${id}.a`), [])
  assert.is((await tenancy.status({ tenant: id })).state, 'ok')
})

test('seed files have their own history and no ledger rows', async () => {
  const tenancy = await tenancyWith({
    ...createTable('1_a', 'a'),
    'seeders/1.sql': 'INSERT INTO a VALUES (1)',
  })
  const id = newId()
  await tenancy.provision({ id })
  await tenancy.seed({ tenant: id })
  assert.equal(await database.query('SELECT migration FROM umzug_tenants.run WHERE schema = $1', [id]), [
    { migration: '1_a.sql' },
  ])
})

test('a migration that sees the application’s Sequelize runs on another connection, as the migrating role', async () => {
  const role = `migrator_${newId()}`
  await database.query(`CREATE ROLE ${role} LOGIN SUPERUSER PASSWORD 'migrator'`)
  const migrationUrl = Object.assign(new URL(database.url), { username: role, password: 'migrator' }).href
  const sequelize = new Sequelize(database.url, { dialect: 'postgres', logging: false })
  const tenancy = await tenancyWith(createTable('1_a', 'a'), { sequelize, migrationUrl })
  const id = newId()
  await tenancy.provision({ id })
  assert.equal(
    await database.query("SELECT tableowner FROM pg_tables WHERE schemaname = $1 AND tablename = 'a'", [id]),
    [{ tableowner: role }],
  )
  await tenancy.drop({ tenant: id, confirm: id })
  await tenancy.close()
  await sequelize.close()
  await database.query(`DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`)
})

test('down is followed by the gate: the next access upgrades again', async () => {
  const tenancy = await tenancyWith(THREE)
  const id = newId()
  await tenancy.provision({ id })
  await tenancy.run(id, () => undefined)
  await tenancy.down({ tenant: id })
  await tenancy.run(id, () => undefined)
  assert.is((await tenancy.status({ tenant: id })).state, 'ok')
})

test('O39 eight runners of one fleet execute each migration once for each tenant', async () => {
  await database.query('CREATE TABLE public.executions (schema text, migration text)')
  const noting = (table: string) => `CREATE TABLE ${table} (id integer);
    INSERT INTO public.executions VALUES (current_schema(), '${table}')`
  const files = { 'migrations/1_a.sql': noting('a'), 'migrations/2_b.sql': noting('b') }
  const runners = await Promise.all(Array.from({ length: 8 }, () => tenancyWith(files)))
  const [first] = runners
  const ids = Array.from({ length: 12 }, () => newId())
  for (const id of ids) await first?.provision({ id, up: false })
  const reports = await Promise.all(runners.map((runner) => runner.up({ tenants: ids, concurrency: 2 })))
  assert.equal(new Set(reports.map(({ failed }) => failed)), new Set([0]))
  const executions = await database.query<{ schema: string; count: number }>(
    'SELECT schema, count(*)::integer AS count FROM public.executions WHERE schema = ANY ($1) GROUP BY schema',
    [ids],
  )
  assert.equal(executions.length, ids.length)
  assert.ok(executions.every(({ count }) => count === 2))
  await database.query('DROP TABLE public.executions')
})

test.run()
