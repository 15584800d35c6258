/** What is NestJS's own: modules, injection, the parameter decorator, the end of the application. */
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

import { Controller, Get, Inject, Injectable, Module, type DynamicModule, type Type } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import * as assert from 'uvu/assert'

import { byHeader } from '../../lib/index.ts'
import { CurrentTenant, Tenancy, TenancyModule } from '../../lib/middleware/nest.ts'
import type { Tenant } from '../../lib/tenant.ts'
import { testDatabase } from '../support/database.ts'
import { temporaryFolders } from '../support/folder.ts'
import { request, type Answer } from '../support/http.ts'
import { suite } from '../support/suite.ts'
import { createTable, testTenancies } from '../support/tenancies.ts'

const test = suite('nest')
const database = testDatabase(test)
const makeTenancy = testTenancies(test, database)
const folder = temporaryFolders(test)

let tenancy: Tenancy

test.before(async () => {
  tenancy = await makeTenancy(createTable('001_notes', 'notes'))
  await tenancy.provision({ id: 'a', host: 'a.example.com' })
})

/** A provider of the application's, with the tenancy injected by its class. */
class Jobs {
  readonly tenancy: Tenancy

  constructor(injected: Tenancy) {
    this.tenancy = injected
  }
}
Injectable()(Jobs)
Inject(Tenancy)(Jobs, undefined, 0)

class TenantController {
  readonly #jobs: Jobs

  constructor(jobs: Jobs) {
    this.#jobs = jobs
  }

  required(tenant: Tenant) {
    return { id: tenant.id, current: this.#jobs.tenancy.current()?.id }
  }

  optional(tenant: Tenant | undefined) {
    return { id: tenant?.id, current: this.#jobs.tenancy.current()?.id }
  }
}
// Decorators, applied as functions.
Controller()(TenantController)
Inject(Jobs)(TenantController, undefined, 0)
for (const name of ['required', 'optional'] as const) {
  const { prototype } = TenantController
  Get(name)(prototype, name, Object.getOwnPropertyDescriptor(prototype, name) ?? {})
  CurrentTenant({ optional: name === 'optional' })(prototype, name, 0)
}

/** Serves an application with `module` in it while `fn` runs. */
async function serving(
  module: DynamicModule,
  fn: (get: (path: string, headers?: Record<string, string>) => Promise<Answer>) => Promise<void>,
): Promise<void> {
  class AppModule {
    readonly name = 'application'
  }
  Module({ imports: [module], controllers: [TenantController], providers: [Jobs] })(AppModule)
  const app = await NestFactory.create(AppModule as Type, { logger: false, abortOnError: false })
  await app.listen(0, '127.0.0.1')
  const server = app.getHttpServer() as Server // of the Express adapter
  const { port } = server.address() as AddressInfo // of a server on TCP
  try {
    await fn((path, headers = {}) => request({ port, path, headers: { host: 'a.example.com', ...headers } }))
  } finally {
    server.closeAllConnections()
    await app.close()
  }
}

test('the tenancy is injected, and the tenant is a parameter and current', () =>
  serving(TenancyModule.forRoot({ tenancy }), async (get) => {
    assert.equal((await get('/required')).json(), { id: 'a', current: 'a' })
    assert.equal((await get('/optional')).json(), { id: 'a', current: 'a' })
  }))

test('a parameter that needs a tenant refuses a request without one', () =>
  serving(TenancyModule.forRoot({ tenancy }), async (get) => {
    const answer = await get('/required', { host: '127.0.0.1' })
    assert.equal([answer.status, answer.json()], [400, { error: { code: 'TENANT_REQUIRED' } }])
    assert.equal((await get('/optional', { host: '127.0.0.1' })).json(), {})
  }))

test('options come from a factory with what it needs injected', async () => {
  class Settings {
    readonly header = 'x-tenant'
  }
  class SettingsModule {
    readonly name = 'settings'
  }
  Module({ providers: [Settings], exports: [Settings] })(SettingsModule)
  const module = TenancyModule.forRootAsync({
    imports: [SettingsModule],
    inject: [Settings],
    useFactory: async ({ header }: Settings) => ({ tenancy, resolve: byHeader(header) }),
  })
  await serving(module, async (get) => {
    assert.equal((await get('/required', { host: 'any', 'x-tenant': 'a' })).json(), { id: 'a', current: 'a' })
  })
})

test('routes that are excluded, or not among the chosen ones, have no tenant', async () => {
  await serving(TenancyModule.forRoot({ tenancy, exclude: ['optional'] }), async (get) => {
    assert.equal((await get('/required')).json(), { id: 'a', current: 'a' })
    assert.equal((await get('/optional')).json(), {})
  })
  await serving(TenancyModule.forRoot({ tenancy, forRoutes: ['required'] }), async (get) => {
    assert.equal((await get('/required')).json(), { id: 'a', current: 'a' })
    assert.equal((await get('/optional')).json(), {})
  })
})

test('a refusal is an exception with a status and a code', () =>
  serving(TenancyModule.forRoot({ tenancy, authorize: () => false }), async (get) => {
    const answer = await get('/required')
    assert.equal([answer.status, answer.json()], [403, { error: { code: 'TENANT_FORBIDDEN' } }])
  }))

test('a tenancy of the application stays open when the module ends', async () => {
  await serving(TenancyModule.forRoot({ tenancy }), async (get) => void (await get('/required')))
  assert.is((await tenancy.up({ tenant: 'a' })).id, 'a')
})

test('without one it is made from the configuration file, and closed with the application', async () => {
  const place = await folder({
    'umzug-tenants.config.mjs': `export default { url: '${database.url}?application_name=from-file' }`,
    'migrations/001_notes.sql': 'CREATE TABLE notes (id integer PRIMARY KEY)',
  })
  const previous = process.cwd()
  process.chdir(place)
  try {
    await serving(TenancyModule.forRoot(), async (get) => {
      assert.equal((await get('/required')).json(), { id: 'a', current: 'a' })
      assert.ok((await openFromFile()) > 0)
    })
  } finally {
    process.chdir(previous)
  }
  for (let attempt = 0; (await openFromFile()) > 0; attempt++) {
    assert.ok(attempt < 100, 'the connections are still open')
    await sleep(20)
  }
})

async function openFromFile(): Promise<number> {
  const rows = await database.query(
    "SELECT FROM pg_stat_activity WHERE application_name = 'from-file' AND datname = current_database()",
  )
  return rows.length
}

test.run()
