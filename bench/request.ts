/**
 * What a request costs: two `findByPk` of a random tenant, 32 at a time over a pool of 10. Every variant has a
 * process of its own (cls-hooked slows every promise of the process it is loaded in), and the processes take
 * turns, so that a noisy minute meets all of them.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'

import { createStressSchemas } from '../test/support/stress.ts'
import { VARIANTS, type Slice, type Variant } from './request-worker.ts'

const TENANTS = 50
const SLICES = 12
const LIMIT: Variant = 'plain Sequelize, one schema'

export async function benchRequest(url: string): Promise<string[]> {
  await createStressSchemas(url, TENANTS)
  const workers = new Map<Variant, ChildProcess>()
  const slices = new Map<Variant, Slice[]>(VARIANTS.map((variant) => [variant, []]))
  try {
    for (const variant of VARIANTS) workers.set(variant, await startWorker(variant, url))
    for (let slice = -1; slice < SLICES; slice++) {
      for (const [variant, worker] of workers) {
        const measured = await runSlice(worker)
        if (slice >= 0) slices.get(variant)?.push(measured) // the first one warms up
      }
    }
  } finally {
    for (const worker of workers.values()) worker.disconnect()
  }
  return table(slices)
}

async function startWorker(variant: Variant, url: string): Promise<ChildProcess> {
  const worker = fork(new URL('request-worker.ts', import.meta.url), [variant, url, String(TENANTS)])
  await once(worker, 'message')
  return worker
}

async function runSlice(worker: ChildProcess): Promise<Slice> {
  worker.send('slice')
  const [slice] = (await once(worker, 'message')) as [Slice] // what the worker sends
  return slice
}

function table(slices: ReadonlyMap<Variant, readonly Slice[]>): string[] {
  const limit = slices.get(LIMIT) ?? []
  const rows = [...slices].map(([variant, own]) => {
    const ratios = own.map(
      (slice, index) => slice.requestsPerSecond / (limit[index]?.requestsPerSecond ?? NaN),
    )
    const cpu = own.map((slice, index) => slice.cpuMsPerRequest / (limit[index]?.cpuMsPerRequest ?? NaN))
    return [
      variant,
      format(median(ratios)),
      `${format(Math.min(...ratios))}–${format(Math.max(...ratios))}`,
      format(median(cpu)),
      median(own.map(({ requestsPerSecond }) => requestsPerSecond)).toFixed(0),
      median(own.map(({ p50Ms }) => p50Ms)).toFixed(1),
      median(own.map(({ p99Ms }) => p99Ms)).toFixed(1),
    ]
  })
  const header = [
    'variant',
    'throughput ratio',
    'spread',
    'CPU ratio of Node',
    'requests/s',
    'p50 ms',
    'p99 ms',
  ]
  const lines = [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`)
  return [
    `${TENANTS} tenants; medians of ${SLICES} interleaved slices, ratios against plain Sequelize in the same round.`,
    '',
    ...lines,
  ]
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return ((sorted[(sorted.length - 1) >> 1] ?? NaN) + (sorted[sorted.length >> 1] ?? NaN)) / 2
}

function format(ratio: number): string {
  return ratio.toFixed(2)
}
