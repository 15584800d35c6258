/** From flags to what the library takes: how far a run goes, and how wide. Pure. */
import type { TenancyError } from '../errors.ts'
import { usage } from './selection.ts'

/** How far `up` goes. */
export interface UpTarget {
  readonly to?: string
  readonly step?: number
}

/** How far `down` goes. */
export interface DownTarget {
  readonly to?: string | 0
  readonly step?: number
  /** The migration to arrive at, which stays. */
  readonly backTo?: string
}

export interface TargetFlags {
  readonly to?: string
  readonly step?: string
}

export function readUpTarget({ to, step }: TargetFlags): UpTarget {
  if (to !== undefined && step !== undefined) throw bothGiven()
  if (to !== undefined) return { to }
  return step === undefined ? {} : { step: readCount('--step', step) }
}

export function readDownTarget({ to, step }: TargetFlags): DownTarget {
  if (to !== undefined && step !== undefined) throw bothGiven()
  if (to !== undefined) return { to: to === '0' ? 0 : to }
  return step === undefined ? {} : { step: readCount('--step', step) }
}

/** Alembic's `head`, `+N`, or the revision to go up to. */
export function readUpgrade(revision: string): UpTarget {
  if (revision === 'head' || revision === 'heads') return {}
  if (revision.startsWith('+')) return { step: readCount('upgrade +N', revision.slice(1)) }
  return { to: revision }
}

/** Alembic's `base`, `-N`, or the revision to arrive at, which stays applied. */
export function readDowngrade(revision: string): DownTarget {
  if (revision === 'base') return { to: 0 }
  if (revision.startsWith('-')) return { step: readCount('downgrade -N', revision.slice(1)) }
  return { backTo: revision }
}

/** What `target` reverts, as a person would say it. */
export function describeDown({ to, step = 1, backTo }: DownTarget): string {
  if (to === 0) return 'every migration'
  if (to !== undefined) return `the migrations back to ${to}, and that one too`
  if (backTo !== undefined) return `the migrations after ${backTo}`
  return step === 1 ? 'the last migration' : `the last ${step} migrations`
}

/** @throws {@link TenancyError} USAGE unless `text` is a whole number from 1 to `most`. */
export function readCount(flag: string, text: string, most = Number.MAX_SAFE_INTEGER): number {
  const count = /^\d+$/.test(text) ? Number(text) : 0
  if (count >= 1 && count <= most) return count
  const range = most === Number.MAX_SAFE_INTEGER ? 'above 0' : `from 1 to ${most}`
  throw usage(`${flag} must be a whole number ${range}, not "${text}".`, 'correct the number')
}

/** The limit of the library's own option `concurrency`. */
const MAX_CONCURRENCY = 64

/** How wide a fleet's run goes, and when it ends early. */
export interface FleetFlags {
  readonly concurrency?: string
  readonly failFast?: boolean
  readonly maxFailures?: string
}

/** The flags as the library takes them. */
export interface FleetTarget {
  readonly concurrency?: number
  readonly failFast?: boolean
  readonly maxFailures?: number
}

export function readFleet({ concurrency, failFast, maxFailures }: FleetFlags): FleetTarget {
  if (failFast === true && maxFailures !== undefined)
    throw usage('--fail-fast and --max-failures exclude each other.', 'give one of them')
  return {
    ...(concurrency === undefined
      ? {}
      : { concurrency: readCount('--concurrency', concurrency, MAX_CONCURRENCY) }),
    ...(failFast === true ? { failFast } : {}),
    ...(maxFailures === undefined ? {} : { maxFailures: readCount('--max-failures', maxFailures) }),
  }
}

function bothGiven(): TenancyError {
  return usage('--to and --step exclude each other.', 'give one of them')
}
