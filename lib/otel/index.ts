/**
 * OpenTelemetry: spans and metrics of what takes time, through `@opentelemetry/api`, an optional peer. Without an SDK
 * in the process its calls do nothing.
 */
import {
  context,
  metrics,
  SpanKind,
  SpanStatusCode,
  trace,
  type MeterProvider,
  type Span,
  type TracerProvider,
} from '@opentelemetry/api'

import { isTenancyError } from '../errors.ts'
import type { Observer, Operation } from '../events.ts'
import { NeedsTreatment } from '../migrations/treatment.ts'
import type { Tenancy } from '../tenancy.ts'
import { attributesOf, spanNameOf } from './attributes.ts'
import { createInstruments, type InstrumentOptions } from './instruments.ts'

export interface TelemetryOptions extends InstrumentOptions {
  /** @defaultValue the global one */
  readonly tracerProvider?: TracerProvider
  /** @defaultValue the global one */
  readonly meterProvider?: MeterProvider
}

/** What the spans and metrics say they come from. */
const SCOPE = 'umzug-tenants'

/**
 * Makes a span of each migration, each tenant's run, each fleet's run and each wait at the lazy gate, and counts and
 * measures them; the returned function ends that. Spans name the tenant. Metrics do not, unless `tenantLabels` says
 * for how many: each tenant would be a time series of its own.
 *
 * @example
 * ```ts
 * const stop = instrument(tenancy, { tenantLabels: 20 })
 * await tenancy.provision({ id: 'acme' })
 * stop()
 * ```
 */
export function instrument(tenancy: Tenancy, options: TelemetryOptions = {}): () => void {
  const tracer = (options.tracerProvider ?? trace).getTracer(SCOPE)
  const record = createInstruments((options.meterProvider ?? metrics).getMeter(SCOPE), options)
  const observer: Observer = async (operation, fn) => {
    const span = tracer.startSpan(spanNameOf(operation), {
      kind: SpanKind.INTERNAL,
      attributes: attributesOf(operation),
    })
    const startedAt = performance.now()
    let errorType: string | undefined
    try {
      return await context.with(trace.setSpan(context.active(), span), fn)
    } catch (error) {
      errorType = noteFailure(span, error)
      throw error
    } finally {
      span.end()
      record(operation, (performance.now() - startedAt) / 1000, errorType)
    }
  }
  return tenancy.observe(observer)
}

/** Titles say what happened; the driver's own words may hold what the application's rows hold. */
function noteFailure(span: Span, error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  if (error instanceof NeedsTreatment || cause instanceof NeedsTreatment) {
    // No failure: it is undone, and run again in a transaction of its own, or in none.
    span.setAttribute('umzug_tenants.migration.repeated', true)
    return 'repeated'
  }
  if (!isTenancyError(error)) {
    span.setStatus({ code: SpanStatusCode.ERROR })
    return error instanceof Error ? error.name : '_OTHER'
  }
  span.setAttribute('error.type', error.code)
  if (error.sqlstate !== undefined) span.setAttribute('db.response.status_code', error.sqlstate)
  span.setStatus({ code: SpanStatusCode.ERROR, message: error.title })
  return error.code
}

export type { InstrumentOptions, Operation }
