/** `tenants rename`: gives a tenant's schema another name. */
import { withTenancy, show, type Invocation } from '../invocation.ts'
import { warn } from '../warnings.ts'
import { readVariables, type SelectionFlags } from '../selection.ts'

export interface RenameFlags extends Pick<SelectionFlags, 'x'> {
  readonly dryRun?: boolean
}

export async function rename(
  invocation: Invocation,
  flags: RenameFlags,
  tenant: string,
  schema: string,
): Promise<number> {
  const dryRun = readVariables(flags).dryRun || flags.dryRun === true
  const report = await withTenancy(invocation, (tenancy) => tenancy.rename({ tenant, schema, dryRun }))
  const { id, from, warnings } = report
  const text = `${dryRun ? 'would rename' : 'renamed'} the schema of ${id} from ${from} to ${report.schema}\n`
  show(invocation, dryRun ? { dryRun, ...report } : report, text)
  warn(invocation, id, warnings)
  if (invocation.json) return 0
  invocation.terminal.err(
    dryRun
      ? 'nothing was written\n'
      : `running applications know it within 30 seconds; do not give another tenant the name ${from} before\n`,
  )
  return 0
}
