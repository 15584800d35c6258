/**
 * Texts of SQL inside of files: what PostgreSQL would read, and where each character of it stands in the file. Escapes,
 * concatenation and expressions make the two differ.
 */
import { FILLER } from './finding.ts'

export interface SqlText {
  readonly text: string
  /** Where in the file the character at an index of `text` comes from. */
  indexInFile(index: number): number
  /** Whether parts of it are known at run time only. */
  readonly hasHoles: boolean
}

/** The whole of a file. */
export function wholeFile(text: string): SqlText {
  return { text, indexInFile: (index) => index, hasHoles: false }
}

/** Puts a text together from what a file says here and there. */
export class TextBuilder {
  #text = ''
  readonly #places: number[] = []
  #hasHoles = false

  /** A literal's value; `raw` is how the file writes it, from `start` on. */
  literal(value: string, raw: string, start: number): void {
    this.#text += value
    const places = placesIn(raw)
    // A form of escape that is not known here: everything stands where the literal begins.
    const known = places.length === value.length
    for (let index = 0; index < value.length; index++) {
      this.#places.push(start + (known ? (places[index] ?? 0) : 0))
    }
  }

  /** An expression, from `start` to `end`: as many letters, so that it is a word where a word may stand. */
  hole(start: number, end: number): void {
    this.#hasHoles = true
    for (let place = start; place < end; place++) {
      this.#text += FILLER
      this.#places.push(place)
    }
  }

  build(): SqlText {
    const places = this.#places
    return {
      text: this.#text,
      hasHoles: this.#hasHoles,
      indexInFile: (index) => places[Math.min(index, places.length - 1)] ?? 0,
    }
  }
}

/** Where in `raw` each UTF-16 unit of its value begins. */
function placesIn(raw: string): number[] {
  const places: number[] = []
  for (let at = 0; at < raw.length;) {
    const [length, units] = raw[at] === '\\' ? escapeAt(raw, at) : plainAt(raw, at)
    for (let unit = 0; unit < units; unit++) places.push(at)
    at += length
  }
  return places
}

/** How many characters stand at `at`, and how many of the value they are. Templates read CR LF as LF. */
function plainAt(raw: string, at: number): readonly [number, number] {
  return raw.startsWith('\r\n', at) ? [2, 1] : [1, 1]
}

function escapeAt(raw: string, at: number): readonly [number, number] {
  const next = raw.charAt(at + 1)
  if (next === '\n' || next === '\u2028' || next === '\u2029') return [2, 0]
  if (next === '\r') return [raw[at + 2] === '\n' ? 3 : 2, 0]
  if (next === 'x') return [4, 1]
  if (next !== 'u') return [2, 1]
  if (raw[at + 2] !== '{') return [6, 1]
  const end = raw.indexOf('}', at)
  const codePoint = Number.parseInt(raw.slice(at + 3, end), 16)
  return [end + 1 - at, codePoint > 0xffff ? 2 : 1]
}

/** Turns indexes into lines and columns of a text. */
export class Lines {
  readonly #text: string
  readonly #starts: number[] = [0]

  constructor(text: string) {
    this.#text = text
    for (const match of text.matchAll(/\r\n|\n|\r/g)) this.#starts.push(match.index + match[0].length)
  }

  /** From 1, as editors count. */
  lineOf(index: number): number {
    let low = 0
    let high = this.#starts.length
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if ((this.#starts[middle] ?? 0) <= index) low = middle
      else high = middle
    }
    return low + 1
  }

  /** From 1, in characters. */
  columnOf(index: number): number {
    const start = this.#starts[this.lineOf(index) - 1] ?? 0
    return Array.from(this.#text.slice(start, index)).length + 1
  }

  /** What stands in a line before `index`. */
  before(index: number): string {
    return this.#text.slice(this.#starts[this.lineOf(index) - 1] ?? 0, index)
  }

  /** What stands in a line from `index` on. */
  after(index: number): string {
    return this.#text.slice(index, this.#starts[this.lineOf(index)] ?? this.#text.length)
  }
}

/** Turns offsets in the UTF-8 of a text, in which PostgreSQL counts, into indexes of the text. */
export function byteOffsets(text: string): (offset: number) => number {
  // Most SQL is ASCII, where the two are one.
  // oxlint-disable-next-line no-control-regex -- ASCII begins with the control characters
  if (/^[\0-\x7f]*$/.test(text)) return (offset) => offset
  const indexes: number[] = []
  let index = 0
  for (const character of text) {
    const bytes = Buffer.byteLength(character)
    for (let byte = 0; byte < bytes; byte++) indexes.push(index)
    index += character.length
  }
  return (offset) => indexes[offset] ?? text.length
}
