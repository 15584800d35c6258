/**
 * Decides, under the schema's lock and before anything is loaded, what a run will execute: what the plan chooses, if
 * the set of files is the one that the schema's history was made with.
 */
import type { Events } from '../events.ts'
import { findInLedger, readRuns } from '../ledger.ts'
import type { SqlRunner } from '../sql.ts'
import type { VersionStorage } from '../storage/storage.ts'
import { hashOf, type MigrationFile } from './files.ts'
import { readHistory } from './history.ts'
import {
  findPassedOver,
  findViolations,
  inOrderOfApplication,
  isAllowed,
  refuse,
  type Allowances,
  type RecordedRun,
  type Violation,
} from './integrity.ts'
import { choose, type Direction, type History, type PlanRequest } from './plan.ts'
import type { Subject } from './subject.ts'

/** A run to be approved. */
export interface Proposal {
  readonly subject: Subject
  readonly files: readonly MigrationFile[]
  readonly request: PlanRequest & { readonly direction: Direction; readonly allow?: Allowances | undefined }
}

/** What the runs of one tenancy have in common, as far as approval goes. */
export interface ApprovalOptions {
  readonly storage: VersionStorage
  readonly events: Events
  /** Whether runs are in the ledger; seed files are not, and may be changed or removed at will. */
  readonly ledger: boolean
  /** What is let through, unless the request says otherwise. */
  readonly allow: Allowances
}

export interface Approval {
  /** Names to execute, in this order. */
  readonly names: readonly string[]
  /** Applied files whose change was let through: their known content from now on. */
  readonly accepted: readonly { readonly name: string; readonly hash: string }[]
}

/**
 * What `proposal` will execute.
 *
 * @throws {@link TenancyError} MIGRATION_MISSING, MIGRATION_CHANGED, MIGRATION_OUT_OF_ORDER; MIGRATION_UNKNOWN and
 * USAGE if the request cannot be met.
 */
export async function approve(
  sql: SqlRunner,
  { subject, files, request }: Proposal,
  options: ApprovalOptions,
): Promise<Approval> {
  const history = await readHistory(sql, subject.schema, files, options.storage)
  if (!options.ledger) return { names: choose(request.direction, history, request), accepted: [] }
  const known = { sql, subject, files, request, history }
  return request.direction === 'up' ? approveUp(known, options) : approveDown(known, options)
}

/** A proposal, and what is recorded of its schema. */
interface KnownProposal extends Proposal {
  readonly sql: SqlRunner
  readonly history: History
}

async function approveUp(proposal: KnownProposal, options: ApprovalOptions): Promise<Approval> {
  const { history, request, sql, subject } = proposal
  const names = choose('up', history, request)
  const runs = history.executed.length === 0 ? [] : await readRuns(sql, subject.schema)
  const hashes = await hashesOf(proposal.files, comparable(runs, history))
  // One head stands for all: an unknown head has nothing pending, and where it sorts cannot be told.
  const known = options.storage.headOnly === true ? { ...history, unknown: [] } : history
  const last = options.storage.headOnly === true && (await findInLedger(sql, 'schema', subject.schema))
  const violations = [
    ...findViolations({ history: known, runs, hashes, chosen: names }),
    ...(last ? findPassedOver(history.executed, runs, last) : []),
  ]
  const allowed = judge(violations, proposal, options)
  const accepted = allowed.flatMap((violation) =>
    violation.kind === 'changed' ? [{ name: violation.migration, hash: violation.is }] : [],
  )
  return { names, accepted }
}

/** Reverts what was applied last first, whatever its name; what has no file cannot be reverted. */
async function approveDown(proposal: KnownProposal, options: ApprovalOptions): Promise<Approval> {
  const { history, request, sql, subject } = proposal
  const order = await orderOf(sql, subject, options)
  // From a head that no file has the storage itself refuses to go anywhere.
  const unknown = options.storage.headOnly === true ? [] : history.unknown
  const names = choose('down', { ...history, executed: order([...history.executed, ...unknown]) }, request)
  const missing = names.filter((name) => unknown.includes(name))
  if (missing.length === 0) return { names, accepted: [] }
  judge(
    missing.map((migration): Violation => ({ kind: 'missing', migration })),
    proposal,
    options,
  )
  return { names: choose('down', { ...history, executed: order(history.executed) }, request), accepted: [] }
}

/** A function that puts names of the schema's executed migrations into the order in which they were applied. */
export async function orderOf(
  sql: SqlRunner,
  { schema }: Subject,
  { storage, ledger }: ApprovalOptions,
): Promise<(names: readonly string[]) => readonly string[]> {
  // Reverting moves the one head from file to file.
  const runs = ledger && storage.headOnly !== true ? await readRuns(sql, schema) : []
  return (names) => inOrderOfApplication(names, runs)
}

/** Executed migrations whose file has changed since it was applied, with the content it has now. */
export async function changedFiles(
  sql: SqlRunner,
  { schema }: Subject,
  files: readonly MigrationFile[],
  storage: VersionStorage,
): Promise<Approval['accepted']> {
  const history = await readHistory(sql, schema, files, storage)
  const runs = await readRuns(sql, schema)
  const hashes = await hashesOf(files, comparable(runs, history))
  return findViolations({ history, runs, hashes, chosen: [] }).flatMap((violation) =>
    violation.kind === 'changed' ? [{ name: violation.migration, hash: violation.is }] : [],
  )
}

/** Refuses what is not allowed; what is, is told to those who watch, and returned. */
function judge(
  violations: readonly Violation[],
  { request, subject }: Proposal,
  { allow, events }: ApprovalOptions,
): readonly Violation[] {
  const {
    missing = allow.missing,
    changed = allow.changed,
    outOfOrder = allow.outOfOrder,
  } = request.allow ?? {}
  const lenience = { missing: missing === true, changed: changed === true, outOfOrder: outOfOrder === true }
  refuse(
    violations.filter((violation) => !isAllowed(violation, lenience)),
    subject,
    request.direction,
  )
  for (const { kind, migration } of violations)
    events.emit('migration:allowed', {
      tenant: subject.id,
      schema: subject.schema,
      migration,
      violation: kind,
    })
  return violations
}

/** Names of the files that can be compared with what the ledger knows of them. */
function comparable(runs: readonly RecordedRun[], { executed }: History): ReadonlySet<string> {
  const hashed = new Set(runs.flatMap(({ migration, hash }) => (hash === null ? [] : [migration])))
  return new Set(executed.filter((name) => hashed.has(name)))
}

/** One after another: a folder may hold more files than a process can open. */
async function hashesOf(
  files: readonly MigrationFile[],
  names: ReadonlySet<string>,
): Promise<ReadonlyMap<string, string>> {
  const hashes = new Map<string, string>()
  for (const file of files) if (names.has(file.name)) hashes.set(file.name, await hashOf(file))
  return hashes
}
