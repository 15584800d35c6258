/** What a run would execute, of one schema or of many. Writes nothing. */
import { schemasAtHead } from './at-head.ts'
import { isTenancyError, type ErrorDocument } from './errors.ts'
import { approve, type ApprovalOptions, type Proposal } from './migrations/approval.ts'
import { schemaExists, schemaMissing } from './migrations/history.ts'
import { subjectOf } from './migrations/subject.ts'
import type { SqlRunner } from './sql.ts'
import type { Tenant } from './tenant.ts'

export interface PlanReport {
  readonly id: string
  readonly schema: string
  /** Names that would run or be reverted, in this order. */
  readonly migrations: readonly string[]
}

/** One tenant of a fleet's plan; with an error, the run would refuse it. */
export interface FleetPlanReport extends PlanReport {
  readonly error?: ErrorDocument
}

/** @throws {@link TenancyError} what the run would refuse. */
export async function planOne(
  sql: SqlRunner,
  proposal: Proposal,
  options: ApprovalOptions,
): Promise<PlanReport> {
  const { id, schema, tenant } = proposal.subject
  // The shared schema is made by its first run.
  if (tenant !== undefined && !(await schemaExists(sql, schema))) throw schemaMissing(proposal.subject)
  const { names } = await approve(sql, proposal, options)
  return { id, schema, migrations: names }
}

/** What is wrong with one tenant hides no other. */
export async function planMany(
  sql: SqlRunner,
  tenants: readonly Tenant[],
  work: Omit<Proposal, 'subject'>,
  options: ApprovalOptions,
): Promise<readonly FleetPlanReport[]> {
  const { direction, to, step } = work.request
  const goesToHead = options.ledger && direction === 'up' && to === undefined && step === undefined
  const atHead = goesToHead ? await schemasAtHead(sql, work.files) : new Set()
  const plans: FleetPlanReport[] = []
  for (const tenant of tenants) {
    const { id, schema } = tenant
    const plan = () => planOne(sql, { ...work, subject: subjectOf(tenant) }, options)
    plans.push(atHead.has(schema) ? { id, schema, migrations: [] } : await plan().catch(refusal(tenant)))
  }
  return plans
}

function refusal({ id, schema }: Tenant): (error: unknown) => FleetPlanReport {
  return (error) => {
    if (!isTenancyError(error)) throw error
    return { id, schema, migrations: [], error: error.toJSON() }
  }
}
