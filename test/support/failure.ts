/** What a call fails with: the library's own error, of the code the test names. */
import * as assert from 'uvu/assert'

import { isTenancyError, type ErrorCode, type TenancyError } from '../../lib/errors.ts'

/** The {@link TenancyError} with `code` that `fn` throws or rejects with; anything else fails the test. */
export async function failure(code: ErrorCode, fn: () => unknown): Promise<TenancyError> {
  const error = await thrownBy(fn)
  assert.ok(isTenancyError(error, code), `expected ${code}, got ${String(error)}`)
  return error
}

/** What `fn` throws or rejects with. */
export async function thrownBy(fn: () => unknown): Promise<unknown> {
  try {
    await fn()
  } catch (error) {
    return error
  }
  throw new Error('nothing was thrown')
}
