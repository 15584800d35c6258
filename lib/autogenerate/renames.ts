/**
 * What may have been renamed: somebody must say so, for what looks the same may be another thing. Candidates are
 * never taken for true; but what hangs on a renamed table or column follows it.
 */
import type { Operation } from './operation.ts'
import type { Column, Snapshot, Table } from './snapshot.ts'

export interface RenameCandidate {
  readonly kind: 'table' | 'column'
  /** The table of a column; of a table its own name, as it was. */
  readonly table: string
  readonly from: string
  readonly to: string
  /** From 0 to 1: how alike they are. */
  readonly score: number
}

/** Tables have to share as many of their columns, of all that either has. */
const ENOUGH_IN_COMMON = 0.6

/** What is only in `from` and may be what is only in `to`, the most alike first. */
export function candidates(from: Snapshot, to: Snapshot): readonly RenameCandidate[] {
  const columns = to.tables.flatMap((after) => {
    const before = from.tables.find(({ name }) => name === after.name)
    return before === undefined ? [] : columnCandidates(before, after, from, to)
  })
  return [...tableCandidates(from, to), ...columns].toSorted(
    (a, b) => b.score - a.score || compareTexts(keyOf(a), keyOf(b)),
  )
}

function tableCandidates(from: Snapshot, to: Snapshot): readonly RenameCandidate[] {
  const gone = only(from.tables, to.tables)
  const come = only(to.tables, from.tables)
  return gone.flatMap((before) =>
    come.flatMap((after): RenameCandidate[] => {
      const [old, young] = [typedColumns(before, from), typedColumns(after, to)]
      const common = [...old].filter((column) => young.has(column)).length
      const score = common / (old.size + young.size - common)
      const isCandidate = score >= ENOUGH_IN_COMMON
      return isCandidate
        ? [{ kind: 'table', table: before.name, from: before.name, to: after.name, score }]
        : []
    }),
  )
}

function typedColumns({ columns }: Table, snapshot: Snapshot): ReadonlySet<string> {
  return new Set(columns.map((column) => JSON.stringify([column.name, typeOf(column, snapshot)])))
}

/** The type; of an enum its labels, for its name holds those of the table and the column. */
function typeOf({ type, enum: name, isArray }: Column, { enums }: Snapshot): string {
  if (name === null) return type
  const labels = enums.find((each) => each.name === name)?.labels ?? []
  return JSON.stringify([labels, isArray])
}

function columnCandidates(
  before: Table,
  after: Table,
  from: Snapshot,
  to: Snapshot,
): readonly RenameCandidate[] {
  return only(before.columns, after.columns).flatMap((old) =>
    only(after.columns, before.columns).flatMap((young): RenameCandidate[] => {
      const isSame = typeOf(old, from) === typeOf(young, to)
      // Two enums may have been renamed and given other labels at once.
      const areEnums = old.enum !== null && young.enum !== null && old.isArray === young.isArray
      const isEither = (old.generated === null) === (young.generated === null) && (isSame || areEnums)
      if (!isEither) return []
      const signs = [
        isSame,
        old.notNull === young.notNull,
        old.default === young.default || (isSame && old.enum !== null),
        (old.serial ?? old.identity) === null ? (young.serial ?? young.identity) === null : true,
        before.columns.indexOf(old) === after.columns.indexOf(young),
        old.comment === young.comment,
      ]
      const score = signs.filter(Boolean).length / signs.length
      return [{ kind: 'column', table: after.name, from: old.name, to: young.name, score }]
    }),
  )
}

/**
 * What bears the name of a renamed table or column and stands for the same: enums of the same columns, sequences of
 * the same columns. To be done after the tables and columns have got their new names in `from`.
 */
export function followingRenames(from: Snapshot, to: Snapshot): readonly Operation[] {
  return [...enumRenames(from, to), ...sequenceRenames(from, to)]
}

function enumRenames(from: Snapshot, to: Snapshot): readonly Operation[] {
  const taken = new Set([...from.enums, ...from.tables].map(({ name }) => name))
  return only(from.enums, to.enums).flatMap((before): Operation[] => {
    const users = usersOf(from, before.name)
    const after = only(to.enums, from.enums).find(({ name }) => usersOf(to, name) === users)
    if (users === '' || after === undefined || taken.has(after.name)) return []
    return [{ kind: 'rename enum', enum: before.name, to: after.name }]
  })
}

function usersOf({ tables }: Snapshot, name: string): string {
  const users = tables.flatMap((table) =>
    table.columns
      .filter((column) => column.enum === name)
      .map((column) => JSON.stringify([table.name, column.name])),
  )
  return users.toSorted().join(' ')
}

function sequenceRenames(from: Snapshot, to: Snapshot): readonly Operation[] {
  const taken = new Set([...from.tables, ...from.sequences].map(({ name }) => name))
  for (const { columns, indexes } of from.tables) {
    for (const { name } of indexes) taken.add(name)
    for (const column of columns) taken.add(sequenceOf(column) ?? '')
  }
  return to.tables.flatMap((after) => {
    const before = from.tables.find(({ name }) => name === after.name)
    return after.columns.flatMap((column): Operation[] => {
      const old = before?.columns.find(({ name }) => name === column.name)
      const [sequence, renamed] = [old && sequenceOf(old), sequenceOf(column)]
      if (sequence === undefined || renamed === undefined || sequence === renamed || taken.has(renamed))
        return []
      return [{ kind: 'rename sequence', sequence, to: renamed }]
    })
  })
}

function sequenceOf({ serial, identity }: Column): string | undefined {
  return (serial ?? identity?.sequence)?.name
}

/** Those of `these` whose name none of `others` has. */
function only<T extends { readonly name: string }>(these: readonly T[], others: readonly T[]): readonly T[] {
  const names = new Set(others.map(({ name }) => name))
  return these.filter(({ name }) => !names.has(name))
}

function keyOf({ kind, table, from, to }: RenameCandidate): string {
  return JSON.stringify([kind, table, from, to])
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
