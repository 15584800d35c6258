/**
 * Many tenants in one transaction, one after another on one session: afterwards all of them have moved, or none has.
 * Their locks are held until the commit, and what becomes of them is told after it.
 */
import { isTenancyError, retold, TenancyError } from './errors.ts'
import { Events } from './events.ts'
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
import { readLockTable, settingFor, USABLE, type LockTable } from './lock-table.ts'
import type { ApprovalOptions, Proposal } from './migrations/approval.ts'
import { loadMigration, type MigrationFile } from './migrations/files.ts'
import { withLocks } from './migrations/migrator.ts'
import type { MigrationSession } from './migrations/session.ts'
import { NeedsCommit } from './migrations/treatment.ts'
import { planOne, type PlanReport } from './plans.ts'
import type { SqlRunner } from './sql.ts'
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

/** Why the transaction cannot be had, whichever tenant has shown it. */
export function refusalOf(error: unknown): TenancyError | undefined {
  if (isTenancyError(error, 'FLEET_TRANSACTION_REFUSED')) return error
  const { cause } = error instanceof TenancyError ? error : {}
  return cause instanceof NeedsCommit ? cannotShare(cause.migration) : undefined
}

/**
 * Refuses what a tenant's run would refuse, and migrations whose files say that they cannot be in the transaction.
 *
 * @throws {@link TenancyError} what the run would throw before it runs anything; FLEET_TRANSACTION_REFUSED.
 */
export async function checkRun(sql: SqlRunner, proposal: Proposal, options: ApprovalOptions): Promise<void> {
  // What is let through is told once, by the run itself.
  const { migrations } = await planOne(sql, proposal, { ...options, events: new Events() })
  await assertShareable(migrations, proposal.files)
}

/** @throws {@link TenancyError} FLEET_TRANSACTION_REFUSED if what is planned for several tenants cannot be in one. */
export async function assertOneTransaction(
  plans: readonly PlanReport[],
  files: readonly MigrationFile[],
): Promise<void> {
  const due = plans.filter(({ migrations }) => migrations.length > 0)
  if (due.length > 1)
    await assertShareable(
      due.flatMap(({ migrations }) => migrations),
      files,
    )
}

/** @throws {@link TenancyError} FLEET_TRANSACTION_REFUSED if a file of `names` says that it wants no transaction. */
async function assertShareable(names: readonly string[], files: readonly MigrationFile[]): Promise<void> {
  for (const file of files) {
    if (names.includes(file.name) && !(await loadMigration(file)).transaction) throw cannotShare(file.name)
  }
}

function cannotShare(migration: string): TenancyError {
  return new TenancyError(
    'FLEET_TRANSACTION_REFUSED',
    `Migration "${migration}" cannot be in one transaction with a whole fleet.`,
    {
      migration,
      detail: 'it wants no transaction, or what is before it committed; no tenant has moved',
      fix: [
        "set transaction: 'tenant', a transaction for each tenant",
        'or run it with one tenant after another: umzug-tenants up --tenant ID',
      ],
    },
  )
}

interface Load {
  /** Tenants in the transaction, and how many of them are still to run. */
  readonly tenants: number
  readonly left: number
  /** What each takes. */
  readonly locks: number
}

function assertRoom(table: LockTable, { tenants, left, locks }: Load): void {
  const setting = settingFor(left * locks, table)
  if (setting === undefined) return
  const { capacity, own, others } = table
  throw new TenancyError(
    'FLEET_TRANSACTION_REFUSED',
    `The server's lock table has no room for ${tenants} tenants in one transaction.`,
    {
      detail: `it needs ${own + left * locks} locks, about ${locks} for each tenant, and other sessions have ${others}; of ${capacity} that fit, ${Math.floor(capacity * USABLE)} may be relied on; no tenant has moved`,
      fix: [
        `set max_locks_per_transaction = ${setting} and restart the server`,
        "or set transaction: 'tenant', a transaction for each tenant",
      ],
    },
  )
}
