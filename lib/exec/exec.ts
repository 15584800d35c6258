/** Runs a program once for each tenant, several at once, and reports how each has ended. */
import pLimit from 'p-limit'

import type { ErrorDocument } from '../errors.ts'
import { TenancyError } from '../errors.ts'
import { schemaMissing } from '../migrations/history.ts'
import { subjectOf } from '../migrations/subject.ts'
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
  /** Why nothing was run for it. */
  readonly error?: ErrorDocument
}

export interface ExecReport {
  readonly tenants: readonly TenantExecReport[]
  /** Programs that have ended with exit code 0. */
  readonly succeeded: number
  readonly failed: number
  /** Tenants for which nothing was started: `signal` said to stop, or programs had failed too often. */
  readonly notRun: number
  /** Their ids, if there are any; they are not among `tenants`. */
  readonly remaining?: readonly string[]
}

export interface ExecPlace {
  readonly sql: SqlRunner
  /** Schemas after the tenant's own, in order. */
  readonly searchPath: readonly string[]
  readonly concurrency: number
  /** Failures after which no program is started any more. */
  readonly maxFailures?: number | undefined
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
  { sql, searchPath, concurrency, maxFailures = Infinity, env }: ExecPlace,
): Promise<ExecReport> {
  if (command.length === 0)
    throw new TenancyError('USAGE', 'There is no program to run.', { fix: ['write it after --'] })
  const existing = await existingSchemas(sql, tenants)
  const limit = pLimit(concurrency)
  // Where one program cannot be started, none can.
  let failure: { readonly error: unknown } | undefined
  let failures = 0
  const execFor = async (tenant: Tenant): Promise<TenantExecReport | undefined> => {
    if (signal?.aborted === true || failure !== undefined || failures >= maxFailures) return undefined
    const report = await execOnce(tenant)
    if (report !== undefined && report.code !== 0) failures++
    return report
  }
  const execOnce = async (tenant: Tenant): Promise<TenantExecReport | undefined> => {
    const { id, schema } = tenant
    // Without its schema a bare name would mean a shared table.
    if (!existing.has(schema)) {
      const error = schemaMissing(subjectOf(tenant)).toJSON()
      return { id, schema, code: null, durationMs: 0, error }
    }
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
      return undefined
    }
  }
  const reports = await Promise.all(tenants.map((tenant) => limit(execFor, tenant)))
  if (failure !== undefined) throw failure.error
  return reportOf(tenants, reports)
}

async function existingSchemas(sql: SqlRunner, tenants: readonly Tenant[]): Promise<ReadonlySet<string>> {
  const rows = await sql.query<{ name: string }>(
    'SELECT nspname AS name FROM pg_catalog.pg_namespace WHERE nspname = ANY ($1::name[])',
    [tenants.map(({ schema }) => schema)],
  )
  return new Set(rows.map(({ name }) => name))
}

function reportOf(
  tenants: readonly Tenant[],
  reports: readonly (TenantExecReport | undefined)[],
): ExecReport {
  const ran = reports.filter((report) => report !== undefined)
  const remaining = tenants.filter((_, index) => reports[index] === undefined).map(({ id }) => id)
  const succeeded = ran.filter(({ code }) => code === 0).length
  return {
    tenants: ran,
    succeeded,
    failed: ran.length - succeeded,
    notRun: remaining.length,
    ...(remaining.length === 0 ? {} : { remaining }),
  }
}
