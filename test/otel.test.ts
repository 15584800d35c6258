/** Telemetry as a real SDK receives it. */
import { context, SpanStatusCode, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base'
import * as assert from 'uvu/assert'

import { instrument, type TelemetryOptions } from '../lib/otel/index.ts'
import type { Tenancy } from '../lib/tenancy.ts'
import { testDatabase } from './support/database.ts'
import { thrownBy } from './support/failure.ts'
import type { Files } from './support/folder.ts'
import { suite } from './support/suite.ts'
import { createTable, newId, testTenancies } from './support/tenancies.ts'

const test = suite('otel')
const database = testDatabase(test)
const tenancyWith = testTenancies(test, database)

test.before(() => void context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()))
test.after(() => context.disable())

interface Point {
  readonly metric: string
  readonly attributes: Readonly<Record<string, unknown>>
}

/** What a tenancy sends while `fn` runs. */
async function telemetryOf(
  files: Files,
  options: TelemetryOptions,
  fn: (tenancy: Tenancy) => Promise<unknown>,
): Promise<{ spans: readonly ReadableSpan[]; points: readonly Point[] }> {
  const spanExporter = new InMemorySpanExporter()
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spanExporter)] })
  const metricExporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({
    exporter: metricExporter,
    exportIntervalMillis: 2 ** 30,
  })
  const meterProvider = new MeterProvider({ readers: [reader] })
  const tenancy = await tenancyWith(files, { lazy: { recheckMs: 0 } })
  const stop = instrument(tenancy, { ...options, tracerProvider, meterProvider })
  try {
    await fn(tenancy)
    await meterProvider.forceFlush()
    const points = metricExporter
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics: found }) => found))
      .flatMap(({ descriptor, dataPoints }) =>
        dataPoints.map(({ attributes }) => ({ metric: descriptor.name, attributes })),
      )
    return { spans: [...spanExporter.getFinishedSpans()], points }
  } finally {
    stop()
    await meterProvider.shutdown()
    await tracerProvider.shutdown()
  }
}

const two = { ...createTable('1_a', 'a'), ...createTable('2_b', 'b') }

test('a lazy upgrade is a span of the wait, in it one of the run, in it one of each migration', async () => {
  const id = newId()
  const { spans } = await telemetryOf(two, {}, async (tenancy) => {
    await tenancy.provision({ id, up: false })
    await tenancy.run(id, () => undefined)
  })
  const byName = (name: string) => spans.filter((span) => span.name === name)
  const [gate] = byName('tenant gate')
  const [run] = byName('tenant up')
  assert.is(run?.parentSpanContext?.spanId, gate?.spanContext().spanId)
  const migrations = byName('migration up')
  assert.equal(
    migrations.map((span) => [
      span.attributes['umzug_tenants.migration.name'],
      span.parentSpanContext?.spanId,
    ]),
    [
      ['1_a.sql', run?.spanContext().spanId],
      ['2_b.sql', run?.spanContext().spanId],
    ],
  )
  const name = new URL(database.url).pathname.slice(1)
  assert.equal(run?.attributes, {
    'db.system.name': 'postgresql',
    'db.namespace': `${name}.${id}`,
    'umzug_tenants.tenant.id': id,
    'umzug_tenants.tenant.schema': id,
    'umzug_tenants.direction': 'up',
  })
})

test('a span of the application is the parent of what happens in it, and of the spans of a migration', async () => {
  const id = newId()
  const seen: (string | undefined)[] = []
  Object.assign(globalThis, { otelSeen: () => seen.push(trace.getActiveSpan()?.spanContext().spanId) })
  const files = { '1_a.mjs': 'export const up = async () => { globalThis.otelSeen() }' }
  const { spans } = await telemetryOf(files, {}, (tenancy) => tenancy.provision({ id }))
  assert.equal(
    seen,
    spans.filter(({ name }) => name === 'migration up').map((span) => span.spanContext().spanId),
  )
})

test('a failure is named by its code and SQLSTATE, on the span and in a counter, without the words of the server', async () => {
  const id = newId()
  const files = { '1_a.sql': "SELECT 'canary'::integer" }
  const { spans, points } = await telemetryOf(files, {}, async (tenancy) => {
    await tenancy.provision({ id, up: false })
    await thrownBy(() => tenancy.run(id, () => undefined))
  })
  const run = spans.find(({ name }) => name === 'tenant up')
  assert.is(run?.status.code, SpanStatusCode.ERROR)
  assert.is(run?.attributes['error.type'], 'MIGRATION_FAILED')
  assert.is(run?.attributes['db.response.status_code'], '22P02')
  const gate = spans.find(({ name }) => name === 'tenant gate')
  assert.is(gate?.attributes['error.type'], 'TENANT_UNAVAILABLE')
  for (const { attributes, status, events } of spans)
    assert.not.match(JSON.stringify([attributes, status, events]), 'canary')
  assert.ok(
    points.some(
      ({ metric, attributes }) =>
        metric === 'umzug_tenants.failures' &&
        attributes['umzug_tenants.operation'] === 'gate' &&
        attributes['error.type'] === 'TENANT_UNAVAILABLE',
    ),
  )
})

test('a migration that is run again without a transaction has two spans, and neither is an error', async () => {
  const id = newId()
  const files = { ...createTable('1_a', 'a'), '2_b.sql': 'CREATE INDEX CONCURRENTLY i ON a (id)' }
  const { spans } = await telemetryOf(files, {}, async (tenancy) => {
    await tenancy.provision({ id, up: false })
    await tenancy.up({ tenants: [id] })
  })
  assert.is(spans.filter(({ status }) => status.code === SpanStatusCode.ERROR).length, 0)
  const again = spans.filter(({ attributes }) => attributes['umzug_tenants.migration.name'] === '2_b.sql')
  assert.equal(
    again.map(({ attributes }) => attributes['umzug_tenants.migration.repeated']),
    [true, undefined],
  )
  assert.ok(spans.some(({ name }) => name === 'fleet up'))
})

test('O71 metrics name no tenant', async () => {
  const ids = [newId(), newId()]
  const { points } = await telemetryOf(two, {}, async (tenancy) => {
    for (const id of ids) await tenancy.provision({ id })
  })
  assert.equal(new Set(points.map(({ metric }) => metric)), new Set(['umzug_tenants.run.duration', 'umzug_tenants.migration.duration'])) // prettier-ignore
  for (const { attributes } of points) assert.equal(attributes, { 'umzug_tenants.direction': 'up' })
})

test('O71 with labels for two tenants a third and a fourth are counted as others', async () => {
  const ids = Array.from({ length: 4 }, newId)
  const { points } = await telemetryOf(two, { tenantLabels: 2 }, async (tenancy) => {
    for (const id of ids) await tenancy.provision({ id })
  })
  const labels = points
    .filter(({ metric }) => metric === 'umzug_tenants.run.duration')
    .map(({ attributes }) => attributes['umzug_tenants.tenant.id'])
  assert.equal(labels, [ids[0], ids[1], 'other'])
})

test('what is stopped sends nothing more', async () => {
  const exporter = new InMemorySpanExporter()
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  const tenancy = await tenancyWith(two)
  instrument(tenancy, { tracerProvider })()
  await tenancy.provision({ id: newId() })
  assert.is(exporter.getFinishedSpans().length, 0)
  await tracerProvider.shutdown()
})

test.run()
