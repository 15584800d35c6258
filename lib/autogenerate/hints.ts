/**
 * What the author says was renamed: checked against both sides, and put into an order in which each name is free when
 * it is taken. A hint that cannot be used is an error; none is passed over. Pure.
 */
import { TenancyError } from '../errors.ts'
import type { Operation } from './operation.ts'
import type { Snapshot, Table } from './snapshot.ts'

export interface RenameHints {
  /** Columns, each `table.old` with its new name; the table by its old name or by its new one. */
  readonly columns?: Readonly<Record<string, string>>
  /** Tables, each the old name with the new one. */
  readonly tables?: Readonly<Record<string, string>>
}

export type Rename = Extract<Operation, { kind: 'rename table' | 'rename column' }>

/**
 * The renames that `hints` ask for, tables before columns, columns under the new name of their table.
 *
 * @throws {@link TenancyError} USAGE naming the hint that cannot be used, and why.
 */
export function renamesOf(hints: RenameHints, from: Snapshot, to: Snapshot): readonly Rename[] {
  const tables = Object.entries(hints.tables ?? {})
  for (const [old, name] of tables) {
    const flag = `--rename-table ${old}=${name}`
    if (find(from, old) === undefined) throw unusable(flag, `the specimen has no table "${old}"`)
    if (find(to, name) === undefined) throw unusable(flag, `the models have no table "${name}"`)
  }
  const newName = new Map(tables)
  const isFree = (name: string) => find(from, name) === undefined || newName.has(name)
  for (const [old, name] of tables) {
    if (!isFree(name))
      throw unusable(`--rename-table ${old}=${name}`, `the specimen has a table "${name}" already`)
  }
  assertDistinct(tables, '--rename-table')
  const renames: Rename[] =
    inOrder(tables, (name) => find(from, name) !== undefined || find(to, name) !== undefined) // prettier-ignore
      .map(([table, name]) => ({ kind: 'rename table', table, to: name }))

  const byTable = new Map<string, (readonly [string, string])[]>()
  for (const [place, name] of Object.entries(hints.columns ?? {})) {
    const [table, column] = columnOf(place, name, from, newName)
    byTable.set(table, [...(byTable.get(table) ?? []), [column, name]])
  }
  for (const [old, columns] of byTable) {
    renames.push(...columnRenames({ old, name: newName.get(old) ?? old }, columns, from, to))
  }
  return renames
}

interface Renamed {
  readonly old: string
  readonly name: string
}

function columnRenames(
  table: Renamed,
  columns: readonly (readonly [string, string])[],
  from: Snapshot,
  to: Snapshot,
): readonly Rename[] {
  const before = find(from, table.old)
  const after = find(to, table.name)
  const leaving = new Set(columns.map(([old]) => old))
  for (const [old, name] of columns) {
    const flag = `--rename ${table.old}.${old}=${name}`
    if (!has(before, old)) throw unusable(flag, `the specimen has no column "${old}" in "${table.old}"`)
    if (!has(after, name)) throw unusable(flag, `the models have no column "${name}" in "${table.name}"`)
    if (has(before, name) && !leaving.has(name))
      throw unusable(flag, `the specimen has a column "${name}" in "${table.old}" already`)
  }
  assertDistinct(columns, `--rename ${table.old}.`)
  const isTaken = (name: string) => has(before, name) || has(after, name)
  return inOrder(columns, isTaken).map(([column, name]) => ({
    kind: 'rename column',
    table: table.name,
    column,
    to: name,
  }))
}

/** `table.column`, where either may hold dots: the split at which the specimen has both. */
function columnOf(
  place: string,
  name: string,
  from: Snapshot,
  newName: ReadonlyMap<string, string>,
): readonly [table: string, column: string] {
  const flag = `--rename ${place}=${name}`
  const splits = [...place.matchAll(/\./g)].map(
    ({ index }) => [place.slice(0, index), place.slice(index + 1)] as const,
  )
  if (splits.length === 0) throw unusable(flag, 'it names no column: write --rename table.old=new')
  const oldName = (table: string) => [...newName].find(([, to]) => to === table)?.[0] ?? table
  const known = splits.map(([table, column]) => [oldName(table), column] as const)
  const found = known.find(([table, column]) => has(find(from, table), column))
  if (found !== undefined) return found
  const table = known.find(([each]) => find(from, each) !== undefined)
  if (table === undefined) throw unusable(flag, `the specimen has no table "${splits[0]?.[0] ?? ''}"`)
  throw unusable(flag, `the specimen has no column "${table[1]}" in "${table[0]}"`)
}

function assertDistinct(renames: readonly (readonly [string, string])[], flag: string): void {
  const twice = renames.find(([, name], index) => renames.findIndex((other) => other[1] === name) !== index)
  if (twice !== undefined)
    throw unusable(`${flag}${twice[0]}=${twice[1]}`, 'two would have the same new name')
}

/**
 * The renames in an order in which each new name is free: the end of a chain first, and a circle by way of a name that
 * nobody has.
 */
function inOrder(
  renames: readonly (readonly [string, string])[],
  isTaken: (name: string) => boolean,
): readonly (readonly [string, string])[] {
  const left = new Map(renames)
  const done: (readonly [string, string])[] = []
  while (left.size > 0) {
    const free = [...left].find(([, name]) => !left.has(name))
    if (free !== undefined) {
      left.delete(free[0])
      done.push(free)
      continue
    }
    const [[old, name] = ['', '']] = [...left]
    const aside = asideOf(old, isTaken)
    left.delete(old)
    done.push([old, aside])
    left.set(aside, name)
  }
  return done
}

function asideOf(name: string, isTaken: (name: string) => boolean): string {
  for (let count = 1; ; count++) {
    const aside = `${name.slice(0, 20)}_aside${count === 1 ? '' : count}`
    if (!isTaken(aside)) return aside
  }
}

function find({ tables }: Snapshot, name: string): Table | undefined {
  return tables.find((table) => table.name === name)
}

function has(table: Table | undefined, column: string): boolean {
  return table?.columns.some(({ name }) => name === column) ?? false
}

function unusable(flag: string, why: string): TenancyError {
  return new TenancyError('USAGE', `${flag} cannot be used: ${why}.`, {
    fix: ['correct it, or leave it out'],
  })
}
