/** The columns of one table in two snapshots: added, changed, dropped; those that are computed made anew. */
import { sameDefault } from './constants.ts'
import { sameText, usesEnum } from './expressions.ts'
import type { Steps } from './phases.ts'
import type { Column, Table } from './snapshot.ts'
import { isRetyped } from './types.ts'

export interface TableChange {
  readonly from: Table
  readonly to: Table
  /** Names of the enums that are replaced. */
  readonly replaced: ReadonlySet<string>
}

/** Columns that are not the same values any more: what reads them goes before, and returns after. */
export interface Touched {
  /** They stay, and their values get another type. */
  readonly retyped: ReadonlySet<string>
  /** They are dropped, and perhaps come again. */
  readonly gone: ReadonlySet<string>
}

/** What the change of columns means for all else; it has to be known of all tables before the first is compared. */
export function touchedBy({ from, to, replaced }: TableChange): Touched {
  const retyped = new Set<string>()
  for (const [before, after] of pairsOf(from, to)) {
    const isReplaced = before.enum !== null && replaced.has(before.enum)
    if (isReplaced || isRetyped(before, after)) retyped.add(after.name)
  }
  // What a generated column is computed from may not even change its length.
  const typed = new Set([
    ...retyped,
    ...pairsOf(from, to).flatMap(([before, after]) => (before.type === after.type ? [] : [after.name])),
  ])
  const gone = new Set(from.columns.filter(({ name }) => !has(to, name)).map(({ name }) => name))
  for (const [before, after] of pairsOf(from, to)) {
    if (isRecomputed(before, after, typed, replaced)) gone.add(after.name)
  }
  return { retyped, gone }
}

/** Whether a column can only be dropped and added again. */
function isRecomputed(
  from: Column,
  to: Column,
  typed: ReadonlySet<string>,
  replaced: ReadonlySet<string>,
): boolean {
  if (to.generated === null && from.generated === null) return false
  if (to.generated === null) {
    // What is stored can stay as what an ordinary column holds.
    return from.generated?.stored === false || (to.enum !== null && replaced.has(to.enum))
  }
  if (from.generated === null) return true
  return (
    from.generated.stored !== to.generated.stored ||
    !sameText(from.generated.expression, to.generated.expression) ||
    from.type !== to.type ||
    from.collation !== to.collation ||
    from.dependsOn.some((name) => typed.has(name)) ||
    typed.has(to.name) ||
    [...replaced].some((name) => usesEnum(to.generated?.expression ?? null, name))
  )
}

export function compareColumns(change: TableChange, { gone }: Touched, steps: Steps): void {
  const { from, to, replaced } = change
  const table = to.name
  for (const column of from.columns) {
    if (!gone.has(column.name)) continue
    // What is computed from others goes before they change; an enum that is replaced has no columns of its old kind.
    const isEarly =
      column.generated !== null || has(to, column.name) || (column.enum !== null && replaced.has(column.enum))
    steps.add(isEarly ? 'what stands in the way goes' : 'columns go', { kind: 'drop column', table, column })
  }
  for (const column of to.columns) {
    if (!has(from, column.name) || gone.has(column.name)) {
      const phase = column.generated === null ? 'columns come' : 'generated columns return'
      steps.add(phase, { kind: 'add column', table, column })
      addComment(steps, { table, column: column.name }, null, column.comment)
    }
  }
  for (const [before, after] of pairsOf(from, to)) {
    if (gone.has(after.name)) continue
    alterColumn(change, before, after, steps)
    addComment(steps, { table, column: after.name }, before.comment, after.comment)
  }
}

function alterColumn(
  { to: { name: table }, replaced }: TableChange,
  from: Column,
  to: Column,
  steps: Steps,
): void {
  const wasReplaced = from.enum !== null && replaced.has(from.enum)
  const isConverted = wasReplaced && from.type === to.type && from.generated === null
  // The replacement of an enum has set the default already.
  const before: Column = isConverted ? { ...from, default: to.default } : from
  if (isSameColumn(before, to)) return
  if (!wasReplaced || isConverted) {
    steps.add('columns change', { kind: 'alter column', table, from: before, to })
    return
  }
  const isReturning = to.enum !== null && replaced.has(to.enum)
  // On the way from an enum that goes to one that is not there yet, a text keeps the value.
  const next: Column = isReturning ? { ...from, ...TEXT, notNull: to.notNull } : to
  steps.add('columns leave their enum', { kind: 'alter column', table, from: before, to: next })
  if (isReturning) steps.add('columns change', { kind: 'alter column', table, from: next, to })
}

const TEXT = { type: 'text', enum: null, isArray: false, collation: null, default: null } as const

/** Names of sequences, and how they count, are no matter of a column. */
function isSameColumn(from: Column, to: Column): boolean {
  return (
    from.type === to.type &&
    from.collation === to.collation &&
    from.notNull === to.notNull &&
    sameDefault(from.default, to.default, to.type) &&
    (from.serial === null) === (to.serial === null) &&
    from.identity?.always === to.identity?.always &&
    (from.generated === null) === (to.generated === null)
  )
}

type Subject = Extract<Parameters<Steps['add']>[1], { kind: 'comment' }>['on']

/** The comment on something, if it is another one. */
export function addComment(steps: Steps, on: Subject, from: string | null, to: string | null): void {
  if (from !== to) steps.add('comments', { kind: 'comment', on, from, to })
}

/** The columns that both have, as they were and as they shall be. */
function pairsOf(from: Table, to: Table): readonly (readonly [Column, Column])[] {
  return to.columns.flatMap((after) => {
    const before = from.columns.find(({ name }) => name === after.name)
    return before === undefined ? [] : [[before, after] as const]
  })
}

function has({ columns }: Table, name: string): boolean {
  return columns.some((column) => column.name === name)
}
