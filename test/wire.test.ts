/** Everything that can reach the server on a connection of the pool, each in a tenant. */
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

import pg from 'pg'
import { from as copyFrom, to as copyTo } from 'pg-copy-streams'
import Cursor from 'pg-cursor'
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
import { failure, thrownBy } from './support/failure.ts'
import { suite } from './support/suite.ts'

const a: Tenant = { id: 'a', schema: 'a' }
const b: Tenant = { id: 'b', schema: 'b' }
const OWNER = 'SELECT owner FROM users WHERE id = 1'

const test = suite('wire')
const database = testDatabase(test)

const context = new TenantContext({ searchPath: ['shared'], onMissing: 'error' })
let sequelize: Sequelize

test.before(async () => {
  for (const schema of ['a', 'b', 'shared']) {
    await database.query(`CREATE SCHEMA ${schema}`)
    await database.query(`CREATE TABLE ${schema}.users (id integer PRIMARY KEY, owner text)`)
    await database.query(`INSERT INTO ${schema}.users SELECT i, $1 FROM generate_series(1, 50) AS i`, [
      schema,
    ])
  }
  // What a statement without a path of its own would read.
  await database.query('CREATE TABLE public.users (id integer PRIMARY KEY, owner text)')
  await database.query("INSERT INTO public.users SELECT i, 'public' FROM generate_series(1, 50) AS i")
  sequelize = open({ max: 1 })
})

test.after(() => sequelize.close())

function open(pool: { max: number }, options: object = {}): Sequelize {
  const opened = new Sequelize(database.url, { logging: false, pool, ...options })
  bindSearchPath(opened, context)
  return opened
}

/** The one connection of the pool, as an application that takes a raw client gets it. */
async function withClient<T>(fn: (client: pg.Client) => Promise<T>, from = sequelize): Promise<T> {
  const connection = await from.connectionManager.getConnection({ type: 'write' })
  try {
    return await fn(connection as pg.Client) // Sequelize types it as Connection
  } finally {
    from.connectionManager.releaseConnection(connection)
  }
}

async function ownerIn(tenant: Tenant, from = sequelize): Promise<unknown> {
  const [row] = await context.run(tenant, () =>
    from.query<{ owner: string }>(OWNER, { type: QueryTypes.SELECT }),
  )
  return row?.owner
}

const owners = (rows: readonly unknown[]) => [
  ...new Set(rows.map((row) => (row as { owner?: string }).owner).filter(Boolean)),
]

/** The owners that a text of several statements sees, whichever of them answer with rows. */
async function ownersSeen(tenant: Tenant, text: string, client: pg.Client): Promise<unknown[]> {
  const results: unknown = await context.run(tenant, () => client.query(text))
  return owners((Array.isArray(results) ? results : [results]).flatMap(({ rows }: pg.QueryResult) => rows))
}

// ------------------------------------------------------------------------------------------- cursors and COPY

test('a cursor reads its tenant page by page', async () => {
  const seen = await context.run(b, () =>
    withClient(async (client) => {
      await client.query('BEGIN')
      const cursor = client.query(new Cursor('SELECT owner FROM users WHERE id > $1', [0]))
      const pages = [await cursor.read(20), await cursor.read(20), await cursor.read(20)]
      await cursor.close()
      await client.query('COMMIT')
      return pages
    }),
  )
  assert.equal(
    seen.map((rows) => rows.length),
    [20, 20, 10],
  )
  assert.equal(owners(seen.flat()), ['b'])
})

test('COPY writes to the tenant and reads from it', async () => {
  const text = await context.run(a, () =>
    withClient(async (client) => {
      await client.query('BEGIN')
      await pipeline(Readable.from(['900\tcopied\n']), client.query(copyFrom('COPY users FROM STDIN')))
      let out = ''
      for await (const chunk of client.query(
        copyTo('COPY (SELECT id, owner FROM users WHERE id IN (1, 900) ORDER BY id) TO STDOUT'),
      ))
        out += String(chunk)
      await client.query('COMMIT')
      return out
    }),
  )
  assert.is(text, '1\ta\n900\tcopied\n')
  assert.equal(
    await database.query(
      "SELECT 'b' FROM b.users WHERE id = 900 UNION SELECT 'p' FROM public.users WHERE id = 900",
    ),
    [],
  )
  await database.query('DELETE FROM a.users WHERE id = 900')
})

for (const [what, make] of [
  ['a cursor', () => new Cursor(OWNER)],
  ['COPY in', () => copyFrom('COPY users FROM STDIN')],
  ['COPY out', () => copyTo('COPY users TO STDOUT')],
  ['a query object', () => new pg.Query(OWNER)],
] as const) {
  test(`${what} outside a transaction is refused with what to do`, async () => {
    const error = await context.run(a, () =>
      withClient((client) => failure('STREAM_OUTSIDE_TRANSACTION', () => client.query(make()))),
    )
    assert.equal(error.fix, ['begin a transaction in the tenant first, and read from its connection'])
  })
}

test('a stream that waits behind a COMMIT is refused, not run on the path of the connection', async () => {
  await context.run(a, () =>
    withClient(async (client) => {
      await client.query('BEGIN')
      const committed = client.query('COMMIT')
      const stream = client.query(new QueryStream(OWNER))
      const error = await thrownBy(async () => {
        for await (const row of stream) assert.unreachable(`read ${String(row.owner)}`)
      })
      await committed
      assert.ok(isTenancyError(error, 'STREAM_OUTSIDE_TRANSACTION'), String(error))
    }),
  )
  assert.is(await ownerIn(b), 'b')
})

for (const left of [
  'COMMIT AND CHAIN',
  'ROLLBACK AND CHAIN',
  'SET LOCAL search_path TO b',
  'SET search_path TO b',
]) {
  test(`a stream after ${left} reads its own tenant`, async () => {
    const rows = await context.run(a, () =>
      withClient(async (client) => {
        await client.query('BEGIN')
        await client.query(left)
        const seen: unknown[] = []
        for await (const row of client.query(new QueryStream('SELECT owner FROM users'))) seen.push(row)
        await client.query('ROLLBACK')
        return seen
      }),
    )
    assert.equal(owners(rows), ['a'])
  })
}

test('a stream in the transaction of another tenant is refused by name', async () => {
  await withClient(async (client) => {
    await context.run(a, () => client.query('BEGIN'))
    const error = await context.run(b, () =>
      failure('CROSS_TENANT_TRANSACTION', () => client.query(new QueryStream(OWNER))),
    )
    assert.match(error.message, 'in the scope of tenant "b"')
    await context.run(a, () => client.query('ROLLBACK'))
  })
})

test('a stream whose text ends the transaction is refused', async () => {
  await context.run(a, () =>
    withClient(async (client) => {
      await client.query('BEGIN')
      const error = await failure('STREAM_OUTSIDE_TRANSACTION', () =>
        client.query(copyTo('COMMIT; COPY users TO STDOUT')),
      )
      assert.equal(error.fix, ['send BEGIN and COMMIT as statements of their own, before and after'])
      await client.query('ROLLBACK')
    }),
  )
})

// --------------------------------------------------------------------------- texts of several statements

for (const text of [
  `LISTEN x; ${OWNER}`,
  `NOTIFY x; ${OWNER}`,
  `UNLISTEN *; ${OWNER}`,
  `DEALLOCATE ALL; ${OWNER}`,
  `SET TRANSACTION READ ONLY; ${OWNER}`,
  `SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE; ${OWNER}`,
  `BEGIN; SELECT 1; END; ${OWNER}`,
  `BEGIN; COMMIT; ${OWNER}`,
  `BEGIN; SAVEPOINT s; ${OWNER}; ROLLBACK TO s; ${OWNER}; RELEASE s; ${OWNER}; COMMIT; ${OWNER}`,
  `BEGIN; COMMIT AND CHAIN; ${OWNER}; ROLLBACK; ${OWNER}`,
  `BEGIN; SELECT 1 -- a comment that ends with a carriage return \r; COMMIT; ${OWNER}`,
  `BEGIN; SELECT E'a'\n'b\\' x'; COMMIT; ${OWNER}; --'`,
  `SELECT E'a'\n'b\\'; COMMIT; --'; ${OWNER}`,
  `/* BEGIN; */ SELECT 'COMMIT;'; ${OWNER}`,
]) {
  test(`"${text.replaceAll(/\s+/g, ' ')}" reads its tenant`, async () => {
    await withClient(async (client) => {
      assert.equal(await ownersSeen(a, text, client), ['a'])
      assert.is(await context.run(b, async () => (await client.query(OWNER)).rows[0].owner), 'b')
    })
  })
}

test('statements after a savepoint in one text are refused in the scope of another tenant', async () => {
  await withClient(async (client) => {
    await context.run(a, () => client.query('BEGIN'))
    await context.run(b, () =>
      failure('CROSS_TENANT_TRANSACTION', () => client.query(`SAVEPOINT s; ${OWNER}`)),
    )
    await context.run(a, () => client.query('ROLLBACK'))
  })
})

test('a function with a body in SQL is one statement, its END no COMMIT', async () => {
  await context.run(a, () =>
    withClient((client) =>
      client.query(
        'CREATE FUNCTION twice() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END; SELECT twice()',
      ),
    ),
  )
  assert.equal(
    await database.query("SELECT pronamespace::regnamespace::text AS s FROM pg_proc WHERE proname = 'twice'"),
    [{ s: 'a' }],
  )
})

test('a text without transaction control stays one transaction', async () => {
  await context.run(a, () =>
    withClient((client) =>
      thrownBy(() => client.query("NOTIFY x; INSERT INTO users VALUES (800, 'a'); SELECT 1/0")),
    ),
  )
  assert.equal(await database.query('SELECT FROM a.users WHERE id = 800'), [])
})

test('the settings that an application resets or discards do not outlive its statement', async () => {
  for (const text of [
    'RESET ALL',
    'DISCARD ALL',
    "SET SCHEMA 'b'",
    'SET SESSION search_path TO b',
    'RESET search_path',
  ]) {
    await context.run(a, () => withClient((client) => client.query(text)))
    assert.is(await ownerIn(a), 'a', text)
  }
})

// ------------------------------------------------------------------------------- prepared, planned, in blocks

test('SQL PREPARE and EXECUTE follow the tenant of each EXECUTE', async () => {
  await withClient(async (client) => {
    await context.run(a, () => client.query(`PREPARE by_sql AS ${OWNER}`))
    for (const tenant of [a, b, a]) {
      const { rows } = await context.run(tenant, () => client.query('EXECUTE by_sql'))
      assert.equal(rows, [{ owner: tenant.id }])
    }
    await context.run(a, () => client.query('DEALLOCATE by_sql'))
  })
})

test('a generic plan follows the tenant', async () => {
  await withClient(async (client) => {
    const named = { name: 'generic', text: 'SELECT owner FROM users WHERE id = $1', values: [1] }
    await context.run(a, () =>
      client.query("SELECT set_config('plan_cache_mode', 'force_generic_plan', false)"),
    )
    for (let turn = 0; turn < 12; turn++) {
      const tenant = turn % 3 === 0 ? b : a
      assert.equal((await context.run(tenant, () => client.query(named))).rows, [{ owner: tenant.id }])
    }
    await context.run(a, () => client.query('RESET plan_cache_mode'))
  })
})

for (const language of ['plpgsql', 'sql'] as const) {
  test(`a shared function in ${language} reads the tenant of each call, although its plans are kept`, async () => {
    const body =
      language === 'sql'
        ? 'SELECT owner FROM users WHERE id = 1'
        : 'BEGIN RETURN (SELECT owner FROM users WHERE id = 1); END'
    await database.query(
      `CREATE OR REPLACE FUNCTION shared.whose() RETURNS text VOLATILE LANGUAGE ${language} AS $$ ${body} $$`,
    )
    for (let turn = 0; turn < 14; turn++) {
      const tenant = turn % 2 === 0 ? a : b
      const rows = await context.run(tenant, () =>
        sequelize.query('SELECT whose() AS owner', { type: QueryTypes.SELECT }),
      )
      assert.equal(rows, [{ owner: tenant.id }])
    }
  })
}

test('a procedure that commits reads its tenant before and after', async () => {
  await database.query(`CREATE PROCEDURE shared.commits(INOUT before text, INOUT after text) LANGUAGE plpgsql AS $$
    BEGIN
      before := (SELECT owner FROM users WHERE id = 1); COMMIT; after := (SELECT owner FROM users WHERE id = 1);
    END $$`)
  for (const tenant of [a, b]) {
    const { rows } = await context.run(tenant, () =>
      withClient((client) => client.query('CALL commits(NULL, NULL)')),
    )
    assert.equal(rows, [{ before: tenant.id, after: tenant.id }])
  }
})

test('a block that rolls back in the middle writes to its tenant', async () => {
  await context.run(b, () =>
    withClient((client) =>
      client.query(
        "DO $$ BEGIN ROLLBACK; INSERT INTO users VALUES (700, 'b'); COMMIT; UPDATE users SET owner = 'bb' WHERE id = 700; END $$",
      ),
    ),
  )
  assert.equal(await database.query('SELECT owner FROM b.users WHERE id = 700'), [{ owner: 'bb' }])
  await database.query('DELETE FROM b.users WHERE id = 700')
})

test('RETURNING, CTEs that write, LOCK TABLE and EXPLAIN ANALYZE are about the tenant', async () => {
  await context.run(b, () =>
    withClient(async (client) => {
      const written = await client.query(
        "WITH w AS (INSERT INTO users VALUES (600, 'b') RETURNING id, owner) SELECT owner FROM w",
      )
      assert.equal(written.rows, [{ owner: 'b' }])
      assert.equal(
        (await client.query('DELETE FROM users WHERE id = $1 RETURNING tableoid::regclass::text AS t', [600]))
          .rows,
        [{ t: 'users' }],
      )
      await client.query('BEGIN')
      await client.query('LOCK TABLE users IN SHARE MODE')
      const { rows } = await client.query(
        "SELECT relation::regclass::text AS t, n.nspname FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace WHERE mode = 'ShareLock'",
      )
      assert.equal(rows, [{ t: 'users', nspname: 'b' }])
      await client.query('ROLLBACK')
    }),
  )
})

test('a deferred trigger finds the tenant at COMMIT', async () => {
  await database.query(`CREATE FUNCTION shared.note() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN UPDATE users SET owner = owner || '!' WHERE id = NEW.id; RETURN NULL; END $$`)
  await database.query(
    'CREATE CONSTRAINT TRIGGER deferred AFTER INSERT ON b.users DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION shared.note()',
  )
  await context.run(b, () =>
    sequelize.transaction((transaction) =>
      sequelize.query("INSERT INTO users VALUES (500, 'b')", { transaction }),
    ),
  )
  await context.run(b, () => sequelize.query("INSERT INTO users VALUES (501, 'b')"))
  assert.equal(await database.query('SELECT owner FROM b.users WHERE id IN (500, 501)'), [
    { owner: 'b!' },
    { owner: 'b!' },
  ])
  await database.query('DROP TRIGGER deferred ON b.users')
  await database.query('DELETE FROM b.users WHERE id > 400')
})

// ----------------------------------------------------------------------- what a tenant leaves on its connection

for (const [what, statement] of [
  ['CREATE TEMPORARY TABLE', 'CREATE TEMPORARY TABLE report AS SELECT * FROM users'],
  ['CREATE TEMP TABLE after a comment', '/* why */ create temp table report as select * from users'],
  ['SELECT INTO TEMP', 'SELECT * INTO TEMP report FROM users'],
  ['a text that ends with one', 'SELECT 1; CREATE TEMP TABLE report AS SELECT * FROM users'],
] as const) {
  test(`O28 a temporary table of one tenant is not there for the next (${what})`, async () => {
    await context.run(a, () => withClient((client) => client.query(statement)))
    assert.equal(
      await context.run(a, () =>
        sequelize.query('SELECT DISTINCT owner FROM report', { type: QueryTypes.SELECT }),
      ),
      [{ owner: 'a' }],
    )
    const error = await context.run(b, () => thrownBy(() => sequelize.query('SELECT * FROM report')))
    assert.match(String(error), 'relation "report" does not exist')
    await context.run(b, () =>
      sequelize.query('CREATE TEMP TABLE IF NOT EXISTS report AS SELECT * FROM users'),
    )
    const rows = await context.run(b, () =>
      sequelize.query('SELECT DISTINCT owner FROM report', { type: QueryTypes.SELECT }),
    )
    assert.equal(rows, [{ owner: 'b' }])
    await context.run(a, () => sequelize.query('SELECT 1'))
  })
}

test('O28 a temporary table made in a transaction is not there for the next tenant', async () => {
  await context.run(a, () =>
    sequelize.transaction((transaction) =>
      sequelize.query('CREATE TEMP TABLE report AS SELECT * FROM users', { transaction }),
    ),
  )
  await context.run(b, () =>
    sequelize.transaction(async (transaction) => {
      const error = await thrownBy(() => sequelize.query('SELECT * FROM report', { transaction }))
      assert.match(String(error), 'relation "report" does not exist')
    }),
  )
})

test('statements handed over together meet nothing of the tenant before', async () => {
  await context.run(a, () => sequelize.query('CREATE TEMP TABLE report AS SELECT * FROM users'))
  await withClient(async (client) => {
    const answers = await context.run(b, () =>
      Promise.allSettled([
        client.query('SELECT * FROM report'),
        client.query('SELECT * FROM report'),
        client.query(OWNER),
      ]),
    )
    assert.equal(
      answers.map(({ status }) => status),
      ['rejected', 'rejected', 'fulfilled'],
    )
  })
})

test('a cursor WITH HOLD of one tenant cannot be read by the next', async () => {
  await context.run(a, () =>
    sequelize.transaction((transaction) =>
      sequelize.query('DECLARE held CURSOR WITH HOLD FOR SELECT owner FROM users', { transaction }),
    ),
  )
  assert.equal((await context.run(a, () => withClient((client) => client.query('FETCH 1 FROM held')))).rows, [
    { owner: 'a' },
  ])
  const error = await context.run(b, () =>
    withClient((client) => thrownBy(() => client.query('FETCH ALL FROM held'))),
  )
  assert.match(String(error), 'cursor "held" does not exist')
})

test('a role that one tenant sets is not that of the next', async () => {
  await context.run(a, () => sequelize.query('SET ROLE pg_read_all_data'))
  const role = async (tenant: Tenant) =>
    (
      await context.run(tenant, () =>
        sequelize.query<{ role: string }>('SELECT current_user::text AS role', { type: QueryTypes.SELECT }),
      )
    )[0]?.role
  assert.is(await role(a), 'pg_read_all_data')
  assert.is.not(await role(b), 'pg_read_all_data')
})

test('O27 a function or operator planted in public is not called', async () => {
  await database.query(
    "CREATE FUNCTION public.lower(integer) RETURNS text LANGUAGE sql AS $$ SELECT 'planted' $$",
  )
  await database.query("CREATE FUNCTION public.planted() RETURNS text LANGUAGE sql AS $$ SELECT 'planted' $$")
  await database.query(
    'CREATE OPERATOR public.=== (FUNCTION = int4eq, LEFTARG = integer, RIGHTARG = integer)',
  )
  for (const call of ['lower(1)', 'planted()', '1 === 1']) {
    const error = await context.run(a, () => thrownBy(() => sequelize.query(`SELECT ${call}`)))
    assert.match(String(error), /does not exist/)
  }
})

// --------------------------------------------------------------------------- whose tenant callbacks and events have

test('O20 a callback of the client has the tenant of its query, whoever opened the connection', async () => {
  const fresh = open({ max: 1 })
  await ownerIn(a, fresh)
  const nested = await withClient(
    (client) =>
      context.run(
        b,
        () =>
          new Promise((resolve, reject) => {
            client.query(OWNER, (error: Error | null, outer: pg.QueryResult) => {
              if (error !== null) return reject(error)
              client.query(
                'SELECT owner FROM users WHERE id = $1',
                [1],
                (innerError: Error | null, inner) => {
                  if (innerError === null) resolve([outer.rows[0], inner.rows[0], context.current()])
                  else reject(innerError)
                },
              )
            })
          }),
      ),
    fresh,
  )
  assert.equal(nested, [{ owner: 'b' }, { owner: 'b' }, b])
  await fresh.close()
})

test('a callback in the configuration of a query is called, whatever the statement', async () => {
  await withClient(async (client) => {
    for (const text of [OWNER, 'VACUUM users', `BEGIN; ${OWNER}; COMMIT`, 'CREATE TEMP TABLE c ()']) {
      await context.run(b, async () => {
        await new Promise<void>((resolve, reject) => {
          const callback = (error: Error | null) => (error === null ? resolve() : reject(error))
          void client.query({ text, callback } as pg.QueryConfig) // the types know it as an argument only
        })
      })
    }
    await context.run(a, () => client.query('SELECT 1'))
  })
})

test('an event of the connection has no tenant, not that of whoever opened it', async () => {
  const fresh = open({ max: 1 })
  await ownerIn(a, fresh)
  const outcome = await withClient(async (client) => {
    const heard = once(client, 'notification')
    const tenants: unknown[] = []
    client.on('notification', () => tenants.push(context.current()))
    client.on('notice', () => tenants.push(context.current()))
    await context.run(b, () => client.query('LISTEN changed'))
    await context.run(b, () => client.query("DO $$ BEGIN RAISE WARNING 'x'; END $$"))
    await database.query('NOTIFY changed')
    await heard
    await context.run(b, () => client.query('UNLISTEN changed'))
    return tenants
  }, fresh)
  assert.equal(outcome, [undefined, undefined])
  await fresh.close()
})

test('LISTEN and NOTIFY work in a tenant, and a channel is one for all of them', async () => {
  await withClient(async (client) => {
    const heard = once(client, 'notification')
    await context.run(a, () => client.query('LISTEN news'))
    await context.run(b, () => client.query("NOTIFY news, 'from b'"))
    const [message] = (await heard) as [pg.Notification]
    assert.is(message.payload, 'from b')
    await context.run(a, () => client.query('UNLISTEN news'))
  })
})

test('row mode, binary results and a limit of rows per message are answered as by pg', async () => {
  await withClient(async (client) => {
    await context.run(b, async () => {
      assert.equal((await client.query({ text: OWNER, rowMode: 'array' })).rows, [['b']])
      const text = 'SELECT owner FROM users WHERE id <= $1'
      assert.equal((await client.query({ text, values: [1], rowMode: 'array' })).rows, [['b']])
      const paged = await client.query({ text, values: [7], rows: 3 } as pg.QueryConfig) // an option the types leave out
      assert.equal(owners(paged.rows), ['b'])
      assert.is(paged.rows.length, 7)
      const extended = await client.query({ text: OWNER, queryMode: 'extended' } as pg.QueryConfig) // likewise
      assert.equal(extended.rows, [{ owner: 'b' }])
    })
  })
})

test('a connection that pipelines is refused with the remedy', async () => {
  const client = new pg.Client({ connectionString: database.url, pipeline: true })
  const error = await failure(
    'CLIENT_UNSUPPORTED',
    () => scopeClient(client as unknown as WireClient, () => context.scope()), // pg types its inner connection as private
  )
  assert.equal(error.fix, ["remove pg's option pipeline: true"])
})

test('a connection that is set to pipeline later sends no statement', async () => {
  await context.run(a, () =>
    withClient(async (client) => {
      Object.assign(client, { pipeline: true })
      for (const text of [OWNER, 'VACUUM users', `BEGIN; ${OWNER}`]) {
        const error = await failure('CLIENT_UNSUPPORTED', () => client.query(text))
        assert.equal(error.fix, ["remove pg's option pipeline: true"])
      }
      Object.assign(client, { pipeline: false })
      assert.equal((await client.query(OWNER)).rows, [{ owner: 'a' }])
    }),
  )
})

// ------------------------------------------------------------------------------------------------------- pools

test('O22 the next tenant has its own path after success, error, rollback and timeout', async () => {
  const uses: Record<string, () => Promise<unknown>> = {
    success: () => sequelize.query(OWNER),
    error: () => sequelize.query('SELECT 1/0'),
    'error with values': () => sequelize.query('SELECT 1/$1::int', { bind: [0] }),
    rollback: () =>
      sequelize.transaction(async (transaction) => {
        await sequelize.query(OWNER, { transaction })
        throw new Error('back')
      }),
    'a statement that takes too long': () =>
      sequelize.transaction(async (transaction) => {
        await sequelize.query('SET LOCAL statement_timeout TO 20', { transaction })
        await sequelize.query('SELECT pg_sleep(5)', { transaction })
      }),
    'an error in a transaction of the client': () =>
      withClient(async (client) => {
        await client.query('BEGIN')
        await client.query('SELECT 1/0').catch(() => undefined)
        await client.query('ROLLBACK')
      }),
  }
  for (const [what, use] of Object.entries(uses)) {
    await context.run(a, use).catch(() => undefined)
    assert.is(await ownerIn(b), 'b', what)
  }
})

test('O32 with replicas the pools for reading and writing are both scoped', async () => {
  const { hostname: host, port, username, password, pathname } = new URL(database.url)
  const one = {
    host,
    port: Number(port),
    username,
    password: decodeURIComponent(password),
    database: pathname.slice(1),
  }
  const replicated = new Sequelize({
    dialect: 'postgres',
    logging: false,
    pool: { max: 1 },
    replication: { write: one, read: [one] },
  })
  bindSearchPath(replicated, context)
  const User = replicated.define(
    'User',
    { id: { type: DataTypes.INTEGER, primaryKey: true }, owner: DataTypes.TEXT },
    { tableName: 'users', timestamps: false },
  )
  const pids = new Set<unknown>()
  for (const tenant of [a, b, a]) {
    await context.run(tenant, async () => {
      for (const useMaster of [false, true]) {
        assert.is((await User.findByPk(1, { useMaster }))?.get('owner'), tenant.id)
        const [row] = await replicated.query<{ pid: number }>('SELECT pg_backend_pid() AS pid', {
          type: QueryTypes.SELECT,
          useMaster,
        })
        pids.add(row?.pid)
      }
      await User.update({ owner: `${tenant.id}2` }, { where: { id: 3 } })
    })
  }
  assert.is(pids.size, 2)
  assert.equal(
    await database.query(
      'SELECT owner FROM a.users WHERE id = 3 UNION ALL SELECT owner FROM b.users WHERE id = 3',
    ),
    [{ owner: 'a2' }, { owner: 'b2' }],
  )
  await replicated.close()
})

test('O32 replicas whose connections were opened before are scoped as well', async () => {
  const { hostname: host, port, username, password, pathname } = new URL(database.url)
  const one = {
    host,
    port: Number(port),
    username,
    password: decodeURIComponent(password),
    database: pathname.slice(1),
  }
  const early = new Sequelize({
    dialect: 'postgres',
    logging: false,
    pool: { max: 1 },
    replication: { write: one, read: [one] },
  })
  await early.query('SELECT 1', { type: QueryTypes.SELECT })
  await early.query('SELECT 1', { type: QueryTypes.SELECT, useMaster: true })
  bindSearchPath(early, context)
  assert.is(await ownerIn(b, early), 'b')
  await early.close()
})

test('O30 a connection with an aborted transaction is of use to nobody until it is rolled back', async () => {
  await withClient(async (client) => {
    await context.run(a, async () => {
      await client.query('BEGIN')
      await client.query('SELECT 1/0').catch(() => undefined)
      assert.match(String(await thrownBy(() => client.query(OWNER))), 'current transaction is aborted')
    })
    await context.run(b, () => failure('CROSS_TENANT_TRANSACTION', () => client.query(OWNER)))
    await context.run(a, () => client.query('ROLLBACK'))
  })
  assert.is(await ownerIn(b), 'b')
})

test('a pool that renews its connections reads the right tenant on each, old and new', async () => {
  const renewing = new Sequelize(database.url, { logging: false, pool: { max: 2, maxUses: 3 } })
  bindSearchPath(renewing, context)
  const pids = new Set<number>()
  for (let use = 0; use < 20; use++) {
    const [row] = await context.run(use % 2 ? a : b, () =>
      renewing.query<{ owner: string; pid: number }>(
        'SELECT owner, pg_backend_pid() AS pid FROM users WHERE id = 1',
        { type: QueryTypes.SELECT },
      ),
    )
    assert.is(row?.owner, use % 2 ? 'a' : 'b')
    pids.add(row?.pid ?? 0)
  }
  assert.ok(pids.size >= 20 / 3, `${pids.size} connections`)
  await renewing.close()
})

test('O31 when every backend is killed each connection costs one error at most', async () => {
  const pool = open({ max: 4 })
  await Promise.all([a, b, a, b].map((tenant) => ownerIn(tenant, pool)))
  await database.query(
    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
  )
  const seen = await Promise.allSettled(
    Array.from({ length: 12 }, (_, index) => ownerIn(index % 2 ? a : b, pool)),
  )
  assert.ok(seen.filter(({ status }) => status === 'rejected').length <= 4)
  for (const [index, outcome] of seen.entries()) {
    if (outcome.status === 'fulfilled') assert.is(outcome.value, index % 2 ? 'a' : 'b')
  }
  assert.is(await ownerIn(a, pool), 'a')
  await pool.close()
  await sequelize.query('SELECT 1').catch(() => undefined)
})

test('O17 each call without a tenant fails with the name of the call to use', async () => {
  const calls: Record<string, () => unknown> = {
    query: () => sequelize.query(OWNER),
    transaction: () => sequelize.transaction(async () => undefined),
    isolation: () => sequelize.transaction({ isolationLevel: Transaction.ISOLATION_LEVELS.SERIALIZABLE }),
    'alone statement': () => sequelize.query('VACUUM users'),
    text: () => sequelize.query(`BEGIN; ${OWNER}`),
    client: () => withClient((client) => client.query(OWNER)),
    stream: () => withClient(async (client) => client.query(new QueryStream(OWNER))),
  }
  for (const call of Object.values(calls)) {
    const error = await failure('TENANT_CONTEXT_MISSING', call)
    assert.match(error.message, 'tenancy.run(tenant, fn)')
  }
  assert.is(await ownerIn(a), 'a')
})

test.run()
