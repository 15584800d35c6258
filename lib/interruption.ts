/** How a run is asked to end early: first by beginning nothing more, then by cancelling what is under way. */
import { TenancyError } from './errors.ts'

/** Options of `up`, `down` and `seed` that end a run early. */
export interface Interruption {
  /** Once aborted, nothing more is begun: tenants that are running go on to their end, and the others are not run. */
  readonly signal?: AbortSignal | undefined
  /**
   * Once aborted, nothing more is begun either, and the statements of running tenants are cancelled on the server:
   * their transactions are rolled back, and they fail with RUN_CANCELLED.
   */
  readonly cancelSignal?: AbortSignal | undefined
}

/** Whether nothing more may be begun. */
export function isStopped({ signal, cancelSignal }: Interruption): boolean {
  return signal?.aborted === true || cancelSignal?.aborted === true
}

/** Runs `fn`; if `signal` is aborted meanwhile, or was before, `abort` is called once. */
export async function whileListening<T>(
  signal: AbortSignal | undefined,
  abort: () => void,
  fn: () => Promise<T>,
): Promise<T> {
  if (signal === undefined) return fn()
  if (signal.aborted) abort()
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await fn()
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

/** Whom a run was about: a tenant, or the shared schema under the name it is called by. */
interface Owner {
  readonly id: string
  readonly schema: string
}

/** A run that was stopped before anything of it was done. */
export function notBegun({ id, schema }: Owner): TenancyError {
  return new TenancyError('RUN_NOT_BEGUN', `The run on "${id}" was stopped before it began.`, {
    tenant: id,
    schema,
    fix: ['run it again: nothing was done'],
  })
}
