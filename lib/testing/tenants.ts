/** Migrated tenants for a test file: names nobody else uses, emptied between tests, gone at the end. */
import { randomBytes } from 'node:crypto'

import { QueryTypes, Sequelize } from 'sequelize'

import type { TenancyConfig } from '../options.ts'
import { qualify } from '../sql.ts'
import { createTenancy, type Tenancy } from '../tenancy.ts'
import type { Tenant } from '../tenant.ts'
import { startPostgres } from './postgres.ts'

export interface TestTenantsOptions {
  /**
   * How many tenants: 1 to 100.
   * @defaultValue 2
   */
  readonly count?: number
  /** The application's configuration: its migrations, storage, models. The database and the registry are the fixture's. */
  readonly config?: Omit<TenancyConfig, 'url' | 'sequelize' | 'migrationUrl' | 'tenants'>
  /**
   * Folder that the configuration's globs are relative to.
   * @defaultValue the working directory
   */
  readonly baseDir?: string
  /** Defines the application's models on the fixture's Sequelize. */
  readonly models?: (sequelize: Sequelize) => unknown
  /**
   * URL of a server on which a database may be created.
   * @defaultValue the environment variable `DATABASE_URL`, else an embedded server
   */
  readonly url?: string
}

export interface TestTenants {
  readonly tenancy: Tenancy
  /** A Sequelize on the fixture's database, scoped to the current tenant. */
  readonly sequelize: Sequelize
  /** URL of the fixture's database. */
  readonly url: string
  /** The tenants, at head. */
  readonly tenants: readonly Tenant[]
  /** Runs `fn` in a tenant, given by its position or as itself. */
  run<T>(tenant: number | Tenant, fn: (tenant: Tenant) => T | Promise<T>): Promise<T>
  /** Empties every table of every tenant and of the shared schema, apart from the version tables; identities start again. */
  reset(): Promise<void>
  /** Closes every connection and removes the database; the server too, if it was started for it. */
  dispose(): Promise<void>
}

/**
 * Tenants on a database of their own, each migrated to head.
 *
 * @throws RangeError for a count outside 1 to 100; and what `provision` throws.
 *
 * @example
 * ```ts
 * const fixture = await createTestTenants({ count: 2 })
 * await fixture.run(0, async (tenant) => tenant.schema)
 * await fixture.dispose()
 * ```
 */
export async function createTestTenants({
  count = 2,
  config = {},
  baseDir,
  models,
  url: serverUrl,
}: TestTenantsOptions = {}): Promise<TestTenants> {
  if (!Number.isInteger(count) || count < 1 || count > 100)
    throw new RangeError(`count must be 1 to 100, not ${count}`)
  const server = await startPostgres({ url: serverUrl ?? process.env['DATABASE_URL'] })
  const database = await createDatabase(server.url)
  const sequelize = new Sequelize(database.url, { dialect: 'postgres', logging: false })
  const tenancy = createTenancy({ ...config, sequelize }, baseDir === undefined ? {} : { baseDir })
  const dispose = async () => {
    await tenancy.close()
    await sequelize.close()
    await database.drop()
    await server.stop()
  }
  try {
    models?.(sequelize)
    await tenancy.up({ shared: true })
    const tenants: Tenant[] = []
    for (let index = 0; index < count; index++) {
      const id = `test_${randomBytes(4).toString('hex')}`
      await tenancy.provision({ id, host: `${id.replace('_', '-')}.test` })
      tenants.push(await tenancy.find({ id }))
    }
    return {
      tenancy,
      sequelize,
      url: database.url,
      tenants,
      run(tenant, fn) {
        const chosen = typeof tenant === 'number' ? tenants[tenant] : tenant
        if (chosen === undefined) throw new RangeError(`there are ${count} tenants, not one with this number`)
        return tenancy.run(chosen, fn)
      },
      reset: () =>
        truncate(tenancy, sequelize, [
          config.sharedSchema ?? 'shared',
          ...tenants.map(({ schema }) => schema),
        ]),
      dispose,
    }
  } catch (error) {
    // What went wrong first is what the caller must see; the database of a random name is no one's any more.
    await dispose().catch(() => undefined)
    throw error
  }
}

interface Database {
  readonly url: string
  drop(): Promise<void>
}

async function createDatabase(serverUrl: string): Promise<Database> {
  const name = `umzug_tenants_${randomBytes(6).toString('hex')}`
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  await onServer(serverUrl, `CREATE DATABASE ${name}`)
  return { url: url.href, drop: () => onServer(serverUrl, `DROP DATABASE ${name} WITH (FORCE)`) }
}

async function onServer(url: string, statement: string): Promise<void> {
  const sequelize = new Sequelize(url, { dialect: 'postgres', logging: false })
  try {
    await sequelize.query(statement)
  } finally {
    await sequelize.close()
  }
}

/** They say what the schema looks like, not what is in it. */
const VERSION_TABLES = ['SequelizeMeta', 'alembic_version']

async function truncate(tenancy: Tenancy, sequelize: Sequelize, schemas: readonly string[]): Promise<void> {
  await tenancy.runShared(async () => {
    const tables = await sequelize.query<{ schema: string; name: string }>(
      `SELECT schemaname AS schema, tablename AS name FROM pg_catalog.pg_tables
        WHERE schemaname = ANY ($1) AND tablename <> ALL ($2)`,
      { bind: [schemas, VERSION_TABLES], type: QueryTypes.SELECT },
    )
    if (tables.length === 0) return
    const names = tables.map(({ schema, name }) => qualify(schema, name)).join(', ')
    await sequelize.query(`TRUNCATE ${names} RESTART IDENTITY CASCADE`)
  })
}
