/** Which pairs that look like a rename are one: by the author's hints, else by an answer; nothing is guessed. */
import { TenancyError } from '../errors.ts'
import type { RenameHints } from './hints.ts'
import type { RenameCandidate } from './renames.ts'

/** Whether a pair is a rename. */
export type Decide = (candidate: RenameCandidate) => Promise<boolean>

export interface Questions {
  /** The pairs there are once `hints` are applied, the likeliest first. */
  readonly look: (hints: RenameHints) => Promise<readonly RenameCandidate[]>
  readonly decide: Decide | undefined
}

/**
 * `hints`, and the pairs that were answered with yes.
 *
 * @throws {@link TenancyError} RENAME_UNDECIDED with the flags for each pair, if there is nobody to ask.
 */
export async function decideRenames(hints: RenameHints, { look, decide }: Questions): Promise<RenameHints> {
  const refused = new Set<string>()
  for (let known = hints; ;) {
    const open = (await look(known)).filter((each) => !refused.has(flagOf(each)))
    const [first] = open
    if (first === undefined) return known
    if (decide === undefined) throw undecided(open)
    if (await decide(first)) known = withHint(known, first)
    else refused.add(flagOf(first))
  }
}

/** The candidate as a flag of the command line. */
export function flagOf({ kind, table, from, to }: RenameCandidate): string {
  return kind === 'table' ? `--rename-table ${from}=${to}` : `--rename ${table}.${from}=${to}`
}

function withHint(hints: RenameHints, { kind, table, from, to }: RenameCandidate): RenameHints {
  if (kind === 'table') return { ...hints, tables: { ...hints.tables, [from]: to } }
  return { ...hints, columns: { ...hints.columns, [`${table}.${from}`]: to } }
}

function undecided(open: readonly RenameCandidate[]): TenancyError {
  return new TenancyError('RENAME_UNDECIDED', 'Something may have been renamed, or dropped and made anew.', {
    detail: `dropped and made anew its rows are lost in every tenant: ${open.map(flagOf).join(', ')}`,
    fix: [...open.map((each) => `if it was renamed: ${flagOf(each)}`), 'if nothing was: --no-renames'],
  })
}
