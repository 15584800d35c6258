/** One program as a process of its own: started, listened to, waited for. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

import { messageOf, TenancyError } from '../errors.ts'
import type { Environment } from './environment.ts'

/** A line that a program has written, without its end. */
export interface OutputLine {
  readonly stream: 'stdout' | 'stderr'
  readonly text: string
}

/**
 * Where a program's output goes: `'inherit'` gives it the streams of this process, the keyboard included; `'stderr'`
 * does so too, but keeps its output out of this process's stdout; a function gets each line.
 */
export type Output = 'inherit' | 'stderr' | ((line: OutputLine) => void)

export interface Program {
  /** The program, and its arguments. No shell reads them. */
  readonly command: readonly string[]
  readonly env: Environment
  readonly output: Output
  /** Whether it reads this process's standard input; else it has none. */
  readonly input: boolean
  /** Ends the program with SIGTERM. */
  readonly signal?: AbortSignal | undefined
}

/** How a program has ended: with an exit code, or by a signal. */
export interface Ending {
  readonly code: number | null
  readonly signal?: NodeJS.Signals
}

/**
 * Runs a program to its end.
 *
 * @throws {@link TenancyError} PROGRAM_NOT_STARTED if there is none of this name, or it may not be executed.
 */
export async function runProgram({ command, env, output, input, signal }: Program): Promise<Ending> {
  const [name = '', ...args] = command
  const child = spawn(name, args, {
    env: { ...env },
    stdio: [input ? 'inherit' : 'ignore', ...streamsFor(output)],
  })
  const kill = () => void child.kill('SIGTERM')
  try {
    // Rejects if the program cannot be started.
    await once(child, 'spawn')
  } catch (error) {
    throw notStarted(name, error)
  }
  signal?.addEventListener('abort', kill)
  try {
    const lines = typeof output === 'function' ? handLines(child, output) : []
    const [code, endedBy] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null] // of this event
    await Promise.all(lines)
    return { code, ...(endedBy === null ? {} : { signal: endedBy }) }
  } finally {
    signal?.removeEventListener('abort', kill)
  }
}

/** Standard output and standard error. */
function streamsFor(output: Output): readonly ['pipe' | 'inherit' | NodeJS.WriteStream, 'pipe' | 'inherit'] {
  if (output === 'inherit') return ['inherit', 'inherit']
  return output === 'stderr' ? [process.stderr, 'inherit'] : ['pipe', 'pipe']
}

function handLines({ stdout, stderr }: ChildProcess, take: (line: OutputLine) => void): Promise<void>[] {
  const read = async (input: Readable | null, stream: OutputLine['stream']) => {
    if (input === null) return
    for await (const text of createInterface({ input, crlfDelay: Infinity })) take({ stream, text })
  }
  return [read(stdout, 'stdout'), read(stderr, 'stderr')]
}

function notStarted(name: string, error: unknown): TenancyError {
  const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT'
  const why = isMissing ? 'there is no program of this name' : messageOf(error)
  return new TenancyError('PROGRAM_NOT_STARTED', `"${name}" cannot be started.`, {
    detail: why,
    fix: [
      'write the program and its arguments after --, each as a word of its own',
      `what only a shell understands goes through one: sh -c '…'`,
    ],
    cause: error,
  })
}
