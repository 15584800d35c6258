/** What `lint` says of a migration: the rules by name, and a finding of one at a place. Words only. */

/** The rules, in the order of docs/lint.md, where each has a section. Names are never renamed: files accept them. */
export const LINT_RULES = [
  'foreign-schema',
  'unfiltered-catalog',
  'database-wide',
  'search-path',
  'not-awaited',
  'transaction-control',
  'syntax',
  'acceptance',
] as const

export type LintRule = (typeof LINT_RULES)[number]

/** What a rule found, before it is known where in which file. */
export interface Complaint {
  readonly rule: LintRule
  /** One sentence: what is wrong, and what would happen. */
  readonly message: string
  /** What to write instead. */
  readonly remedy: string
}

/** A complaint at a place of a text: an index of its UTF-16 units. */
export interface Spot extends Complaint {
  readonly index: number
}

/** A complaint at a place of a file, as people count: from 1, columns in characters. */
export interface Finding extends Complaint {
  readonly file: string
  readonly line: number
  readonly column: number
}

/** A comment of a file, without its marks, from `start` to `end`. */
export interface Comment {
  readonly text: string
  readonly start: number
  readonly end: number
}

/** What the rules take for granted about a file. */
export interface LintFacts {
  /** The schemas all tenants share, which may be named. */
  readonly sharedSchemas: ReadonlySet<string>
  /** It belongs to the shared schema's migrations: it runs once, so what is database-wide has its place there. */
  readonly shared: boolean
  /** It runs in a transaction that is the run's own. */
  readonly inTransaction: boolean
}

/**
 * Whether a migration that names `schema` would do the same in every tenant. PostgreSQL's own schemas are the same
 * wherever one is; what stands for an expression is not known before run time.
 */
export function isForeign(schema: string, { sharedSchemas, shared }: LintFacts): boolean {
  if (shared || schema === '' || schema.includes(FILLER)) return false
  return !schema.startsWith('pg_') && schema !== 'information_schema' && !sharedSchemas.has(schema)
}

/**
 * Stands in SQL for each character of an expression that is known at run time only. PostgreSQL takes it for a
 * letter, and no migration has it: it is for private use.
 */
export const FILLER = '\uE000'
