/**
 * Ctrl-C and SIGTERM on long work. The first signal begins nothing more, the second cancels what is under way, and
 * neither ends the process in the middle: it ends when the work has, with the exit code of the signal. A third one
 * finds no listener and ends the process at once; the server rolls back what is open then.
 */
import { constants } from 'node:os'

import type { Interruption } from '../interruption.ts'
import type { Terminal } from './terminal.ts'

const SIGNALS = ['SIGINT', 'SIGTERM'] as const

/** Work that signals can end. */
export interface Interruptible extends Interruption {
  /** 130 or 143 once a signal has come. */
  readonly exitCode: number | undefined
}

/**
 * Signals so close to each other are one: on Ctrl-C the terminal tells the whole process group, and `npx` and `npm run`
 * pass on what they were told.
 */
const SAME_MS = 500

/** Runs `fn`, which ends early when the process is told to. */
export async function interruptible<T>(
  terminal: Pick<Terminal, 'err'>,
  fn: (interruptible: Interruptible) => Promise<T>,
): Promise<T> {
  const stop = new AbortController()
  const cancel = new AbortController()
  let exitCode: number | undefined
  let lastAt = -Infinity
  const receive = (name: NodeJS.Signals) => {
    const isSame = performance.now() - lastAt < SAME_MS
    lastAt = performance.now()
    if (isSame) return
    if (!stop.signal.aborted) {
      exitCode = 128 + constants.signals[name]
      stop.abort()
      terminal.err(
        `\n${name}: nothing more is begun, and what is running goes on to its end; once more cancels it\n`,
      )
      return
    }
    release()
    cancel.abort()
    terminal.err(`\n${name}: what is running is cancelled and rolled back\n`)
  }
  const release = () => {
    for (const name of SIGNALS) process.off(name, receive)
  }
  for (const name of SIGNALS) process.on(name, receive)
  try {
    return await fn({
      signal: stop.signal,
      cancelSignal: cancel.signal,
      get exitCode() {
        return exitCode
      },
    })
  } finally {
    release()
  }
}
