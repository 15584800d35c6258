/**
 * What a tenant's statements leave on a connection of the pool: temporary tables, cursors WITH HOLD, a role. The path
 * hides none of it from the next tenant, so it is cleared before somebody else's statement.
 */
import type { Scope } from './context.ts'
import type { QueryFunction, WireClient } from './scoped-query.ts'

const CLEARS = 'CLOSE ALL;DISCARD TEMP;RESET SESSION AUTHORIZATION;RESET ROLE'

export class LeftBehind {
  /** The path of the scope that has left something; `undefined` for a connection without anything. */
  by: string | undefined
  readonly #client: WireClient
  readonly #send: QueryFunction
  #clearing: Promise<void> | undefined

  constructor(client: WireClient, send: QueryFunction) {
    this.#client = client
    this.#send = send
  }

  /** Whether `scope` would meet what another has left. */
  concerns({ path }: Scope): boolean {
    return this.by !== undefined && this.by !== path
  }

  /** Resolves when nothing is left; a connection that cannot be cleared is ended. */
  clear(): Promise<void> {
    this.#clearing ??= this.#clearNow().finally(() => (this.#clearing = undefined))
    return this.#clearing
  }

  async #clearNow(): Promise<void> {
    try {
      await this.#send(CLEARS)
      this.by = undefined
    } catch (error) {
      this.#client._invalid = true
      // Not awaited: the end of a connection that is dead already is never announced.
      this.#client.end().catch(() => undefined)
      throw error
    }
  }
}
