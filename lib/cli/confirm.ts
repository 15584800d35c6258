/** Asks before something is destroyed. */
import { TenancyError } from '../errors.ts'
import type { Invocation } from './invocation.ts'

export interface Destruction {
  /** What will happen, as a sentence. */
  readonly warning: string
  /** What the person must type: the tenant's id, or a word for the selection. */
  readonly word: string
  /** `--yes`: confirmed already. */
  readonly yes: boolean
}

/**
 * Whether somebody can be asked, or need not be: before anything is opened.
 *
 * @throws {@link TenancyError} CONFIRMATION_REQUIRED if there is nobody to ask.
 */
export function assertConfirmable(
  { terminal, json }: Invocation,
  { warning, yes }: Omit<Destruction, 'word'>,
): void {
  if (yes || (terminal.interactive && !json)) return
  throw new TenancyError('CONFIRMATION_REQUIRED', 'This must be confirmed, and nobody can be asked.', {
    detail: warning,
    fix: ['add --yes'],
  })
}

/**
 * Resolves if `destruction` is confirmed. What will be lost is told before the question, and read only if it is asked.
 *
 * @throws {@link TenancyError} CONFIRMATION_REQUIRED if it is not, or if there is nobody to ask.
 */
export async function confirm(
  invocation: Invocation,
  { warning, word, yes }: Destruction,
  losses: () => Promise<string> = async () => '',
): Promise<void> {
  assertConfirmable(invocation, { warning, yes })
  if (yes) return
  const { terminal } = invocation
  terminal.err(`${warning}\n${await losses()}`)
  const answer = await terminal.ask(`Type ${terminal.style.err('bold', word)} to go on: `)
  if (answer === word) return
  throw new TenancyError('CONFIRMATION_REQUIRED', 'This was not confirmed, and nothing was done.', {
    fix: [`type ${word} when asked, or add --yes`],
  })
}
