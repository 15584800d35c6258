/** The two streams and the keyboard of a command. */
import { createInterface } from 'node:readline/promises'
import { styleText } from 'node:util'

import { maskPasswords } from '../mask.ts'

export interface Terminal {
  /** Writes data, to stdout. */
  out(text: string): void
  /** Writes everything that is not data, to stderr. */
  err(text: string): void
  /** How each stream shows emphasis. */
  readonly style: { readonly out: Style; readonly err: Style }
  /** Opens a line that is written anew; none if stderr cannot do that. */
  readonly line?: () => Promise<Line>
  /** Whether there is a person to ask. */
  readonly interactive: boolean
  /** What the person types; nothing if the input ends. */
  ask(question: string): Promise<string>
}

/** One line of a terminal, below everything that is written meanwhile. */
export interface Line {
  /** How wide the terminal is now. */
  readonly columns: number
  write(text: string): void
  /** Takes the line away. */
  close(): void
}

/** Emphasis, as a stream can show it. */
export type Style = (emphasis: Emphasis, text: string) => string

type Emphasis = 'good' | 'bad' | 'dim' | 'bold'

const FORMATS = { good: 'green', bad: 'red', dim: 'dim', bold: 'bold' } as const

/** No emphasis at all. */
export const plain: Style = (_emphasis, text) => text

/** The terminal this process runs in. */
export function processTerminal(): Terminal {
  const { stdin, stdout, stderr } = process
  return {
    out: (text) => void stdout.write(text),
    err: (text) => void stderr.write(maskPasswords(text)),
    style: { out: styleOf(stdout), err: styleOf(stderr) },
    ...(stderr.isTTY && process.env['TERM'] !== 'dumb' ? { line: () => openLine(stderr) } : {}),
    interactive: stdin.isTTY && stderr.isTTY,
    async ask(question) {
      const lines = createInterface({ input: stdin, output: stderr })
      try {
        // A question that is never answered would never settle.
        const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')))
        return (await Promise.race([lines.question(question), ended])).trim()
      } finally {
        lines.close()
      }
    },
  }
}

/** Colour if the stream is a terminal, and NO_COLOR and its kin do not forbid it. */
function styleOf(stream: NodeJS.WriteStream): Style {
  return (emphasis, text) => styleText(FORMATS[emphasis], text, { stream })
}

/** A line on `stream`, which is a terminal. */
export async function openLine(stream: NodeJS.WriteStream): Promise<Line> {
  // Loaded when there is something to show, so that short commands stay fast.
  const { default: ora } = await import('ora')
  // Colour is the business of styleText, which knows NO_COLOR; and the keyboard stays as it is, for Ctrl-C.
  const spinner = ora({ stream, color: false, discardStdin: false, isEnabled: true }).start()
  return {
    get columns() {
      return stream.columns
    },
    write: (text) => {
      spinner.text = text
    },
    close: () => void spinner.stop(),
  }
}
