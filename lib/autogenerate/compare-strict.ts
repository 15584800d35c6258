/** What only tenants are compared by, and sequences, of which models know those that their defaults use. */
import { addComment } from './compare-columns.ts'
import { sameText } from './expressions.ts'
import type { Steps } from './phases.ts'
import type { Column, Sequence, Snapshot, Table } from './snapshot.ts'

/** Free sequences that defaults take numbers from come and go with them; others are none of the models' business. */
export function compareSequences(from: Snapshot, to: Snapshot, steps: Steps): void {
  const has = ({ sequences }: Snapshot, name: string) => sequences.some((each) => each.name === name)
  for (const sequence of to.sequences) {
    if (sequence.isUsed && !has(from, sequence.name))
      steps.add('types come', { kind: 'create sequence', sequence })
  }
  for (const sequence of from.sequences) {
    if (sequence.isUsed && !has(to, sequence.name)) steps.add('types go', { kind: 'drop sequence', sequence })
  }
}

/** Differences that are told only, and comments that models have no place for. */
export function compareStrictly(from: Snapshot, to: Snapshot, steps: Steps): void {
  for (const after of to.enums) {
    const before = from.enums.find(({ name }) => name === after.name)
    if (before !== undefined) addComment(steps, { enum: after.name }, before.comment, after.comment)
  }
  tell(steps, sequencesOf(from, to), sequencesOf(to, from))
  for (const after of to.tables) {
    const before = from.tables.find(({ name }) => name === after.name)
    if (before === undefined) continue
    tell(steps, settingsOf(before), settingsOf(after))
    tell(steps, numberingOf(before, after), numberingOf(after, before))
  }
  tell(steps, othersOf(from), othersOf(to))
}

/** What there is, by what it is called. */
type Told = ReadonlyMap<string, string>

function tell(steps: Steps, from: Told, to: Told): void {
  for (const what of [...new Set([...from.keys(), ...to.keys()])].toSorted()) {
    const [before, after] = [from.get(what) ?? null, to.get(what) ?? null]
    if (!sameText(before, after)) steps.add('others', { kind: 'other', what, from: before, to: after })
  }
}

function othersOf({ others }: Snapshot): Told {
  return new Map(others.map(({ kind, name, definition }) => [`${kind} ${name}`, definition]))
}

function settingsOf({ name, settings }: Table): Told {
  return new Map(settings.map((setting) => [`${setting} of ${name}`, setting]))
}

/** Free sequences, without those that come or go with a default. */
function sequencesOf({ sequences }: Snapshot, other: Snapshot): Told {
  const told = sequences.filter(
    ({ name, isUsed }) => !isUsed || other.sequences.some((each) => each.name === name),
  )
  return new Map(told.map(({ name, options }) => [`sequence ${name}`, options]))
}

/** Sequences of the columns that are numbered in both. */
function numberingOf({ name: table, columns }: Table, other: Table): Told {
  const sequences = columns.flatMap((column) => {
    const sequence = sequenceOf(column)
    const isInBoth = other.columns.some((each) => each.name === column.name && sequenceOf(each) !== undefined)
    return sequence === undefined || !isInBoth ? [] : [{ column: column.name, ...sequence }]
  })
  return new Map(
    sequences.map(({ column, name, options }) => [
      `sequence of ${table}.${column}`,
      `${name} ${options}`.trim(),
    ]),
  )
}

function sequenceOf({ serial, identity }: Column): Sequence | undefined {
  return serial ?? identity?.sequence
}
