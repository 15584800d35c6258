/** SIGINT and SIGTERM while programs run that this process has started: they are passed on at once. */
import type { EventEmitter } from 'node:events'

type Name = 'SIGINT' | 'SIGTERM'

/**
 * Says by its signal when somebody wants the work to end. Before {@link watch} a signal ends the process as ever: there
 * is nothing yet to be ended in order.
 */
export class SignalRelay {
  readonly #controller = new AbortController()
  readonly #leavesKeyboard: boolean
  readonly #source: EventEmitter
  #isWatching = false
  #by: Name | undefined

  /**
   * @param leavesKeyboard Ctrl-C is for the program in the foreground, which gets it as well, and may have another use
   * for it.
   * @param source of the signals
   */
  constructor(leavesKeyboard: boolean, source: EventEmitter = process) {
    this.#source = source
    this.#leavesKeyboard = leavesKeyboard
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** The signal that came, if one did. */
  get by(): Name | undefined {
    return this.#by
  }

  watch(): void {
    if (this.#isWatching) return
    this.#isWatching = true
    this.#source.on('SIGINT', this.#listener).on('SIGTERM', this.#listener)
  }

  end(): void {
    this.#source.off('SIGINT', this.#listener).off('SIGTERM', this.#listener)
  }

  readonly #listener = (name: NodeJS.Signals): void => {
    const isKeyboard = name === 'SIGINT'
    if (isKeyboard && this.#leavesKeyboard) return
    this.#by ??= isKeyboard ? 'SIGINT' : 'SIGTERM'
    this.#controller.abort()
  }
}
