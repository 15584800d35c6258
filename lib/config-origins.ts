/** The configuration as it is in effect, and where each value comes from. Pure. */
import type { ResolvedOptions, TenancyConfig } from './options.ts'

export interface ConfigEntry {
  /** The option, as the configuration calls it: `lock.waitMs`. */
  readonly option: string
  readonly value: string | number | boolean | null | readonly string[]
  /** A file, an environment variable, a flag of the command line, or `default`. */
  readonly origin: string
}

export interface Origins {
  /** The configuration's file. */
  readonly file: string
  /** What the command line says about the database, if it says anything. */
  readonly url?: string | undefined
}

const VARIABLES: Readonly<Record<string, string>> = {
  url: 'DATABASE_URL',
  migrationUrl: 'MIGRATION_DATABASE_URL',
}

/** Every option, in the order of the documents. */
export function explainConfig(
  config: TenancyConfig,
  options: ResolvedOptions,
  { file, url }: Origins,
): readonly ConfigEntry[] {
  const originOf = (option: string): string => {
    const variable = VARIABLES[option]
    if (url !== undefined && variable !== undefined) return '--url'
    if (isGiven(config, option)) return file
    const isSet = variable !== undefined && options[option === 'url' ? 'url' : 'migrationUrl'] !== undefined
    return isSet ? variable : 'default'
  }
  return valuesOf(config, options).map(([option, value]) => ({ option, value, origin: originOf(option) }))
}

function valuesOf(
  config: TenancyConfig,
  options: ResolvedOptions,
): readonly (readonly [string, ConfigEntry['value']])[] {
  const { allow, lazy, policy } = options
  return [
    ['url', options.url ?? null],
    ['sequelize', wordFor(config.sequelize, 'an instance')],
    ['migrationUrl', options.migrationUrl ?? null],
    ['migrations', options.migrations],
    ['sharedMigrations', options.sharedMigrations],
    ['sharedSchema', options.sharedSchema],
    ['seeders', options.seeders],
    ['storage', options.storage.table],
    ['tenants', wordFor(config.tenants, "the application's registry") ?? 'umzug_tenants.tenant'],
    ['searchPath', options.searchPath],
    ['namespace', wordFor(config.namespace, 'a namespace')],
    ['transaction', options.transaction],
    ['guard', options.guard],
    ['names', policy.names],
    ['onMissing', options.onMissing],
    ['concurrency', options.concurrency],
    ['allow.missing', allow.missing],
    ['allow.changed', allow.changed],
    ['allow.outOfOrder', allow.outOfOrder],
    ['lazy', lazy.mode],
    ['lazy.concurrency', lazy.concurrency],
    ['lazy.maxWaitMs', lazy.maxWaitMs],
    ['lazy.recheckMs', lazy.recheckMs],
    ['lazy.listen', lazy.listen],
    ['lock.waitMs', options.lockWaitMs],
    ['timeouts.lockMs', options.lockTimeoutMs],
    ['timeouts.statementMs', options.statementTimeoutMs],
    ['roles.application', options.roles.application ?? null],
    ['roles.tenant', wordFor(options.roles.tenant, 'a role')],
    ['models', options.models ?? null],
    ['autogenerate.include', options.autogenerate.include],
    ['autogenerate.exclude', options.autogenerate.exclude],
    ['autogenerate.ignore', options.autogenerate.ignore],
    ['autogenerate.operation', wordFor(options.autogenerate.operation, 'a function')],
    ['autogenerate.baseline', options.autogenerate.baseline],
    ['autogenerate.shadowUrl', options.autogenerate.shadowUrl ?? null],
  ]
}

/** An object says nothing that could be printed, and may hold secrets. */
function wordFor(value: unknown, word: string): string | null {
  if (value === undefined) return null
  return typeof value === 'function' ? 'a function' : word
}

/** Whether the configuration itself says so; `lock.waitMs` is a member of its `lock`. */
function isGiven(config: TenancyConfig, option: string): boolean {
  let value: unknown = config
  for (const key of option.split('.')) {
    if (typeof value !== 'object' || value === null) return false
    value = Reflect.get(value, key)
  }
  return value !== undefined
}
