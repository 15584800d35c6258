/** `tenants`: lists, registers and drops them. */
import { assertConfirmable, confirm } from '../confirm.ts'
import { show, withTenancy, type Invocation } from '../invocation.ts'
import { lossesOfDrop } from '../losses.ts'
import { tenantsText } from '../print.ts'
import { interruptibly } from '../report.ts'
import { refuseDryRun, type SelectionFlags } from '../selection.ts'
import { hintIfNobody } from '../warnings.ts'

type Variables = Pick<SelectionFlags, 'x'>

export async function listTenants(invocation: Invocation): Promise<number> {
  const tenants = await withTenancy(invocation, (tenancy) => tenancy.list())
  show(invocation, { tenants }, tenantsText(tenants, invocation.terminal.style.out))
  hintIfNobody(invocation, { all: true }, tenants.length)
  return 0
}

export interface CreateTenantFlags extends Variables {
  readonly schema?: string
  readonly host?: string
  readonly up?: boolean
}

export async function createTenant(
  invocation: Invocation,
  flags: CreateTenantFlags,
  id: string,
): Promise<number> {
  refuseDryRun(flags)
  const { schema, host, up = false } = flags
  const request = {
    id,
    up,
    ...(schema === undefined ? {} : { schema }),
    ...(host === undefined ? {} : { host }),
  }
  return interruptibly(invocation, async (tenancy, interruption) => {
    const report = await tenancy.provision({ ...request, ...interruption })
    const lines = [
      `${report.created ? 'created' : 'no change:'} ${report.id} (schema ${report.schema})`,
      ...report.applied.map((name) => `  applied ${name}`),
    ]
    show(invocation, report, `${lines.join('\n')}\n`)
    return 0
  })
}

export interface DropTenantFlags extends Variables {
  readonly yes?: boolean
}

export async function dropTenant(
  invocation: Invocation,
  flags: DropTenantFlags,
  id: string,
): Promise<number> {
  refuseDryRun(flags)
  const destruction = {
    warning: `This drops the schema of tenant "${id}" with everything in it, and its registration.`,
    word: id,
    yes: flags.yes ?? false,
  }
  assertConfirmable(invocation, destruction)
  const tenant = await withTenancy(invocation, async (tenancy) => {
    await confirm(invocation, destruction, () => lossesOfDrop(tenancy, id))
    return tenancy.drop({ tenant: id, confirm: id })
  })
  show(invocation, { ...tenant, dropped: true }, `dropped ${tenant.id} (schema ${tenant.schema})\n`)
  return 0
}
