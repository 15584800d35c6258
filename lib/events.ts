/**
 * What the library tells those who watch it: one typed map from event to payload, and an emitter that a
 * throwing listener cannot disturb. Payloads are plain values, never live connections.
 *
 * Every event is also published on the `node:diagnostics_channel` of its name, for those who watch a process and hold
 * no tenancy. What takes time is shown to one more kind of watcher, an observer, which sees it begin and end.
 */
import { channel, type Channel } from 'node:diagnostics_channel'
import { EventEmitter } from 'node:events'

import type { ErrorDocument } from './errors.ts'

/** Every event, by name; docs/events.md says when each happens and what to do about it. */
export interface TenancyEvents {
  /** One migration begins on one tenant. */
  'migration:start': { tenant: string; schema: string; migration: string; direction: 'up' | 'down' }
  /** One migration has run; with one transaction a tenant it is not committed yet. */
  'migration:success': {
    tenant: string
    schema: string
    migration: string
    direction: 'up' | 'down'
    durationMs: number
  }
  /** A file that would have been refused was let through. */
  'migration:allowed': {
    tenant: string
    schema: string
    migration: string
    violation: 'missing' | 'changed' | 'out-of-order' | 'passed-over'
  }
  /** A migration has changed objects outside its schema, and `guard` is `'warn'`. */
  'migration:outside': { tenant: string; schema: string; migration: string; objects: readonly string[] }
  /** A migration that is written as a script has read rows, and may have acted on the answer. */
  'migration:reads': { tenant: string; schema: string; migration: string }
  /** A tenant's run has ended and is committed. */
  'tenant:migrated': {
    tenant: string
    schema: string
    direction: 'up' | 'down'
    migrations: readonly string[]
    durationMs: number
  }
  /** A tenant's run has failed; what the transaction held is rolled back. */
  'tenant:failed': { tenant: string; schema: string; error: ErrorDocument }
  /** A fleet's run has begun, or one of its tenants has ended. */
  'fleet:progress': { total: number; succeeded: number; unchanged: number; failed: number }
  /** A tenant was registered, or its schema created. */
  'tenant:provisioned': { tenant: string; schema: string }
  /** A tenant has migrations that this code does not know; it is served. */
  'tenant:ahead': { tenant: string; schema: string; head: string; unknown: readonly string[] }
  /** Another process has changed a tenant that was served here: it is not taken for being at head any more. */
  'tenant:stale': { tenant: string; schema: string }
  /** The connection that listens for changes by other processes is lost, or could not be opened. */
  'listen:lost': { error: ErrorDocument }
  /** A tenant's schema and registration are gone. */
  'tenant:dropped': { tenant: string; schema: string }
  /** A tenant's record was changed without running anything. */
  'tenant:stamped': {
    tenant: string
    schema: string
    recorded: readonly string[]
    forgotten: readonly string[]
  }
  /** A schema that was there already has become a tenant's; `from` is what it was called before. */
  'tenant:adopted': { tenant: string; schema: string; from: string }
  /** A tenant's schema has another name. */
  'tenant:renamed': { tenant: string; schema: string; from: string }
  /** A listener of another event threw; its error is here and nowhere else. */
  'listener:error': { event: string; error: unknown }
}

export type EventName = keyof TenancyEvents
export type Listener<Name extends EventName> = (event: TenancyEvents[Name]) => unknown

/** What takes time, and is worth a span: the wait of a request, one tenant's run, a fleet's, one migration. */
export type Operation =
  | { readonly name: 'gate'; readonly tenant: string; readonly schema: string }
  | {
      readonly name: 'run'
      readonly tenant: string
      readonly schema: string
      readonly direction: 'up' | 'down'
      readonly database: string
    }
  | {
      readonly name: 'migration'
      readonly tenant: string
      readonly schema: string
      readonly direction: 'up' | 'down'
      readonly database: string
      readonly migration: string
    }
  | { readonly name: 'fleet'; readonly direction: 'up' | 'down' }

/** Is called in the place of `fn`, which it must call once; what `fn` answers or throws, it answers or throws. */
export type Observer = <T>(operation: Operation, fn: () => Promise<T>) => Promise<T>

/** A channel is collected when nobody holds it, and with it who subscribed: https://nodejs.org/api/diagnostics_channel.html */
const channels = new Map<EventName, Channel>()

function channelOf(name: EventName): Channel {
  let found = channels.get(name)
  if (found === undefined) channels.set(name, (found = channel(`umzug-tenants:${name}`)))
  return found
}

/** A typed emitter whose `emit` never throws. */
export class Events {
  readonly #emitter = new EventEmitter({ captureRejections: false }).setMaxListeners(0)
  #observers: readonly Observer[] = []

  /** Calls `listener` at each `name`; the returned function ends that. */
  on<Name extends EventName>(name: Name, listener: Listener<Name>): () => void {
    const report = (error: unknown) => {
      // A listener of this very event must not be able to call itself for ever.
      if (name !== 'listener:error') this.emit('listener:error', { event: name, error })
    }
    const guarded = (event: TenancyEvents[Name]) => {
      try {
        // An async function is a listener too; nobody else would catch what it rejects with.
        Promise.resolve<unknown>(listener(event)).catch(report)
      } catch (error) {
        report(error)
      }
    }
    this.#emitter.on(name, guarded)
    return () => {
      this.#emitter.off(name, guarded)
    }
  }

  emit<Name extends EventName>(name: Name, event: TenancyEvents[Name]): void {
    this.#emitter.emit(name, event)
    const published = channelOf(name)
    // A subscriber that throws does so in a turn of its own, as Node has it.
    if (published.hasSubscribers) published.publish(event)
  }

  /** Shows every operation to `observer`; the returned function ends that. */
  observe(observer: Observer): () => void {
    this.#observers = [...this.#observers, observer]
    return () => {
      this.#observers = this.#observers.filter((other) => other !== observer)
    }
  }

  /** Runs `fn` in the sight of the observers; without any it costs a call. */
  observing<T>(operation: Operation, fn: () => Promise<T>): Promise<T> {
    return this.#observers.reduceRight((inner, observer) => () => observer(operation, inner), fn)()
  }
}
