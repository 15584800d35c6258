/**
 * The configuration as users write it, and as the library uses it: many shapes become one, checked once, here.
 */
import { cpus } from 'node:os'
import { resolve } from 'node:path'

import type { Sequelize } from 'sequelize'

import {
  resolveAutogenerate,
  type AutogenerateConfig,
  type ResolvedAutogenerate,
} from './autogenerate/options.ts'
import type { Namespace } from './context.ts'
import { TenancyError } from './errors.ts'
import type { LazyConfig, ResolvedLazy } from './lazy.ts'
import type { Allowances } from './migrations/integrity.ts'
import type { GuardMode } from './migrations/guard.ts'
import type { TransactionMode } from './migrations/plan.ts'
import type { TenantSource } from './registry.ts'
import type { Roles } from './grants.ts'
import {
  count,
  file,
  globs,
  hasMethods,
  invalid,
  oneOf,
  postgresUrl,
  section,
  unknownOption,
  withMethods,
} from './option-checks.ts'
import { alembicVersion } from './storage/alembic-version.ts'
import { sequelizeMeta } from './storage/sequelize-meta.ts'
import type { StorageName, VersionStorage } from './storage/storage.ts'
import { isPossibleSchema, type NamePolicy, type NameRule } from './tenant.ts'

/** The configuration: what `umzug-tenants.config.ts` exports and {@link createTenancy} takes. */
export interface TenancyConfig {
  /**
   * PostgreSQL URL.
   * @defaultValue the environment variable `DATABASE_URL`
   */
  readonly url?: string
  /**
   * The application's Sequelize, or a function that returns it. Every connection it opens from then on is
   * scoped to the current tenant.
   * @defaultValue one made from `url`
   */
  readonly sequelize?: Sequelize | (() => Sequelize | Promise<Sequelize>)
  /**
   * Direct URL of the role that migrates: no transaction pooler may stand between.
   * @defaultValue the environment variable `MIGRATION_DATABASE_URL`, else the server of `sequelize`
   */
  readonly migrationUrl?: string
  /**
   * Globs of the tenants' migrations (`.ts .mts .cts .js .mjs .cjs .sql`), relative to the configuration file.
   * @defaultValue `'migrations/*'`
   */
  readonly migrations?: string | readonly string[]
  /**
   * Globs of the shared schema's migrations.
   * @defaultValue `'migrations/shared/*'`
   */
  readonly sharedMigrations?: string | readonly string[]
  /** @defaultValue `'shared'` */
  readonly sharedSchema?: string
  /**
   * Globs of the seed files.
   * @defaultValue `'seeders/*'`
   */
  readonly seeders?: string | readonly string[]
  /**
   * Where a schema records its migrations.
   * @defaultValue `'SequelizeMeta'`
   */
  readonly storage?: StorageName | VersionStorage
  /**
   * The application's registry of tenants.
   * @defaultValue the table `umzug_tenants.tenant`
   */
  readonly tenants?: TenantSource
  /**
   * Schemas after the tenant's own, in order. `public` is searched only if it is named here.
   * @defaultValue `[sharedSchema]`
   */
  readonly searchPath?: readonly string[]
  /**
   * The module that defines the tenants' models, relative to the configuration file: by being imported, or by its
   * default export, a function that is given the Sequelize. Needed by `check` and `autogenerate`.
   * @defaultValue the models that `sequelize` has already
   */
  readonly models?: string
  /** What `check` and `autogenerate` compare. */
  readonly autogenerate?: AutogenerateConfig
  /** The application's cls-hooked namespace, the one it gave to `Sequelize.useCLS`. */
  readonly namespace?: Namespace
  /**
   * One transaction for a tenant's run, one for each migration, one for all tenants that `up` or `down` is called for
   * (`'fleet'`: all of them move or none), or none.
   * @defaultValue `'tenant'`
   */
  readonly transaction?: TransactionMode
  /**
   * Violations of the set of migrations that are let through instead of refused.
   * @defaultValue none
   */
  readonly allow?: Allowances
  /**
   * What to do about objects that a migration creates, alters or drops outside the tenant's schema and
   * `searchPath`: `'schema'` fails and rolls it back, `'warn'` emits `migration:outside`, `'off'` does not look.
   * @defaultValue `'schema'`
   */
  readonly guard?: GuardMode
  /**
   * Which schema names are accepted.
   * @defaultValue `'strict'`: `a-z`, `0-9` and `_`, beginning with a letter, at most 63 bytes
   */
  readonly names?: NameRule
  /**
   * What a statement without a current tenant meets: an error, or the shared schemas.
   * @defaultValue `'error'`
   */
  readonly onMissing?: 'error' | 'shared'
  /**
   * Tenants upgraded at once by a fleet run: 1 to 64.
   * @defaultValue twice the cores, at most 8
   */
  readonly concurrency?: number
  /**
   * What the first access to a tenant that is behind does: `'wait'`, or `true`, upgrades it and waits; `'background'`
   * upgrades it and is answered 503 at once; `false` upgrades nothing and is answered 503.
   * @defaultValue `'wait'`
   */
  readonly lazy?: boolean | 'wait' | 'background' | LazyConfig
  /** Roles of the server beside the one that migrates; docs/security.md. */
  readonly roles?: Roles
  readonly lock?: {
    /**
     * Milliseconds a run waits for another run of the same tenant; 0 does not wait.
     * @defaultValue 60000
     */
    readonly waitMs?: number
  }
  readonly timeouts?: {
    /**
     * Milliseconds a migration's statement waits for a lock on a table before the run is rolled back and tried
     * again, up to five times; 0 waits for ever, with every later query of that table waiting behind it.
     * @defaultValue 1000
     */
    readonly lockMs?: number
    /**
     * Milliseconds a migration's statement may run; 0 for no limit.
     * @defaultValue 0
     */
    readonly statementMs?: number
  }
}

/** The configuration with every default in its place. */
export interface ResolvedOptions {
  readonly url: string | undefined
  readonly sequelize: TenancyConfig['sequelize']
  readonly migrationUrl: string | undefined
  /** Folder that globs are relative to. */
  readonly baseDir: string
  readonly migrations: readonly string[]
  readonly sharedMigrations: readonly string[]
  readonly sharedSchema: string
  readonly seeders: readonly string[]
  readonly storage: VersionStorage
  readonly tenants: TenantSource | undefined
  readonly searchPath: readonly string[]
  readonly models: string | undefined
  readonly autogenerate: ResolvedAutogenerate
  readonly namespace: Namespace | undefined
  readonly transaction: TransactionMode
  readonly guard: GuardMode
  readonly allow: Required<Allowances>
  readonly policy: NamePolicy
  readonly onMissing: 'error' | 'shared'
  readonly concurrency: number
  readonly lazy: ResolvedLazy
  readonly roles: Roles
  readonly lockWaitMs: number
  readonly lockTimeoutMs: number
  readonly statementTimeoutMs: number
}

/** The configuration itself, typed: for `export default defineConfig({ … })`. */
export function defineConfig(config: TenancyConfig): TenancyConfig {
  return config
}

const KNOWN_KEYS: ReadonlySet<string> = new Set<keyof TenancyConfig>([
  'url', 'sequelize', 'migrationUrl', 'migrations', 'sharedMigrations', 'sharedSchema', 'seeders', 'storage',
  'tenants', 'searchPath', 'namespace', 'transaction', 'names', 'onMissing', 'concurrency', 'lazy', 'lock',
  'timeouts', 'allow', 'guard', 'roles', 'models', 'autogenerate',
]) // prettier-ignore

/**
 * @throws {@link TenancyError} CONFIG_INVALID naming the option, what was expected and what was found.
 */
export function resolveOptions(config: TenancyConfig, baseDir: string = process.cwd()): ResolvedOptions {
  for (const key of Object.keys(config)) {
    if (!KNOWN_KEYS.has(key)) throw unknownOption(key, [...KNOWN_KEYS])
  }
  const sharedSchema = config.sharedSchema ?? 'shared'
  if (!isPossibleSchema(sharedSchema)) throw invalid('sharedSchema', 'a schema name', sharedSchema)
  const searchPath = config.searchPath ?? [sharedSchema]
  if (!Array.isArray(searchPath) || !searchPath.every(isPossibleSchema))
    throw invalid('searchPath', 'an array of schema names', searchPath)
  const lock = section('lock', config.lock, ['waitMs'])
  const timeouts = section('timeouts', config.timeouts, ['lockMs', 'statementMs'])
  return {
    url: postgresUrl('url', config.url, 'DATABASE_URL'),
    sequelize: sequelizeOf(config.sequelize),
    migrationUrl: postgresUrl('migrationUrl', config.migrationUrl, 'MIGRATION_DATABASE_URL'),
    baseDir: resolve(baseDir),
    migrations: globs('migrations', config.migrations, 'migrations/*'),
    sharedMigrations: globs('sharedMigrations', config.sharedMigrations, 'migrations/shared/*'),
    sharedSchema,
    seeders: globs('seeders', config.seeders, 'seeders/*'),
    storage: storageOf(config.storage),
    tenants: withMethods('tenants', config.tenants, ['list', 'find']),
    searchPath,
    models: file('models', config.models),
    autogenerate: resolveAutogenerate(config.autogenerate),
    namespace: withMethods('namespace', config.namespace, ['run', 'bind', 'get', 'set']),
    allow: allowances(config.allow),
    transaction: oneOf('transaction', config.transaction, ['tenant', 'migration', 'fleet', 'none']),
    guard: oneOf('guard', config.guard, ['schema', 'warn', 'off']),
    policy: {
      names: oneOf('names', config.names, ['strict', 'quoted']),
      reserved: [sharedSchema, ...searchPath],
    },
    onMissing: oneOf('onMissing', config.onMissing, ['error', 'shared']),
    concurrency: checkConcurrency(config.concurrency, Math.min(8, 2 * cpus().length)),
    lazy: lazyOf(config.lazy),
    roles: rolesOf(config.roles),
    lockWaitMs: count('lock.waitMs', lock.waitMs, 60_000, 0, DAY_MS),
    lockTimeoutMs: count('timeouts.lockMs', timeouts.lockMs, 1000, 0, DAY_MS),
    statementTimeoutMs: count('timeouts.statementMs', timeouts.statementMs, 0, 0, DAY_MS),
  }
}

const DAY_MS = 24 * 60 * 60 * 1000

function lazyOf(value: TenancyConfig['lazy'] = 'wait'): ResolvedLazy {
  const isShort = typeof value === 'boolean' || value === 'wait' || value === 'background'
  const lazy: LazyConfig = isShort
    ? {}
    : section('lazy', value, ['mode', 'concurrency', 'maxWaitMs', 'recheckMs', 'listen'])
  const given = isShort && typeof value === 'string' ? value : lazy.mode
  return {
    mode: value === false ? 'off' : oneOf('lazy.mode', given, ['wait', 'background']),
    concurrency: count('lazy.concurrency', lazy.concurrency, 2, 1, 64),
    maxWaitMs: count('lazy.maxWaitMs', lazy.maxWaitMs, 30_000, 0, DAY_MS),
    recheckMs: count('lazy.recheckMs', lazy.recheckMs, 30_000, 0, DAY_MS),
    listen: flag('lazy.listen', lazy.listen),
  }
}

function storageOf(storage: TenancyConfig['storage'] = 'SequelizeMeta'): VersionStorage {
  if (storage === 'SequelizeMeta') return sequelizeMeta()
  if (storage === 'alembic_version') return alembicVersion()
  if (hasMethods(storage, ['executed', 'record', 'forget'])) return storage
  throw invalid('storage', "'SequelizeMeta', 'alembic_version' or a VersionStorage", storage)
}

function allowances(value: TenancyConfig['allow']): Required<Allowances> {
  const allow = section('allow', value, ['missing', 'changed', 'outOfOrder'])
  return {
    missing: flag('allow.missing', allow.missing),
    changed: flag('allow.changed', allow.changed),
    outOfOrder: flag('allow.outOfOrder', allow.outOfOrder),
  }
}

function flag(option: string, value: unknown): boolean {
  const found = value ?? false
  if (typeof found === 'boolean') return found
  throw invalid(option, 'true or false', found)
}

function sequelizeOf(sequelize: TenancyConfig['sequelize']): TenancyConfig['sequelize'] {
  if (typeof sequelize === 'function') return sequelize
  return withMethods('sequelize', sequelize, ['getQueryInterface', 'addHook'], 'a Sequelize, or a function that returns one') // prettier-ignore
}

/** @throws {@link TenancyError} CONFIG_INVALID unless `value`, or the fallback for none, is from 1 to 64. */
export function checkConcurrency(value: number | undefined, fallback: number): number {
  return count('concurrency', value, fallback, 1, 64)
}

/** @throws {@link TenancyError} USAGE unless the limit is a whole number above 0. */
export function checkMaxFailures({
  failFast = false,
  maxFailures,
}: {
  readonly failFast?: boolean
  readonly maxFailures?: number
}): number | undefined {
  if (maxFailures !== undefined && !(Number.isInteger(maxFailures) && maxFailures > 0)) {
    throw new TenancyError('USAGE', `maxFailures must be a whole number above 0, not ${maxFailures}.`, {
      fix: ['give 1 or more, or leave it out: failures are reported and stop no other tenant'],
    })
  }
  return failFast ? 1 : maxFailures
}

function rolesOf(value: TenancyConfig['roles']): Roles {
  const roles = section('roles', value, ['tenant', 'application'])
  const { tenant, application } = roles
  if (tenant !== undefined && typeof tenant !== 'function')
    throw invalid('roles.tenant', 'a function that names the role of a tenant', tenant)
  if (application !== undefined && (typeof application !== 'string' || application === ''))
    throw invalid('roles.application', 'the name of a role', application)
  return roles
}
