/** What a destructive command will take away, told before it asks. */
import type { TableReport } from '../contents.ts'
import type { Allowances } from '../migrations/integrity.ts'
import type { FleetPlanReport, PlanReport } from '../plans.ts'
import type { SeedDown } from '../seeds.ts'
import type { FleetSelection, OneSelection } from '../selection.ts'
import type { Tenancy } from '../tenancy.ts'
import { count, sizeText, table } from './print.ts'
import type { Selection } from './selection.ts'
import type { DownTarget } from './target.ts'
import { plain } from './terminal.ts'

/** Tables, tenants and migrations that are named; the others are counted. */
const MOST_NAMED = 15

/** What `down` will revert, and what the tenants hold now. */
export async function lossesOfDown(
  tenancy: Tenancy,
  selection: Selection,
  target: DownTarget & { readonly allow?: Allowances },
): Promise<string> {
  const options = { ...target, direction: 'down' } as const
  const one = oneOf(selection)
  if (one !== undefined)
    return oneText(...(await Promise.all([tenancy.plan({ ...one, ...options }), tenancy.tables(one)])))
  return 'shared' in selection ? '' : fleetText(await tenancy.plan({ ...selection, ...options }))
}

/** What `seed down` will revert, of one tenant as of many. */
export async function lossesOfSeedDown(
  tenancy: Tenancy,
  options: FleetSelection & SeedDown,
): Promise<string> {
  return fleetText(await tenancy.seedPlan(options))
}

function oneOf(selection: Selection): OneSelection | undefined {
  if ('shared' in selection) return selection
  const [tenant, ...others] = 'tenants' in selection ? selection.tenants : []
  return tenant === undefined || others.length > 0 ? undefined : { tenant }
}

function oneText({ schema, migrations }: PlanReport, tables: readonly TableReport[]): string {
  return [
    migrations.length === 0 ? 'There is nothing to revert.\n' : 'To be reverted, in this order:\n',
    ...listed(migrations),
    `What that drops is up to them. Schema ${schema} holds now ${totalText(tables)}\n`,
    tablesText(tables),
  ].join('')
}

/** What goes with a tenant. */
export async function lossesOfDrop(tenancy: Tenancy, tenant: string): Promise<string> {
  const tables = await tenancy.tables({ tenant })
  return `It holds ${totalText(tables)}\n${tablesText(tables)}`
}

function fleetText(plans: readonly FleetPlanReport[]): string {
  const tenants = new Map<string, number>()
  for (const name of plans.flatMap(({ migrations }) => migrations))
    tenants.set(name, (tenants.get(name) ?? 0) + 1)
  const idle = plans.filter(({ migrations, error }) => migrations.length === 0 && error === undefined).length
  const refused = plans.filter(({ error }) => error !== undefined).length
  return [
    tenants.size === 0 ? 'There is nothing to revert.\n' : 'To be reverted:\n',
    ...listed([...tenants].map(([name, number]) => `${name}   on ${count(number, 'tenant')}`)),
    idle === 0 || tenants.size === 0 ? '' : `Nothing on ${count(idle, 'tenant')}.\n`,
    refused === 0 ? '' : `${count(refused, 'tenant')} will be refused.\n`,
  ].join('')
}

function listed(lines: readonly string[]): readonly string[] {
  const more = lines.length - MOST_NAMED
  return [...lines.slice(0, MOST_NAMED), ...(more > 0 ? [`and ${more} more`] : [])].map(
    (line) => `  ${line}\n`,
  )
}

/** `3 tables, about 1204 rows, 96 kB` */
function totalText(tables: readonly TableReport[]): string {
  if (tables.length === 0) return 'no tables.'
  const known = tables.map(({ rows }) => rows).filter((rows) => rows !== null)
  const rows = known.reduce((sum, number) => sum + number, 0)
  const bytes = tables.reduce((sum, { bytes: own }) => sum + own, 0)
  const unknown = tables.length - known.length
  const about = `about ${count(rows, 'row')}${unknown === 0 ? '' : ` and those of ${count(unknown, 'table')} never analyzed`}`
  return `${count(tables.length, 'table')}, ${about}, ${sizeText(bytes)}:`
}

function tablesText(tables: readonly TableReport[]): string {
  if (tables.length === 0) return ''
  const rows = tables
    .slice(0, MOST_NAMED)
    .map(({ name, rows: number, bytes }) => [
      name,
      number === null ? 'unknown' : `~${number}`,
      sizeText(bytes),
    ])
  const more = tables.length - MOST_NAMED
  const text = table([['TABLE', 'ROWS', 'SIZE'], ...rows], plain)
  return `${text.replace(/^/gm, '  ').trimEnd()}\n${more > 0 ? `  and ${more} more\n` : ''}`
}
