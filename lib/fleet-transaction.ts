/**
 * Many tenants in one transaction, one after another on one session: afterwards all of them have moved, or none has.
 * Their locks are held until the commit, and what becomes of them is told after it.
 */
import { isTenancyError, retold } from './errors.ts'
import {
  explain,
  NOTHING,
  runFleet,
  type FleetCounts,
  type FleetOptions,
  type FleetOutcome,
  type FleetResult,
} from './fleet.ts'
import type { HeldEvents } from './held-events.ts'
import { isStopped, notBegun } from './interruption.ts'
import { ensureLedger, recordFailure } from './ledger.ts'
import { readLockTable } from './lock-table.ts'
import { withLocks } from './migrations/migrator.ts'
import type { MigrationSession } from './migrations/session.ts'
import { assertRoom, refusalOf } from './shareable.ts'
import type { Tenant } from './tenant.ts'

export interface FleetTransactionOptions<Report> extends FleetOptions<Report> {
  readonly lockWaitMs: number
  /** Through which the runs tell what becomes of them. */
  readonly events: HeldEvents
  /** Throws what stands in the way of a tenant's run, before anybody's has begun. */
  check(session: MigrationSession, tenant: Tenant): Promise<void>
}

/**
 * Runs every tenant, or none.
 *
 * @throws {@link TenancyError} FLEET_TRANSACTION_REFUSED if a migration, or the server's lock table, does not allow it.
 */
export async function runInOneTransaction<Report>(
  tenants: readonly Tenant[],
  options: FleetTransactionOptions<Report>,
): Promise<FleetOutcome<Report>> {
  const fleet = new FleetTransaction(tenants, options)
  try {
    // A tenant alone has its transaction to itself, and is run in whatever way its migrations need.
    if (fleet.size < 2) return await runFleet(tenants, options)
    return await options.withSession((session) => fleet.run(session))
  } finally {
    options.events.release()
  }
}

class FleetTransaction<Report> {
  readonly #tenants: readonly Tenant[]
  readonly #options: FleetTransactionOptions<Report>
  /** Those that are not known to have nothing to run. */
  readonly #left: readonly Tenant[]
  /** Of those that have nothing to run, and of those that were run. */
  readonly #reports = new Map<Tenant, Report>()
  /** Whose turn it is. */
  #current: Tenant | undefined
  #isMoving = false

  constructor(tenants: readonly Tenant[], options: FleetTransactionOptions<Report>) {
    this.#tenants = tenants
    this.#options = options
    for (const tenant of tenants) {
      const report = options.idle?.(tenant)
      if (report !== undefined) this.#reports.set(tenant, report)
    }
    this.#left = tenants.filter((tenant) => !this.#reports.has(tenant))
  }

  /** Tenants to run. */
  get size(): number {
    return this.#left.length
  }

  async run(session: MigrationSession): Promise<FleetOutcome<Report>> {
    this.#tell()
    try {
      assertRoom(await readLockTable(session), { tenants: this.size, left: this.size, locks: 1 })
      const move = () => this.#move(session)
      await withLocks(session, this.#left, this.#options.lockWaitMs, move, this.#options)
      return this.#outcome()
    } catch (error) {
      for (const tenant of this.#left) this.#reports.delete(tenant)
      const refusal = refusalOf(error)
      if (refusal !== undefined) throw refusal
      return this.#outcome(
        isTenancyError(error, 'RUN_NOT_BEGUN') ? undefined : await this.#fail(session, error),
      )
    }
  }

  async #move(session: MigrationSession): Promise<void> {
    await ensureLedger(session, (fn) => session.transaction(fn))
    await this.#inTurn((tenant) => this.#options.check(session, tenant))
    this.#isMoving = true
    await session.transaction(async () => {
      let { own } = await readLockTable(session)
      let locks = 0
      let left = this.size
      await this.#inTurn(async (tenant) => {
        this.#reports.set(tenant, await this.#options.run(session, tenant))
        const table = await readLockTable(session)
        locks = Math.max(locks, table.own - own)
        own = table.own
        assertRoom(table, { tenants: this.size, left: --left, locks })
        this.#tell()
      })
    })
  }

  /** Gives each tenant its turn, until nothing more may be begun. */
  async #inTurn(act: (tenant: Tenant) => Promise<void>): Promise<void> {
    for (const tenant of this.#left) {
      if (isStopped(this.#options)) throw notBegun(tenant)
      this.#current = tenant
      await act(tenant)
    }
    this.#current = undefined
  }

  /** Says whose failure `error` is and, if its run had begun, records it. */
  async #fail(session: MigrationSession, error: unknown): Promise<FleetResult<Report>> {
    const tenant = this.#culpritOf(error)
    const explained = explain(error, tenant)
    const fate = this.#isMoving ? 'everything was rolled back' : 'nothing was run'
    const failure = retold(explained, {
      detail: [
        ...(explained.detail === undefined ? [] : [explained.detail]),
        `${fate}: the ${this.size} tenants are one transaction, and none of them has moved`,
      ].join('\n'),
      committed: [],
    })
    const document = failure.toJSON()
    if (this.#isMoving) {
      this.#options.events.emit('tenant:failed', {
        tenant: tenant.id,
        schema: tenant.schema,
        error: document,
      })
      // The lock is free again: whoever has taken it knows better, and the connection may be what failed.
      const record = () => recordFailure(session, tenant, document)
      await session.withLock(tenant, 0, record).catch(() => undefined)
    }
    return { tenant, error: document, kept: NOTHING }
  }

  /** Whose turn it was; at the commit, whose rows the server complains of. */
  #culpritOf(error: unknown): Tenant {
    const { tenant, schema } = (error ?? {}) as { tenant?: unknown; schema?: unknown } // the library's error, or pg's
    const named = this.#left.find(({ id, schema: own }) => id === tenant || own === schema)
    const culprit = this.#current ?? named ?? this.#left.at(-1)
    if (culprit === undefined) throw error
    return culprit
  }

  #outcome(failed?: FleetResult<Report>): FleetOutcome<Report> {
    const resultOf = (tenant: Tenant): FleetResult<Report> | undefined => {
      const report = this.#reports.get(tenant)
      if (report !== undefined) return { tenant, report }
      return failed?.tenant === tenant ? failed : undefined
    }
    const results = this.#tenants.map(resultOf)
    this.#tell(failed === undefined ? 0 : 1)
    return {
      results: results.filter((result) => result !== undefined),
      notRun: this.#tenants.filter((_, index) => results[index] === undefined),
      counts: this.#counts(failed === undefined ? 0 : 1),
    }
  }

  #counts(failed = 0): FleetCounts {
    const reports = [...this.#reports.values()]
    const unchanged = reports.filter((report) => this.#options.isUnchanged(report)).length
    return { total: this.#tenants.length, succeeded: reports.length - unchanged, unchanged, failed }
  }

  #tell(failed = 0): void {
    this.#options.onProgress?.(this.#counts(failed))
  }
}
