/** The constraints and indexes of one table in two snapshots: matched by name, else by what they are. */
import { addComment, type TableChange, type Touched } from './compare-columns.ts'
import { sameText, usesEnum, withoutStorage } from './expressions.ts'
import type { Operation } from './operation.ts'
import type { Phase, Steps } from './phases.ts'
import type { Constraint, Index } from './snapshot.ts'

export interface PartOptions {
  /** Another name makes a difference. */
  readonly names: boolean
  /** Comments and NOT VALID make a difference. */
  readonly strict: boolean
  /** Names that no index may take: those of the schema's relations before the change. */
  readonly taken: ReadonlySet<string>
}

/** A constraint or an index, and what is to be done about it. */
interface Part<T> {
  readonly from: T
  readonly to: T
  readonly isRebuilt: boolean
}

interface Defined {
  readonly definition: string
}

function sameDefinition(a: Defined, b: Defined, { strict }: PartOptions): boolean {
  if (sameText(a.definition, b.definition)) return true
  return !strict && sameText(withoutStorage(a.definition), withoutStorage(b.definition))
}

/** @returns the constraints and indexes that are dropped, or dropped and made again. */
export function compareIndexes(
  { from, to, replaced }: TableChange,
  touched: Touched,
  options: PartOptions,
  steps: Steps,
): readonly Index[] {
  const table = to.name
  const same = (a: Index, b: Index) =>
    a.isUnique === b.isUnique && a.isValid === b.isValid && sameDefinition(a, b, options)
  const { kept, dropped, added } = match(from.indexes, to.indexes, same, (name) => !options.taken.has(name))
  const parts = kept.map((pair) => ({ ...pair, isRebuilt: isInTheWay(pair.to, touched, replaced) }))
  for (const { from: before, to: after, isRebuilt } of parts) {
    const on = { table, index: after.name }
    if (isRebuilt) {
      steps.add('constraints and indexes go', { kind: 'drop index', table, index: before })
      steps.add('constraints and indexes come', { kind: 'create index', table, index: after })
      addComment(steps, on, null, options.strict ? after.comment : (after.comment ?? before.comment))
    } else {
      if (options.names && before.name !== after.name) {
        steps.add('renames', { kind: 'rename index', table, index: before.name, to: after.name })
      }
      if (options.strict) addComment(steps, on, before.comment, after.comment)
    }
  }
  for (const index of dropped) steps.add('constraints and indexes go', { kind: 'drop index', table, index })
  for (const index of added) addIndex(steps, table, index)
  return [...dropped, ...rebuiltOf(parts)]
}

export function addIndex(steps: Steps, table: string, index: Index): void {
  steps.add('constraints and indexes come', { kind: 'create index', table, index })
  addComment(steps, { table, index: index.name }, null, index.comment)
}

/** Of all kinds but foreign keys. @returns those that are dropped, or dropped and made again. */
export function compareConstraints(
  change: TableChange,
  touched: Touched,
  options: PartOptions,
  steps: Steps,
): readonly Constraint[] {
  const isOwn = ({ kind }: Constraint) => kind !== 'foreign key'
  return compareSome(change, isOwn, options, steps, (constraint) => {
    // PostgreSQL makes the index of a key anew by itself, unless its column goes.
    const isExpression = constraint.kind === 'check' || constraint.kind === 'exclude'
    return isExpression
      ? isInTheWay({ ...constraint, isPlain: false }, touched, change.replaced)
      : constraint.dependsOn.some((name) => touched.gone.has(name))
  })
}

/** Those for which `isCut` is true go and return, though they are the same. */
export function compareForeignKeys(
  change: TableChange,
  options: PartOptions,
  steps: Steps,
  isCut: (constraint: Constraint) => boolean,
): void {
  compareSome(change, ({ kind }) => kind === 'foreign key', options, steps, isCut)
}

function compareSome(
  { from, to }: TableChange,
  isMeant: (constraint: Constraint) => boolean,
  options: PartOptions,
  steps: Steps,
  isRebuilt: (constraint: Constraint) => boolean,
): readonly Constraint[] {
  const table = to.name
  const same = (a: Constraint, b: Constraint) => a.kind === b.kind && sameDefinition(a, b, options)
  const ownNames = new Set(from.constraints.map(({ name }) => name))
  const isFree = (name: string) => !ownNames.has(name) && !options.taken.has(name)
  const { kept, dropped, added } = match(
    from.constraints.filter(isMeant),
    to.constraints.filter(isMeant),
    same,
    isFree,
  )
  const parts = kept.map((pair) => ({ ...pair, isRebuilt: isRebuilt(pair.to) }))
  for (const { from: before, to: after, isRebuilt: returns } of parts) {
    const on = { table, constraint: after.name }
    if (returns) {
      dropConstraint(steps, table, before)
      steps.add(comingPhase(after), { kind: 'add constraint', table, constraint: after })
      addComment(steps, on, null, options.strict ? after.comment : (after.comment ?? before.comment))
      continue
    }
    if (options.names && before.name !== after.name) {
      steps.add('renames', { kind: 'rename constraint', table, constraint: before.name, to: after.name })
    }
    if (!options.strict) continue
    addComment(steps, on, before.comment, after.comment)
    if (before.isValid !== after.isValid) steps.add(...validation(table, after))
  }
  for (const constraint of dropped) dropConstraint(steps, table, constraint)
  for (const constraint of added) addConstraint(steps, table, constraint)
  return [...dropped, ...rebuiltOf(parts)]
}

function validation(table: string, constraint: Constraint): readonly [Phase, Operation] {
  if (constraint.isValid) return [comingPhase(constraint), { kind: 'validate constraint', table, constraint }]
  const what = `constraint ${constraint.name} of ${table}`
  return ['others', { kind: 'other', what, from: 'valid', to: 'NOT VALID' }]
}

export function addConstraint(steps: Steps, table: string, constraint: Constraint): void {
  steps.add(comingPhase(constraint), { kind: 'add constraint', table, constraint })
  addComment(steps, { table, constraint: constraint.name }, null, constraint.comment)
}

export function dropConstraint(steps: Steps, table: string, constraint: Constraint): void {
  const phase = constraint.kind === 'foreign key' ? 'foreign keys go' : 'constraints and indexes go'
  steps.add(phase, { kind: 'drop constraint', table, constraint })
}

function comingPhase({ kind }: Constraint): Phase {
  if (kind === 'foreign key') return 'foreign keys come'
  return kind === 'primary key' ? 'primary keys come' : 'constraints and indexes come'
}

/**
 * Whether it reads a column that gets another type or goes. PostgreSQL makes a plain index anew by itself; an
 * expression it reads again after each single change, and may not understand it halfway.
 */
function isInTheWay(
  { dependsOn, isPlain, definition }: Pick<Index, 'dependsOn' | 'isPlain' | 'definition'>,
  { retyped, gone }: Touched,
  replaced: ReadonlySet<string>,
): boolean {
  if (dependsOn.some((name) => gone.has(name) || (!isPlain && retyped.has(name)))) return true
  return !isPlain && [...replaced].some((name) => usesEnum(definition, name))
}

function rebuiltOf<T>(parts: readonly Part<T>[]): readonly T[] {
  return parts.filter(({ isRebuilt }) => isRebuilt).map(({ from }) => from)
}

/** By name and definition; what is left by definition, if its new name is free; the rest goes and comes. */
function match<T extends { readonly name: string }>(
  before: readonly T[],
  after: readonly T[],
  same: (a: T, b: T) => boolean,
  isFree: (name: string) => boolean,
): { kept: readonly { from: T; to: T }[]; dropped: readonly T[]; added: readonly T[] } {
  const left = new Map(before.map((part) => [part.name, part]))
  const partners = new Map<T, T>()
  for (const part of after) {
    const other = left.get(part.name)
    if (other !== undefined && same(other, part)) {
      partners.set(part, other)
      left.delete(other.name)
    }
  }
  const names = new Set(after.map(({ name }) => name))
  for (const part of after) {
    if (partners.has(part) || !isFree(part.name)) continue
    const other = [...left.values()].find((each) => !names.has(each.name) && same(each, part))
    if (other === undefined) continue
    partners.set(part, other)
    left.delete(other.name)
  }
  return {
    kept: after.flatMap((to) => {
      const from = partners.get(to)
      return from === undefined ? [] : [{ from, to }]
    }),
    dropped: [...left.values()],
    added: after.filter((part) => !partners.has(part)),
  }
}
