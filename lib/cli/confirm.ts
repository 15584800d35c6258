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
 * Resolves if `destruction` is confirmed.
 *
 * @throws {@link TenancyError} CONFIRMATION_REQUIRED if it is not, or if there is nobody to ask.
 */
export async function confirm(
  { terminal, json }: Invocation,
  { warning, word, yes }: Destruction,
): Promise<void> {
  if (yes) return
  if (!terminal.interactive || json) {
    throw new TenancyError('CONFIRMATION_REQUIRED', 'This must be confirmed, and nobody can be asked.', {
      detail: warning,
      fix: ['add --yes'],
    })
  }
  terminal.err(`${warning}\n`)
  const answer = await terminal.ask(`Type ${terminal.style.err('bold', word)} to go on: `)
  if (answer === word) return
  throw new TenancyError('CONFIRMATION_REQUIRED', 'This was not confirmed, and nothing was done.', {
    fix: [`type ${word} when asked, or add --yes`],
  })
}
