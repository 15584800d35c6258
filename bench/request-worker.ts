/** One variant of the request benchmark, in a process of its own: runs a slice whenever it is told to. */
import { createNamespace } from 'cls-hooked'
import { DataTypes, Sequelize, type Model, type ModelStatic, type Transaction } from 'sequelize'

import { TenantContext, type Namespace } from '../lib/context.ts'
import { bindSearchPath } from '../lib/search-path.ts'
import { quoteIdentifier } from '../lib/sql.ts'
import type { Tenant } from '../lib/tenant.ts'

export const VARIANTS = [
  'plain Sequelize, one schema',
  'SQL qualified by hand, random tenants',
  'umzug-tenants, AsyncLocalStorage',
  'umzug-tenants, cls-hooked namespace',
  'Model.schema(), memoised',
  'awaited SET for each query',
  'transaction with SET LOCAL for each request',
] as const

export type Variant = (typeof VARIANTS)[number]

export interface Slice {
  readonly requestsPerSecond: number
  /** User and system time of this process. */
  readonly cpuMsPerRequest: number
  readonly p50Ms: number
  readonly p99Ms: number
}

type RequestHandler = (tenant: Tenant) => Promise<unknown>

const CONCURRENCY = 32
const REQUESTS = 1500

function define(sequelize: Sequelize): ModelStatic<Model> {
  return sequelize.define(
    'User',
    { id: { type: DataTypes.INTEGER, primaryKey: true }, name: DataTypes.TEXT, owner: DataTypes.TEXT },
    { tableName: 'users', timestamps: false },
  )
}

/** One of the rows that every tenant has. */
function randomId(): number {
  return 1 + Math.floor(Math.random() * 20)
}

async function read(
  user: ModelStatic<Model>,
  tenant: Tenant | undefined,
  transaction?: Transaction,
): Promise<void> {
  for (let lookup = 0; lookup < 2; lookup++) {
    const found = await user.findByPk(randomId(), transaction === undefined ? {} : { transaction })
    // A variant that reads the wrong row is not faster, it is wrong.
    if (tenant !== undefined && found?.get('owner') !== tenant.schema)
      throw new Error(`wrong row for ${tenant.schema}`)
  }
}

function handlerOf(variant: Variant, sequelize: Sequelize): RequestHandler {
  const user = define(sequelize)
  switch (variant) {
    case 'plain Sequelize, one schema':
      return (_tenant) => read(user, undefined)
    case 'SQL qualified by hand, random tenants':
      return async (tenant) => {
        for (let lookup = 0; lookup < 2; lookup++) {
          const table = `${quoteIdentifier(tenant.schema)}."users"`
          const found = await sequelize.query(
            `SELECT "id", "name", "owner" FROM ${table} AS "User" WHERE "User"."id" = ${randomId()};`,
            { model: user, mapToModel: true, plain: true },
          )
          if (found?.get('owner') !== tenant.schema) throw new Error(`wrong row for ${tenant.schema}`)
        }
      }
    case 'umzug-tenants, AsyncLocalStorage':
      return scoped(sequelize, user, undefined)
    case 'umzug-tenants, cls-hooked namespace':
      return scoped(sequelize, user, createNamespace('bench'))
    case 'Model.schema(), memoised': {
      const models = new Map<string, ModelStatic<Model>>()
      return (tenant) => {
        const own = models.get(tenant.schema) ?? user.schema(tenant.schema)
        models.set(tenant.schema, own)
        return read(own, tenant)
      }
    }
    case 'awaited SET for each query':
      return async (tenant) => {
        for (let lookup = 0; lookup < 2; lookup++) {
          const connection = await sequelize.connectionManager.getConnection({ type: 'write' })
          try {
            await (connection as { query(text: string): Promise<unknown> }).query(
              `SET search_path TO ${quoteIdentifier(tenant.schema)}`,
            )
            // A transaction is anything with a connection: so the query runs on the one that was set.
            const held = { connection } as unknown as Transaction
            await user.findByPk(randomId(), { transaction: held })
          } finally {
            sequelize.connectionManager.releaseConnection(connection)
          }
        }
      }
    case 'transaction with SET LOCAL for each request':
      return (tenant) =>
        sequelize.transaction(async (transaction) => {
          await sequelize.query(`SET LOCAL search_path TO ${quoteIdentifier(tenant.schema)}`, { transaction })
          await read(user, tenant, transaction)
        })
  }
}

function scoped(
  sequelize: Sequelize,
  user: ModelStatic<Model>,
  namespace: Namespace | undefined,
): RequestHandler {
  const context = new TenantContext({ searchPath: ['shared'], onMissing: 'error', namespace })
  bindSearchPath(sequelize, context)
  return (tenant) => context.run(tenant, () => read(user, tenant))
}

async function slice(handle: RequestHandler, tenants: readonly Tenant[]): Promise<Slice> {
  const durations: number[] = []
  const cpuBefore = process.cpuUsage()
  const startedAt = performance.now()
  let left = REQUESTS
  const flow = async () => {
    while (left-- > 0) {
      const tenant = tenants[Math.floor(Math.random() * tenants.length)]
      if (tenant === undefined) return
      const requestedAt = performance.now()
      await handle(tenant)
      durations.push(performance.now() - requestedAt)
    }
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, flow))
  const seconds = (performance.now() - startedAt) / 1000
  const cpu = process.cpuUsage(cpuBefore)
  const sorted = durations.toSorted((a, b) => a - b)
  return {
    requestsPerSecond: REQUESTS / seconds,
    cpuMsPerRequest: (cpu.user + cpu.system) / 1000 / REQUESTS,
    p50Ms: sorted[Math.floor(sorted.length * 0.5)] ?? NaN,
    p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? NaN,
  }
}

if (process.send !== undefined) {
  const [variant, url, count] = process.argv.slice(2)
  const tenants = Array.from({ length: Number(count) }, (_, index) => ({
    id: `t_${index}`,
    schema: `t_${index}`,
  }))
  const oneSchema = variant === VARIANTS[0] ? { options: '-c search_path=t_0' } : {}
  const sequelize = new Sequelize(url ?? '', {
    logging: false,
    pool: { max: 10, min: 10, idle: 600_000 },
    dialectOptions: { application_name: variant ?? '', ...oneSchema },
  })
  const handle = handlerOf(variant as Variant, sequelize) // one of VARIANTS: request.ts starts this process
  process.on('message', () => {
    void slice(handle, tenants).then((measured) => process.send?.(measured))
  })
  process.on('disconnect', () => process.exit())
  process.send('ready')
}
