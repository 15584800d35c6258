/** What can be in one transaction with a whole fleet: which migrations, and how many tenants. */
import { isTenancyError, TenancyError } from './errors.ts'
import { Events } from './events.ts'
import { settingFor, USABLE, type LockTable } from './lock-table.ts'
import type { ApprovalOptions, Proposal } from './migrations/approval.ts'
import { loadMigration, type MigrationFile } from './migrations/files.ts'
import { NeedsCommit } from './migrations/treatment.ts'
import { planOne, type PlanReport } from './plans.ts'
import type { SqlRunner } from './sql.ts'

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
  const migration = await findOutside(names, files)
  if (migration !== undefined) throw cannotShare(migration)
}

/** The first of `names` whose file says that it wants no transaction. */
export async function findOutside(
  names: readonly string[],
  files: readonly MigrationFile[],
): Promise<string | undefined> {
  for (const file of files) {
    if (names.includes(file.name) && !(await loadMigration(file)).transaction) return file.name
  }
  return undefined
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

export interface Load {
  /** Tenants in the transaction, and how many of them are still to run. */
  readonly tenants: number
  readonly left: number
  /** What each takes. */
  readonly locks: number
}

/** @throws {@link TenancyError} FLEET_TRANSACTION_REFUSED if the tenants still to run would fill the lock table. */
export function assertRoom(table: LockTable, { tenants, left, locks }: Load): void {
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
