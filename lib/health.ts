/** How the fleet stands: one query to the ledger, whatever the number of tenants, and what its answer means. */
import { unlessMissing, type LedgerEntry } from './ledger.ts'
import { identityOf } from './migrations/revision.ts'
import type { SqlRunner } from './sql.ts'
import { KnownHistories } from './status.ts'
import { LEDGER_SCHEMA } from './tenant.ts'

/** The fleet in four numbers; its tenants are those of the ledger. */
export interface HealthReport {
  readonly status: 'ok' | 'behind' | 'failing'
  /** Name of the last migration on disk. */
  readonly head: string | null
  readonly tenants: number
  /** Tenants that lack migrations, without those that are failing. */
  readonly behind: number
  /** Tenants whose last run has failed, and that are not at head. */
  readonly failing: number
}

/** Tenants whose ledger rows say the same. */
export interface HealthGroup extends Pick<LedgerEntry, 'state' | 'head' | 'fingerprint'> {
  readonly count: number
}

export async function readHealth(sql: SqlRunner, names: readonly string[]): Promise<HealthReport> {
  const groups = await unlessMissing(
    sql.query<HealthGroup>(
      `SELECT state, head, fingerprint, count(*)::integer AS count FROM ${LEDGER_SCHEMA}.tenant GROUP BY 1, 2, 3`,
    ),
  )
  return describeHealth(names, groups)
}

/** What `groups` mean for code that has the migrations `names`. */
export function describeHealth(names: readonly string[], groups: readonly HealthGroup[]): HealthReport {
  const known = new KnownHistories(names)
  const identities = new Set(names.map(identityOf))
  // An unknown set that ends with what is no file here is a newer release's: ahead. In one that ends with a file
  // of ours, an earlier one is missing, or an unknown one lies before it; what the version table says is for status.
  const isServed = ({ fingerprint, head }: HealthGroup) => {
    if (fingerprint === known.head) return true
    return head !== null && known.find(fingerprint) === undefined && !lacksLast(head)
  }
  const lacksLast = (head: string) => identities.has(identityOf(head)) && head !== names.at(-1)
  const count = (those: readonly HealthGroup[]) => those.reduce((sum, group) => sum + group.count, 0)
  const lacking = groups.filter((group) => !isServed(group))
  const failing = count(lacking.filter(({ state }) => state === 'failed'))
  const behind = count(lacking) - failing
  const status = failing > 0 ? 'failing' : behind > 0 ? 'behind' : 'ok'
  return { status, head: names.at(-1) ?? null, tenants: count(groups), behind, failing }
}
