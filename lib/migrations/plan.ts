/** Chooses: which migrations a run will execute, and what a schema's state is. Pure; the migrator does. */
import { TenancyError } from '../errors.ts'
import { identityOf, revisionOf } from './revision.ts'
import { Treatments } from './treatment.ts'

export type Direction = 'up' | 'down'

/** What a run was asked for. Without any: `up` everything pending, `down` the last one. */
export interface PlanRequest {
  /** `up`: the last migration to run. `down`: the last one to revert, that one included; 0 reverts all. */
  readonly to?: string | 0 | undefined
  /** How many at most. */
  readonly step?: number | undefined
  /** `down` only: the migration to arrive at, which stays (Alembic's `downgrade REV`). */
  readonly backTo?: string | undefined
  /** These alone, whatever is before or after them. */
  readonly only?: readonly string[] | undefined
}

export type TenantState = 'ok' | 'pending' | 'failed' | 'ahead' | 'missing' | 'diverged'

/** Recorded names against the names on disk; `.ts` on disk and `.js` recorded are one migration. */
export interface History {
  /** Names on disk that are recorded, in order. */
  readonly executed: readonly string[]
  readonly pending: readonly string[]
  /** Recorded names that no file on disk has. */
  readonly unknown: readonly string[]
}

export function compareHistory(onDisk: readonly string[], recorded: readonly string[]): History {
  const recordedIdentities = new Set(recorded.map(identityOf))
  const diskIdentities = new Set(onDisk.map(identityOf))
  return {
    executed: onDisk.filter((name) => recordedIdentities.has(identityOf(name))),
    pending: onDisk.filter((name) => !recordedIdentities.has(identityOf(name))),
    unknown: recorded.filter((name) => !diskIdentities.has(identityOf(name))),
  }
}

/** `ahead`: the database knows migrations that this code does not, and lacks none; `diverged`: it also lacks some. */
export function stateOf({ pending, unknown }: History): 'ok' | 'pending' | 'ahead' | 'diverged' {
  if (unknown.length > 0) return pending.length > 0 ? 'diverged' : 'ahead'
  return pending.length > 0 ? 'pending' : 'ok'
}

/**
 * The migrations to run, in the order to run them.
 *
 * @throws {@link TenancyError} MIGRATION_UNKNOWN if `to` or `backTo` is no migration on disk; USAGE for a step
 * that is not a whole number above 0.
 */
export function choose(direction: Direction, history: History, request: PlanRequest): readonly string[] {
  assertStep(request.step)
  if (request.only !== undefined) return chooseOnly(direction, history, request, request.only)
  return direction === 'up' ? chooseUp(history, request) : chooseDown(history, request)
}

function chooseUp({ executed, pending }: History, { to, step }: PlanRequest): readonly string[] {
  const eligible = to === undefined ? pending : upTo(pending, executed, String(to))
  return step === undefined ? eligible : eligible.slice(0, step)
}

function upTo(pending: readonly string[], executed: readonly string[], to: string): readonly string[] {
  return pending.slice(0, pending.indexOf(resolveName(to, [...executed, ...pending])) + 1)
}

function chooseDown(history: History, { to, step, backTo }: PlanRequest): readonly string[] {
  const latestFirst = history.executed.toReversed()
  if (backTo !== undefined) return latestFirst.slice(0, positionOf(backTo, latestFirst, history))
  if (to === 0) return latestFirst
  if (to !== undefined) return latestFirst.slice(0, positionOf(to, latestFirst, history) + 1)
  return latestFirst.slice(0, step ?? 1)
}

function positionOf(called: string, latestFirst: readonly string[], { pending }: History): number {
  const at = latestFirst.indexOf(resolveName(called, [...latestFirst, ...pending]))
  if (at !== -1) return at
  throw new TenancyError('MIGRATION_UNKNOWN', `Migration "${called}" is not executed here.`, {
    migration: called,
    fix: ['name an executed migration: umzug-tenants status shows them'],
  })
}

/** What is executed already, or not yet, is left as it is. */
function chooseOnly(
  direction: Direction,
  { executed, pending }: History,
  { to, step, backTo }: PlanRequest,
  only: readonly string[],
): readonly string[] {
  if (to !== undefined || step !== undefined || backTo !== undefined)
    throw new TenancyError('USAGE', 'only excludes to, step and backTo.', { fix: ['give one of them'] })
  const wanted = new Set(only.map((called) => resolveName(called, [...executed, ...pending])))
  const eligible = direction === 'up' ? pending : executed.toReversed()
  return eligible.filter((name) => wanted.has(name))
}

/** A migration is called by its file name, with or without extension, or by its revision id. */
export function resolveName(called: string, names: readonly string[]): string {
  const named =
    names.find((name) => name === called) ?? names.find((name) => identityOf(name) === identityOf(called))
  if (named !== undefined) return named
  const [first, ...others] = names.filter((name) => revisionOf(name) === called)
  if (first === undefined) throw unknownMigration(called)
  if (others.length === 0) return first
  throw new TenancyError('MIGRATION_UNKNOWN', `${others.length + 1} migrations are called "${called}".`, {
    migration: called,
    detail: [first, ...others].join(', '),
    fix: ['use the full file name'],
  })
}

function unknownMigration(name: string): TenancyError {
  return new TenancyError('MIGRATION_UNKNOWN', `No migration is called "${name}".`, {
    migration: name,
    fix: ['use a file name or revision id from the migrations folder: umzug-tenants status shows them'],
  })
}

function assertStep(step: number | undefined): void {
  if (step === undefined || (Number.isInteger(step) && step > 0)) return
  throw new TenancyError('USAGE', `step must be a whole number above 0, not ${step}.`, {
    fix: ['give 1 or more'],
  })
}

/** Some of a run's migrations that share a transaction, or one that runs outside any. */
export interface Segment {
  readonly names: readonly string[]
  readonly transaction: boolean
}

/**
 * How runs are divided: one transaction for a tenant's run, one for each migration, one for a whole fleet, or none. A
 * tenant that is run alone is a fleet of one.
 */
export type TransactionMode = 'tenant' | 'migration' | 'fleet' | 'none'

/** Whether a tenant's migrations share a transaction where they can. */
export function sharesTransaction(mode: TransactionMode): boolean {
  return mode === 'tenant' || mode === 'fleet'
}

/** Divides a run at the migrations that must run outside a transaction, or need what is before them committed. */
export function divide(
  migrations: readonly { readonly name: string; readonly transaction: boolean }[],
  mode: TransactionMode,
  treatments: Treatments = new Treatments(),
): readonly Segment[] {
  const segments: { names: string[]; transaction: boolean }[] = []
  for (const { name, transaction } of migrations) {
    const last = segments.at(-1)
    const inTransaction = transaction && mode !== 'none' && !treatments.has(name, 'outside')
    const joins =
      inTransaction && sharesTransaction(mode) && last?.transaction === true && !treatments.has(name, 'apart')
    if (joins) last.names.push(name)
    else segments.push({ names: [name], transaction: inTransaction })
  }
  return segments
}
