import { createNamespace, destroyNamespace } from 'cls-hooked'
import pg from 'pg'
import QueryStream from 'pg-query-stream'
import { DataTypes, QueryTypes, Sequelize, Transaction } from 'sequelize'
import * as assert from 'uvu/assert'

import { TenantContext } from '../lib/context.ts'
import { isTenancyError } from '../lib/errors.ts'
import type { WireClient } from '../lib/scoped-query.ts'
import { scopeClient } from '../lib/scoped-client.ts'
import { bindSearchPath } from '../lib/search-path.ts'
import type { Tenant } from '../lib/tenant.ts'
import { testDatabase } from './support/database.ts'
import { suite } from './support/suite.ts'

const a: Tenant = { id: 'a', schema: 'a' }
const b: Tenant = { id: 'b', schema: 'b' }

const test = suite('search path')
const database = testDatabase(test)

let context: TenantContext
let sequelize: Sequelize
let User: ReturnType<typeof defineUser>

test.before(async () => {
  for (const schema of ['a', 'b', 'shared']) {
    await database.query(`CREATE SCHEMA ${schema}`)
    await database.query(`CREATE TABLE ${schema}.users (id integer PRIMARY KEY, owner text)`)
    await database.query(`INSERT INTO ${schema}.users SELECT i, $1 FROM generate_series(1, 3) AS i`, [schema])
  }
  await database.query('CREATE TABLE public.users (id integer PRIMARY KEY, owner text)')
  context = new TenantContext({ searchPath: ['shared'], onMissing: 'error' })
  sequelize = open({ max: 1 })
  User = defineUser(sequelize)
})

test.after(() => sequelize.close())

/** A pool whose statements obey `context`; one connection, so that whatever is left on it meets the next statement. */
function open(pool: { max: number }, obeyed = context): Sequelize {
  const opened = new Sequelize(database.url, { logging: false, pool })
  bindSearchPath(opened, obeyed)
  return opened
}

function defineUser(on: Sequelize) {
  return on.define(
    'User',
    { id: { type: DataTypes.INTEGER, primaryKey: true }, owner: DataTypes.TEXT },
    {
      tableName: 'users',
      timestamps: false,
    },
  )
}

async function ownerSeen(options: { transaction?: Transaction } = {}): Promise<unknown> {
  return (await User.findByPk(1, options))?.get('owner')
}

async function pathOfConnection(): Promise<unknown> {
  const [row] = await sequelize.query<{ setting: string }>(
    "SELECT setting FROM pg_settings WHERE name = 'search_path'",
    {
      type: QueryTypes.SELECT,
    },
  )
  return row?.setting
}

const select = { type: QueryTypes.SELECT } as const

test('a model reads the tenant of its run', async () => {
  assert.is(await context.run(a, () => ownerSeen()), 'a')
  assert.is(await context.run(b, () => ownerSeen()), 'b')
  assert.is(await context.runShared(() => ownerSeen()), 'shared')
})

test('a statement outside any run fails with the name of the call to use', async () => {
  const error = await ownerSeen().catch((thrown: unknown) => thrown)
  assert.ok(isTenancyError(error, 'TENANT_CONTEXT_MISSING'))
  assert.match((error as Error).message, 'tenancy.run(tenant, fn)')
})

test('a statement outside any run sees the shared schemas where that is chosen', async () => {
  const lenient = open({ max: 1 }, new TenantContext({ searchPath: ['shared'], onMissing: 'shared' }))
  const [row] = await lenient.query<{ owner: string }>('SELECT owner FROM users LIMIT 1', select)
  assert.is(row?.owner, 'shared')
  await lenient.close()
})

test('raw queries with bind, with replacements and with neither go to the tenant', async () => {
  await context.run(a, async () => {
    const owner = async (sql: string, options: object) =>
      (await sequelize.query<{ owner: string }>(sql, { ...select, ...options }))[0]?.owner
    assert.is(await owner('SELECT owner FROM users WHERE id = $1', { bind: [1] }), 'a')
    assert.is(await owner('SELECT owner FROM users WHERE id = $id', { bind: { id: 1 } }), 'a')
    assert.is(await owner('SELECT owner FROM users WHERE id = :id', { replacements: { id: 1 } }), 'a')
    assert.is(await owner('SELECT owner FROM users WHERE id = 1', {}), 'a')
  })
})

test('a text of several statements goes to the tenant as a whole', async () => {
  const rows = await context.run(b, () =>
    sequelize.query<{ owner: string }>('SELECT 1; SELECT owner FROM users WHERE id = 1', select),
  )
  assert.equal(rows.at(-1), { owner: 'b' })
})

for (const text of [
  'BEGIN; SELECT owner FROM users LIMIT 1; COMMIT; SELECT owner FROM users LIMIT 1',
  'COMMIT; SELECT owner FROM users LIMIT 1',
  'SELECT owner FROM users LIMIT 1; ROLLBACK; SELECT owner FROM users LIMIT 1',
]) {
  test(`"${text}" goes to the tenant before and after its transaction`, async () => {
    const rows = await context.run(a, () =>
      sequelize.query<{ owner: string }>(text, { type: QueryTypes.SELECT }),
    )
    assert.ok(rows.length > 0)
    assert.equal([...new Set(rows.map(({ owner }) => owner))], ['a'])
  })
}

test('a managed transaction stays on the tenant through every statement', async () => {
  await context.run(a, () =>
    sequelize
      .transaction(async (transaction) => {
        assert.is(await ownerSeen({ transaction }), 'a')
        await User.update({ owner: 'changed' }, { where: { id: 2 }, transaction })
        await transaction.rollback()
      })
      .catch(() => undefined),
  )
  assert.equal(await database.query('SELECT owner FROM a.users WHERE id = 2'), [{ owner: 'a' }])
})

test('an unmanaged transaction commits in its tenant alone', async () => {
  await context.run(b, async () => {
    const transaction = await sequelize.transaction()
    await User.create({ id: 50, owner: 'b' }, { transaction })
    await transaction.commit()
  })
  assert.equal(await database.query('SELECT count(*)::int AS n FROM b.users WHERE id = 50'), [{ n: 1 }])
  assert.equal(await database.query('SELECT count(*)::int AS n FROM a.users WHERE id = 50'), [{ n: 0 }])
})

test('isolation level and read only can be set on a transaction', async () => {
  const level = await context.run(a, () =>
    sequelize.transaction(
      { isolationLevel: Transaction.ISOLATION_LEVELS.SERIALIZABLE },
      async (transaction) => {
        await ownerSeen({ transaction })
        return sequelize.query<{ transaction_isolation: string }>('SHOW transaction_isolation', {
          ...select,
          transaction,
        })
      },
    ),
  )
  assert.equal(level, [{ transaction_isolation: 'serializable' }])
})

test('a savepoint that is rolled back leaves the tenant in place', async () => {
  await context.run(a, () =>
    sequelize.transaction(async (transaction) => {
      await sequelize
        .transaction({ transaction }, async (inner) => {
          await sequelize.query('SET search_path TO b', { transaction: inner })
          throw new Error('back')
        })
        .catch(() => undefined)
      assert.is(await ownerSeen({ transaction }), 'a')
    }),
  )
})

test('a search path set by hand does not outlive its statement', async () => {
  await context.run(a, () => sequelize.query("SELECT set_config('search_path', 'b', false)"))
  assert.is(await context.run(a, () => ownerSeen()), 'a')
  await context.run(a, () => sequelize.query('SET search_path TO b'))
  assert.is(await context.run(a, () => ownerSeen()), 'a')
})

test('an aborted transaction ends with its own error and the connection serves the next tenant', async () => {
  const error = await context
    .run(a, () => sequelize.transaction((transaction) => sequelize.query('SELECT 1/0', { transaction })))
    .catch((thrown: unknown) => thrown)
  assert.match(String(error), 'division by zero')
  assert.is(await context.run(b, () => ownerSeen()), 'b')
})

test('bulk operations write to the tenant', async () => {
  await context.run(b, async () => {
    await User.bulkCreate([
      { id: 60, owner: 'b' },
      { id: 61, owner: 'b' },
    ])
    assert.is(await User.count({ where: { id: [60, 61] } }), 2)
    assert.is(await User.destroy({ where: { id: [60, 61] } }), 2)
  })
})

test('the query interface works in the tenant while public holds a table of the same name', async () => {
  await context.run(a, async () => {
    const queryInterface = sequelize.getQueryInterface()
    await queryInterface.createTable('notes', { id: DataTypes.INTEGER, kind: DataTypes.ENUM('x', 'y') })
    await queryInterface.addColumn('notes', 'text', DataTypes.TEXT)
    assert.equal(Object.keys(await queryInterface.describeTable('notes')), ['id', 'kind', 'text'])
    assert.ok(await queryInterface.tableExists('notes'))
    await queryInterface.addColumn('users', 'extra', DataTypes.TEXT)
    await queryInterface.removeColumn('users', 'extra')
  })
  assert.equal(await database.query("SELECT to_regclass('public.notes') IS NULL AS none"), [{ none: true }])
  assert.equal(
    await database.query(
      "SELECT typnamespace::regnamespace::text AS schema FROM pg_type WHERE typname = 'enum_notes_kind'",
    ),
    [{ schema: 'a' }],
  )
})

test('named statements are prepared once and follow the tenant', async () => {
  const named = { name: 'by-id', text: 'SELECT owner FROM users WHERE id = $1', values: [1] }
  await withClient(async (client) => {
    for (const tenant of [a, b, a]) {
      const { rows } = await context.run(tenant, () => client.query(named))
      assert.equal(rows, [{ owner: tenant.id }])
    }
    assert.equal((await context.run(a, () => client.query('SELECT name FROM pg_prepared_statements'))).rows, [
      { name: 'by-id' },
    ])
  })
})

test('a named statement that fails to parse can be tried again', async () => {
  await withClient(async (client) => {
    const named = { name: 'late', text: 'SELECT count(*)::int AS n FROM late WHERE id > $1', values: [0] }
    const error = await context.run(a, () => client.query(named)).catch((thrown: unknown) => thrown)
    assert.match(String(error), 'relation "late" does not exist')
    await database.query('CREATE TABLE a.late (id integer)')
    assert.equal((await context.run(a, () => client.query(named))).rows, [{ n: 0 }])
  })
})

test('direct use of a client obeys the run in each form of query', async () => {
  await withClient(async (client) => {
    await context.run(b, async () => {
      assert.equal((await client.query('SELECT owner FROM users LIMIT 1')).rows, [{ owner: 'b' }])
      assert.equal((await client.query({ text: 'SELECT owner FROM users LIMIT 1', rowMode: 'array' })).rows, [
        ['b'],
      ])
      const answered = await new Promise((resolve, reject) => {
        client.query('SELECT owner FROM users WHERE id = $1', [1], (error: Error | null, result) => {
          if (error === null) resolve(result.rows)
          else reject(error)
        })
      })
      assert.equal(answered, [{ owner: 'b' }])
    })
  })
})

test('statements handed over together keep the tenant each was handed over in', async () => {
  await withClient(async (client) => {
    const read = (tenant: Tenant) =>
      context.run(tenant, () => client.query('SELECT owner FROM users LIMIT 1'))
    const vacuum = (tenant: Tenant) => context.run(tenant, () => client.query('VACUUM users'))
    const answers = await Promise.all([read(a), vacuum(b), read(b), vacuum(a), read(a)])
    assert.equal(
      [0, 2, 4].map((index) => answers[index]?.rows[0]),
      [{ owner: 'a' }, { owner: 'b' }, { owner: 'a' }],
    )
  })
})

test('a transaction of one tenant is refused in the scope of another', async () => {
  await context.run(a, () =>
    sequelize.transaction(async (transaction) => {
      const error = await context.run(b, () => ownerSeen({ transaction })).catch((thrown: unknown) => thrown)
      assert.match(
        String(error),
        /A transaction on "a", "shared", pg_temp was used in the scope of tenant "b"/,
      )
      assert.is(await ownerSeen({ transaction }), 'a')
    }),
  )
})

test('a transaction begun before the error of the last statement is settled is refused elsewhere as well', async () => {
  await withClient(async (client) => {
    // The answer to the failed statement comes before the server is ready, so that BEGIN waits in the queue.
    await new Promise<void>((resolve, reject) => {
      context.run(a, () => {
        client.query('SELECT 1/0', () =>
          context.run(a, () =>
            client.query('BEGIN', (error: Error | null) => (error === null ? resolve() : reject(error))),
          ),
        )
      })
    })
    const error = await context.run(b, () => client.query('SELECT 1')).catch((thrown: unknown) => thrown)
    assert.ok(isTenancyError(error, 'CROSS_TENANT_TRANSACTION'), String(error))
  })
})

test('a run inside a transaction of another tenant does not inherit it through CLS', async () => {
  for (const namespace of [createNamespace('search-path'), undefined]) {
    const obeyed = new TenantContext({ searchPath: ['shared'], onMissing: 'error', namespace })
    const pool = open({ max: 2 }, obeyed)
    const Person = defineUser(pool)
    Sequelize.useCLS(obeyed.namespace())
    try {
      await obeyed
        .run(a, () =>
          pool.transaction(async () => {
            await Person.create({ id: 70, owner: 'a' })
            await obeyed.run(b, async () => {
              assert.is((await Person.findByPk(1))?.get('owner'), 'b')
              await pool.transaction(async () => assert.is((await Person.findByPk(1))?.get('owner'), 'b'))
            })
            assert.is((await Person.findByPk(70))?.get('owner'), 'a')
            throw new Error('roll back')
          }),
        )
        .catch((error: unknown) => assert.match(String(error), 'roll back'))
      assert.equal(await database.query('SELECT count(*)::int AS n FROM a.users WHERE id = 70'), [{ n: 0 }])
    } finally {
      Object.assign(Sequelize, { _cls: undefined }) // useCLS has no opposite, and all files share the class
      await pool.close()
      if (namespace !== undefined) destroyNamespace('search-path')
    }
  }
})

test('a stream reads its tenant inside a transaction and is refused outside one', async () => {
  await withClient(async (client) => {
    await context.run(b, async () => {
      const refused = () => client.query(new QueryStream('SELECT owner FROM users'))
      assert.throws(refused, (error: unknown) => isTenancyError(error, 'STREAM_OUTSIDE_TRANSACTION'))
      await client.query('BEGIN')
      const owners = new Set<string>()
      for await (const row of client.query(new QueryStream('SELECT owner FROM users'))) owners.add(row.owner)
      await client.query('COMMIT')
      assert.equal([...owners], ['b'])
    })
  })
})

test('statements that refuse an implicit transaction run in the tenant and leave no path behind', async () => {
  await context.run(b, async () => {
    await sequelize.query('CREATE INDEX CONCURRENTLY users_owner ON users (owner)')
    await sequelize.query('/* comment /* nested */ */ -- line\nVACUUM (ANALYZE) users')
    await sequelize.query('DO $$ BEGIN PERFORM 1; COMMIT; END $$')
  })
  assert.equal(await database.query("SELECT schemaname FROM pg_indexes WHERE indexname = 'users_owner'"), [
    { schemaname: 'b' },
  ])
  assert.is(await context.run(a, () => pathOfConnection()), '"a", shared, pg_temp'.replace('"a"', 'a'))
})

test('an error keeps its position in the text the caller wrote', async () => {
  await withClient(async (client) => {
    const text = 'SELECT owner, nope FROM users'
    const simple = await context.run(a, () => client.query(text)).catch((thrown: unknown) => thrown)
    const extended = await context
      .run(a, () => client.query(`${text} WHERE id = $1`, [1]))
      .catch((thrown: unknown) => thrown)
    for (const error of [simple, extended]) {
      assert.is(Number((error as pg.DatabaseError).position), text.indexOf('nope') + 1)
    }
  })
})

test('a temporary table does not take the place of a tenant table', async () => {
  await context.run(a, () =>
    sequelize.transaction(async (transaction) => {
      await sequelize.query(
        "CREATE TEMPORARY TABLE users ON COMMIT DROP AS SELECT 1 AS id, 'temp' AS owner",
        { transaction },
      )
      assert.is(await ownerSeen({ transaction }), 'a')
    }),
  )
})

test('setting the path causes no warning on the connection', async () => {
  await withClient(async (client) => {
    const notices: string[] = []
    client.on('notice', ({ message }) => notices.push(message ?? ''))
    await context.run(a, async () => {
      await client.query('SET client_min_messages TO notice')
      await client.query('SELECT 1')
      await client.query('SELECT $1::int', [1])
    })
    assert.equal(notices, [])
  })
})

test('connections that were open before are scoped as well', async () => {
  const early = new Sequelize(database.url, { logging: false, pool: { max: 1 } })
  await early.query('SELECT 1')
  bindSearchPath(early, context)
  const [row] = await context.run(b, () =>
    early.query<{ owner: string }>('SELECT owner FROM users LIMIT 1', select),
  )
  assert.is(row?.owner, 'b')
  await early.close()
})

test('each killed backend costs one error at most and the pool recovers on the right tenant', async () => {
  await context.run(a, () => ownerSeen())
  // One that is only told to end may answer once more, and fail the question after.
  const killed = await database.query(
    `SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid()`,
  )
  for (let error = 0; error < killed.length; error++)
    await context.run(a, () => ownerSeen()).catch(() => undefined)
  assert.is(await context.run(b, () => ownerSeen()), 'b')
})

test('a client that hides the protocol is refused with the remedy', () => {
  const native = { constructor: function Native() {}, query: () => undefined } as unknown as WireClient
  assert.throws(
    () => scopeClient(native, () => context.scope()),
    (error: unknown) =>
      isTenancyError(error, 'CLIENT_UNSUPPORTED') && error.message.includes('remove pg-native'),
  )
})

async function withClient(fn: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: database.url })
  await client.connect()
  scopeClient(client as unknown as WireClient, () => context.scope()) // pg types its inner connection as private
  try {
    await fn(client)
  } finally {
    await client.end()
  }
}

test.run()
