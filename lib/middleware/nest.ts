/** NestJS 12: a module that mounts the middleware, the tenancy as a service, and the tenant as a parameter. */
import type { IncomingMessage, ServerResponse } from 'node:http'

import {
  createParamDecorator,
  HttpException,
  Inject,
  Module,
  RequestMethod,
  type DynamicModule,
  type ExecutionContext,
  type FactoryProvider,
  type MiddlewareConsumer,
  type ModuleMetadata,
  type NestModule,
  type OnApplicationShutdown,
} from '@nestjs/common'

import { Tenancy } from '../tenancy.ts'
import type { Tenant } from '../tenant.ts'
import { Admission, fromConfigFile, type Decision, type TenantMigrationsOptions } from './admission.ts'
import { isPromise } from './awaitable.ts'
import { missingTenant, refusalOf, type Refusal } from './refusal.ts'

// Nest injects by class: constructor(private readonly tenancy: Tenancy).
export { Tenancy }

/** What `TenancyModule.forRoot` takes, and what the factory of `forRootAsync` makes. */
export interface TenancyModuleOptions extends TenantMigrationsOptions<IncomingMessage> {
  /**
   * The tenancy, which stays the application's to close.
   * @defaultValue one from the nearest configuration file, closed with the application
   */
  readonly tenancy?: Tenancy
}

/** Which requests are a tenant's. */
export interface TenancyRoutes {
  /**
   * Controllers and paths, as a middleware consumer takes them.
   * @defaultValue all
   */
  readonly forRoutes?: Parameters<ReturnType<MiddlewareConsumer['apply']>['forRoutes']> | undefined
  /** Paths among them that are not, such as `'health'`. */
  readonly exclude?: Parameters<ReturnType<MiddlewareConsumer['apply']>['exclude']> | undefined
}

/** What `TenancyModule.forRootAsync` takes. */
export interface TenancyModuleAsyncOptions extends TenancyRoutes {
  /** Modules that export what is injected. */
  readonly imports?: ModuleMetadata['imports']
  /** What the factory is given. */
  readonly inject?: FactoryProvider['inject']
  readonly useFactory: FactoryProvider<TenancyModuleOptions>['useFactory']
}

const OPTIONS = Symbol('umzug-tenants: options')
const ROUTES = Symbol('umzug-tenants: routes')

/**
 * The module that runs each request in the context of its tenant, upgraded if it was behind. It is global: every
 * provider may have the {@link Tenancy} injected.
 *
 * Who is not let in is answered by Nest's exception filters: an `HttpException` with the status and
 * `{ error: { code } }`, whose cause says why.
 *
 * @example
 * ```ts
 * import { Module } from '@nestjs/common'
 *
 * class AppModule {}
 * Module({ imports: [TenancyModule.forRoot({ tenancy, onMissing: 400, exclude: ['health'] })] })(AppModule)
 * ```
 */
export class TenancyModule implements NestModule, OnApplicationShutdown {
  readonly #options: TenancyModuleOptions
  readonly #routes: TenancyRoutes
  readonly #tenancy: Tenancy

  /** @internal Nest's to call. */
  constructor(options: TenancyModuleOptions, routes: TenancyRoutes, tenancy: Tenancy) {
    this.#options = options
    this.#routes = routes
    this.#tenancy = tenancy
  }

  /** The module with its options. */
  static forRoot({
    forRoutes,
    exclude,
    ...options
  }: TenancyModuleOptions & TenancyRoutes = {}): DynamicModule {
    return TenancyModule.forRootAsync({ forRoutes, exclude, useFactory: () => options })
  }

  /** The module with options that depend on other providers, such as a configuration service. */
  static forRootAsync(options: TenancyModuleAsyncOptions): DynamicModule {
    const { imports = [], inject = [], useFactory, ...routes } = options
    return {
      module: TenancyModule,
      global: true,
      imports,
      providers: [
        { provide: OPTIONS, inject, useFactory },
        { provide: ROUTES, useValue: routes },
        {
          provide: Tenancy,
          inject: [OPTIONS],
          useFactory: ({ tenancy }: TenancyModuleOptions) => tenancy ?? fromConfigFile(),
        },
      ],
      exports: [Tenancy],
    }
  }

  /** @internal Nest's to call. */
  configure(consumer: MiddlewareConsumer): void {
    const { forRoutes = [{ path: '{*path}', method: RequestMethod.ALL }], exclude = [] } = this.#routes
    consumer
      .apply(middleware(new Admission(this.#tenancy, this.#options)))
      .exclude(...exclude)
      .forRoutes(...forRoutes)
  }

  /** @internal Nest's to call. */
  async onApplicationShutdown(): Promise<void> {
    if (this.#options.tenancy === undefined) await this.#tenancy.close()
  }
}

// What `@Module({})` and `@Inject()` would write: decorators are no part of the JavaScript that Node runs.
Module({})(TenancyModule)
Inject(OPTIONS)(TenancyModule, undefined, 0)
Inject(ROUTES)(TenancyModule, undefined, 1)
Inject(Tenancy)(TenancyModule, undefined, 2)

/**
 * The tenant of the request, as a parameter of a handler. A request without a tenant is refused with 400
 * TENANT_REQUIRED, unless `optional` is set.
 *
 * @example
 * ```ts
 * class UsersController {
 *   list(tenant: { id: string }) {
 *     return `users of ${tenant.id}`
 *   }
 * }
 * CurrentTenant()(UsersController.prototype, 'list', 0) // what `list(@CurrentTenant() tenant)` means
 * ```
 */
export const CurrentTenant = createParamDecorator(
  (choice: { readonly optional?: boolean } | undefined, context: ExecutionContext): Tenant | undefined => {
    const tenant = context.switchToHttp().getRequest<TenantHolder | undefined>()?.tenant
    if (tenant !== undefined || choice?.optional === true) return tenant
    const error = missingTenant()
    const refusal = refusalOf(error)
    throw refusal === undefined ? error : exception(refusal)
  },
)

interface TenantHolder {
  tenant?: Tenant
}

type Next = (error?: unknown) => void

function middleware(admission: Admission<IncomingMessage>) {
  return function tenantMiddleware(
    request: IncomingMessage & TenantHolder,
    response: ServerResponse,
    next: Next,
  ): void {
    const decision = admission.decide(request)
    if (isPromise(decision)) decision.then((decided) => act(decided, request, response, next), next)
    else act(decision, request, response, next)
  }
}

function act(decision: Decision, request: TenantHolder, response: ServerResponse, next: Next): void {
  if (decision.verdict === 'pass') return next()
  if (decision.verdict === 'enter') {
    request.tenant = decision.tenant
    return decision.tenancy.enter(decision.tenant, next)
  }
  for (const [name, value] of Object.entries(decision.refusal.headers)) response.setHeader(name, value)
  next(exception(decision.refusal))
}

function exception({ body, status, error }: Refusal): HttpException {
  return new HttpException(body, status, { cause: error })
}
