/**
 * Who is the current tenant. AsyncLocalStorage is the authority; an application's cls-hooked namespace is
 * served as a mirror of it. This is the only file that knows the shape of cls-hooked.
 *
 * `runPromise` of cls-hooked is never called: after it the caller's code goes on in the inner context.
 */
import { AsyncLocalStorage } from 'node:async_hooks'

import { TenancyError } from './errors.ts'
import { searchPath } from './sql.ts'
import type { Tenant } from './tenant.ts'

/** What `Sequelize.useCLS` asks for; a cls-hooked namespace has this shape. */
export interface Namespace {
  run(fn: (context: Record<string, unknown>) => unknown): unknown
  bind<F extends Function>(fn: F, context?: unknown): F
  get(key: string): unknown
  set<T>(key: string, value: T): T
}

/** Where statements go: a tenant's schema before the shared ones, or only the shared ones. */
export interface Scope {
  readonly tenant: Tenant | undefined
  /** The value of `search_path`, each schema quoted. */
  readonly path: string
  /** The role that statements run as, if it is not that of the connection. */
  readonly role?: string | undefined
  /** Until when the schema is believed to be there and usable, in milliseconds of the epoch; none is not looked at. */
  readonly usable?: { until: number }
}

export interface ContextOptions {
  /** Schemas after the tenant's own, in order. */
  readonly searchPath: readonly string[]
  /** The application's cls-hooked namespace, the one it gave to `Sequelize.useCLS`. */
  readonly namespace?: Namespace | undefined
  /** What a statement outside any scope meets: an error, or the shared schemas. */
  readonly onMissing: 'error' | 'shared'
  readonly roles?: { readonly tenant?: ((tenant: Tenant) => string) | undefined }
}

/** Names under which a namespace shows the scope; `transaction` is Sequelize's own. */
const TENANT_KEY = 'tenant'
const TRANSACTION_KEY = 'transaction'

export class TenantContext {
  readonly #storage = new AsyncLocalStorage<Scope>()
  readonly #scopes = new WeakMap<Tenant, Scope>()
  readonly #shared: Scope
  readonly #options: ContextOptions
  #namespace: Namespace | undefined

  constructor(options: ContextOptions) {
    this.#options = options
    this.#shared = Object.freeze({ tenant: undefined, path: searchPath(options.searchPath) })
    this.#namespace = options.namespace
  }

  /** Runs `fn` in the scope of `tenant`, and everything it starts; the caller's scope stays what it was. */
  run<T>(tenant: Tenant, fn: () => T): T {
    return this.#enter(this.#scopeOf(tenant), fn)
  }

  /** Runs `fn` without a tenant: statements see the shared schemas only. */
  runShared<T>(fn: () => T): T {
    return this.#enter(this.#shared, fn)
  }

  current(): Tenant | undefined {
    return this.#storage.getStore()?.tenant
  }

  /** @throws {@link TenancyError} TENANT_CONTEXT_MISSING */
  require(): Tenant {
    const tenant = this.current()
    if (tenant === undefined) throw missing()
    return tenant
  }

  /** `fn`, always run in the scope that is current now: for event handlers, streams and queues. */
  bind<F extends (...args: never[]) => unknown>(fn: F): F {
    // AsyncLocalStorage.bind would also keep the stores of other libraries; here only the tenant is promised.
    const scope = this.#storage.getStore()
    if (scope === undefined) return fn
    const enter = (run: () => unknown) => this.#enter(scope, run)
    return function bound(this: unknown, ...args: never[]) {
      return enter(() => fn.apply(this, args))
    } as F // a function with F's own parameters and result: TypeScript cannot infer that from the wrapper
  }

  /**
   * The scope of a statement sent now.
   *
   * @throws {@link TenancyError} TENANT_CONTEXT_MISSING outside any scope, unless `onMissing` is `'shared'`.
   */
  scope(): Scope {
    const scope = this.#storage.getStore()
    if (scope !== undefined) return scope
    if (this.#options.onMissing === 'shared') return this.#shared
    throw missing()
  }

  /** The schema that bare table names mean now: the tenant's, or the first of the shared ones. */
  schema(): string | undefined {
    return this.current()?.schema ?? this.#options.searchPath[0]
  }

  /** The namespace for `Sequelize.useCLS`: the application's own, or one that stands on AsyncLocalStorage. */
  namespace(): Namespace {
    this.#namespace ??= asyncLocalNamespace()
    return this.#namespace
  }

  /** Runs `fn` in no scope: what lives longer than its caller, such as a connection, must not keep a tenant. */
  leave<T>(fn: () => T): T {
    const namespace = this.#namespace
    return this.#storage.exit(() =>
      namespace === undefined ? fn() : runIn(namespace, undefined, undefined, fn),
    )
  }

  /** A callback of a connection, which would run without a tenant, in today's scope. */
  resume<A extends unknown[]>(callback: (...args: A) => unknown): (...args: A) => unknown {
    const scope = this.#storage.getStore()
    if (scope === undefined) return callback
    return (...args) => this.#storage.run(scope, callback, ...args)
  }

  #scopeOf(tenant: Tenant): Scope {
    let scope = this.#scopes.get(tenant)
    if (scope === undefined) {
      scope = Object.freeze({
        tenant,
        path: searchPath([tenant.schema, ...this.#options.searchPath]),
        role: this.#options.roles?.tenant?.(tenant),
        usable: { until: 0 },
      })
      this.#scopes.set(tenant, scope)
    }
    return scope
  }

  #enter<T>(scope: Scope, fn: () => T): T {
    const outer = this.#storage.getStore()
    const namespace = this.#namespace
    if (namespace === undefined) return this.#storage.run(scope, fn)
    return this.#storage.run(scope, () => runIn(namespace, scope, outer, fn))
  }
}

/** Runs `fn` in a child of the namespace's context, which shows the tenant and hides a foreign transaction. */
function runIn<T>(namespace: Namespace, scope: Scope | undefined, outer: Scope | undefined, fn: () => T): T {
  let result: { value: T } | undefined
  namespace.run(() => {
    namespace.set(TENANT_KEY, scope?.tenant)
    // A transaction begun for another scope must not be inherited: null means "none" to Sequelize.
    if (scope === undefined || outer?.path !== scope.path) namespace.set(TRANSACTION_KEY, null)
    result = { value: fn() }
  })
  if (result === undefined) throw new TypeError('the namespace did not call its function synchronously')
  return result.value
}

/**
 * A namespace for applications without cls-hooked, which costs promises nothing beyond AsyncLocalStorage.
 * A child context sees the values of its parent, and keeps its own to itself.
 */
function asyncLocalNamespace(): Namespace {
  const storage = new AsyncLocalStorage<Record<string, unknown>>()
  return {
    run(fn) {
      const context: Record<string, unknown> = Object.create(storage.getStore() ?? null)
      storage.run(context, fn, context)
      return context
    },
    bind(fn, chosen) {
      const context =
        (chosen as Record<string, unknown> | undefined) ?? storage.getStore() ?? Object.create(null)
      return function bound(this: unknown, ...args: unknown[]) {
        return storage.run(context, () => fn.apply(this, args))
      } as unknown as typeof fn // the wrapper has fn's parameters and result
    },
    get: (key) => storage.getStore()?.[key],
    set(key, value) {
      const context = storage.getStore()
      if (context === undefined) throw new Error(`no context is active: cannot set "${key}"`)
      context[key] = value
      return value
    },
  }
}

function missing(): TenancyError {
  return new TenancyError('TENANT_CONTEXT_MISSING', 'There is no current tenant here.', {
    fix: [
      'wrap the work in tenancy.run(tenant, fn), or mount app.use(tenantMigrations()) before the route',
      'keep the tenant in event handlers and streams with tenancy.bind(fn)',
      "for shared tables use tenancy.runShared(fn), or set onMissing: 'shared'",
    ],
  })
}
