/**
 * Whether a request is let in, and as whose: what all frameworks have in common. It finds the tenant, asks the
 * application whether this request may use it, and only then waits until it is at head, so that who may not use a
 * tenant upgrades none.
 */
import { loadConfig } from '../config.ts'
import { isTenancyError } from '../errors.ts'
import type { TenantQuery } from '../registry.ts'
import { createTenancy, type Tenancy } from '../tenancy.ts'
import type { Tenant } from '../tenant.ts'
import { andThen, isPromise, type Awaitable } from './awaitable.ts'
import { forbiddenTenant, missingTenant, refusalOf, type Refusal } from './refusal.ts'
import type { TenantRequest } from './request.ts'
import { byHost, firstOf, type Resolver } from './resolve.ts'

/** What `tenantMigrations` takes, in every framework. */
export interface TenantMigrationsOptions<Request extends TenantRequest = TenantRequest> {
  /**
   * How the tenant is found; of several, the first that names one.
   * @defaultValue `byHost()`
   */
  readonly resolve?: Resolver<Request> | readonly Resolver<Request>[]
  /**
   * Whether the request may use the tenant: anything but `true` refuses it with 403. It is asked at each request,
   * before the tenant is upgraded. Without it every request may use the tenant that it names.
   */
  readonly authorize?: (request: Request, tenant: Tenant) => Awaitable<boolean>
  /**
   * What a request of an unknown tenant meets: 404 refuses it, `'next'` passes it on without a tenant, where queries
   * fail.
   * @defaultValue `404`
   */
  readonly onUnknown?: 404 | 'next'
  /**
   * What a request without a tenant meets: `'next'` passes it on without a tenant, where queries fail, and 400
   * refuses it.
   * @defaultValue `'next'`
   */
  readonly onMissing?: 'next' | 400
}

/** What becomes of a request: the rest of it runs in a tenant, or without one, or it is refused. */
export type Decision =
  | { readonly verdict: 'enter'; readonly tenancy: Tenancy; readonly tenant: Tenant }
  | { readonly verdict: 'pass' }
  | { readonly verdict: 'refuse'; readonly refusal: Refusal }

const PASS: Decision = Object.freeze({ verdict: 'pass' })

/** A tenancy, or one that is coming; nothing means: from the nearest configuration file, when it is first needed. */
export type TenancySource = Tenancy | Promise<Tenancy> | undefined

export class Admission<Request extends TenantRequest> {
  readonly #source: TenancySource
  readonly #resolve: Resolver<Request>
  readonly #options: TenantMigrationsOptions<Request>
  #tenancy: Tenancy | undefined
  #loading: Promise<Tenancy> | undefined

  constructor(source: TenancySource, options: TenantMigrationsOptions<Request>) {
    const { resolve = byHost() } = options
    this.#source = source
    this.#resolve = typeof resolve === 'function' ? resolve : firstOf(resolve)
    this.#options = options
  }

  /**
   * Never throws, and makes no promise for a tenant that is known and at head. It rejects with what is no refusal: an
   * error of the application's own functions, or of its configuration.
   */
  decide(request: Request): Awaitable<Decision> {
    const tenancy = this.#tenancy
    try {
      const decision =
        tenancy === undefined
          ? this.#load().then((loaded) => this.#decideIn(loaded, request))
          : this.#decideIn(tenancy, request)
      return isPromise(decision) ? decision.then(undefined, refuseOrThrow) : decision
    } catch (error) {
      const refusal = refusalOf(error)
      return refusal === undefined ? Promise.reject(error) : { verdict: 'refuse', refusal }
    }
  }

  /** Closes the tenancy if it was made here, from the configuration file; another is its maker's to close. */
  async close(): Promise<void> {
    if (this.#source === undefined) await (await this.#loading)?.close()
  }

  #decideIn(tenancy: Tenancy, request: Request): Awaitable<Decision> {
    return andThen<TenantQuery | null | undefined, Decision>(this.#resolve(request), (query) => {
      if (query === undefined || query === null) return this.#withoutTenant()
      const name = checked(query)
      const tenant = tenancy.readyTenant(name)
      if (tenant === undefined) return this.#admit(tenancy, request, name)
      return andThen(this.#authorized(request, tenant), () => ({ verdict: 'enter', tenancy, tenant }))
    })
  }

  #withoutTenant(): Decision {
    if (this.#options.onMissing === 400) throw missingTenant()
    return PASS
  }

  async #admit(tenancy: Tenancy, request: Request, query: TenantQuery): Promise<Decision> {
    const tenant = await this.#find(tenancy, query)
    if (tenant === undefined) return PASS
    await this.#authorized(request, tenant)
    await tenancy.pass(tenant)
    return { verdict: 'enter', tenancy, tenant }
  }

  async #find(tenancy: Tenancy, query: TenantQuery): Promise<Tenant | undefined> {
    try {
      return await tenancy.find(query)
    } catch (error) {
      if (this.#options.onUnknown === 'next' && isTenancyError(error, 'TENANT_UNKNOWN')) return undefined
      throw error
    }
  }

  #authorized(request: Request, tenant: Tenant): Awaitable<void> {
    const { authorize } = this.#options
    if (authorize === undefined) return undefined
    // An application in JavaScript may forget to answer, or answer with an object: only a clear yes lets in.
    return andThen<unknown, void>(authorize(request, tenant), (answer) => {
      if (answer !== true) throw forbiddenTenant(tenant)
    })
  }

  async #load(): Promise<Tenancy> {
    this.#loading ??= Promise.resolve(this.#source ?? fromConfigFile())
    try {
      this.#tenancy = await this.#loading
      return this.#tenancy
    } catch (error) {
      this.#loading = undefined // a database or file that is missing now may be there at the next request
      throw error
    }
  }
}

/** The tenancy of the nearest configuration file. */
export async function fromConfigFile(): Promise<Tenancy> {
  const { config, baseDir } = await loadConfig()
  return createTenancy(config, { baseDir })
}

/** A resolver of the application may hand on what a client sent, such as `?tenant[]=a`: what is no text is unknown. */
function checked(query: TenantQuery): TenantQuery {
  return typeof (query.id ?? query.schema ?? query.host) === 'string' ? query : { id: '' }
}

function refuseOrThrow(error: unknown): Decision {
  const refusal = refusalOf(error)
  if (refusal === undefined) throw error
  return { verdict: 'refuse', refusal }
}
