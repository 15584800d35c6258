/** Chooses what a stamp records and forgets, without running anything. Pure; `stamp.ts` above does. */
import { TenancyError } from '../errors.ts'
import { resolveName, type History } from './plan.ts'
import { compareNames } from './revision.ts'

/** Where a schema is to stand: a file name, a revision id, `'head'`; 0 and `'base'` are before the first migration. */
export type StampTarget = string | 0

/** What a stamp changes in a schema's record. */
export interface StampChange {
  /** Names to record, first to last. */
  readonly recorded: readonly string[]
  /** Names to forget, last to first. */
  readonly forgotten: readonly string[]
}

/**
 * What brings a schema's record to `to`: what is up to it and not recorded is recorded, what is recorded after it is
 * forgotten. A recorded name that no file has is forgotten if it sorts after `to`; one before it stays.
 *
 * @throws {@link TenancyError} MIGRATION_UNKNOWN if `to` is no migration on disk.
 *
 * @example
 * ```ts
 * const history = { executed: ['1_a.sql', '3_c.sql'], pending: ['2_b.sql'], unknown: [] }
 * chooseStamp(history, '2', false).recorded.join() // '2_b.sql'
 * chooseStamp(history, '2', false).forgotten.join() // '3_c.sql'
 * ```
 */
export function chooseStamp(
  { executed, pending, unknown }: History,
  to: StampTarget,
  headOnly: boolean,
): StampChange {
  const onDisk = [...executed, ...pending].toSorted(compareNames)
  const wanted = upTo(onDisk, to)
  // Of a head that no file has it cannot be told what led to it: all that is known is that it goes.
  const isLost = headOnly && unknown.length > 0
  const known = isLost ? [] : executed
  const last = wanted.at(-1)
  const isAfter = (name: string) => isLost || last === undefined || compareNames(name, last) > 0
  return {
    recorded: wanted.filter((name) => !known.includes(name)),
    forgotten: [...known.filter((name) => !wanted.includes(name)), ...unknown.filter(isAfter)]
      .toSorted(compareNames)
      .toReversed(),
  }
}

function upTo(onDisk: readonly string[], to: StampTarget): readonly string[] {
  if (to === 0 || to === '0' || to === 'base') return []
  if (to !== 'head' && to !== 'heads') return onDisk.slice(0, onDisk.indexOf(resolveName(to, onDisk)) + 1)
  // Globs that find nothing are more likely than a set without migrations, and would forget everything.
  if (onDisk.length > 0) return onDisk
  throw new TenancyError('MIGRATION_UNKNOWN', 'There is no migration on disk, and so no head.', {
    fix: ['correct migrations in the configuration', 'or stamp 0 if nothing is to be recorded'],
  })
}
