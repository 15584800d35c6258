/** `seed`, `db:seed` and their kin: applies seed files, reverts them once somebody has confirmed it, shows them. */
import { assertConfirmable, confirm } from '../confirm.ts'
import { show, withTenancy, type Invocation } from '../invocation.ts'
import { lossesOfSeedDown } from '../losses.ts'
import { statusText } from '../print.ts'
import { reportRun } from '../report.ts'
import {
  describeSelection,
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
import { describeDown, readFleet, type DownTarget, type FleetFlags, type UpTarget } from '../target.ts'
import { hintIfNobody } from '../warnings.ts'

export interface SeedFlags extends SelectionFlags, FleetFlags {
  readonly yes?: boolean
  /** Seed files to run alone. */
  readonly only?: readonly string[]
}

export async function seedUp(invocation: Invocation, flags: SeedFlags, target: UpTarget): Promise<number> {
  const { selection, options } = readSeed(flags, target)
  return reportRun(invocation, {
    command: 'seed up',
    repeats: false,
    verb: 'up to date',
    selection,
    run: (tenancy, interruption) => tenancy.seed({ ...selection, ...options, ...target, ...interruption }),
  })
}

export async function seedDown(
  invocation: Invocation,
  flags: SeedFlags,
  target: DownTarget,
): Promise<number> {
  const { selection, options } = readSeed(flags, target)
  const { backTo: _none, ...limit } = target
  const wanted = { ...options, ...limit, direction: 'down' } as const
  const destruction = {
    warning: `This reverts ${describe(flags, target)} of ${describeSelection(selection)}, and the data with it.`,
    word: wordFor(selection),
    yes: flags.yes ?? false,
  }
  assertConfirmable(invocation, destruction)
  return reportRun(invocation, {
    command: 'seed down',
    repeats: true,
    verb: 'reverted',
    selection,
    confirm: (tenancy) =>
      confirm(invocation, destruction, () => lossesOfSeedDown(tenancy, { ...selection, ...wanted })),
    run: (tenancy, interruption) => tenancy.seed({ ...selection, ...wanted, ...interruption }),
  })
}

export async function seedStatus(invocation: Invocation, flags: SelectionFlags): Promise<number> {
  const selection = ofTenants(readSelection(flags) ?? { all: true })
  const tenants = await withTenancy(invocation, (tenancy) => tenancy.seedStatus(selection))
  show(invocation, { tenants }, statusText(tenants, invocation.terminal.style.out))
  hintIfNobody(invocation, selection, tenants.length)
  return 0
}

function readSeed(flags: SeedFlags, target: UpTarget | DownTarget) {
  refuseDryRun(flags)
  const { x } = readVariables(flags)
  const { only } = flags
  if (only !== undefined && Object.keys(target).length > 0)
    throw usage('--only excludes --to and --step.', 'give one of them')
  return {
    selection: ofTenants(requireSelection(flags, false)),
    options: { x, ...readFleet(flags), ...(only === undefined ? {} : { only }) },
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
