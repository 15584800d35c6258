/** Event triggers of the database: they fire for what is made in a scratch schema too, and may refuse it. */
import { TenancyError } from '../errors.ts'
import type { SqlRunner } from '../sql.ts'

export interface EventTrigger {
  readonly name: string
  /** Name of the function that it calls. */
  readonly function: string
}

/** Those that are enabled and fire for statements, by name. */
export async function readEventTriggers(sql: SqlRunner): Promise<readonly EventTrigger[]> {
  return sql.query<EventTrigger>(
    `SELECT t.evtname AS name, p.proname AS function
       FROM pg_catalog.pg_event_trigger t
       JOIN pg_catalog.pg_proc p ON p.oid = t.evtfoid
      WHERE t.evtenabled IN ('O', 'A') AND t.evtevent <> 'login'
      ORDER BY 1`,
  )
}

/** The trigger in whose function a statement has failed, by the server's account of where that was. */
export function refusedBy(error: unknown, triggers: readonly EventTrigger[]): EventTrigger | undefined {
  const where = whereOf(error)
  return triggers.find(({ function: name }) =>
    [name, `"${name.replaceAll('"', '""')}"`].some((each) => where.includes(`${each}() line `)),
  )
}

/** What the author of a model is told of it. */
export function refusalText({ name }: EventTrigger): string {
  return `event trigger "${name}" refuses it: make scratch schemas in another database, with --shadow-url URL`
}

/**
 * Runs `fn`, which makes a scratch schema.
 *
 * @throws {@link TenancyError} SCRATCH_REFUSED if one of `triggers` does not let it.
 */
export async function explainingRefusals<T>(
  triggers: readonly EventTrigger[],
  fn: () => Promise<T>,
): Promise<T> {
  try {
    return await fn()
  } catch (error) {
    const trigger = refusedBy(error, triggers)
    throw trigger === undefined ? error : refused(trigger, error)
  }
}

function refused({ name, function: called }: EventTrigger, cause: unknown): TenancyError {
  return new TenancyError(
    'SCRATCH_REFUSED',
    `Event trigger "${name}" does not let a scratch schema be made.`,
    {
      detail: `${messageWithin(cause)} (in its function ${called})`,
      fix: [
        'give another database for it, which has the shared schemas and not the trigger: --shadow-url URL',
        'or let the trigger pass over schemas called umzug_tenants_*: what is made there is rolled back',
      ],
      cause,
    },
  )
}

interface ServerError {
  readonly message?: string
  /** The server's CONTEXT. */
  readonly where?: string
  /** Sequelize's errors hold pg's. */
  readonly original?: unknown
  readonly cause?: unknown
}

/** The error of the server that `error` is, or comes from. */
function serverError(error: unknown): ServerError | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  const { where, original, cause } = error as ServerError // anything that was thrown
  return where === undefined ? (serverError(original) ?? serverError(cause)) : error
}

function whereOf(error: unknown): string {
  return serverError(error)?.where ?? ''
}

function messageWithin(error: unknown): string {
  return serverError(error)?.message ?? String(error)
}
