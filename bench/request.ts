/**
 * What a request costs: two `findByPk` of a random tenant, 32 at a time over a pool of 10. Every variant has a
 * process of its own (cls-hooked slows every promise of the process it is loaded in), and the processes take
 * turns, so that a noisy minute meets all of them.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'

import { createStressSchemas } from '../test/support/stress.ts'
import { withCompiledWorker } from './compiled.ts'
import { withDelay } from './delay.ts'
import { VARIANTS, type Slice, type Variant } from './request-worker.ts'
import { readBackendUse, type BackendUse } from './server-processes.ts'
import { median, tableOf } from './statistics.ts'

const LIMIT: Variant = 'plain Sequelize, one schema'

interface Setting {
  readonly tenants: number
  readonly delayMs: number
  readonly slices: number
}

const SETTINGS: readonly Setting[] = [
  { tenants: 50, delayMs: 0, slices: 30 },
  { tenants: 50, delayMs: 1, slices: 20 },
  { tenants: 1000, delayMs: 0, slices: 20 },
]

/** What one variant has measured: slice by slice, and of its backends before and after them. */
interface Measured {
  readonly slices: Slice[]
  readonly before: BackendUse | undefined
  readonly after: BackendUse | undefined
}

export async function benchRequest(url: string): Promise<string[]> {
  await createStressSchemas(url, Math.max(...SETTINGS.map(({ tenants }) => tenants)))
  return withCompiledWorker(async (worker) => {
    const lines: string[] = []
    for (const setting of SETTINGS) {
      const measured = await withDelay(url, setting.delayMs, (at) => measure(worker, url, at, setting))
      lines.push(...table(setting, measured), '')
    }
    return lines
  })
}

async function measure(
  worker: string,
  url: string,
  workerUrl: string,
  { tenants, slices }: Setting,
): Promise<ReadonlyMap<Variant, Measured>> {
  const workers = new Map<Variant, ChildProcess>()
  const measured = new Map<Variant, Slice[]>(VARIANTS.map((variant) => [variant, []]))
  try {
    for (const variant of VARIANTS)
      workers.set(variant, await startWorker(worker, variant, workerUrl, tenants))
    for (const child of workers.values()) await runSlice(child) // the first one warms up
    const before = await useOf(url)
    for (let slice = 0; slice < slices; slice++) {
      for (const [variant, child] of workers) measured.get(variant)?.push(await runSlice(child))
    }
    const after = await useOf(url)
    return new Map(
      [...measured].map(([variant, own]) => [
        variant,
        { slices: own, before: before.get(variant), after: after.get(variant) },
      ]),
    )
  } finally {
    for (const child of workers.values()) child.disconnect()
  }
}

async function useOf(url: string): Promise<ReadonlyMap<Variant, BackendUse | undefined>> {
  const uses = new Map<Variant, BackendUse | undefined>()
  for (const variant of VARIANTS) uses.set(variant, await readBackendUse(url, variant))
  return uses
}

async function startWorker(
  path: string,
  variant: Variant,
  url: string,
  tenants: number,
): Promise<ChildProcess> {
  const worker = fork(path, [variant, url, String(tenants)], { execArgv: [] })
  await once(worker, 'message')
  return worker
}

async function runSlice(worker: ChildProcess): Promise<Slice> {
  worker.send('slice')
  const [slice] = (await once(worker, 'message')) as [Slice] // what the worker sends
  return slice
}

function table({ tenants, delayMs, slices }: Setting, measured: ReadonlyMap<Variant, Measured>): string[] {
  const limit = measured.get(LIMIT)
  const rows = [...measured].map(([variant, { slices: own, before, after }]) => {
    const ratios = own.map(
      (slice, index) => slice.requestsPerSecond / (limit?.slices[index]?.requestsPerSecond ?? NaN),
    )
    const cpu = own.map(
      (slice, index) => slice.cpuMsPerRequest / (limit?.slices[index]?.cpuMsPerRequest ?? NaN),
    )
    const server =
      (cpuOf({ slices: own, before, after }) ?? NaN) / (limit === undefined ? NaN : (cpuOf(limit) ?? NaN))
    return [
      variant,
      format(median(ratios)),
      `${format(Math.min(...ratios))}–${format(Math.max(...ratios))}`,
      format(median(cpu)),
      Number.isNaN(server) ? '–' : format(server),
      median(own.map(({ requestsPerSecond }) => requestsPerSecond)).toFixed(0),
      median(own.map(({ p50Ms }) => p50Ms)).toFixed(1),
      median(own.map(({ p99Ms }) => p99Ms)).toFixed(1),
      after === undefined ? '–' : after.megabytes.toFixed(1),
    ]
  })
  const header = [
    'variant',
    'throughput ratio',
    'spread',
    'CPU of Node',
    'CPU of the server',
    'requests/s',
    'p50 ms',
    'p99 ms',
    'MB a backend',
  ]
  const network = delayMs === 0 ? 'loopback' : `${delayMs} ms network delay`
  return [
    `**${tenants} tenants, ${network}**: medians of ${slices} interleaved slices, ratios against plain Sequelize in the same round.`,
    '',
    ...tableOf(header, rows),
  ]
}

/** Processor time of the backends. */
function cpuOf({ before, after }: Measured): number | undefined {
  return before === undefined || after === undefined ? undefined : after.cpuMs - before.cpuMs
}

function format(ratio: number): string {
  return ratio.toFixed(2)
}
