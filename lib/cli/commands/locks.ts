/** `locks`: who holds or waits for which migration lock; `--release` ends such a process. */
import type { MigrationLock } from '../../locks.ts'
import { confirm } from '../confirm.ts'
import { show, withTenancy, type Invocation } from '../invocation.ts'
import { table } from '../print.ts'
import { readCount } from '../target.ts'
import type { Style } from '../terminal.ts'

export interface LocksFlags {
  readonly release?: string
  readonly yes?: boolean
}

export async function locks(invocation: Invocation, { release, yes }: LocksFlags): Promise<number> {
  if (release !== undefined) return endHolder(invocation, readCount('--release', release), yes ?? false)
  const held = await withTenancy(invocation, (tenancy) => tenancy.locks())
  show(invocation, { locks: held }, locksText(held, invocation.terminal.style.out))
  if (held.length === 0 && !invocation.json) invocation.terminal.err('nobody is migrating\n')
  return 0
}

async function endHolder(invocation: Invocation, pid: number, yes: boolean): Promise<number> {
  await confirm(invocation, {
    warning: `This ends process ${pid} on the server. What it does in a transaction is rolled back; what it does outside one is left as it is.`,
    word: String(pid),
    yes,
  })
  const lock = await withTenancy(invocation, (tenancy) => tenancy.endLockHolder({ pid }))
  show(invocation, { ...lock, released: true }, `ended process ${pid}, which had the lock of ${lock.id}\n`)
  return 0
}

function locksText(held: readonly MigrationLock[], style: Style): string {
  if (held.length === 0) return ''
  const rows = held.map(({ id, state, pid, application, since, activity, blockedBy, statement }) => [
    id,
    state,
    String(pid),
    application ?? '-',
    since?.toISOString() ?? '-',
    blockedBy.length > 0 ? `waits for ${blockedBy.join(', ')}` : (activity ?? '-'),
    (statement ?? '-').slice(0, 80),
  ])
  return table([['TENANT', 'LOCK', 'PID', 'APPLICATION', 'SINCE', 'ACTIVITY', 'STATEMENT'], ...rows], style)
}
