/** What the compiler promises in each framework; checked by `npm run typecheck`, never run. */
import type { IncomingMessage } from 'node:http'

import { Module } from '@nestjs/common'
import express, { type Request } from 'express'
import { expectTypeOf } from 'expect-type'
import Fastify, { type FastifyRequest } from 'fastify'
import Koa from 'koa'

import {
  byHost,
  byJwt,
  byPath,
  bySubdomain,
  createTenancy,
  tenantMigrations,
  type Resolver,
  type Tenant,
  type TenantRequest,
} from '../../lib/index.ts'
import { tenantMigrations as fastifyPlugin } from '../../lib/middleware/fastify.ts'
import { tenantMigrations as koaMiddleware } from '../../lib/middleware/koa.ts'
import { CurrentTenant, TenancyModule, type Tenancy } from '../../lib/middleware/nest.ts'

const tenancy = createTenancy()

// Express: the request of `authorize` and of resolvers is Express's own, where it is named.
expectTypeOf<Request['tenant']>().toEqualTypeOf<Tenant | undefined>()
express().use(tenantMigrations(tenancy, { resolve: [bySubdomain('example.com'), byPath('/t/:tenant')] }))
express().use(
  '/t/:tenant',
  tenantMigrations<Request>(tenancy, {
    resolve: (request) => {
      const { tenant } = request.params
      return typeof tenant === 'string' ? { id: tenant } : null
    },
    authorize: (request, tenant) => {
      expectTypeOf(tenant).toEqualTypeOf<Tenant>()
      return request.get('x-user') === tenant.id
    },
  }),
)
express().get('/', ({ tenant }) => expectTypeOf(tenant).toEqualTypeOf<Tenant | undefined>())

// Fastify
expectTypeOf<FastifyRequest['tenant']>().toEqualTypeOf<Tenant | null>()
const fastify = Fastify()
await fastify.register(fastifyPlugin)
await fastify.register(fastifyPlugin, {
  tenancy,
  resolve: byHost(),
  authorize: async (request, tenant) => {
    expectTypeOf(request).toEqualTypeOf<FastifyRequest>()
    return request.ip === tenant.id
  },
})
fastify.get('/', async ({ tenant }) => expectTypeOf(tenant).toEqualTypeOf<Tenant | null>())
// @ts-expect-error no such option
await fastify.register(fastifyPlugin, { tenancies: [] })

// Koa
new Koa().use(koaMiddleware(tenancy, { authorize: ({ ip }, { id }) => ip === id }))
new Koa().use(({ state }) => expectTypeOf(state.tenant).toEqualTypeOf<Tenant | undefined>())

// NestJS
expectTypeOf(tenancy).toEqualTypeOf<Tenancy>()
expectTypeOf(CurrentTenant({ optional: true })).toEqualTypeOf<ParameterDecorator>()
Module({
  imports: [TenancyModule.forRoot(), TenancyModule.forRootAsync({ useFactory: () => ({ tenancy }) })],
})

// Resolvers serve every framework's request.
expectTypeOf(byHost()).toEqualTypeOf<Resolver>()
expectTypeOf<IncomingMessage>().toExtend<TenantRequest>()
expectTypeOf<Request>().toExtend<TenantRequest>()
expectTypeOf<FastifyRequest>().toExtend<TenantRequest>()
expectTypeOf<Koa.Context>().toExtend<TenantRequest>()
byJwt(async (token: string) => ({ sub: token, tenant: 'acme' }), 'tenant')
// @ts-expect-error what verifies answers with the claims, not with a text
byJwt((token: string) => token, 'tenant')
// @ts-expect-error a status that is no choice
tenantMigrations(tenancy, { onMissing: 404 })
// @ts-expect-error a resolver names a tenant, it does not return a bare id
tenantMigrations(tenancy, { resolve: () => 'acme' })
