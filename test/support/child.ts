/** Other processes: what only a second process can show, and what only a dead one can. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { mkdtemp, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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

/** Starts `code`, a module that may import `lib/….js`; its arguments are `process.argv.slice(1)`. */
export async function startChild(code: string, ...args: string[]): Promise<Child> {
  const source = code.replaceAll("from 'lib/", `from '${await compiledLibrary()}/lib/`)
  return start(process.execPath, ['--input-type=module', '-e', source, '--', ...args])
}

/** Starts a program, and collects what it prints. */
export function start(command: string, args: readonly string[], cwd = ROOT): Child {
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

let library: Promise<string> | undefined

/** A folder with the library in `lib/` as JavaScript, for processes that read no TypeScript; made once. */
export function compiledLibrary(): Promise<string> {
  library ??= compile()
  return library
}

async function compile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'umzug-tenants-test-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  const { exitCode, stdout } = await start(process.execPath, [
    'node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', '--outDir', join(folder, 'lib'),
    '--declaration', 'false', '--sourceMap', 'false', '--declarationMap', 'false', '--noCheck',
  ]).outcome // prettier-ignore
  if (exitCode !== 0) throw new Error(`the library cannot be compiled:\n${stdout}`)
  return folder
}
