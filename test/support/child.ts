/** Other processes: what only a second process can show, and what only a dead one can. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

import { build, repository } from './project.ts'

export interface Outcome {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Child {
  readonly process: ChildProcess
  readonly outcome: Promise<Outcome>
}

/**
 * Starts `code`, a module that may import `lib/….js`: the library as it is built, for a process that reads no
 * TypeScript. Its arguments are `process.argv.slice(1)`.
 */
export async function startChild(code: string, ...args: string[]): Promise<Child> {
  build()
  const source = code.replaceAll("from 'lib/", `from '${join(repository, 'dist')}/`)
  return start(process.execPath, ['--input-type=module', '-e', source, '--', ...args])
}

/** Starts a program, and collects what it prints. */
export function start(command: string, args: readonly string[], cwd = repository): Child {
  const child = spawn(command, [...args], { cwd, stdio: 'pipe' })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => (stdout += String(chunk)))
  child.stderr.on('data', (chunk) => (stderr += String(chunk)))
  const outcome = once(child, 'close').then(() => ({ exitCode: child.exitCode, stdout, stderr }))
  return { process: child, outcome }
}

/** A deployer as a process: arguments are the URL, the folder of migrations, and the tenant. */
export const DEPLOYER = `
  import { createTenancy } from 'lib/tenancy.js'
  const [, url, baseDir, tenant] = process.argv
  const tenancy = createTenancy({ url }, { baseDir })
  console.log('running')
  const { applied } = await tenancy.up({ tenant })
  console.log(JSON.stringify(applied))
  await tenancy.close()`
