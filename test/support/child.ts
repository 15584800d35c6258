/** Other processes: what only a second process can show, and what only a dead one can. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** The repository, where packages are found. */
const ROOT = fileURLToPath(new URL('../..', import.meta.url))

export interface Outcome {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Child {
  readonly process: ChildProcess
  readonly outcome: Promise<Outcome>
}

/** Starts `code`, a module that may import `lib/…` of this repository; its arguments are `process.argv.slice(1)`. */
export function startChild(code: string, ...args: string[]): Child {
  const source = code.replaceAll("from 'lib/", `from '${ROOT}lib/`)
  return start(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', source, '--', ...args])
}

/** Starts a program, and collects what it prints. */
export function start(command: string, args: readonly string[], cwd = ROOT): Child {
  const child = spawn(command, [...args], { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => (stdout += String(chunk)))
  child.stderr.on('data', (chunk) => (stderr += String(chunk)))
  const outcome = once(child, 'close').then(() => ({ exitCode: child.exitCode, stdout, stderr }))
  return { process: child, outcome }
}
