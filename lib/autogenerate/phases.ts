/**
 * The order of operations. Nothing needs to be sorted by what depends on what: foreign keys stand apart, and with them
 * gone no table needs another. What stands in the way of a change goes before it and returns after it.
 */
import type { Operation } from './operation.ts'

export const PHASES = [
  /** Constraints and indexes that have another name take it, as far as it is free. */
  'renames',
  'foreign keys go',
  'constraints and indexes go',
  /** Generated columns that are computed anew; columns and tables that would keep a replaced enum. */
  'what stands in the way goes',
  /** Enums, their new values, and sequences that a default may take numbers from. */
  'types come',
  /** Columns of an enum that is replaced, and that become something else. */
  'columns leave their enum',
  'enums are replaced',
  'tables come',
  'columns come',
  'columns change',
  'columns go',
  'tables go',
  'generated columns return',
  'primary keys come',
  'constraints and indexes come',
  'foreign keys come',
  'types go',
  'comments',
  /** What is told and not done. */
  'others',
] as const

export type Phase = (typeof PHASES)[number]

/** Operations as they are found, given out in the order in which they can be done. */
export class Steps {
  readonly #phases = new Map<Phase, Operation[]>(PHASES.map((phase) => [phase, []]))

  add(phase: Phase, ...operations: readonly Operation[]): void {
    this.#phases.get(phase)?.push(...operations)
  }

  get inOrder(): readonly Operation[] {
    return PHASES.flatMap((phase) => this.#phases.get(phase) ?? [])
  }
}
