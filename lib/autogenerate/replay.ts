/**
 * What a schema is at other revisions: the migrations, run once more from nothing in a scratch schema. That is believed
 * only if they lead to what the schema is at its own revision: one that was adopted, or has drifted itself, is no
 * measure for others.
 */
import { messageOf } from '../errors.ts'
import { connect, type SessionOptions, type SessionParts } from '../migrations/connection.ts'
import { loadMigration, type MigrationFile } from '../migrations/files.ts'
import { MigrationSession } from '../migrations/session.ts'
import type { Recorder } from '../migrations/statements.ts'
import { withoutLeadingComments } from '../statement.ts'
import { compare } from './compare.ts'
import type { DriftSubject } from './drift.ts'
import type { Operation } from './operation.ts'
import { readSnapshot, type ReadOptions } from './read.ts'
import { withScratchSchema } from './scratch.ts'
import type { Snapshot } from './snapshot.ts'
import { runSide } from './trial.ts'

export interface ReplayRequest {
  /** In the order in which they are run. */
  readonly files: readonly MigrationFile[]
  readonly specimen: DriftSubject
  /** What the specimen is. */
  readonly snapshot: Snapshot
  /** Sets of executed migrations. */
  readonly wanted: readonly (readonly string[])[]
  /** Schemas after the tenant's own, in order. */
  readonly searchPath: readonly string[]
  readonly reading: ReadOptions
  /** Leaves out differences that do not count. */
  readonly keep: (operation: Operation) => boolean
}

/** What the schema is after so many of the files, or why that cannot be known. */
export interface Replay {
  readonly at: ReadonlyMap<number, Snapshot>
  readonly problem?: string
}

/** How many of `files` have been executed, if it is the first so many. */
export function depthOf(executed: readonly string[], files: readonly MigrationFile[]): number | undefined {
  const first = new Set(files.slice(0, executed.length).map(({ name }) => name))
  return first.size === executed.length && executed.every((name) => first.has(name)) ? first.size : undefined
}

/** Runs the migrations again as far as one of the `wanted` needs, in a transaction that is rolled back. */
export async function replay(options: SessionOptions, request: ReplayRequest): Promise<Replay> {
  const { files, specimen, snapshot, wanted, keep } = request
  const own = depthOf(specimen.executed, files)
  if (own === undefined) return unknown('the specimen has not executed the first of the migrations in order')
  const depths = wanted.map((executed) => depthOf(executed, files)).filter((depth) => depth !== undefined)
  if (depths.length === 0) return { at: new Map() }
  try {
    const at = await snapshotsAt(options, new Set([own, ...depths]), request)
    const made = at.get(own)
    const isSame = made !== undefined && !compare(made, snapshot, { strict: true }).some(keep)
    return isSame ? { at } : unknown('the migrations, run again, do not lead to what the specimen is')
  } catch (error) {
    return unknown(messageOf(error))
  }
}

function unknown(problem: string): Replay {
  return { at: new Map(), problem }
}

async function snapshotsAt(
  options: SessionOptions,
  depths: ReadonlySet<number>,
  { files, searchPath, reading }: ReplayRequest,
): Promise<ReadonlyMap<number, Snapshot>> {
  const session = await ReplaySession.openReplay(options)
  try {
    return await withScratchSchema(session, { purpose: 'replay', searchPath }, async (schema) => {
      const found = new Map<number, Snapshot>()
      for (let depth = 0; ; depth++) {
        if (depths.has(depth)) found.set(depth, await readSnapshot(session, schema, reading))
        const file = files[depth]
        if (file === undefined || depth === Math.max(...depths)) return found
        await run(session, schema, file)
      }
    })
  } finally {
    await session.close()
  }
}

async function run(session: MigrationSession, schema: string, file: MigrationFile): Promise<void> {
  const { up, catches } = await loadMigration(file)
  try {
    await runSide(session, schema, up, { savepoints: catches })
  } catch (error) {
    throw new Error(`${file.name} fails: ${messageOf(error)}`, { cause: error })
  }
}

/** What is built beside running transactions in a tenant is the same when it is built inside one, where nobody works. */
const CONCURRENTLY = /^((?:CREATE\s+(?:UNIQUE\s+)?|DROP\s+)INDEX)\s+CONCURRENTLY\b/i

const withoutConcurrently: Recorder = {
  run({ text, values }, send, sendText) {
    const statement = withoutLeadingComments(text)
    return CONCURRENTLY.test(statement) ? sendText(statement.replace(CONCURRENTLY, '$1'), values) : send()
  },
}

class ReplaySession extends MigrationSession {
  static openReplay(options: SessionOptions): Promise<ReplaySession> {
    return connect(options, (parts: SessionParts) => {
      const session = new ReplaySession({ ...parts, recorder: withoutConcurrently })
      return session
    })
  }
}
