/**
 * A schema as data: what PostgreSQL's catalogs say of it, read under a search path of exactly that schema, so that its
 * own objects are named bare and all others with their schema. Texts of two schemas can then be compared, and can stand
 * in a migration that names no schema. Lists are sorted by name, columns stand in the order of the table.
 */

export interface Snapshot {
  readonly tables: readonly Table[]
  readonly enums: readonly Enum[]
  /** Sequences that are not of a serial or identity column. */
  readonly sequences: readonly Sequence[]
  /** What models cannot say: views, functions, triggers, policies. Compared between tenants, never generated. */
  readonly others: readonly OtherObject[]
}

export interface Table {
  readonly name: string
  readonly comment: string | null
  readonly columns: readonly Column[]
  readonly constraints: readonly Constraint[]
  /** Those that no constraint stands on. */
  readonly indexes: readonly Index[]
  /** What models cannot say of a table: storage parameters, row security, replica identity, `name=value` each. */
  readonly settings: readonly string[]
}

export interface Column {
  readonly name: string
  /** As `format_type` prints it: `character varying(255)`, `enum_users_role[]`, `public.citext`. */
  readonly type: string
  /** The schema's own enum that the type is, or is an array of. */
  readonly enum: string | null
  readonly isArray: boolean
  /** Only if it is another than the type's. */
  readonly collation: string | null
  readonly notNull: boolean
  /** Expression of the default; `null` for none, for `serial`, and for a generated column. */
  readonly default: string | null
  /** `serial`: its default is a sequence it owns. */
  readonly serial: Sequence | null
  readonly identity: { readonly always: boolean; readonly sequence: Sequence } | null
  readonly generated: { readonly expression: string; readonly stored: boolean } | null
  /** What a generated column is computed from, sorted: it must go before one of them changes its type. */
  readonly dependsOn: readonly string[]
  /** Its default is another one for each row: a function that is volatile, or the next number of a sequence. */
  readonly isVolatile: boolean
  readonly comment: string | null
}

export interface Sequence {
  readonly name: string
  /** Type, start, increment, minimum, maximum, cache and cycle, in the words of CREATE SEQUENCE; none of the defaults. */
  readonly options: string
  /** The default of a column takes numbers from it. */
  readonly isUsed: boolean
}

export type ConstraintKind = 'primary key' | 'unique' | 'foreign key' | 'check' | 'exclude'

export interface Constraint {
  readonly name: string
  readonly kind: ConstraintKind
  /** As `pg_get_constraintdef` prints it, without NOT VALID. */
  readonly definition: string
  /** Own columns, in the order of the constraint; of a check those it reads. */
  readonly columns: readonly string[]
  /** All own columns that it reads, in its expressions too, sorted. */
  readonly dependsOn: readonly string[]
  /** The target of a foreign key; no schema for one of the same schema. */
  readonly references: {
    readonly schema: string | null
    readonly table: string
    readonly columns: readonly string[]
  } | null
  /** `false`: NOT VALID. */
  readonly isValid: boolean
  readonly comment: string | null
}

export interface Index {
  readonly name: string
  readonly isUnique: boolean
  /** As `pg_get_indexdef` prints it, from ON on: the name apart, so that two can be told to be one renamed. */
  readonly definition: string
  /** Columns it names itself; `null` where it has an expression. */
  readonly columns: readonly (string | null)[]
  /** All columns that it reads, in its expressions and its condition too, sorted. */
  readonly dependsOn: readonly string[]
  /** Nothing but columns: no expression and no condition. */
  readonly isPlain: boolean
  /** `false`: left by CREATE INDEX CONCURRENTLY that failed. */
  readonly isValid: boolean
  readonly comment: string | null
}

export interface Enum {
  readonly name: string
  readonly labels: readonly string[]
  readonly comment: string | null
}

export interface OtherObject {
  readonly kind:
    | 'view'
    | 'materialized view'
    | 'foreign table'
    | 'function'
    | 'trigger'
    | 'policy'
    | 'rule'
    | 'statistics'
    | 'domain'
    | 'type'
    | 'object'
  /** With what makes it one of its kind: the arguments of a function, the table of a trigger. */
  readonly name: string
  readonly definition: string
  /** Columns of the schema's tables that it reads: PostgreSQL lets none of them change its type or go. */
  readonly dependsOn: readonly { readonly table: string; readonly column: string }[]
}

/** A schema without anything. */
export const EMPTY: Snapshot = { tables: [], enums: [], sequences: [], others: [] }
