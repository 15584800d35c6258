/** A real Alembic and this package on one schema: each reads what the other has written. */
import * as assert from 'uvu/assert'

import { createTenancy, type Tenancy } from '../../lib/tenancy.ts'
import { alembic, alembicProject, withoutAlembic } from '../support/alembic.ts'
import { catalogOf } from '../support/catalog.ts'
import { testDatabase } from '../support/database.ts'
import { temporaryFolders } from '../support/folder.ts'
import { suite } from '../support/suite.ts'
import { createTable, newId } from '../support/tenancies.ts'

const test = suite('storage/alembic')
const database = testDatabase(test)
const newFolder = temporaryFolders(test)

// Alembic's own ids are random; these sort as they follow each other, which is the order here.
const TABLES = { '0001': 'users', '0002': 'roles' }
const FILES = { ...createTable('0001_users', 'users'), ...createTable('0002_roles', 'roles') }

let folder: string
let tenancy: Tenancy

test.before(async () => {
  const migrations = Object.entries(FILES).map(([name, text]) => [`migrations/${name}`, text])
  folder = await newFolder({ ...alembicProject(TABLES), ...Object.fromEntries(migrations) })
  tenancy = createTenancy({ url: database.url, storage: 'alembic_version' }, { baseDir: folder })
})

test.after(() => tenancy.close())

const inTenant = (schema: string, ...args: string[]) =>
  alembic(folder, database, '-x', `tenant=${schema}`, ...args)

if (withoutAlembic === undefined) compare()
else test(`is skipped: ${withoutAlembic}`, () => console.log(`    skipped: ${withoutAlembic}`))
test.run()

function compare(): void {
  test('Alembic reads a schema that was upgraded here, and finds nothing to do', async () => {
    const id = newId()
    await tenancy.provision({ id, up: false })
    await tenancy.up({ tenant: id, step: 1 })
    assert.is(await inTenant(id, 'current'), '0001')
    await tenancy.up({ tenant: id })
    assert.is(await inTenant(id, 'current'), '0002 (head)')
    const before = await catalogOf(database, id)
    await inTenant(id, 'upgrade', 'head')
    assert.equal(await catalogOf(database, id), before)
    await tenancy.down({ tenant: id, to: 0 })
    assert.is(await inTenant(id, 'current'), '')
  })

  test('a schema that Alembic has upgraded is adopted where it stands, and goes on here', async () => {
    const id = newId()
    await database.query(`CREATE SCHEMA ${id}`)
    await inTenant(id, 'upgrade', '0001')
    const report = await tenancy.adopt({ schema: id })
    assert.equal(
      [report.current, report.pending, report.state],
      ['0001_users.sql', ['0002_roles.sql'], 'pending'],
    )
    assert.equal((await tenancy.up({ tenant: id })).applied, ['0002_roles.sql'])
    assert.is(await inTenant(id, 'current'), '0002 (head)')
  })

  test('what Alembic reverts or stamps afterwards is read from its table', async () => {
    const id = newId()
    await tenancy.provision({ id })
    await inTenant(id, 'downgrade', '-1')
    assert.equal((await tenancy.status({ tenant: id })).pending, ['0002_roles.sql'])
    await inTenant(id, 'stamp', 'head')
    assert.is((await tenancy.status({ tenant: id })).state, 'ok')
  })

  test('a stamp is the same in both', async () => {
    const id = newId()
    await tenancy.provision({ id, up: false })
    await tenancy.stamp({ tenant: id, to: '0001' })
    assert.is(await inTenant(id, 'current'), '0001')
    await tenancy.stamp({ tenant: id, to: 'base' })
    assert.is(await inTenant(id, 'current'), '')
  })

  test('the version table is the one that Alembic makes', async () => {
    const [ours, theirs] = [newId(), newId()]
    await tenancy.provision({ id: ours })
    await database.query(`CREATE SCHEMA ${theirs}`)
    await inTenant(theirs, 'upgrade', 'head')
    const tableOf = async (schema: string) =>
      (await catalogOf(database, schema))
        .filter((line) => line.includes('alembic_version'))
        .map((line) => line.replaceAll(schema, 'SCHEMA'))
    const made = await tableOf(theirs)
    assert.ok(made.length > 2)
    assert.equal(await tableOf(ours), made)
  })
}
