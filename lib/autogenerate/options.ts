/** What a configuration says of `check` and `autogenerate`. */
import { file, globs, invalid, postgresUrl, section } from '../option-checks.ts'
import type { Operation } from './operation.ts'
import { IGNORABLE, type Ignorable } from './select.ts'

export interface AutogenerateConfig {
  /** Patterns of the tables to compare, with `*` and `?`. @defaultValue all */
  readonly include?: string | readonly string[]
  /** Patterns of tables that are left out. @defaultValue none */
  readonly exclude?: string | readonly string[]
  /**
   * Differences that do not count: comments of any kind, and tables, columns, indexes and constraints that only the
   * database has; defaults and NOT NULL of columns that are otherwise equal.
   * @defaultValue none
   */
  readonly ignore?: readonly Ignorable[]
  /** Whether a difference counts. @defaultValue all do */
  readonly operation?: (operation: Operation) => boolean
  /**
   * File of the differences that `check --accept` has accepted, relative to the configuration file.
   * @defaultValue `'autogenerate.baseline.json'`
   */
  readonly baseline?: string
  /**
   * Another database, which has the shared schemas, to make scratch schemas in.
   * @defaultValue the database of the specimen
   */
  readonly shadowUrl?: string
}

export interface ResolvedAutogenerate {
  readonly include: readonly string[]
  readonly exclude: readonly string[]
  readonly ignore: readonly Ignorable[]
  readonly operation: AutogenerateConfig['operation']
  readonly baseline: string
  readonly shadowUrl: string | undefined
}

/** @throws {@link TenancyError} CONFIG_INVALID naming the option. */
export function resolveAutogenerate(value: AutogenerateConfig | undefined): ResolvedAutogenerate {
  const keys = ['include', 'exclude', 'ignore', 'operation', 'baseline', 'shadowUrl']
  const {
    include,
    exclude,
    ignore = [],
    operation,
    baseline,
    shadowUrl,
  } = section('autogenerate', value, keys)
  if (!Array.isArray(ignore) || !ignore.every((each) => IGNORABLE.includes(each)))
    throw invalid('autogenerate.ignore', `an array of ${IGNORABLE.join(', ')}`, ignore)
  if (operation !== undefined && typeof operation !== 'function')
    throw invalid('autogenerate.operation', 'a function', operation)
  return {
    include: include === undefined ? [] : globs('autogenerate.include', include, ''),
    exclude: exclude === undefined ? [] : globs('autogenerate.exclude', exclude, ''),
    ignore,
    operation,
    baseline: file('autogenerate.baseline', baseline) ?? 'autogenerate.baseline.json',
    shadowUrl: postgresUrl('autogenerate.shadowUrl', shadowUrl, 'SHADOW_DATABASE_URL'),
  }
}
