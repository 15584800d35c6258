/** From flags to what the library takes: which tenants, and with which values. Pure. */
import { TenancyError } from '../errors.ts'

/** Which tenants: always a list, a pattern or all, so that a run's report has one form; or the shared schema. */
export type Selection = { readonly shared: true } | FleetSelection

/** Many tenants, perhaps without some. */
export type FleetSelection = (
  { readonly tenants: readonly string[] } | { readonly match: string } | { readonly all: true }
) & {
  readonly skip?: readonly string[]
}

export interface SelectionFlags {
  /** `--tenant`, each with one id or a list with commas. */
  readonly tenant?: readonly string[]
  readonly all?: boolean
  readonly match?: string
  readonly shared?: boolean
  /** What the file of `--tenants-file` names. */
  readonly tenantsFile?: readonly string[]
  /** `--skip`, each with one id or a list with commas. */
  readonly skip?: readonly string[]
  /** `-x`, each `key=value`. */
  readonly x?: readonly string[]
}

/** What `-x key=value` says, apart from the tenants. */
export interface Variables {
  /** `-x dry_run=True` */
  readonly dryRun: boolean
  /** Everything else, for `context.x` of the migrations. */
  readonly x: Readonly<Record<string, string>>
}

/**
 * The one selection that the flags make, or none.
 *
 * @throws {@link TenancyError} USAGE if they make several, or name no tenant.
 */
export function readSelection(flags: SelectionFlags): Selection | undefined {
  const [selection, ...others] = [...selectionsOf(flags)]
  if (others.length > 0)
    throw usage(
      '--tenant, --tenants-file, --all, --match and --shared exclude each other.',
      'give one of them',
    )
  const skip = listed('--skip', flags.skip)
  if (skip.length === 0) return selection
  const isNamed = flags.tenantsFile === undefined && selection !== undefined && 'tenants' in selection
  if (selection === undefined || 'shared' in selection || isNamed)
    throw usage('--skip leaves tenants out of many.', 'select them: --all, --match or --tenants-file')
  return { ...selection, skip }
}

function* selectionsOf(flags: SelectionFlags): Generator<Selection> {
  const tenants = [...new Set([...listed('--tenant', flags.tenant), ...pairsOf(flags, 'tenant')])]
  if (tenants.includes('')) throw usage('--tenant names no tenant.', 'write --tenant ID')
  if (tenants.length > 0) yield { tenants }
  if (flags.tenantsFile !== undefined) yield { tenants: [...new Set(flags.tenantsFile)] }
  if (flags.all === true) yield { all: true }
  if (flags.match !== undefined) yield { match: flags.match }
  if (flags.shared === true) yield { shared: true }
}

/** The ids of a flag that takes lists with commas and may be repeated. */
function listed(flag: string, values: readonly string[] = []): readonly string[] {
  const ids = values.flatMap((list) => list.split(',')).map((id) => id.trim())
  if (ids.includes('')) throw usage(`${flag} names no tenant.`, `write ${flag} ID`)
  return ids
}

/**
 * The selection, for a command that changes something.
 *
 * @throws {@link TenancyError} USAGE if there is none, saying how to select.
 */
export function requireSelection(flags: SelectionFlags, canBeShared = true): Selection {
  const selection = readSelection(flags)
  if (selection !== undefined) return selection
  throw usage(
    'No tenant is selected.',
    'one or some: --tenant a,b (Alembic: -x tenant=a)',
    "a pattern: --match 'a*'",
    'every tenant: --all',
    ...(canBeShared ? ['the shared schema: --shared'] : []),
  )
}

/** Whether one tenant, or the shared schema, was asked for by name. */
export function isOne(selection: Selection): boolean {
  return 'shared' in selection || ('tenants' in selection && selection.tenants.length === 1)
}

/** As many ids as a person would type, or read. */
const FEW = 5

/** The selection in one word: what a person types to confirm. */
export function wordFor(selection: Selection): string {
  if ('tenants' in selection) {
    const { tenants } = selection
    return tenants.length > FEW ? `${tenants.length} tenants` : tenants.join(',')
  }
  if ('match' in selection) return selection.match
  return 'shared' in selection ? 'shared' : 'all'
}

/** The selection as a person would say it. */
export function describeSelection(selection: Selection): string {
  if ('shared' in selection) return 'the shared schema'
  const { skip = [] } = selection
  const described = 'tenants' in selection ? named(selection.tenants) : everyOf(selection)
  return skip.length === 0 ? described : `${described} but ${named(skip)}`
}

/** Why `selection` has found no tenant. */
export function describeNobody(selection: Selection): string {
  const { skip = [] } = 'shared' in selection ? {} : selection
  if (skip.length > 0) return `no tenant is left but ${named(skip)}`
  if ('match' in selection)
    return `no tenant matches ${selection.match}: umzug-tenants tenants list prints all`
  return 'no tenants: umzug-tenants tenants create ID registers one'
}

function everyOf(selection: { readonly match: string } | { readonly all: true }): string {
  return 'all' in selection ? 'every tenant' : `every tenant that matches ${selection.match}`
}

function named(ids: readonly string[]): string {
  if (ids.length > FEW) return `${ids.length} tenants`
  return `tenant${ids.length === 1 ? '' : 's'} ${ids.map((id) => `"${id}"`).join(', ')}`
}

/** @throws {@link TenancyError} USAGE for a pair without `=`, or a `dry_run` that is neither true nor false. */
export function readVariables(flags: SelectionFlags): Variables {
  const pairs = (flags.x ?? []).map(readPair)
  const [dryRun = 'false'] = pairsOf(flags, 'dry_run').toReversed()
  return {
    dryRun: readBoolean('dry_run', dryRun),
    x: Object.fromEntries(pairs.filter(([key]) => key !== 'tenant' && key !== 'dry_run')),
  }
}

/** For commands that cannot be tried out: a preview that was asked for must never become the real thing. */
export function refuseDryRun(flags: SelectionFlags): void {
  if (readVariables(flags).dryRun) throw usage('dry_run is not known to this command.', 'leave it out')
}

function pairsOf({ x = [] }: SelectionFlags, wanted: string): readonly string[] {
  return x.map(readPair).flatMap(([key, value]) => (key === wanted ? [value] : []))
}

function readPair(pair: string): readonly [string, string] {
  const at = pair.indexOf('=')
  if (at > 0) return [pair.slice(0, at), pair.slice(at + 1)]
  throw usage(`-x takes KEY=VALUE, not "${pair}".`, 'for example -x tenant=a')
}

function readBoolean(key: string, value: string): boolean {
  if (/^(?:true|yes|on|1)$/i.test(value)) return true
  if (/^(?:false|no|off|0|)$/i.test(value)) return false
  throw usage(`-x ${key} must be True or False, not "${value}".`, `write -x ${key}=True`)
}

/** What is wrong with the command as it was written, and how to write it. */
export function usage(title: string, ...fix: readonly string[]): TenancyError {
  return new TenancyError('USAGE', title, { fix })
}
