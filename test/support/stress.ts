/**
 * Hammers one pool from many flows of many tenants with everything that could leave a connection on another
 * tenant's path, and counts the reads that came back with another tenant's row. Every row names its owner, so
 * that a wrong read is recognised whatever caused it.
 */
import { setTimeout as sleep } from 'node:timers/promises'

import { createNamespace, destroyNamespace } from 'cls-hooked'
import type pg from 'pg'
import QueryStream from 'pg-query-stream'
import { DataTypes, QueryTypes, Sequelize, type Model, type ModelStatic, type Transaction } from 'sequelize'

import { TenantContext } from '../../lib/context.ts'
import { bindSearchPath } from '../../lib/search-path.ts'
import type { Tenant } from '../../lib/tenant.ts'
import { query } from './database.ts'

export interface StressOptions {
  readonly url: string
  /** The server itself, where `url` goes through a pooler. */
  readonly killUrl?: string
  readonly operations: number
  readonly tenants: number
  /** The namespace that Sequelize's CLS stands on. */
  readonly namespace: 'cls-hooked' | 'AsyncLocalStorage'
  /**
   * `'memo'` is the control: it remembers the path it set on each connection, as one would at first, and must
   * be caught.
   */
  readonly binding: 'product' | 'memo'
  /** A transaction pooler stands between: what needs a connection of its own is refused there and left out. */
  readonly pooled?: boolean
  /** Milliseconds between two killed backends; 0 kills none. */
  readonly killEveryMs: number
}

export interface StressReport {
  readonly operations: number
  readonly wrong: readonly string[]
  /** Operations that ended with an error, by operation and message: expected where backends are killed. */
  readonly errors: Readonly<Record<string, number>>
  /** How often each operation ended well. */
  readonly done: Readonly<Record<string, number>>
}

const FLOWS = 48
const POOL = 10
const ROWS = 20
const SHARED_OWNER = 'shared'
const NEEDS_CONNECTION: ReadonlySet<string> = new Set([
  'path set by hand',
  'direct client',
  'vacuum',
  'left behind',
])

/** Creates `tenants` schemas `t_0` … and a shared one, each with rows that name their owner. */
export async function createStressSchemas(url: string, tenants: number): Promise<void> {
  const owners = [SHARED_OWNER, ...Array.from({ length: tenants }, (_, index) => schemaOf(index))]
  for (let start = 0; start < owners.length; start += 50) {
    const statements = owners.slice(start, start + 50).map(
      (owner) => `CREATE SCHEMA ${owner};
        CREATE TABLE ${owner}.users (id integer PRIMARY KEY, name text, owner text NOT NULL);
        INSERT INTO ${owner}.users SELECT i, 'n', '${owner}' FROM generate_series(1, ${ROWS}) AS i;`,
    )
    await query(url, statements.join('\n'))
  }
}

export async function stress(options: StressOptions): Promise<StressReport> {
  const namespace = options.namespace === 'cls-hooked' ? createNamespace('stress') : undefined
  const context = new TenantContext({ searchPath: [SHARED_OWNER], onMissing: 'error', namespace })
  const sequelize = new Sequelize(options.url, {
    logging: false,
    dialectOptions: { application_name: 'stress' },
    pool: { max: POOL, acquire: 8000 },
  })
  if (options.binding === 'product') bindSearchPath(sequelize, context)
  else bindByMemo(sequelize, context)
  Sequelize.useCLS(context.namespace())
  const stopKilling =
    options.killEveryMs > 0 ? killBackends(options.killUrl ?? options.url, options.killEveryMs) : undefined
  try {
    const operations = new Operations(sequelize, context, options.tenants)
    const report = await hammer(operations, context, options)
    await stopKilling?.()
    await operations.checkIdleConnections()
    return report
  } finally {
    await stopKilling?.()
    await sequelize.close()
    Object.assign(Sequelize, { _cls: undefined }) // useCLS has no opposite
    if (namespace !== undefined) destroyNamespace('stress')
  }
}

async function hammer(
  operations: Operations,
  context: TenantContext,
  options: StressOptions,
): Promise<StressReport> {
  const errors: Record<string, number> = {}
  const done: Record<string, number> = {}
  const names = operations.names.filter((name) => !(options.pooled && NEEDS_CONNECTION.has(name)))
  let left = options.operations
  const flow = async () => {
    while (left-- > 0) {
      const name = pick(names)
      const tenant = operations.tenant(random(options.tenants))
      try {
        await inTime(
          context.run(tenant, () => operations.run(name, tenant)),
          20_000,
        )
        done[name] = (done[name] ?? 0) + 1
      } catch (error) {
        const key = `${name}: ${String(error).slice(0, 80)}`
        errors[key] = (errors[key] ?? 0) + 1
      }
    }
  }
  await Promise.all(Array.from({ length: FLOWS }, flow))
  return { operations: options.operations, wrong: operations.wrong, errors, done }
}

type Operation = (tenant: Tenant) => Promise<unknown>

class Operations {
  readonly wrong: string[] = []
  readonly #sequelize: Sequelize
  readonly #context: TenantContext
  readonly #tenants: readonly Tenant[]
  readonly #user: ModelStatic<Model>
  readonly #operations: Readonly<Record<string, Operation>>

  constructor(sequelize: Sequelize, context: TenantContext, tenants: number) {
    this.#sequelize = sequelize
    this.#context = context
    this.#tenants = Array.from({ length: tenants }, (_, index) => ({
      id: schemaOf(index),
      schema: schemaOf(index),
    }))
    this.#user = sequelize.define(
      'User',
      {
        id: { type: DataTypes.INTEGER, primaryKey: true },
        name: DataTypes.TEXT,
        owner: DataTypes.TEXT,
      },
      { tableName: 'users', timestamps: false },
    )
    this.#operations = this.#define()
  }

  get names(): readonly string[] {
    return Object.keys(this.#operations)
  }

  tenant(index: number): Tenant {
    const tenant = this.#tenants[index]
    if (tenant === undefined) throw new RangeError(`no tenant ${index}`)
    return tenant
  }

  run(name: string, tenant: Tenant): Promise<unknown> | undefined {
    return this.#operations[name]?.(tenant)
  }

  /** After all of it, no idle connection may be on anybody's path. */
  async checkIdleConnections(): Promise<void> {
    const read = () =>
      this.#context.runShared(() =>
        this.#sequelize.query<{ setting: string }>(
          "SELECT reset_val AS setting, pg_sleep(0.02) FROM pg_settings WHERE name = 'search_path'",
          { type: QueryTypes.SELECT },
        ),
      )
    // A connection that was killed at the very end says so to whoever takes it first.
    const readAgain = () => read().catch(read)
    for (const [row] of await Promise.all(Array.from({ length: POOL }, readAgain))) {
      this.#expect('idle connection', row?.setting, '"$user", public')
    }
  }

  #define(): Record<string, Operation> {
    const sequelize = this.#sequelize
    const other = () => this.tenant(random(this.#tenants.length))
    return {
      find: (tenant) => this.#read('find', tenant),
      bind: async (tenant) => {
        const rows = await sequelize.query<{ owner: string }>('SELECT owner FROM users WHERE id = $1', {
          bind: [1 + random(ROWS)],
          type: QueryTypes.SELECT,
        })
        this.#expect('bind', rows[0]?.owner, tenant.id)
      },
      replacements: async (tenant) => {
        const rows = await sequelize.query<{ owner: string }>('SELECT owner FROM users WHERE id = :id', {
          replacements: { id: 1 + random(ROWS) },
          type: QueryTypes.SELECT,
        })
        this.#expect('replacements', rows[0]?.owner, tenant.id)
      },
      'several at once': async (tenant) => {
        await Promise.all([1, 2, 3].map(() => this.#read('several at once', tenant)))
      },
      'failing statements': async (tenant) => {
        await sequelize.query('SELECT 1/0').catch(ignore)
        await sequelize.query('SELECT nope FROM users WHERE id = $1', { bind: [1] }).catch(ignore)
        await this.#read('after an error', tenant)
      },
      transaction: (tenant) =>
        sequelize.transaction(async () => {
          await this.#read('transaction', tenant)
          await this.#user.update({ name: String(random(9)) }, { where: { id: 3 } })
          await sleep(random(3))
          await this.#read('transaction, later', tenant)
        }),
      'unmanaged transaction': async (tenant) => {
        const transaction = await sequelize.transaction()
        try {
          await this.#read('unmanaged', tenant, transaction)
        } finally {
          await transaction.commit()
        }
        await this.#read('after unmanaged', tenant)
      },
      rollback: async (tenant) => {
        await sequelize
          .transaction(async () => {
            await this.#user.create({ id: 1000 + random(1e6), owner: tenant.id })
            throw new Error('back')
          })
          .catch(ignore)
        await this.#read('after a rollback', tenant)
      },
      'aborted transaction': async (tenant) => {
        await sequelize.transaction(() => sequelize.query('SELECT 1/0')).catch(ignore)
        await this.#read('after an aborted transaction', tenant)
      },
      'savepoint with a foreign path': (tenant) =>
        sequelize.transaction(async (transaction) => {
          await sequelize
            .transaction({ transaction }, async () => {
              await sequelize.query(`SET search_path TO ${other().schema}`)
              throw new Error('back')
            })
            .catch(ignore)
          await this.#read('after a savepoint', tenant)
        }),
      'path set by hand': async (tenant) => {
        await sequelize.query(`SELECT set_config('search_path', '${other().schema}', false)`)
        await this.#read('after set_config', tenant)
        await sequelize.query(`SET search_path TO ${other().schema}`)
        await this.#read('after SET', tenant)
      },
      'nested tenant': limited(3, (tenant) =>
        sequelize.transaction(async () => {
          await this.#read('outer', tenant)
          const inner = other()
          await this.#context.run(inner, async () => {
            await this.#read('inner', inner)
            await sequelize.transaction(async () => this.#read('inner transaction', inner))
          })
          await this.#read('outer again', tenant)
        }),
      ),
      'foreign transaction': async (tenant) => {
        const inner = other()
        if (inner === tenant) return
        await sequelize.transaction(async (transaction) => {
          const outcome = await this.#context
            .run(inner, () => this.#user.findByPk(1, { transaction }))
            .then((user) => `read ${String(user?.get('owner'))}`, String)
          if (outcome.startsWith('read')) this.wrong.push(`foreign transaction: ${outcome} in ${inner.id}`)
        })
      },
      bulk: async (tenant) => {
        const id = 2_000_000 + random(1e9)
        await this.#user.bulkCreate([{ id, owner: tenant.id }])
        this.#expect('bulk', (await this.#user.findByPk(id))?.get('owner'), tenant.id)
        await this.#user.destroy({ where: { id } })
      },
      stream: limited(5, (tenant) =>
        sequelize.transaction(async (transaction) => {
          const { connection } = transaction as unknown as { connection: pg.Client } // not typed upstream
          const rows = connection.query(new QueryStream('SELECT owner FROM users ORDER BY id LIMIT 10'))
          const reading = (async () => {
            for await (const { owner } of rows) this.#expect('stream', owner, tenant.id)
          })()
          // pg-query-stream never ends when the backend is killed while it reads.
          await inTime(reading, 1000)
        }),
      ),
      'direct client': async (tenant) => {
        const client = (await sequelize.connectionManager.getConnection({ type: 'write' })) as pg.Client // Sequelize's own is typed as Connection
        try {
          const { rows } = await client.query<{ owner: string }>({
            name: 'owner',
            text: 'SELECT owner FROM users WHERE id = $1',
            values: [1],
          })
          this.#expect('direct client', rows[0]?.owner, tenant.id)
        } finally {
          sequelize.connectionManager.releaseConnection(client)
        }
      },
      'explicit schema': async (_tenant) => {
        const user = await this.#user.schema(this.tenant(0).schema).findByPk(1)
        this.#expect('explicit schema', user?.get('owner'), this.tenant(0).id)
      },
      vacuum: async (tenant) => {
        if (random(20) === 0) await sequelize.query('VACUUM (SKIP_LOCKED) users')
        await this.#read('after VACUUM', tenant)
      },
      'left behind': async (tenant) => {
        // Only the transaction's own connection has the table: the statement after it may meet any.
        await sequelize.transaction(async (transaction) => {
          await sequelize.query('CREATE TEMP TABLE IF NOT EXISTS left_behind AS SELECT owner FROM users')
          const [row] = await sequelize.query<{ owner: string }>('SELECT owner FROM left_behind LIMIT 1', {
            type: QueryTypes.SELECT,
            transaction,
          })
          this.#expect('left behind', row?.owner, tenant.id)
        })
      },
      'no tenant': () =>
        this.#context.runShared(async () => {
          this.#expect('no tenant', (await this.#user.findByPk(1))?.get('owner'), SHARED_OWNER)
        }),
    }
  }

  async #read(what: string, tenant: Tenant, transaction?: Transaction): Promise<void> {
    const user = await this.#user.findByPk(1 + random(ROWS), transaction === undefined ? {} : { transaction })
    this.#expect(what, user?.get('owner'), tenant.id)
  }

  #expect(what: string, found: unknown, wanted: string): void {
    if (found !== wanted) this.wrong.push(`${what}: wanted ${wanted}, got ${String(found)}`)
  }
}

/** An operation that never ends would hide whatever it holds. */
async function inTime(operation: Promise<unknown> | undefined, ms: number): Promise<void> {
  // No aborted sleep: that makes an error with its stack for each of the operations that end in time.
  let timer: NodeJS.Timeout | undefined
  const tooLong = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`did not end within ${ms} ms`)), ms).unref()
  })
  try {
    await Promise.race([operation, tooLong])
  } finally {
    clearTimeout(timer)
  }
}

/** What looks right and is not: a rollback, a `set_config` or a killed statement makes the memory wrong. */
function bindByMemo(sequelize: Sequelize, context: TenantContext): void {
  const remembered = new WeakMap<object, string>()
  sequelize.addHook('beforeQuery', async (_options: unknown, run: unknown) => {
    const { connection } = run as { connection: pg.Client } // Sequelize's Query, untyped in its hooks
    const { path } = context.scope()
    if (remembered.get(connection) === path) return
    await connection.query(`SET search_path TO ${path}`)
    remembered.set(connection, path)
  })
}

/** Ends random backends of the stress at intervals; the returned function stops that. */
function killBackends(url: string, everyMs: number): () => Promise<void> {
  const stop = new AbortController()
  const killing = (async () => {
    while (!stop.signal.aborted) {
      await sleep(everyMs)
      await query(
        url,
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE application_name = 'stress' AND datname = current_database()
            AND backend_start < now() - interval '1 second'
          ORDER BY random() LIMIT 1`,
      ).catch(ignore)
    }
  })()
  return async () => {
    stop.abort()
    await killing
  }
}

/** Nested operations hold two connections: so few at once that the pool cannot be emptied by holders alone. */
function limited(most: number, operation: Operation): Operation {
  let running = 0
  const waiting: (() => void)[] = []
  return async (tenant) => {
    if (running >= most) await new Promise<void>((resolve) => waiting.push(resolve))
    else running++
    try {
      return await operation(tenant)
    } finally {
      const next = waiting.shift()
      if (next === undefined) running--
      else next()
    }
  }
}

function schemaOf(index: number): string {
  return `t_${index}`
}

function random(below: number): number {
  return Math.floor(Math.random() * below)
}

function pick(names: readonly string[]): string {
  return names[random(names.length)] ?? ''
}

function ignore(): void {}
