/** Prints what is done to each tenant when it is committed, and not before: a rollback would take the ticks back. */
import type { Tenancy } from '../tenancy.ts'
import { committedText } from './print.ts'
import { SMALL_FLEET } from './progress.ts'
import { stampText } from './records-text.ts'
import type { Terminal } from './terminal.ts'

/** Of a large fleet nobody reads that. */
export function printDone(tenancy: Tenancy, { out, style }: Pick<Terminal, 'out' | 'style'>): void {
  const durations = new Map<string, Map<string, number>>()
  let isLarge = false
  /** Whom the last lines were about: what follows of that tenant needs no heading. */
  let last: string | undefined
  const headingFor = (tenant: string) => {
    const isNew = tenant !== last
    last = tenant
    return isNew
  }
  tenancy.on('fleet:progress', ({ total, unchanged }) => {
    isLarge ||= total - unchanged > SMALL_FLEET
  })
  tenancy.on('migration:success', ({ tenant, migration, durationMs }) => {
    if (isLarge) return
    const ofTenant = durations.get(tenant) ?? new Map<string, number>()
    durations.set(tenant, ofTenant.set(migration, durationMs))
  })
  tenancy.on('tenant:migrated', ({ tenant, schema, direction, migrations }) => {
    if (isLarge) return
    const timed = migrations.map((name) => ({ name, durationMs: durations.get(tenant)?.get(name) ?? 0 }))
    out(committedText({ tenant, schema, direction, migrations: timed }, style.out, headingFor(tenant)))
  })
  tenancy.on('tenant:stamped', ({ tenant, schema, recorded, forgotten }) => {
    if (!isLarge) out(stampText([{ id: tenant, schema, recorded, forgotten }], style.out, 'done'))
  })
}
