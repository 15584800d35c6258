/** Requests through PgBouncer in transaction mode, on fewer server connections than there are clients. */
import type pg from 'pg'
import QueryStream from 'pg-query-stream'
import { DataTypes, QueryTypes, Sequelize } from 'sequelize'
import * as assert from 'uvu/assert'

import { TenantContext } from '../lib/context.ts'
import { bindSearchPath } from '../lib/search-path.ts'
import type { Tenant } from '../lib/tenant.ts'
import { cliProjects } from './support/cli.ts'
import { testDatabase } from './support/database.ts'
import { failure } from './support/failure.ts'
import { hasPgBouncer, startPgBouncer, type PgBouncer } from './support/pgbouncer.ts'
import { createStressSchemas, stress } from './support/stress.ts'
import { suite } from './support/suite.ts'
import { createTable, newId, testTenancies } from './support/tenancies.ts'

const TENANTS = 20
const OWNER = 'SELECT owner FROM users WHERE id = 1'
const tenants = Array.from({ length: TENANTS }, (_, index): Tenant => ({
  id: `t_${index}`,
  schema: `t_${index}`,
}))

const test = suite('pgbouncer')
if (hasPgBouncer) tests()
else test('is skipped: there is no pgbouncer', () => console.log('    skipped: install pgbouncer'))
test.run()

function tests(): void {
  const database = testDatabase(test)
  const tenancyWith = testTenancies(test, database)
  const project = cliProjects(test, database)
  const context = new TenantContext({ searchPath: ['shared'], onMissing: 'error' })
  let pooler: PgBouncer | undefined
  let open: Sequelize[] = []

  test.before(async () => {
    await createStressSchemas(database.url, TENANTS)
    pooler = await startPgBouncer(database.url, { mode: 'transaction', poolSize: 1 })
  })
  test.after.each(async () => {
    await Promise.all(open.map((sequelize) => sequelize.close()))
    open = []
  })
  test.after(() => pooler?.stop())

  const urlThrough = () => {
    if (pooler === undefined) throw new Error('PgBouncer runs only while the tests do')
    return pooler.url(database.url)
  }
  const unbound = (max: number) => {
    const sequelize = new Sequelize(urlThrough(), { logging: false, pool: { max } })
    open.push(sequelize)
    return sequelize
  }
  const bound = (max: number) => {
    const sequelize = unbound(max)
    bindSearchPath(sequelize, context)
    return sequelize
  }
  const tenantAt = (index: number): Tenant => {
    const tenant = tenants[index % TENANTS]
    if (tenant === undefined) throw new RangeError(`no tenant ${index}`)
    return tenant
  }
  const ownerOf = async (sequelize: Sequelize, options: object = {}) => {
    const [row] = await sequelize.query<{ owner: string }>(OWNER, { type: QueryTypes.SELECT, ...options })
    return row?.owner
  }

  test('plain SET search_path leaks to other clients there: the set-up shows it', async () => {
    const sequelize = unbound(10)
    let wrong = 0
    const flow = async (index: number) => {
      const tenant = tenantAt(index)
      const client = (await sequelize.connectionManager.getConnection({ type: 'write' })) as pg.Client // typed as Connection
      try {
        await client.query(`SET search_path TO ${tenant.schema}`)
        const { rows } = await client.query<{ owner: string }>(OWNER)
        if (rows[0]?.owner !== tenant.id) wrong++
      } finally {
        sequelize.connectionManager.releaseConnection(client)
      }
    }
    await Promise.all(Array.from({ length: 200 }, (_, index) => flow(index)))
    assert.ok(wrong > 0)
    // One server connection serves all: what is set on it would meet the next test.
    await sequelize.query('RESET search_path')
  })

  test('O24 fifty clients of twenty tenants on one server connection read their own rows', async () => {
    const sequelize = bound(50)
    const User = sequelize.define(
      'User',
      { id: { type: DataTypes.INTEGER, primaryKey: true }, owner: DataTypes.TEXT },
      { tableName: 'users', timestamps: false },
    )
    const uses: ((tenant: Tenant) => Promise<unknown>)[] = [
      async () => (await User.findByPk(1))?.get('owner'),
      () => ownerOf(sequelize),
      async () => {
        const [row] = await sequelize.query<{ owner: string }>('SELECT owner FROM users WHERE id = $1', {
          bind: [1],
          type: QueryTypes.SELECT,
        })
        return row?.owner
      },
      () =>
        sequelize.transaction(async (transaction) => {
          await User.update({ name: 'x' }, { where: { id: 2 }, transaction })
          return ownerOf(sequelize, { transaction })
        }),
      async () => {
        await sequelize.query('SELECT 1/0').catch(() => undefined)
        return ownerOf(sequelize)
      },
    ]
    const seen = await Promise.all(
      Array.from({ length: 600 }, (_, index) => {
        const tenant = tenantAt(index)
        return context.run(tenant, async () => [tenant.id, await uses[index % uses.length]?.(tenant)])
      }),
    )
    assert.equal(
      seen.filter(([tenant, owner]) => tenant !== owner),
      [],
    )
  })

  test('a stream reads its tenant inside a transaction', async () => {
    const sequelize = bound(4)
    const read = (tenant: Tenant) =>
      context.run(tenant, () =>
        sequelize.transaction(async (transaction) => {
          const { connection } = transaction as unknown as { connection: pg.Client } // not typed upstream
          const owners = new Set<unknown>()
          for await (const row of connection.query(new QueryStream('SELECT owner FROM users')))
            owners.add(row.owner)
          return [...owners]
        }),
      )
    assert.equal(await Promise.all([0, 1, 2, 3].map((index) => read(tenantAt(index)))), [
      ['t_0'],
      ['t_1'],
      ['t_2'],
      ['t_3'],
    ])
  })

  test('a named statement is never read on another tenant: this PgBouncer refuses what it cannot keep', async () => {
    const sequelize = bound(4)
    const outcomes = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        context.run(tenantAt(index), async () => {
          const client = (await sequelize.connectionManager.getConnection({ type: 'write' })) as pg.Client // typed as Connection
          try {
            const named = { name: 'owner', text: 'SELECT owner FROM users WHERE id = $1', values: [1] }
            return (await client.query<{ owner: string }>(named)).rows[0]?.owner === tenantAt(index).id
          } catch (error) {
            return (
              /prepared statement "owner" (?:already exists|does not exist)/.test(String(error)) ||
              String(error)
            )
          } finally {
            sequelize.connectionManager.releaseConnection(client)
          }
        }),
      ),
    )
    assert.equal(new Set(outcomes), new Set([true]))
    await context.runShared(() => sequelize.query('DEALLOCATE ALL'))
  })

  for (const statement of [
    'VACUUM users',
    'CALL nothing()',
    'SET statement_timeout TO 0',
    'CREATE TEMP TABLE report ()',
  ]) {
    test(`"${statement}", which needs one server process, is refused with what to do`, async () => {
      const sequelize = bound(1)
      const error = await context.run(tenantAt(0), () =>
        failure('POOLER_DETECTED', () => sequelize.query(statement)),
      )
      assert.is(error.title, 'The statement needs a server process of its own, and a pooler stands between.')
      assert.equal(error.fix, [
        'run it in a transaction, if it can run in one',
        'or on a connection to PostgreSQL itself: as a migration, through migrationUrl',
      ])
      assert.is(error.exitCode, 7)
      assert.is(await context.run(tenantAt(1), () => ownerOf(sequelize)), 't_1')
    })
  }

  test('what can run in a transaction runs there', async () => {
    const sequelize = bound(1)
    await context.run(tenantAt(2), () =>
      sequelize.transaction(async (transaction) => {
        await sequelize.query('CREATE TEMP TABLE report ON COMMIT DROP AS SELECT * FROM users', {
          transaction,
        })
        await sequelize.query('LOCK TABLE users IN SHARE MODE', { transaction })
        await sequelize.query('SET LOCAL work_mem TO 1024', { transaction })
        await sequelize.query('DO $$ BEGIN PERFORM owner FROM users; END $$', { transaction })
        assert.is(await ownerOf(sequelize, { transaction }), 't_2')
      }),
    )
  })

  for (const namespace of ['AsyncLocalStorage', 'cls-hooked'] as const) {
    test(`2,000 mixed operations read no other tenant's row (${namespace})`, async () => {
      const roomy = await startPgBouncer(database.url, { mode: 'transaction', poolSize: 12 })
      try {
        const report = await stress({
          url: roomy.url(database.url),
          operations: 2000,
          tenants: TENANTS,
          namespace,
          binding: 'product',
          killEveryMs: 0,
          pooled: true,
        })
        assert.equal(report.wrong, [])
        assert.equal(report.errors, {})
      } finally {
        await roomy.stop()
      }
    })
  }

  test('O25 in session mode requests read their own rows, too', async () => {
    const session = await startPgBouncer(database.url, { mode: 'session', poolSize: 8 })
    const sequelize = new Sequelize(session.url(database.url), { logging: false, pool: { max: 4 } })
    bindSearchPath(sequelize, context)
    try {
      const seen = await Promise.all(
        Array.from({ length: 60 }, (_, index) => context.run(tenantAt(index), () => ownerOf(sequelize))),
      )
      assert.equal(
        seen,
        Array.from({ length: 60 }, (_, index) => tenantAt(index).id),
      )
    } finally {
      await sequelize.close()
      await session.stop()
    }
  })

  test('O23 migrations through it are refused with the remedy, and run over migrationUrl', async () => {
    const files = createTable('1_a', 'a')
    const id = newId()
    const tenancy = await tenancyWith(files, { url: urlThrough() })
    const error = await failure('POOLER_DETECTED', () => tenancy.provision({ id }))
    assert.match(error.message, 'set migrationUrl (MIGRATION_DATABASE_URL) to a direct connection')
    const cliProject = await project()
    const env = { DATABASE_URL: urlThrough() }
    const { code, stderr } = await cliProject.cli(['tenants', 'create', 'by_cli'], { env })
    assert.is(code, 7)
    assert.match(stderr, 'set migrationUrl (MIGRATION_DATABASE_URL) to a direct connection')
    assert.is(
      (
        await cliProject.cli(['tenants', 'create', 'by_cli'], {
          env: { ...env, MIGRATION_DATABASE_URL: database.url },
        })
      ).code,
      0,
    )
    const direct = await tenancyWith(files, { url: urlThrough(), migrationUrl: database.url })
    assert.equal((await direct.provision({ id })).applied, ['1_a.sql'])
  })
}
