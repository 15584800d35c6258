/** Migrations in the online form as a fleet runs them: two that are recorded apart, and run again where they broke. */
import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import pg from 'pg'
import { DataTypes, Sequelize } from 'sequelize'
import * as assert from 'uvu/assert'

import { revisionOf } from '../../lib/migrations/revision.ts'
import type { TenancyConfig } from '../../lib/options.ts'
import { createTenancy, type Tenancy } from '../../lib/tenancy.ts'
import { testDatabase } from '../support/database.ts'
import { failure } from '../support/failure.ts'
import { temporaryFolders } from '../support/folder.ts'
import { suite } from '../support/suite.ts'
import { newId } from '../support/tenancies.ts'
import type { Define } from './support/case.ts'

const test = suite('autogenerate/online-runs')
const database = testDatabase(test)
const makeFolder = temporaryFolders(test)

const { INTEGER, STRING } = DataTypes

const before: Define = (sequelize) => {
  sequelize.define('user', { code: INTEGER, name: STRING }, { timestamps: false })
  sequelize.define('post', { author: INTEGER }, { timestamps: false })
}

/** A column in the transaction; a unique constraint, a foreign key to it, an index and NOT NULL outside. */
const after: Define = (sequelize) => {
  const code = { type: INTEGER, unique: true }
  const indexes = [{ fields: ['name'], name: 'by_name', unique: true }]
  sequelize.define('user', { code, name: STRING, more: INTEGER }, { timestamps: false, indexes })
  const author = { type: INTEGER, allowNull: false, references: { model: 'users', key: 'code' } }
  sequelize.define('post', { author }, { timestamps: false })
}

interface Project {
  readonly id: string
  readonly files: () => Promise<readonly string[]>
  /** Opens the tenancy of one release for the time of `fn`. */
  within<T>(define: Define, fn: (tenancy: Tenancy) => Promise<T>): Promise<T>
}

/** A tenant that has the first release, and the migrations to the second. */
async function released(config: TenancyConfig = {}, first = '20260101000000_first.sql'): Promise<Project> {
  const id = newId()
  const baseDir = await makeFolder({
    [`migrations/${first}`]: `CREATE TABLE users (id serial PRIMARY KEY, code integer, name varchar(255));
      CREATE TABLE posts (id serial PRIMARY KEY, author integer);`,
    [`migrations/${first.replace('.sql', '.down.sql')}`]: 'DROP TABLE posts; DROP TABLE users;',
  })
  const project: Project = {
    id,
    files: async () => (await readdir(join(baseDir, 'migrations'))).toSorted(),
    async within(define, fn) {
      const sequelize = new Sequelize(database.url, { dialect: 'postgres', logging: false })
      define(sequelize)
      const tenancy = createTenancy({ sequelize, ...config }, { baseDir })
      try {
        return await fn(tenancy)
      } finally {
        await tenancy.close()
        await sequelize.close()
      }
    },
  }
  await project.within(before, async (tenancy) => {
    await tenancy.provision({ id })
    assert.equal((await tenancy.check({ specimen: id })).differences, [])
  })
  return project
}

const written = (project: Project) =>
  project.within(after, (tenancy) =>
    tenancy.autogenerate({ message: 'more', specimen: project.id, online: true }),
  )

for (const [storage, first] of [
  ['SequelizeMeta', '20260101000000_first.sql'],
  ['alembic_version', 'd6ba8c13303e_first.sql'],
] as const) {
  test(`${storage}: the two are recorded in order, one after the other, and reverted one by one`, async () => {
    const project = await released({ storage }, first)
    const { id } = project
    const { files } = await written(project)
    const names = files.map((file) => basename(file))
    assert.equal(names.toSorted(), (await project.files()).slice(2))
    const [up = '', , online = ''] = names
    assert.match(up, /^[0-9a-f]+_more\.sql$/)
    assert.match(online, /^[0-9a-f]+_more_online\.sql$/)
    assert.ok(revisionOf(up) < revisionOf(online))
    await project.within(after, async (tenancy) => {
      const { applied } = await tenancy.up({ tenant: id })
      assert.equal(applied.length, 2)
      assert.equal((await tenancy.check({ specimen: id })).differences, [])
      assert.equal((await tenancy.down({ tenant: id })).reverted, [applied[1]])
      assert.equal((await tenancy.down({ tenant: id })).reverted, [applied[0]])
    })
    await database.query(`DROP SCHEMA ${id} CASCADE`)
  })
}

test('what rows have broken is run again from its start: INVALID indexes go, what was done stays', async () => {
  const project = await released()
  const { id } = project
  await written(project)
  await database.query(`INSERT INTO ${id}.users (code, name) VALUES (1, 'x'), (2, 'x');
                        INSERT INTO ${id}.posts (author) VALUES (1), (3), (NULL)`)
  await project.within(after, async (tenancy) => {
    const up = () => tenancy.up({ tenant: id })
    const invalid = () =>
      database.query<{ name: string }>(
        `SELECT indexrelid::regclass::text AS name FROM pg_index WHERE NOT indisvalid`,
      )
    const empty = await failure('MIGRATION_FAILED', up)
    assert.match(empty.message, 'posts_author__filled')
    await database.query(`DELETE FROM ${id}.posts WHERE author IS NULL`)
    const duplicate = await failure('MIGRATION_FAILED', up)
    assert.match(duplicate.message, '"by_name" INVALID')
    assert.equal((await invalid()).length, 1)
    await database.query(`UPDATE ${id}.users SET name = 'y' WHERE code = 2`)
    const orphan = await failure('MIGRATION_FAILED', up)
    assert.match(orphan.message, 'posts_author_fkey')
    assert.equal(await invalid(), [])
    await database.query(`DELETE FROM ${id}.posts WHERE author = 3`)
    assert.equal((await up()).applied.length, 1)
    assert.equal((await tenancy.check({ specimen: id })).differences, [])
  })
  await database.query(`DROP SCHEMA ${id} CASCADE`)
})

test('who writes is not kept waiting by an index that is being made', async () => {
  const project = await released({ timeouts: { lockMs: 10_000 } })
  const { id } = project
  await written(project)
  await project.within(after, async (tenancy) => {
    await tenancy.up({ tenant: id, step: 1 })
    const writer = new pg.Client({ connectionString: database.url })
    await writer.connect()
    await writer.query(`BEGIN; INSERT INTO ${id}.users (name) VALUES ('slow')`)
    const running = tenancy.up({ tenant: id })
    running.catch(() => undefined) // it is awaited below
    const waiting = () =>
      database.query(
        `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%CREATE %INDEX%' AND pid <> pg_backend_pid()
            AND datname = current_database()`,
      )
    while ((await waiting()).length === 0) await sleep(20)
    // Behind an index that is made in a transaction it would have to wait for the slow one.
    await database.query(`SET statement_timeout = 2000; INSERT INTO ${id}.users (name) VALUES ('quick')`)
    assert.equal((await waiting()).length, 1)
    await writer.query('COMMIT')
    await writer.end()
    assert.equal((await running).applied.length, 1)
  })
  await database.query(`DROP SCHEMA ${id} CASCADE`)
})

test.run()
