/** Roles beside the migrating one: what the server refuses by itself, whatever the statement says. */
import { QueryTypes, Sequelize } from 'sequelize'
import * as assert from 'uvu/assert'

import type { Roles } from '../lib/grants.ts'
import type { TenancyConfig } from '../lib/options.ts'
import { sqlStateOf } from '../lib/sql.ts'
import { catalogOf } from './support/catalog.ts'
import { testDatabase } from './support/database.ts'
import { failure, thrownBy } from './support/failure.ts'
import { suite } from './support/suite.ts'
import { createTable, newId, testTenancies } from './support/tenancies.ts'

const test = suite('roles')
const database = testDatabase(test)
const tenancyWith = testTenancies(test, database)

/** Roles are the cluster's: each run has its own. */
const PREFIX = `umzug_test_${process.pid}`
const APPLICATION = `${PREFIX}_app`
const TABLES = {
  ...createTable('1_users', 'users'),
  '2_notes.sql': 'CREATE TABLE notes (id serial PRIMARY KEY, text text)',
  '2_notes.down.sql': 'DROP TABLE notes',
}

const open: Sequelize[] = []

test.before(async () => {
  await database.query(`CREATE ROLE ${APPLICATION} LOGIN PASSWORD 'p'`)
  await database.query('CREATE SCHEMA shared')
})

test.after.each(async () => {
  await Promise.all(open.splice(0).map((sequelize) => sequelize.close()))
})

test.after(async () => {
  const roles = await database.query<{ name: string }>(
    'SELECT rolname AS name FROM pg_roles WHERE starts_with(rolname, $1) ORDER BY rolname <> $2',
    [PREFIX, APPLICATION],
  )
  for (const { name } of roles) {
    await database.query(`DROP OWNED BY "${name}"`)
    await database.query(`DROP ROLE "${name}"`)
  }
})

/** A tenancy whose application connects as its own role, and migrates as another. */
async function apart(roles: Roles, config: TenancyConfig = {}) {
  const url = new URL(database.url)
  url.username = APPLICATION
  url.password = 'p'
  const sequelize = new Sequelize(url.href, { logging: false, pool: { max: 2 } })
  open.push(sequelize)
  const tenancy = await tenancyWith(TABLES, { sequelize, migrationUrl: database.url, roles, ...config })
  return { tenancy, sequelize }
}

const application = { application: APPLICATION }
const each = { ...application, tenant: ({ id }: { readonly id: string }) => `${PREFIX}_${id}` }

test('O66 the application may use what a migration creates, in the first run and in later ones', async () => {
  const { tenancy, sequelize } = await apart(application)
  const id = newId()
  await tenancy.provision({ id, up: false })
  await tenancy.up({ tenant: id, step: 1 })
  await tenancy.up({ tenant: id })
  const rows = await tenancy.run(id, async () => {
    await sequelize.query("INSERT INTO notes (text) VALUES ('x')")
    await sequelize.query('INSERT INTO users VALUES (1)')
    await sequelize.query('UPDATE notes SET text = $1', { bind: ['y'] })
    await sequelize.query('DELETE FROM users')
    return sequelize.query('SELECT id, text FROM notes', { type: QueryTypes.SELECT })
  })
  assert.equal(rows, [{ id: 1, text: 'y' }])
})

test('O65 the application may not create or drop anything in a tenant', async () => {
  const { tenancy, sequelize } = await apart(application)
  const id = newId()
  await tenancy.provision({ id })
  for (const statement of [
    'CREATE TABLE x ()',
    'DROP TABLE notes',
    'ALTER TABLE notes ADD x int',
    `DROP SCHEMA ${id}`,
  ]) {
    const error = await tenancy.run(id, () => thrownBy(() => sequelize.query(statement)))
    assert.is(sqlStateOf(error), '42501', statement)
  }
})

test('the first access of a tenant behind upgrades it as the migrating role', async () => {
  const { tenancy, sequelize } = await apart(application)
  const id = newId()
  await tenancy.provision({ id, up: false })
  assert.equal(
    await tenancy.run(id, () => sequelize.query('SELECT FROM notes', { type: QueryTypes.SELECT })),
    [],
  )
})

test('without the option the application’s role is told which GRANT is missing', async () => {
  const { tenancy, sequelize } = await apart(application)
  const other = await tenancyWith(TABLES)
  const id = newId()
  await other.provision({ id })
  const error = await tenancy.run(id, () =>
    failure('PRIVILEGE_MISSING', () => sequelize.query('SELECT FROM notes')),
  )
  assert.match(error.message, `GRANT USAGE ON SCHEMA "${id}" TO the role of the application`)
})

test('O67 with a role for each tenant the server refuses another tenant’s tables, although they are named', async () => {
  const { tenancy, sequelize } = await apart(each)
  const [own, other] = [newId(), newId()]
  await tenancy.provision({ id: own })
  await tenancy.provision({ id: other })
  const uses: Record<string, () => Promise<unknown>> = {
    'without values': () => sequelize.query(`SELECT * FROM ${other}.notes`),
    'with values': () => sequelize.query(`SELECT * FROM ${other}.notes WHERE id = $1`, { bind: [1] }),
    'a transaction': () =>
      sequelize.transaction((transaction) => sequelize.query(`DELETE FROM ${other}.notes`, { transaction })),
    'values in a transaction': () =>
      sequelize.transaction((transaction) =>
        sequelize.query(`DELETE FROM ${other}.notes WHERE id = $1`, { transaction, bind: [1] }),
      ),
    'a statement that runs alone': () => sequelize.query(`DO $$ BEGIN PERFORM * FROM ${other}.notes; END $$`),
    'the ledger': () => sequelize.query('SELECT * FROM umzug_tenants.tenant'),
  }
  await tenancy.run(own, async () => {
    for (let round = 0; round < 2; round++) {
      for (const [what, use] of Object.entries(uses))
        assert.is(sqlStateOf(await thrownBy(use)), '42501', what)
      await sequelize.query("INSERT INTO notes (text) VALUES ('mine')")
      await sequelize.transaction((transaction) =>
        sequelize.query('UPDATE notes SET text = $1', { transaction, bind: ['mine'] }),
      )
    }
    // A schema that the role may not use is passed over.
    const ownPath = () => sequelize.query(`SET search_path TO ${other}; SELECT * FROM notes`)
    assert.is(sqlStateOf(await thrownBy(ownPath)), '42P01')
    const rows = await sequelize.query('SELECT current_user::text AS role, text FROM notes LIMIT 1', {
      type: QueryTypes.SELECT,
    })
    assert.equal(rows, [{ role: `${PREFIX}_${own}`, text: 'mine' }])
  })
})

test('the role of a tenant is not left on the connection', async () => {
  const { tenancy, sequelize } = await apart(each)
  const id = newId()
  await tenancy.provision({ id })
  const role = () =>
    sequelize.query<{ role: string }>('SELECT current_user::text AS role', { type: QueryTypes.SELECT })
  await tenancy.run(id, async () => {
    await role()
    await sequelize.query('DO $$ BEGIN NULL; END $$')
    await sequelize.transaction(async (transaction) => sequelize.query('SELECT 1', { transaction }))
  })
  assert.equal(await tenancy.runShared(role), [{ role: APPLICATION }])
})

test('a schema that the tenant’s role may not use is named, with its GRANT', async () => {
  const { tenancy, sequelize } = await apart(each)
  const id = newId()
  await tenancy.provision({ id })
  await database.query(`REVOKE USAGE ON SCHEMA ${id} FROM ${PREFIX}_${id}`)
  const error = await tenancy.run(id, () =>
    failure('PRIVILEGE_MISSING', () => sequelize.query('SELECT FROM notes')),
  )
  assert.equal(error.fix, [
    `as the schema's owner: GRANT USAGE ON SCHEMA "${id}" TO "${PREFIX}_${id}"`,
    `and let the application take the role: GRANT "${PREFIX}_${id}" TO its own`,
  ])
})

test('provision again grants nothing new', async () => {
  const { tenancy } = await apart(each)
  const id = newId()
  await tenancy.provision({ id })
  const before = await catalogOf(database)
  const grants = () =>
    database.query(
      'SELECT nspacl::text, (SELECT array_agg(defaclacl::text ORDER BY 1) FROM pg_default_acl d WHERE defaclnamespace = n.oid) AS defaults FROM pg_namespace n WHERE nspname = $1',
      [id],
    )
  const granted = await grants()
  await tenancy.provision({ id })
  assert.equal([await catalogOf(database), await grants()], [before, granted])
})

test('roles that are no roles are refused by the configuration', async () => {
  for (const [roles, title] of [
    [{ tenant: 'x' }, 'Option "roles.tenant" must be a function that names the role of a tenant; it is "x".'],
    [{ application: '' }, 'Option "roles.application" must be the name of a role; it is "".'],
  ] as const) {
    const config = { roles } as unknown as TenancyConfig // wrong on purpose
    assert.is((await failure('CONFIG_INVALID', () => tenancyWith({}, config))).title, title)
  }
})

test.run()
