/** Fastify 5. Only its types are imported. */
import type { FastifyInstance, FastifyPluginCallback, FastifyRequest } from 'fastify'

import type { Tenancy } from '../tenancy.ts'
import type { Tenant } from '../tenant.ts'
import { Admission, type Decision, type TenantMigrationsOptions } from './admission.ts'
import { isPromise } from './awaitable.ts'
import { RefusedRequest } from './refusal.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The tenant of the request, behind `tenantMigrations`; null where there is none. */
    tenant: Tenant | null
  }
}

/** What `fastify.register(tenantMigrations, …)` takes. */
export interface TenantPluginOptions extends TenantMigrationsOptions<FastifyRequest> {
  /**
   * The tenancy, which stays the application's to close.
   * @defaultValue one from the nearest configuration file, made at the first request and closed with Fastify
   */
  readonly tenancy?: Tenancy | Promise<Tenancy>
}

type Done = (error?: Error) => void

/**
 * A plugin that runs each request in the context of its tenant, upgraded if it was behind; `request.tenant` says which.
 * It holds for the instance it is registered with and everything below, as if wrapped by fastify-plugin: register it
 * with a child to leave other routes alone.
 *
 * Who is not let in is answered by Fastify's error handler: the error has `statusCode`, `headers`, and a `code` which
 * is also its message; its `cause` says why, for logs.
 *
 * @example
 * ```ts
 * import Fastify from 'fastify'
 *
 * const fastify = Fastify()
 * await fastify.register(tenantMigrations, { tenancy, onMissing: 400 })
 * ```
 */
export const tenantMigrations: FastifyPluginCallback<TenantPluginOptions> = Object.assign(
  function tenantPlugin(
    fastify: FastifyInstance,
    { tenancy, ...options }: TenantPluginOptions,
    done: Done,
  ): void {
    const admission = new Admission(tenancy, options)
    fastify.decorateRequest('tenant', null)
    // With callbacks: the scope of an async hook ends with the hook, and the handler would run without a tenant.
    fastify.addHook('onRequest', (request, _reply, next) => {
      const decision = admission.decide(request)
      if (isPromise(decision)) decision.then((decided) => act(decided, request, next), next)
      else act(decision, request, next)
    })
    fastify.addHook('onClose', () => admission.close())
    done()
  },
  {
    // What fastify-plugin sets.
    [Symbol.for('skip-override')]: true,
    [Symbol.for('fastify.display-name')]: 'umzug-tenants',
    [Symbol.for('plugin-meta')]: { name: 'umzug-tenants', fastify: '5.x' },
  },
)

function act(decision: Decision, request: FastifyRequest, next: Done): void {
  if (decision.verdict === 'pass') return next()
  if (decision.verdict === 'refuse') return next(new RefusedRequest(decision.refusal))
  request.tenant = decision.tenant
  decision.tenancy.enter(decision.tenant, next)
}
