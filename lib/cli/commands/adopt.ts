/** `tenants adopt`: registers schemas that another tool has made and migrated. */
import type { AdoptReport } from '../../adopt.ts'
import type { AdoptRequest, FleetAdoptReport } from '../../adoptions.ts'
import { PUBLIC } from '../../public-schema.ts'
import type { Tenancy } from '../../tenancy.ts'
import { confirm } from '../confirm.ts'
import { isTenancyError } from '../../errors.ts'
import type { Interruption } from '../../interruption.ts'
import { show, type Invocation } from '../invocation.ts'
import { errorText, remainingText } from '../print.ts'
import { withProgress } from '../progress.ts'
import { adoptText } from '../records-text.ts'
import { exitCodeOf, interruptibly } from '../report.ts'
import { readVariables, usage, type SelectionFlags } from '../selection.ts'
import { readFleet, type FleetFlags, type FleetTarget } from '../target.ts'
import { warn } from '../warnings.ts'

export interface AdoptFlags extends Pick<SelectionFlags, 'x'>, FleetFlags {
  readonly id?: string
  readonly host?: string
  readonly match?: string
  readonly stamp?: string
  readonly renameTo?: string
  readonly dryRun?: boolean
  readonly yes?: boolean
}

/** Which schemas: one with all there is to say of it, some, or those that match. */
type Wanted = AdoptRequest | { readonly schemas: readonly string[] } | { readonly match: string }

export async function adopt(
  invocation: Invocation,
  flags: AdoptFlags,
  ...schemas: readonly string[]
): Promise<number> {
  const isPlanned = readVariables(flags).dryRun || flags.dryRun === true
  const wanted = wantedOf(flags, schemas)
  const one = 'schema' in wanted
  if (one && wanted.schema === PUBLIC && wanted.renameTo !== undefined && !isPlanned) {
    await confirm(invocation, {
      warning: `This moves every table, view, type and function of "public" to schema "${wanted.renameTo}"; programs that look for them in public find them no more.`,
      word: wanted.id ?? wanted.renameTo,
      yes: flags.yes ?? false,
    })
  }
  const how = {
    ...(flags.stamp === undefined ? {} : { stamp: flags.stamp }),
    ...readFleet(flags),
    dryRun: isPlanned,
  }
  return interruptibly(invocation, async (tenancy, interruption) => {
    const report = await withProgress(tenancy, invocation.terminal, () =>
      adoptAll(tenancy, wanted, { ...how, ...interruption }),
    )
    print(invocation, report, { isPlanned, isInterrupted: interruption.exitCode !== undefined })
    return exitCodeOf(report, { one })
  })
}

interface Circumstances {
  readonly isPlanned: boolean
  readonly isInterrupted: boolean
}

function print(
  invocation: Invocation,
  report: FleetAdoptReport,
  { isPlanned, isInterrupted }: Circumstances,
): void {
  const { terminal, json } = invocation
  const { out, err } = terminal.style
  const adopted = report.tenants.filter((tenant): tenant is AdoptReport => tenant.error === undefined)
  const text = adopted.map((tenant) => adoptText(tenant, out, isPlanned)).join('')
  const ended = isInterrupted ? { ...report, interrupted: true } : report
  show(invocation, isPlanned ? { dryRun: true, tenants: report.tenants } : ended, text)
  if (json) return
  for (const tenant of report.tenants) if ('error' in tenant) terminal.err(errorText(tenant.error, err))
  for (const { id, warnings } of adopted) warn(invocation, id, warnings)
  terminal.err(remainingText(report, 'tenants adopt', false))
  if (isPlanned) terminal.err('nothing was written\n')
}

async function adoptAll(
  tenancy: Tenancy,
  wanted: Wanted,
  how: FleetTarget & Interruption & { readonly stamp?: string; readonly dryRun: boolean },
): Promise<FleetAdoptReport> {
  if (!('schema' in wanted)) return tenancy.adopt({ ...wanted, ...how })
  const id = wanted.id ?? wanted.renameTo ?? wanted.schema
  const counts = { succeeded: 0, unchanged: 0, failed: 0, notRun: 0 }
  try {
    const report = await tenancy.adopt({ ...wanted, ...how, confirm: id })
    return { ...counts, tenants: [report], ...(report.adopted ? { succeeded: 1 } : { unchanged: 1 }) }
  } catch (error) {
    if (!isTenancyError(error, 'RUN_NOT_BEGUN')) throw error
    return { ...counts, tenants: [], notRun: 1, remaining: [id] }
  }
}

function wantedOf({ id, host, match, renameTo }: AdoptFlags, schemas: readonly string[]): Wanted {
  const [schema, ...others] = schemas
  if (match !== undefined && schema !== undefined) throw usage('SCHEMA and --match exclude each other.', 'give one of them') // prettier-ignore
  if (schema !== undefined && others.length === 0) {
    return {
      schema,
      ...(id === undefined ? {} : { id }),
      ...(host === undefined ? {} : { host }),
      ...(renameTo === undefined ? {} : { renameTo }),
    }
  }
  if (id !== undefined || host !== undefined || renameTo !== undefined)
    throw usage('--id, --host and --rename-to are for one schema.', 'name one schema')
  if (match !== undefined) return { match }
  if (schema !== undefined) return { schemas }
  throw usage('No schema is named.', 'umzug-tenants tenants adopt SCHEMA', "or a pattern: --match 't_*'")
}
