/** Runs a program once for each tenant, several at once, and reports how each has ended. */
import pLimit from 'p-limit'

import type { ErrorDocument } from '../errors.ts'
import { TenancyError } from '../errors.ts'
import type { SqlRunner } from '../sql.ts'
import type { Tenant } from '../tenant.ts'
import { programEnvironment, type Environment } from './environment.ts'
import { runProgram, type OutputLine } from './program.ts'

export interface ExecOptions {
  /** The program, and its arguments. No shell reads them. */
  readonly command: readonly string[]
  /**
   * Where the programs' output goes: `'inherit'` gives them the streams of this process, and to a single one the
   * keyboard too; `'stderr'` does the same but keeps this process's stdout clean; a function gets each line.
   * @defaultValue `'inherit'`
   */
  readonly output?: 'inherit' | 'stderr' | ((tenant: Tenant, line: OutputLine) => void)
  /** Ends what is running with SIGTERM, and starts no more. */
  readonly signal?: AbortSignal
  /** Called before a tenant's program is started. */
  readonly onStart?: (tenant: Tenant) => void
}

/** What became of the program of one tenant. */
export interface TenantExecReport {
  readonly id: string
  readonly schema: string
  /** Its exit code; `null` if a signal ended it, or if it was not run. */
  readonly code: number | null
  readonly signal?: NodeJS.Signals
  readonly durationMs: number
  /** Why it was not run. */
  readonly error?: ErrorDocument
}

export interface ExecReport {
  readonly tenants: readonly TenantExecReport[]
  /** Programs that have ended with exit code 0. */
  readonly succeeded: number
  readonly failed: number
  /** Tenants that were left when `signal` said to stop. */
  readonly notRun: number
}

export interface ExecPlace {
  readonly sql: SqlRunner
  /** Schemas after the tenant's own, in order. */
  readonly searchPath: readonly string[]
  readonly concurrency: number
  readonly env: Environment
}

/**
 * Runs `command` once for each of `tenants`.
 *
 * @throws {@link TenancyError} USAGE without a command; PROGRAM_NOT_STARTED.
 */
export async function execForEach(
  tenants: readonly Tenant[],
  { command, output = 'inherit', signal, onStart }: ExecOptions,
  { sql, searchPath, concurrency, env }: ExecPlace,
): Promise<ExecReport> {
  if (command.length === 0)
    throw new TenancyError('USAGE', 'There is no program to run.', { fix: ['write it after --'] })
  const existing = await existingSchemas(sql, tenants)
  const limit = pLimit(concurrency)
  // Where one program cannot be started, none can.
  let failure: { readonly error: unknown } | undefined
  const execFor = async (tenant: Tenant): Promise<TenantExecReport> => {
    const { id, schema } = tenant
    const notRun = { id, schema, code: null, durationMs: 0 }
    if (signal?.aborted === true || failure !== undefined) return notRun
    // Without its schema a bare name would mean a shared table.
    if (!existing.has(schema)) return { ...notRun, error: schemaMissing(tenant).toJSON() }
    onStart?.(tenant)
    const startedAt = performance.now()
    try {
      const ending = await runProgram({
        command,
        env: programEnvironment(tenant, searchPath, env),
        input: tenants.length === 1 && typeof output !== 'function',
        output: typeof output === 'function' ? (line) => output(tenant, line) : output,
        signal,
      })
      return { id, schema, ...ending, durationMs: Math.round(performance.now() - startedAt) }
    } catch (error) {
      failure ??= { error }
      return notRun
    }
  }
  const reports = await Promise.all(tenants.map((tenant) => limit(execFor, tenant)))
  if (failure !== undefined) throw failure.error
  return count(reports)
}

async function existingSchemas(sql: SqlRunner, tenants: readonly Tenant[]): Promise<ReadonlySet<string>> {
  const rows = await sql.query<{ name: string }>(
    'SELECT nspname AS name FROM pg_catalog.pg_namespace WHERE nspname = ANY ($1::name[])',
    [tenants.map(({ schema }) => schema)],
  )
  return new Set(rows.map(({ name }) => name))
}

function count(tenants: readonly TenantExecReport[]): ExecReport {
  const succeeded = tenants.filter(({ code }) => code === 0).length
  const notRun = tenants.filter(
    ({ code, signal, error }) => code === null && signal === undefined && error === undefined,
  ).length
  return { tenants, succeeded, failed: tenants.length - succeeded - notRun, notRun }
}

function schemaMissing({ id, schema }: Tenant): TenancyError {
  return new TenancyError('SCHEMA_MISSING', `Schema "${schema}" of tenant "${id}" does not exist.`, {
    tenant: id,
    schema,
    fix: [`create it: umzug-tenants tenants create ${id} --schema ${schema} --up`],
  })
}
