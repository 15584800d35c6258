/** How far a fleet is: one line that is written anew on a terminal, and plain lines now and then elsewhere. */
import type { FleetCounts } from '../fleet.ts'
import type { Tenancy } from '../tenancy.ts'
import { durationText } from './print.ts'
import type { Line, Terminal } from './terminal.ts'

/** Tenants up to which each has its own lines instead. */
export const SMALL_FLEET = 10

/** How often a reader of a log wants to know. */
const PLAIN_EVERY_MS = 10_000

/** Shows the progress of the fleets that `fn` runs, if they are long work. */
export async function withProgress<T>(
  tenancy: Tenancy,
  terminal: Terminal,
  fn: () => Promise<T>,
  everyMs = PLAIN_EVERY_MS,
): Promise<T> {
  const progress = new Progress(terminal, everyMs)
  const stop = tenancy.on('fleet:progress', (counts) => progress.note(counts))
  try {
    return await fn()
  } finally {
    stop()
    await progress.end()
  }
}

class Progress {
  readonly #terminal: Terminal
  readonly #everyMs: number
  readonly #startedAt = performance.now()
  #line: Promise<Line> | undefined
  #timer: NodeJS.Timeout | undefined
  #first: FleetCounts | undefined
  #last: FleetCounts | undefined

  constructor(terminal: Terminal, everyMs: number) {
    this.#terminal = terminal
    this.#everyMs = everyMs
  }

  note(counts: FleetCounts): void {
    this.#last = counts
    this.#first ??= this.#begin(counts)
    void this.#line?.then((line) => line.write(this.#textFor(line.columns)))
  }

  async end(): Promise<void> {
    clearInterval(this.#timer)
    const line = await this.#line
    line?.close()
  }

  #begin(counts: FleetCounts): FleetCounts {
    if (leftOf(counts) <= SMALL_FLEET) return counts
    if (this.#terminal.line !== undefined) this.#line = this.#terminal.line()
    else this.#timer = setInterval(() => this.#terminal.err(`${this.#textFor(0)}\n`), this.#everyMs).unref()
    return counts
  }

  #textFor(columns: number): string {
    const { failed = 0, total = 0 } = this.#last ?? {}
    const left = this.#last === undefined ? 0 : leftOf(this.#last)
    const begun = this.#first === undefined ? 0 : leftOf(this.#first)
    const elapsedMs = performance.now() - this.#startedAt
    const done = begun - left
    const leftMs = done === 0 ? undefined : (elapsedMs / done) * left
    return progressText({ done: total - left, total, failed, leftMs }, columns)
  }
}

function leftOf({ total, succeeded, unchanged, failed }: FleetCounts): number {
  return total - succeeded - unchanged - failed
}

export interface Standing {
  readonly done: number
  readonly total: number
  readonly failed: number
  /** Milliseconds until the end, if the rest goes as what is done has gone. */
  readonly leftMs: number | undefined
}

/** Cells of the bar, and the room that its brackets and the spinner before it take. */
const BAR = 24
const AROUND = 6

/** The line for a terminal of `columns`, never wider; for 0, the line of a log. */
export function progressText({ done, total, failed, leftMs }: Standing, columns: number): string {
  const parts = [
    `${done} of ${total} tenants`,
    ...(failed === 0 ? [] : [`${failed} failed`]),
    ...(leftMs === undefined || done === total ? [] : [`about ${leftText(leftMs)} left`]),
  ]
  if (columns === 0) return `progress: ${parts.join(', ')}`
  const words = parts.join(' · ')
  const cells = Math.min(BAR, columns - words.length - AROUND)
  if (cells >= 5) return `[${barOf(done / total, cells)}] ${words}`
  // The spinner and the last column, which some terminals wrap at, are not for words.
  return words.slice(0, Math.max(0, columns - 3))
}

/** An estimate is not worth more than seconds. */
function leftText(ms: number): string {
  return ms < 60_000 ? `${Math.ceil(ms / 1000)} s` : durationText(ms)
}

function barOf(share: number, cells: number): string {
  const full = Math.floor(share * cells)
  return '#'.repeat(full) + '-'.repeat(cells - full)
}
