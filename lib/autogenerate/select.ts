/** Which differences count: of which tables, of which kinds, and none that was accepted before. Pure. */
import { createHash } from 'node:crypto'

import { patternOf } from '../selection.ts'
import { tableOf } from './describe.ts'
import type { Operation } from './operation.ts'
import { settingsOfMaking } from './partitions.ts'
import type { Snapshot, Table } from './snapshot.ts'

/** What a database may have more of than the models say. */
export const IGNORABLE = ['comments', 'tables', 'columns', 'indexes', 'constraints', 'defaults', 'nullability'] as const // prettier-ignore

export type Ignorable = (typeof IGNORABLE)[number]

export interface SelectRules {
  /** Patterns of the tables to compare; none for all. */
  readonly include: readonly string[]
  /** Patterns of tables that are left out. */
  readonly exclude: readonly string[]
  /** Differences that do not count: what only the database has, comments of any kind. */
  readonly ignore: readonly Ignorable[]
  /** Whether a difference counts. */
  readonly operation: ((operation: Operation) => boolean) | undefined
  /** {@link acceptanceOf} the differences that were accepted. */
  readonly accepted: ReadonlySet<string>
}

export interface Select {
  /** Without what is left out, and without what models cannot say. */
  snapshot(snapshot: Snapshot): Snapshot
  operations(operations: readonly Operation[]): readonly Operation[]
  /** Whether a table is compared at all. */
  isCompared(table: string): boolean
  /**
   * Whether a difference between tenants counts: also of what models cannot say. What is ignored because models say less
   * than the database is no reason for tenants to differ; comments are.
   */
  isKept(operation: Operation): boolean
}

/** @param untold Tables of which models say nothing, or what they say could not be made. */
export function selectBy(rules: SelectRules, untold: ReadonlySet<string> = new Set()): Select {
  const included = rules.include.map(patternOf)
  const excluded = rules.exclude.map(patternOf)
  const isCompared = (table: string) =>
    (included.length === 0 || included.some((pattern) => pattern.test(table))) &&
    !excluded.some((pattern) => pattern.test(table)) &&
    !untold.has(table)
  const isWanted = (each: Operation) =>
    !rules.accepted.has(acceptanceOf(each)) && (rules.operation === undefined || rules.operation(each))
  return {
    isCompared,
    isKept: (operation) => {
      const table = tableOf(operation)
      const isComment = operation.kind === 'comment' && rules.ignore.includes('comments')
      return isWanted(operation) && !isComment && (table === undefined || isCompared(table))
    },
    snapshot: (snapshot) => visible(snapshot, isCompared),
    operations: (operations) => {
      const counting = operations.filter(
        (each) =>
          each.kind !== 'other' && !rules.ignore.some((what) => isIgnored(each, what)) && isWanted(each),
      )
      return withoutOrphans(operations, counting)
    },
  }
}

function visible(snapshot: Snapshot, isCompared: (table: string) => boolean): Snapshot {
  const compared = snapshot.tables.filter(({ name }) => isCompared(name))
  const hidden = snapshot.tables.filter(({ name }) => !isCompared(name))
  const used = enumsOf(compared)
  const onlyHidden = new Set([...enumsOf(hidden)].filter((name) => !used.has(name)))
  return {
    tables: compared.map((table) => ({ ...table, settings: settingsOfMaking(table) })),
    enums: snapshot.enums.filter(({ name }) => !onlyHidden.has(name)),
    sequences: snapshot.sequences.filter(({ isUsed }) => isUsed),
    others: [],
  }
}

function enumsOf(tables: readonly Table[]): Set<string> {
  const names = tables.flatMap(({ columns }) => columns.map((column) => column.enum))
  return new Set(names.filter((name) => name !== null))
}

function isIgnored(operation: Operation, what: Ignorable): boolean {
  switch (what) {
    case 'comments':
      return operation.kind === 'comment'
    case 'tables':
      return operation.kind === 'drop table'
    case 'columns':
      return operation.kind === 'drop column'
    case 'indexes':
      return operation.kind === 'drop index'
    case 'constraints':
      return operation.kind === 'drop constraint'
    case 'defaults':
      return isOnly(operation, 'default')
    case 'nullability':
      return isOnly(operation, 'notNull')
  }
}

/** Whether a column changes in nothing but `aspect`. */
function isOnly(operation: Operation, aspect: 'default' | 'notNull'): boolean {
  if (operation.kind !== 'alter column') return false
  const { from, to } = operation
  return (
    from[aspect] !== to[aspect] &&
    from.type === to.type &&
    from.collation === to.collation &&
    (aspect === 'default' || from.default === to.default) &&
    (aspect === 'notNull' || from.notNull === to.notNull) &&
    JSON.stringify([from.serial, from.identity]) === JSON.stringify([to.serial, to.identity])
  )
}

/** What went away with something that is kept after all must stay too: an enum whose column is not dropped. */
export function withoutOrphans(
  all: readonly Operation[],
  counting: readonly Operation[],
): readonly Operation[] {
  const kept = all.filter((each) => !counting.includes(each))
  const keptTables = new Set(kept.flatMap((each) => (each.kind === 'drop table' ? [each.table.name] : [])))
  const keptEnums = new Set(
    kept.flatMap((each) => {
      if (each.kind === 'drop table') return each.table.columns.map((column) => column.enum)
      if (each.kind === 'drop column') return [each.column.enum]
      return each.kind === 'alter column' ? [each.from.enum] : []
    }),
  )
  return counting.filter((each) => {
    if (each.kind === 'drop enum') return !keptEnums.has(each.enum.name)
    return !('table' in each && typeof each.table === 'string' && keptTables.has(each.table))
  })
}

/** A difference by a digest of all it says, equal on every machine. */
export function acceptanceOf(operation: Operation): string {
  return createHash('sha256').update(stable(operation)).digest('hex').slice(0, 16)
}

function stable(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  )
}
