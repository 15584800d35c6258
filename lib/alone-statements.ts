/** Statements that may not share a message with the setting of their path, and how any statement is answered. */
import type { Scope } from './context.ts'
import { TenancyError } from './errors.ts'
import { sessionSetting, unusable } from './path-setting.ts'
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
  #isDirect = false

  constructor(client: WireClient, send: QueryFunction) {
    this.#client = client
    this.#send = send
  }

  run(scope: Scope, config: unknown, values: unknown, callback: unknown): Promise<unknown> | undefined {
    const result = this.#last.then(() => this.#runNow(scope, config, parametersOf(values)))
    this.#last = result.catch(() => undefined)
    return answer(result, ...callbacksOf(config, values, callback))
  }

  async #runNow(scope: Scope, config: unknown, parameters: readonly unknown[] | undefined): Promise<unknown> {
    await this.assertDirect(scope)
    try {
      await this.#send(sessionSetting(scope))
    } catch (error) {
      throw unusable(scope, error) ?? error
    }
    try {
      return await this.#send(withoutCallback(config), parameters)
    } finally {
      await this.#reset(scope)
    }
  }

  /**
   * Behind a transaction pooler each statement may meet another server process: what one sets, the next does not see,
   * and somebody else's does.
   *
   * @throws {@link TenancyError} POOLER_DETECTED
   */
  async assertDirect(scope: Scope): Promise<void> {
    if (this.#isDirect) return
    const { rows } = (await this.#send('SELECT pg_catalog.pg_backend_pid() AS pid')) as {
      rows: { pid: number }[]
    } // pg's Result
    if (rows[0]?.pid !== this.#client.processID) {
      throw new TenancyError(
        'POOLER_DETECTED',
        'The statement needs a server process of its own, and a pooler stands between.',
        {
          tenant: scope.tenant?.id,
          fix: [
            'run it in a transaction, if it can run in one',
            'or on a connection to PostgreSQL itself: as a migration, through migrationUrl',
          ],
        },
      )
    }
    this.#isDirect = true
  }

  async #reset({ role }: Scope): Promise<void> {
    try {
      await this.#send(role === undefined ? 'RESET search_path' : 'RESET search_path; RESET ROLE')
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

/** pg's optional arguments among which its callback is. */
export function callbacksOf(config: unknown, values: unknown, callback: unknown): readonly unknown[] {
  const own =
    typeof config === 'object' && config !== null && 'callback' in config ? config.callback : undefined
  return [callback, values, own]
}

export function parametersOf(values: unknown): readonly unknown[] | undefined {
  return Array.isArray(values) ? values : undefined
}

export function withoutCallback(config: unknown): unknown {
  return typeof config === 'object' ? { ...config, callback: undefined } : config
}
