/** SIGINT and SIGTERM while a command is at work that can be ended in order. */

export interface Interruption<T> {
  readonly report: T
  readonly interruptedBy?: 'SIGINT' | 'SIGTERM'
}

/**
 * Runs `fn`, whose signal says when somebody wants it to end. With `keyboard: false` Ctrl-C is left to the program in
 * the foreground, which gets it as well, and may have another use for it.
 */
export async function untilInterrupted<T>(
  { keyboard }: { readonly keyboard: boolean },
  fn: (signal: AbortSignal) => Promise<T>,
): Promise<Interruption<T>> {
  const controller = new AbortController()
  let interruptedBy: 'SIGINT' | 'SIGTERM' | undefined
  const listener = (name: NodeJS.Signals) => {
    if (name === 'SIGINT' && !keyboard) return
    interruptedBy ??= name === 'SIGINT' ? 'SIGINT' : 'SIGTERM'
    controller.abort()
  }
  process.on('SIGINT', listener).on('SIGTERM', listener)
  try {
    const report = await fn(controller.signal)
    return { report, ...(interruptedBy === undefined ? {} : { interruptedBy }) }
  } finally {
    process.off('SIGINT', listener).off('SIGTERM', listener)
  }
}
