/**
 * Promises that nobody waits for. A migration that forgets an `await` leaves a rejection without a handler, which
 * would end the process and name nothing. While sessions are open, such a rejection is given to the session
 * whose statement it came from; every other is treated as if nobody were listening.
 */

export interface ForgottenWatcher {
  /** Whether this rejection came from one of the watcher's statements. */
  owns(reason: unknown): boolean
  take(reason: unknown): void
}

const watchers = new Set<ForgottenWatcher>()

/** Listens until the returned function is called. */
export function watchForgotten(watcher: ForgottenWatcher): () => void {
  if (watchers.size === 0) process.on('unhandledRejection', distribute)
  watchers.add(watcher)
  return () => {
    watchers.delete(watcher)
    if (watchers.size === 0) process.off('unhandledRejection', distribute)
  }
}

function distribute(reason: unknown): void {
  const owner = [...watchers].find((watcher) => watcher.owns(reason))
  if (owner !== undefined) return owner.take(reason)
  // Listening has switched off what Node does with a rejection that nobody handles; this is that.
  if (process.listenerCount('unhandledRejection') === 1) throw reason
}

/** Whether `reason` is one of `failures`, or wraps one as Sequelize's errors do. */
export function comesFrom(reason: unknown, failures: readonly unknown[]): boolean {
  for (let level = reason, depth = 0; level !== undefined && level !== null && depth < 5; depth++) {
    if (failures.includes(level)) return true
    const { original, cause } = level as { original?: unknown; cause?: unknown } // anything can be thrown
    level = original ?? cause
  }
  return false
}
