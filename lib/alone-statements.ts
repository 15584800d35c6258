/** Statements that may not share a message with the setting of their path, and how any statement is answered. */
import type { Scope } from './context.ts'
import type { QueryFunction, WireClient } from './scoped-query.ts'

type Callback = (error: Error | null, result?: unknown) => void

/**
 * Statements that refuse company: the path is set for the session, the statement runs, the path is reset,
 * each awaited and one statement at a time. A connection whose path cannot be reset is ended.
 */
export class AloneStatements {
  readonly #client: WireClient
  readonly #send: QueryFunction
  #last: Promise<unknown> = Promise.resolve()

  constructor(client: WireClient, send: QueryFunction) {
    this.#client = client
    this.#send = send
  }

  run(scope: Scope, config: unknown, values: unknown, callback: unknown): Promise<unknown> | undefined {
    const parameters = Array.isArray(values) ? values : undefined
    const result = this.#last.then(() => this.#runNow(scope, config, parameters))
    this.#last = result.catch(() => undefined)
    return answer(result, values, callback)
  }

  async #runNow(scope: Scope, config: unknown, parameters: readonly unknown[] | undefined): Promise<unknown> {
    await this.#send(`SET search_path TO ${scope.path}`)
    try {
      return await this.#send(withoutCallback(config), parameters)
    } finally {
      await this.#reset()
    }
  }

  async #reset(): Promise<void> {
    try {
      await this.#send('RESET search_path')
    } catch {
      this.#client._invalid = true
      // Not awaited: the end of a connection that is dead already is never announced.
      this.#client.end().catch(() => undefined)
    }
  }
}

/** Gives `result` to the callback among pg's optional arguments; to a caller without one as a promise. */
export function answer(
  result: Promise<unknown>,
  ...optional: readonly unknown[]
): Promise<unknown> | undefined {
  const callback = optional.find((argument): argument is Callback => typeof argument === 'function')
  if (callback === undefined) return result
  result.then(
    (value) => callback(null, value),
    (error: Error) => callback(error),
  )
  return undefined
}

function withoutCallback(config: unknown): unknown {
  return typeof config === 'object' ? { ...config, callback: undefined } : config
}
