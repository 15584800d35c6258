/** Enums of two snapshots: made, grown where a label can be added, else replaced. */
import { usesLabel } from './expressions.ts'
import type { Operation } from './operation.ts'
import type { Steps } from './phases.ts'
import type { Column, Enum, Snapshot } from './snapshot.ts'

/** @returns names of the enums that are replaced: what has one of them is made anew. */
export function compareEnums(from: Snapshot, to: Snapshot, steps: Steps): ReadonlySet<string> {
  const replaced = new Set<string>()
  const expressions = expressionsOf(to)
  for (const wanted of to.enums) {
    const present = from.enums.find(({ name }) => name === wanted.name)
    if (present === undefined) steps.add('types come', { kind: 'create enum', enum: wanted })
    else if (present.labels.join('\0') !== wanted.labels.join('\0')) {
      const added = wanted.labels.filter((label) => !present.labels.includes(label))
      // A value that is added in a transaction cannot be used before its end.
      const isUsed = added.some((label) => expressions.some((text) => usesLabel(text, wanted.name, label)))
      if (isOnlyGrown(present, wanted) && !isUsed) steps.add('types come', ...additions(present, wanted))
      else replaced.add(wanted.name)
    }
  }
  for (const present of from.enums) {
    const wanted = to.enums.find(({ name }) => name === present.name)
    if (wanted === undefined) steps.add('types go', { kind: 'drop enum', enum: present })
    else if (replaced.has(wanted.name)) {
      const columns = columnsThatStay(from, to, wanted.name)
      steps.add('enums are replaced', { kind: 'replace enum', from: present, to: wanted, columns })
    }
  }
  return replaced
}

/** All labels that were there are there, in their old order. */
function isOnlyGrown(present: Enum, wanted: Enum): boolean {
  const kept = wanted.labels.filter((label) => present.labels.includes(label))
  return kept.join('\0') === present.labels.join('\0')
}

/** In the order of the labels; those at the end are added there, all others before one that was there. */
function additions(present: Enum, wanted: Enum): readonly Operation[] {
  return wanted.labels.flatMap((value, place): Operation[] => {
    if (present.labels.includes(value)) return []
    const before = wanted.labels.slice(place + 1).find((label) => present.labels.includes(label)) ?? null
    return [{ kind: 'add enum value', enum: wanted.name, value, before }]
  })
}

/** Columns that have the enum before and after; of those that are computed none is converted. */
function columnsThatStay(
  from: Snapshot,
  to: Snapshot,
  name: string,
): readonly { table: string; column: Column }[] {
  return to.tables.flatMap((table) => {
    const present = from.tables.find((each) => each.name === table.name)
    return table.columns
      .filter((column) => {
        const before = present?.columns.find((each) => each.name === column.name)
        const isKept = before?.generated === null && column.generated === null
        return isKept && column.enum === name && column.type === before.type
      })
      .map((column) => ({ table: table.name, column }))
  })
}

/** Every text in which a label may stand. */
function expressionsOf({ tables }: Snapshot): readonly (string | null)[] {
  return tables.flatMap(({ columns, constraints, indexes }) => [
    ...columns.flatMap(({ default: value, generated }) => [value, generated?.expression ?? null]),
    ...constraints.filter(({ kind }) => kind !== 'foreign key').map(({ definition }) => definition),
    ...indexes.map(({ definition }) => definition),
  ])
}
