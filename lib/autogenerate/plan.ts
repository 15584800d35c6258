/**
 * The way from the specimen to the models and back, found on a copy: each step is done before the next is looked for,
 * so that PostgreSQL itself says what a rename or a new type has made of everything else.
 */
import { messageOf, TenancyError } from '../errors.ts'
import type { MigrationSession } from '../migrations/session.ts'
import type { NewFile } from '../migrations/template.ts'
import { compare } from './compare.ts'
import { makeCopy, runAsOne, type Foundations } from './copy.ts'
import type { Rename } from './hints.ts'
import { comingFirst, divide } from './online.ts'
import type { Operation } from './operation.ts'
import { partitioningOf } from './partitions.ts'
import { followingRenames } from './renames.ts'
import { readSnapshot, type ReadOptions } from './read.ts'
import { undone } from './scratch.ts'
import type { Select } from './select.ts'
import type { Snapshot } from './snapshot.ts'
import { sqlOf } from './sql.ts'
import { withTrials } from './trial.ts'

/** The two sides, and what of their differences counts. */
export interface Sides {
  readonly specimen: Snapshot
  readonly foundations: Foundations
  readonly models: Snapshot
  readonly select: Select
}

/** One migration's part of the way to the models, and its way back to where it began. */
export interface Stage {
  readonly up: readonly Operation[]
  readonly down: readonly Operation[]
  /** `false`: its statements are for outside a transaction. */
  readonly transaction: boolean
}

export interface WayOptions {
  /** Takes out what shall not be done. @defaultValue nothing */
  readonly filter?: Filter | undefined
  /** Whether what would keep others waiting gets a stage of its own. */
  readonly online: boolean
}

/** Takes out what shall not be done. */
export type Filter = (operations: readonly Operation[]) => readonly Operation[]

const all: Filter = (operations) => operations

/** A copy of the specimen in a scratch schema, inside an open transaction. */
export class Copy {
  readonly #session: MigrationSession
  readonly #schema: string
  readonly #sides: Sides
  readonly #reading: ReadOptions
  /** As it was made. */
  readonly #start: Snapshot

  private constructor(
    session: MigrationSession,
    schema: string,
    sides: Sides,
    reading: ReadOptions,
    start: Snapshot,
  ) {
    this.#session = session
    this.#schema = schema
    this.#sides = sides
    this.#reading = reading
    this.#start = start
  }

  static async make(
    session: MigrationSession,
    schema: string,
    sides: Sides,
    reading: ReadOptions,
  ): Promise<Copy> {
    await makeCopy(session, sides.specimen, sides.foundations)
    const start = sides.select.snapshot(await readSnapshot(session, schema, reading))
    const differences = compare(start, sides.select.snapshot(sides.specimen)).filter(isGenerated)
    if (differences.length > 0) throw notCopied(differences)
    return new Copy(session, schema, sides, reading, start)
  }

  /** What the copy would be after `renames`; it stays as it is. */
  async renamed(renames: readonly Rename[]): Promise<Snapshot> {
    return undone(this.#session, async () => (await this.#rename(renames)).now)
  }

  /** The way to the models that begins with `renames`, in the order of its stages; the copy stays as it is. */
  async findWay(renames: readonly Rename[], { filter = all, online }: WayOptions): Promise<readonly Stage[]> {
    return undone(this.#session, async () => {
      const { followers, now } = await this.#rename(renames)
      const rest = filter(this.#differences(now))
      const { within, outside } = online
        ? divide(rest, partitionedOf(this.#sides.specimen, renames))
        : { within: rest, outside: [] }
      await this.#apply(within)
      const last = await this.#lastStage(outside)
      const up = [...renames, ...followers, ...within]
      const down = await this.#wayBack(renames)
      return [...(up.length === 0 && down.length === 0 ? [] : [{ up, down, transaction: true }]), ...last]
    })
  }

  /** What follows outside a transaction; the copy is as before then. */
  async #lastStage(outside: readonly Operation[]): Promise<readonly Stage[]> {
    if (outside.length === 0) return []
    return undone(this.#session, async () => {
      const before = await this.#read()
      await this.#apply(outside)
      const back = compare(await this.#read(), before).filter(isGenerated)
      return [{ up: outside, down: comingFirst(back), transaction: false }]
    })
  }

  /**
   * Runs the files of migrations on the copy one after another, up and down.
   *
   * @throws {@link TenancyError} VERIFICATION_FAILED if up does not lead to the models, or a down not to where its up
   * has begun.
   */
  async verify(migrations: readonly (readonly NewFile[])[], filter: Filter = all): Promise<void> {
    await undone(this.#session, () =>
      withTrials(this.#session, this.#schema, migrations, async (trials) => {
        const begun: { readonly down: () => Promise<void>; readonly from: Snapshot }[] = []
        for (const { up, down } of trials) {
          begun.push({ down, from: begun.length === 0 ? this.#start : await this.#read() })
          await verifying('up', up)
        }
        assertNone('up', filter(this.#differences(await this.#read())))
        for (const { down, from } of begun.toReversed()) {
          await verifying('down', down)
          assertNone('down', compare(await this.#read(), from).filter(isGenerated))
        }
      }),
    )
  }

  /** What is different from the models, and counts. */
  #differences(now: Snapshot): readonly Operation[] {
    return this.#sides.select.operations(compare(now, this.#sides.models))
  }

  async #read(): Promise<Snapshot> {
    return this.#sides.select.snapshot(await readSnapshot(this.#session, this.#schema, this.#reading))
  }

  /** All at once; if that fails one by one, to know which. */
  async #apply(operations: readonly Operation[]): Promise<void> {
    const texts = operations.flatMap(sqlOf)
    try {
      await this.#session.undoable(() => runAsOne(this.#session, texts))
    } catch {
      for (const text of texts) await this.#do(text)
    }
  }

  async #do(text: string): Promise<void> {
    try {
      await this.#session.query(text)
    } catch (error) {
      throw unverified('A statement fails on a copy of the specimen.', `${messageOf(error)}: ${text}`, error)
    }
  }

  /** Renames, and then what has its name from what was renamed. */
  async #rename(
    renames: readonly Rename[],
  ): Promise<{ readonly followers: readonly Operation[]; readonly now: Snapshot }> {
    if (renames.length === 0) return { followers: [], now: this.#start }
    await this.#apply(renames)
    const followers = followingRenames(await this.#read(), this.#sides.models)
    await this.#apply(followers)
    return { followers, now: await this.#read() }
  }

  /** From where the copy is now to its start. */
  async #wayBack(renames: readonly Rename[]): Promise<readonly Operation[]> {
    const now = await this.#read()
    if (renames.length === 0) return compare(now, this.#start).filter(isGenerated)
    const back = renames.toReversed().map(inverse)
    const inTheWay = back.flatMap((rename) => obstacles(rename, now, renames))
    await this.#apply(inTheWay)
    await this.#apply(back)
    const more = followingRenames(await this.#read(), this.#start)
    await this.#apply(more)
    return [...inTheWay, ...back, ...more, ...compare(await this.#read(), this.#start).filter(isGenerated)]
  }
}

/** Tables that are partitioned, as they are called after `renames`. */
function partitionedOf({ tables }: Snapshot, renames: readonly Rename[]): ReadonlySet<string> {
  const names = tables.filter((table) => partitioningOf(table) !== undefined).map(({ name }) => name)
  return new Set(
    names.map((name) => renames.find((each) => each.kind === 'rename table' && each.table === name)?.to ?? name), // prettier-ignore
  )
}

export function isGenerated({ kind }: Operation): boolean {
  return kind !== 'other'
}

function inverse(rename: Rename): Rename {
  return rename.kind === 'rename table'
    ? { ...rename, table: rename.to, to: rename.table }
    : { ...rename, column: rename.to, to: rename.column }
}

/** A column or table that came new under the old name of one that was renamed. */
function obstacles(back: Rename, now: Snapshot, renames: readonly Rename[]): readonly Operation[] {
  const isMoved = renames.some(
    (each) => each.to === back.to && each.kind === back.kind && (each.kind === 'rename table' || back.kind === 'rename table' || each.table === back.table), // prettier-ignore
  )
  if (isMoved) return []
  if (back.kind === 'rename table') {
    const table = now.tables.find(({ name }) => name === back.to)
    return table === undefined ? [] : [{ kind: 'drop table', table }]
  }
  const table = now.tables.find(({ name }) => name === back.table)
  const column = table?.columns.find(({ name }) => name === back.to)
  return column === undefined ? [] : [{ kind: 'drop column', table: back.table, column }]
}

async function verifying(side: 'up' | 'down', run: () => Promise<void>): Promise<void> {
  try {
    await run()
  } catch (error) {
    throw unverified(`Its ${side} fails on a copy of the specimen.`, messageOf(error), error)
  }
}

function assertNone(side: 'up' | 'down', differences: readonly Operation[]): void {
  if (differences.length === 0) return
  const what = side === 'up' ? 'Its up does not lead to the models' : 'Its down does not lead back'
  throw unverified(`${what}.`, `still different: ${describe(differences)}`, undefined)
}

function unverified(title: string, detail: string, cause: unknown): TenancyError {
  return new TenancyError('VERIFICATION_FAILED', `The generated migration is not right. ${title}`, {
    detail,
    fix: [
      'nothing was written: leave the difference out with autogenerate.exclude or autogenerate.operation, and write it by hand',
      'please report it: models and schema that show it are a bug of autogenerate',
    ],
    cause,
  })
}

function notCopied(differences: readonly Operation[]): TenancyError {
  return new TenancyError(
    'VERIFICATION_FAILED',
    'The specimen could not be copied, so nothing can be tried out.',
    {
      detail: `different in the copy: ${describe(differences)}`,
      fix: ['leave what cannot be copied out with autogenerate.exclude', 'please report it'],
    },
  )
}

function describe(operations: readonly Operation[]): string {
  return operations.slice(0, 5).map((operation) => sqlOf(operation).join('; ') || operation.kind).join(' | ') // prettier-ignore
}
