/** How tenants that are behind are upgraded by their first access: as users write it, and as the gate reads it. */

/** What a request of a tenant behind meets: the upgrade, 503 while it is upgraded behind, or 503. */
export type LazyMode = 'wait' | 'background' | 'off'

export interface LazyConfig {
  /**
   * Whether the first access waits for the upgrade, or is answered 503 with Retry-After at once.
   * @defaultValue `'wait'`
   */
  readonly mode?: 'wait' | 'background'
  /**
   * Upgrades at once in one process: 1 to 64, and in effect one less than the application's pool has connections.
   * @defaultValue 2
   */
  readonly concurrency?: number
  /**
   * Milliseconds a request waits for its tenant's upgrade before it is answered 503; the upgrade goes on.
   * @defaultValue 30000
   */
  readonly maxWaitMs?: number
  /**
   * Milliseconds within which it is noticed that another process has changed a tenant which is served here: one query
   * for all of them, in the background. 0 never looks again.
   * @defaultValue 30000
   */
  readonly recheckMs?: number
  /**
   * Whether changes by other processes are heard at once: takes one more, direct connection (`migrationUrl`).
   * @defaultValue `false`
   */
  readonly listen?: boolean
}

/** The same with every default in its place. */
export type ResolvedLazy = Required<Omit<LazyConfig, 'mode'>> & { readonly mode: LazyMode }
