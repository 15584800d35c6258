/**
 * Two snapshots → the operations that lead from one to the other, in an order in which they can be done. Tables,
 * columns and types are matched by name alone: what was renamed must have been renamed in `from` already.
 */
import { addComment, compareColumns, touchedBy, type Touched } from './compare-columns.ts'
import { compareEnums } from './compare-enums.ts'
import {
  addConstraint,
  addIndex,
  compareConstraints,
  compareForeignKeys,
  compareIndexes,
  dropConstraint,
  type PartOptions,
} from './compare-parts.ts'
import { compareSequences, compareStrictly } from './compare-strict.ts'
import type { Operation } from './operation.ts'
import { Steps } from './phases.ts'
import type { Constraint, Index, Snapshot, Table } from './snapshot.ts'

export interface CompareOptions {
  /**
   * Tenant against tenant: also what models cannot say is a difference. It is told, for the most part as `other`.
   * @defaultValue `false`: against models
   */
  readonly strict?: boolean
  /**
   * A constraint or an index that is the same under another name is renamed; else it is no difference.
   * @defaultValue `true`
   */
  readonly names?: boolean
}

export function compare(
  from: Snapshot,
  to: Snapshot,
  { strict = false, names = true }: CompareOptions = {},
): readonly Operation[] {
  const steps = new Steps()
  const options: PartOptions = { strict, names: names || strict, taken: relationsOf(from) }
  const replaced = compareEnums(from, to, steps)
  compareSequences(from, to, steps)
  const pairs = pairsOf(from, to).map((pair) => ({ ...pair, replaced }))
  const touched = new Map(pairs.map((change) => [change.to.name, touchedBy(change)]))
  const lost = new Map<string, Keys>()
  for (const change of pairs) {
    const columns = touched.get(change.to.name) ?? NOTHING
    compareColumns(change, columns, steps)
    addComment(steps, { table: change.to.name }, change.from.comment, change.to.comment)
    lost.set(change.to.name, [
      ...compareConstraints(change, columns, options, steps),
      ...compareIndexes(change, columns, options, steps),
    ])
  }
  for (const change of pairs) {
    compareForeignKeys(change, options, steps, (key) => isCut(change.to.name, key, touched, lost))
  }
  for (const table of to.tables) if (!has(from, table.name)) createTable(table, steps)
  for (const table of from.tables) {
    if (!has(to, table.name)) dropTable(table, { from, to, replaced, touched, lost }, steps)
  }
  if (strict) compareStrictly(from, to, steps)
  return steps.inOrder
}

/** What a foreign key may stand on, and that goes. */
type Keys = readonly (Constraint | Index)[]

const NOTHING: Touched = { retyped: new Set(), gone: new Set() }

/** Whether a foreign key cannot stay while the columns on its ends, or the key it stands on, are changed. */
function isCut(
  table: string,
  { references, columns }: Constraint,
  touched: ReadonlyMap<string, Touched>,
  lost: ReadonlyMap<string, Keys>,
): boolean {
  const isTouched = (name: string, of: readonly string[]) => {
    const { retyped, gone } = touched.get(name) ?? NOTHING
    return of.some((column) => retyped.has(column) || gone.has(column))
  }
  if (isTouched(table, columns)) return true
  if (references === null || references.schema !== null) return false
  if (isTouched(references.table, references.columns)) return true
  const target = references.columns.toSorted().join('\0')
  return (lost.get(references.table) ?? []).some((key) => key.dependsOn.join('\0') === target)
}

function createTable(table: Table, steps: Steps): void {
  const { name, comment, columns, constraints, indexes } = table
  const isForeignKey = ({ kind }: Constraint) => kind === 'foreign key'
  const within = constraints.filter((constraint) => !isForeignKey(constraint))
  steps.add('tables come', {
    kind: 'create table',
    table: { ...table, constraints: within, indexes: [] },
  })
  addComment(steps, { table: name }, null, comment)
  for (const column of columns) addComment(steps, { table: name, column: column.name }, null, column.comment)
  for (const constraint of within) {
    addComment(steps, { table: name, constraint: constraint.name }, null, constraint.comment)
  }
  for (const index of indexes) addIndex(steps, name, index)
  for (const constraint of constraints.filter(isForeignKey)) addConstraint(steps, name, constraint)
}

interface Surroundings {
  readonly from: Snapshot
  readonly to: Snapshot
  readonly replaced: ReadonlySet<string>
  readonly touched: ReadonlyMap<string, Touched>
  readonly lost: ReadonlyMap<string, Keys>
}

function dropTable(table: Table, { from, to, replaced, touched, lost }: Surroundings, steps: Steps): void {
  for (const constraint of table.constraints) {
    const target = constraint.kind === 'foreign key' ? constraint.references : null
    if (target === null) continue
    // A key into another table that goes keeps that one from going first.
    const goesToo = target.schema === null && target.table !== table.name && !has(to, target.table)
    if (goesToo || isCut(table.name, constraint, touched, lost)) dropConstraint(steps, table.name, constraint)
  }
  const hasReplaced = table.columns.some((column) => column.enum !== null && replaced.has(column.enum))
  // Late, so that what is lost is lost last; but its names may be wanted for others.
  const isEarly = hasReplaced || namesOf(table).some((name) => isWanted(name, from, to))
  steps.add(isEarly ? 'what stands in the way goes' : 'tables go', { kind: 'drop table', table })
}

/** Whether a relation comes that has this name. */
function isWanted(name: string, from: Snapshot, to: Snapshot): boolean {
  return to.tables.some((table) => {
    const present = from.tables.find((each) => each.name === table.name)
    return namesOf(table).includes(name) && !(present !== undefined && namesOf(present).includes(name))
  })
}

function relationsOf({ tables, sequences, others }: Snapshot): ReadonlySet<string> {
  const views = others.filter(({ kind }) => /view|foreign table/.test(kind))
  return new Set([
    ...tables.flatMap(namesOf),
    ...sequences.map(({ name }) => name),
    ...views.map(({ name }) => name),
  ])
}

/** Names of the relations that a table is and has: each is the only one of the schema. */
function namesOf({ name, columns, constraints, indexes }: Table): readonly string[] {
  return [
    name,
    ...columns.flatMap(({ serial, identity }) =>
      [serial, identity?.sequence].flatMap((each) => each?.name ?? []),
    ),
    ...constraints.filter(({ kind }) => kind !== 'check' && kind !== 'foreign key').map((each) => each.name),
    ...indexes.map((each) => each.name),
  ]
}

function pairsOf(from: Snapshot, to: Snapshot): readonly { from: Table; to: Table }[] {
  return to.tables.flatMap((after) => {
    const before = from.tables.find(({ name }) => name === after.name)
    return before === undefined ? [] : [{ from: before, to: after }]
  })
}

function has({ tables }: Snapshot, name: string): boolean {
  return tables.some((table) => table.name === name)
}
