/**
 * One small application in each framework, behind `tenantMigrations`: the same routes, so that the same facts can be
 * stated of all.
 *
 * `GET /owner` who is served, `POST /owner` with a JSON body, `GET /throws` an error of the application's own,
 * `GET /later` work that goes on after the answer.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

import { Controller, Get, HttpCode, Module, Post, Req } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import express, { type NextFunction, type Request, type Response } from 'express'
// @ts-expect-error the older version, under another name, has no types of its own
import express4 from 'express4'
import Fastify from 'fastify'
import Koa from 'koa'
import type { Sequelize } from 'sequelize'

import type { TenantMigrationsOptions } from '../../lib/middleware/admission.ts'
import { tenantMigrations as expressMiddleware } from '../../lib/middleware/express.ts'
import { tenantMigrations as fastifyPlugin } from '../../lib/middleware/fastify.ts'
import { tenantMigrations as koaMiddleware } from '../../lib/middleware/koa.ts'
import { CurrentTenant, TenancyModule } from '../../lib/middleware/nest.ts'
import type { Tenancy } from '../../lib/tenancy.ts'
import type { Tenant } from '../../lib/tenant.ts'
import type { Answer } from './http.ts'

export interface Application {
  readonly tenancy: Tenancy
  readonly sequelize: Sequelize
  readonly options: TenantMigrationsOptions
  /** Whether the framework is told that a proxy in front can be trusted. */
  readonly trustProxy: boolean
  /** What `GET /later` goes on with. */
  later(work: Promise<unknown>): void
}

export interface Serving {
  readonly port: number
  close(): Promise<void>
}

export interface Framework {
  readonly name: string
  serve(application: Application): Promise<Serving>
  /** The code in the body of a refusal, in the framework's own form. */
  readonly codeOf: (answer: Answer) => unknown
}

async function owner({ sequelize }: Application, tenant: Tenant | null | undefined): Promise<object> {
  const [rows] = await sequelize.query('SELECT owner FROM marker')
  return { tenant: tenant?.id, rows }
}

function workLater(application: Application): void {
  application.later(sleep(20).then(() => owner(application, application.tenancy.current())))
}

async function listening(server: Server): Promise<Serving> {
  if (!server.listening) await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo // of a server on TCP
  return {
    port,
    async close() {
      server.closeAllConnections()
      await once(server.close(), 'close')
    },
  }
}

const codeInError = (answer: Answer) => answer.json<{ error: { code: string } }>().error.code

function expressFramework(name: string, make: typeof express): Framework {
  return {
    name,
    codeOf: codeInError,
    serve(application) {
      const app = make()
      if (application.trustProxy) app.set('trust proxy', true)
      app.use(expressMiddleware(application.tenancy, application.options))
      app.use(make.json())
      // Version 4 does not wait for promises: what fails is handed on here.
      const answer = (work: (request: Request) => Promise<object>) => {
        return (request: Request, response: Response, next: NextFunction) => {
          work(request).then((body) => response.json(body), next)
        }
      }
      app.get(
        '/owner',
        answer((request) => owner(application, request.tenant)),
      )
      app.post(
        '/owner',
        answer(async (request) => ({
          ...(await owner(application, request.tenant)),
          body: request.body as unknown,
        })),
      )
      app.get('/throws', () => {
        throw new Error('mine')
      })
      app.get('/later', (_request, response) => {
        response.end()
        workLater(application)
      })
      app.use((error: Error, _request: Request, response: Response, _next: NextFunction) => {
        response.status(500).json({ message: error.message })
      })
      return listening(createServer(app))
    },
  }
}

const fastify: Framework = {
  name: 'fastify',
  codeOf: (answer) => answer.json<{ code: string }>().code,
  async serve(application) {
    const app = Fastify({ trustProxy: application.trustProxy })
    await app.register(fastifyPlugin, { tenancy: application.tenancy, ...application.options })
    app.get('/owner', (request) => owner(application, request.tenant))
    app.post('/owner', async (request) => ({
      ...(await owner(application, request.tenant)),
      body: request.body,
    }))
    app.get('/throws', async () => {
      throw new Error('mine')
    })
    app.get('/later', async (_request, reply) => {
      workLater(application)
      return reply.send('')
    })
    await app.listen({ port: 0, host: '127.0.0.1' })
    const { port } = app.server.address() as AddressInfo // of a server on TCP
    return {
      port,
      async close() {
        app.server.closeAllConnections()
        await app.close()
      },
    }
  },
}

const koa: Framework = {
  name: 'koa',
  codeOf: (answer) => answer.text,
  serve(application) {
    const app = new Koa()
    app.proxy = application.trustProxy
    app.silent = true // its own errors are asserted, not printed
    app.use(async (context, next) => {
      try {
        await next()
      } catch (error) {
        if (error instanceof Error && !('status' in error)) {
          context.status = 500
          context.body = { message: error.message }
        } else throw error
      }
    })
    app.use(koaMiddleware(application.tenancy, application.options))
    app.use(async (context) => {
      const { tenant } = context.state
      if (context.path === '/throws') throw new Error('mine')
      if (context.path === '/later') {
        workLater(application)
        context.body = ''
      } else if (context.method === 'POST') {
        const body = JSON.parse(await textOf(context.req)) as unknown
        context.body = { ...(await owner(application, tenant)), body }
      } else context.body = await owner(application, tenant)
    })
    const answer = app.callback()
    return listening(createServer((request, response) => void answer(request, response)))
  },
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer) // a stream without an encoding
  return Buffer.concat(chunks).toString()
}

const nest: Framework = {
  name: 'nest',
  codeOf: codeInError,
  async serve(application) {
    const { tenancy, options, trustProxy } = application
    class OwnerController {
      find(tenant: Tenant | undefined) {
        return owner(application, tenant)
      }
      async create(tenant: Tenant | undefined, request: Request) {
        return { ...(await owner(application, tenant)), body: request.body as unknown }
      }
      throws() {
        throw new Error('mine')
      }
      later() {
        workLater(application)
        return ''
      }
    }
    // Decorators, applied as functions: the tests run as plain JavaScript does.
    const { prototype } = OwnerController
    Controller()(OwnerController)
    for (const [decorator, name] of [
      [Get('owner'), 'find'],
      [Post('owner'), 'create'],
      [HttpCode(200), 'create'],
      [Get('throws'), 'throws'],
      [Get('later'), 'later'],
    ] as const) {
      decorator(prototype, name, Object.getOwnPropertyDescriptor(prototype, name) ?? {})
    }
    CurrentTenant({ optional: true })(prototype, 'find', 0)
    CurrentTenant()(prototype, 'create', 0)
    Req()(prototype, 'create', 1)
    class AppModule {
      readonly name = 'application'
    }
    Module({ controllers: [OwnerController], imports: [TenancyModule.forRoot({ tenancy, ...options })] })(
      AppModule,
    )
    const app = await NestFactory.create(AppModule, { logger: false })
    // The adapter's own Express, which Nest does not type.
    const instance = app.getHttpAdapter().getInstance() as express.Express
    if (trustProxy) instance.set('trust proxy', true)
    await app.listen(0, '127.0.0.1')
    const server = app.getHttpServer() as Server // of the Express adapter
    const { port } = server.address() as AddressInfo // of a server on TCP
    return {
      port,
      async close() {
        server.closeAllConnections()
        await app.close()
      },
    }
  },
}

export const FRAMEWORKS: readonly Framework[] = [
  expressFramework('express', express),
  expressFramework('express 4', express4 as typeof express), // called as version 5 is
  fastify,
  koa,
  nest,
]
