/** `seed`, `db:seed` and their kin: applies seed files, reverts them once somebody has confirmed it, shows them. */
import { confirm } from '../confirm.ts'
import { show, withTenancy, type Invocation } from '../invocation.ts'
import { statusText } from '../print.ts'
import { reportRun } from '../report.ts'
import {
  describeSelection,
  isOne,
  readSelection,
  readVariables,
  refuseDryRun,
  requireSelection,
  usage,
  wordFor,
  type FleetSelection,
  type Selection,
  type SelectionFlags,
} from '../selection.ts'
import { describeDown, readConcurrency, type DownTarget, type UpTarget } from '../target.ts'

export interface SeedFlags extends SelectionFlags {
  readonly concurrency?: string
  readonly yes?: boolean
  /** Seed files to run alone. */
  readonly only?: readonly string[]
}

export async function seedUp(invocation: Invocation, flags: SeedFlags, target: UpTarget): Promise<number> {
  const { selection, options } = readSeed(flags, target)
  return reportRun(invocation, {
    command: 'seed up',
    one: isOne(selection),
    run: (tenancy) => tenancy.seed({ ...selection, ...options, ...target }),
  })
}

export async function seedDown(
  invocation: Invocation,
  flags: SeedFlags,
  target: DownTarget,
): Promise<number> {
  const { selection, options } = readSeed(flags, target)
  const { backTo: _none, ...limit } = target
  await confirm(invocation, {
    warning: `This reverts ${describe(flags, target)} of ${describeSelection(selection)}, and the data with it.`,
    word: wordFor(selection),
    yes: flags.yes ?? false,
  })
  return reportRun(invocation, {
    command: 'seed down',
    one: isOne(selection),
    run: (tenancy) => tenancy.seed({ ...selection, ...options, ...limit, direction: 'down' }),
  })
}

export async function seedStatus(invocation: Invocation, flags: SelectionFlags): Promise<number> {
  const selection = ofTenants(readSelection(flags) ?? { all: true })
  const tenants = await withTenancy(invocation, (tenancy) => tenancy.seedStatus(selection))
  show(invocation, { tenants }, statusText(tenants, invocation.terminal.style.out))
  return 0
}

function readSeed(flags: SeedFlags, target: UpTarget | DownTarget) {
  refuseDryRun(flags)
  const { x } = readVariables(flags)
  const { only, concurrency } = flags
  if (only !== undefined && Object.keys(target).length > 0)
    throw usage('--only excludes --to and --step.', 'give one of them')
  return {
    selection: ofTenants(requireSelection(flags)),
    options: { x, ...readConcurrency(concurrency), ...(only === undefined ? {} : { only }) },
  }
}

function ofTenants(selection: Selection): FleetSelection {
  if (!('shared' in selection)) return selection
  throw usage('Seed files are for tenants.', 'select tenants: --tenant, --match or --all')
}

function describe({ only }: SeedFlags, target: DownTarget): string {
  if (only !== undefined) return `seed file ${only.join(', ')}`
  return describeDown(target).replace('migration', 'seed file')
}
