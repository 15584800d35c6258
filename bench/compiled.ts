/** The worker as users run the library: compiled by tsc, without a loader that rewrites every function. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** Runs `fn` with the path of the compiled worker, which is removed afterwards. */
export async function withCompiledWorker<T>(fn: (path: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'umzug-tenants-bench-'))
  try {
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
    execFileSync(process.execPath, [tsc, '-p', 'bench/tsconfig.json', '--outDir', folder], { cwd: ROOT })
    return await fn(join(folder, 'bench/request-worker.js'))
  } finally {
    rmSync(folder, { recursive: true })
  }
}
