/**
 * The integrity of a migration set: whether the files on disk are those that a schema's history was made with, and
 * in which order they were applied. Pure; what it is given was read by others.
 */
import { createHash } from 'node:crypto'

import { TenancyError, type ErrorCode } from '../errors.ts'
import type { Direction, History } from './plan.ts'
import { compareNames, fingerprintOf, identityOf } from './revision.ts'
import type { Subject } from './subject.ts'

/** Which violations are let through. */
export interface Allowances {
  /**
   * Recorded migrations whose file is missing.
   * @defaultValue `false`
   */
  readonly missing?: boolean
  /**
   * Files changed since they were applied. What was let through once is the file's known content from then on.
   * @defaultValue `false`
   */
  readonly changed?: boolean
  /**
   * New files that sort before an applied one.
   * @defaultValue `false`
   */
  readonly outOfOrder?: boolean
}

/** What the ledger knows of a migration on a schema: its last run. */
export interface RecordedRun {
  readonly migration: string
  readonly direction: Direction
  /** {@link contentHash} of the file that ran; `null` if it was not noted. */
  readonly hash: string | null
}

/** A schema's history, and what can tell whether the files are still those it was made with. */
export interface Evidence {
  readonly history: History
  /** The last run of each migration, in the order in which they ended. */
  readonly runs: readonly RecordedRun[]
  /** Hashes of the files by name; a file without one is not compared. */
  readonly hashes: ReadonlyMap<string, string>
  /** Names that are about to be applied. */
  readonly chosen: readonly string[]
}

export type Violation =
  | { readonly kind: 'missing'; readonly migration: string }
  | { readonly kind: 'changed'; readonly migration: string; readonly was: string; readonly is: string }
  | { readonly kind: 'out-of-order'; readonly migration: string; readonly applied: string }
  | { readonly kind: 'passed-over'; readonly migration: string; readonly applied: string }

type Kind = Violation['kind']

/**
 * SHA-256 of a file, the same on every system: a byte order mark and the kind of line endings do not count, since
 * editors and Git change both by themselves.
 */
export function contentHash(content: Uint8Array): string {
  // One character for each byte, so that a file in any encoding is hashed by its bytes.
  const text = Buffer.from(content).toString('latin1')
  const normal = text.replace(/^\xEF\xBB\xBF/, '').replace(/\r\n?/g, '\n')
  return createHash('sha256').update(normal, 'latin1').digest('hex')
}

/** All violations of a run up, those of one kind together and by name. */
export function findViolations(evidence: Evidence): readonly Violation[] {
  return [...findMissing(evidence), ...findChanged(evidence), ...findOutOfOrder(evidence)]
}

/**
 * A recorded name without a file. Names after the last file on disk, with nothing to run, are those of a newer
 * release: this code has all it needs, and a deployment that was rolled back goes on serving.
 */
function* findMissing({ history, chosen }: Evidence): Generator<Violation> {
  const [last = ''] = [...history.executed.slice(-1), ...history.pending.slice(-1)]
    .toSorted(compareNames)
    .slice(-1)
  for (const migration of history.unknown.toSorted(compareNames)) {
    const isNewer = compareNames(migration, last) > 0
    if (!isNewer || chosen.length > 0) yield { kind: 'missing', migration }
  }
}

/** Only contents of one name are compared: the `.js` that was built from a `.ts` has another content by nature. */
function* findChanged({ history, runs, hashes }: Evidence): Generator<Violation> {
  const lastRuns = lastRunsOf(runs)
  for (const migration of history.executed) {
    const run = lastRuns.get(identityOf(migration))
    // Whatever was applied after we reverted it was applied by another tool: from what file, nobody knows.
    if (run?.direction !== 'up' || run.migration !== migration) continue
    const is = hashes.get(migration)
    if (run.hash !== null && is !== undefined && is !== run.hash)
      yield { kind: 'changed', migration, was: run.hash, is }
  }
}

function* findOutOfOrder({ history, chosen }: Evidence): Generator<Violation> {
  const applied = history.executed.at(-1)
  if (applied === undefined) return
  for (const migration of chosen) {
    if (compareNames(migration, applied) < 0) yield { kind: 'out-of-order', migration, applied }
  }
}

/** What the ledger says of the schema since its last run. */
export interface LastStanding {
  readonly head: string | null
  readonly fingerprint: string | null
}

/**
 * Of a storage that records nothing but the head: files that have come to stand before it since the last run. They
 * count as executed and are not. The head must be the one of that run: what led another tool to its own, nobody knows.
 */
export function findPassedOver(
  executed: readonly string[],
  runs: readonly RecordedRun[],
  last: LastStanding,
): readonly Violation[] {
  const applied = executed.at(-1)
  if (applied === undefined || last.head === null || identityOf(last.head) !== identityOf(applied)) return []
  const ran = lastRunsOf(runs)
  const unrun = executed.filter((name) => !ran.has(identityOf(name)))
  const without = (names: readonly string[]) =>
    fingerprintOf(executed.filter((name) => !names.includes(name)))
  // Of those that another tool has run there is no row either: then one of them alone may be the new one.
  const found = [unrun, ...unrun.map((name) => [name])].find(
    (names) => names.length > 0 && without(names) === last.fingerprint,
  )
  return (found ?? []).map((migration) => ({ kind: 'passed-over', migration, applied }))
}

function lastRunsOf(runs: readonly RecordedRun[]): ReadonlyMap<string, RecordedRun> {
  return new Map(runs.map((run) => [identityOf(run.migration), run]))
}

/**
 * Executed migrations, first applied first: by their last run. What has none was applied by another tool, and counts
 * as applied before the others, by name.
 */
export function inOrderOfApplication(
  executed: readonly string[],
  runs: readonly RecordedRun[],
): readonly string[] {
  const positions = new Map(runs.map(({ migration }, position) => [identityOf(migration), position]))
  const positionOf = (name: string) => positions.get(identityOf(name)) ?? -1
  return executed.toSorted((a, b) => positionOf(a) - positionOf(b) || compareNames(a, b))
}

/** Whether `violation` is one that `allow` lets through. */
export function isAllowed({ kind }: Violation, allow: Allowances): boolean {
  return allow[MEANINGS[kind].allowance] ?? false
}

/**
 * Throws the first kind of violation, naming all of that kind.
 *
 * @throws {@link TenancyError} MIGRATION_MISSING, MIGRATION_CHANGED, MIGRATION_OUT_OF_ORDER.
 */
export function refuse(violations: readonly Violation[], subject: Subject, direction: Direction): void {
  const [first] = violations
  if (first === undefined) return
  const { code, flag, allowance, title, detail, remedy, plural } = MEANINGS[first.kind]
  const same = violations.filter(({ kind }) => kind === first.kind)
  const { id, schema, tenant } = subject
  const where = tenant === undefined ? 'the shared schema' : `tenant "${id}"`
  const selection = tenant === undefined ? '--shared' : `--tenant ${id}`
  throw new TenancyError(code, title(same.length, first.migration, where), {
    tenant: id,
    schema,
    migration: first.migration,
    direction,
    detail: listed(same.map(detail)),
    fix: [
      same.length === 1 ? remedy : plural,
      `or let ${same.length === 1 ? 'it' : 'them'} pass: umzug-tenants ${direction} ${selection} ${flag} (allow: { ${allowance}: true })`,
    ],
  })
}

/** How many migrations a message names. */
const MOST_NAMED = 5

function listed(items: readonly string[]): string {
  const more = items.length - MOST_NAMED
  return [...items.slice(0, MOST_NAMED), ...(more > 0 ? [`and ${more} more`] : [])].join(', ')
}

/** What is said of each kind, and what lets it through. */
const MEANINGS: Readonly<Record<Kind, Meaning>> = {
  missing: {
    code: 'MIGRATION_MISSING',
    flag: '--allow-missing',
    allowance: 'missing',
    title: (count, name, where) =>
      count === 1
        ? `Migration "${name}" is applied on ${where}, and its file is missing.`
        : `${count} migrations are applied on ${where}, and their files are missing.`,
    detail: ({ migration }) => migration,
    remedy: 'put the file back (from version control, or the release that had it)',
    plural: 'put the files back (from version control, or the release that had them)',
  },
  changed: {
    code: 'MIGRATION_CHANGED',
    flag: '--allow-changed',
    allowance: 'changed',
    title: (count, name, where) =>
      count === 1
        ? `Migration "${name}" has changed since it was applied on ${where}.`
        : `${count} migrations have changed since they were applied on ${where}.`,
    detail: (violation) =>
      violation.kind === 'changed'
        ? `${violation.migration} (was ${shortHash(violation.was)}, is ${shortHash(violation.is)})`
        : violation.migration,
    remedy: 'put the file back as it was, and make the change in a new migration',
    plural: 'put the files back as they were, and make the changes in a new migration',
  },
  'out-of-order': {
    code: 'MIGRATION_OUT_OF_ORDER',
    flag: '--allow-out-of-order',
    allowance: 'outOfOrder',
    title: (count, name, where) =>
      count === 1
        ? `Migration "${name}" sorts before one that is applied on ${where} already.`
        : `${count} migrations sort before one that is applied on ${where} already.`,
    detail: (violation) =>
      violation.kind === 'out-of-order'
        ? `${violation.migration} sorts before ${violation.applied}`
        : violation.migration,
    remedy: 'rename it so that it sorts last',
    plural: 'rename them so that they sort last',
  },
  'passed-over': {
    code: 'MIGRATION_OUT_OF_ORDER',
    flag: '--allow-out-of-order',
    allowance: 'outOfOrder',
    title: (count, name, where) =>
      count === 1
        ? `Migration "${name}" sorts before the head of ${where}, and was not run.`
        : `${count} migrations sort before the head of ${where}, and were not run.`,
    detail: (violation) =>
      violation.kind === 'passed-over'
        ? `${violation.migration} sorts before ${violation.applied}, and one head stands for all before it`
        : violation.migration,
    remedy: 'rename it so that it sorts last; let pass, it counts as applied',
    plural: 'rename them so that they sort last; let pass, they count as applied',
  },
}

interface Meaning {
  readonly code: ErrorCode
  readonly flag: string
  readonly allowance: keyof Allowances
  readonly title: (count: number, name: string, where: string) => string
  readonly detail: (violation: Violation) => string
  readonly remedy: string
  /** The remedy for several. */
  readonly plural: string
}

/** As many digits as tell contents apart at sight. */
function shortHash(hash: string): string {
  return hash.slice(0, 12)
}
