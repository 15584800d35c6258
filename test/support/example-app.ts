/** The example application on a suite's database, served over HTTP for the time of the suite. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

import { Sequelize } from 'sequelize'

import { createApp } from '../../example-app/app.ts'
import { tenancyConfig } from '../../example-app/config.ts'
import { connect } from '../../example-app/database.ts'
import type { Models } from '../../example-app/models.ts'
import { createTenancy, type Tenancy } from '../../lib/index.ts'
import type { TestDatabase } from './database.ts'
import { request, type Answer, type RequestOptions } from './http.ts'
import { repository } from './project.ts'
import type { Suite } from './suite.ts'

export interface ExampleApp {
  readonly tenancy: Tenancy
  readonly models: Models
  /** What the application logged as its own fault. */
  readonly logged: unknown[]
  /** Sends a request; `host` is the tenant's. */
  send(method: string, path: string, options?: SendOptions): Promise<Answer>
  /** Registers a tenant of a new name, which is its schema and host too, without upgrading it. */
  createTenant(): Promise<string>
}

interface SendOptions extends Pick<RequestOptions, 'body' | 'headers'> {
  readonly host?: string
}

export function exampleApp(test: Suite, database: TestDatabase): ExampleApp {
  let running: { tenancy: Tenancy; models: Models; port: number } | undefined
  const open = () => {
    if (running === undefined) throw new Error('the application runs only while the tests do')
    return running
  }
  const logged: unknown[] = []
  let tenants = 0

  test.before(async () => {
    const models = connect(database.url)
    const tenancy = createTenancy(
      tenancyConfig(() => models),
      { baseDir: repository },
    )
    const server = createServer(createApp(tenancy, models, (error) => logged.push(error)))
    test.after(async () => {
      await new Promise((resolve) => server.close(resolve))
      await tenancy.close()
      await models.sequelize.close()
      leaveNamespace()
    })
    await tenancy.up({ shared: true })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const { port } = server.address() as AddressInfo // a TCP server's address
    running = { tenancy, models, port }
  })

  const send: ExampleApp['send'] = (method, path, { host, headers, body } = {}) =>
    request({
      port: open().port,
      method,
      path,
      body,
      headers: { ...(host === undefined ? {} : { host }), ...headers },
    })
  return {
    get tenancy() {
      return open().tenancy
    },
    get models() {
      return open().models
    },
    logged,
    send,
    async createTenant() {
      tenants++
      const name = `t${tenants}`
      const { status, text } = await send('GET', `/create?name=${name}&schema=${name}&host=${name}`)
      if (status !== 201) throw new Error(`tenant ${name} was not created: ${text}`)
      return name
    },
  }
}

/** `Sequelize.useCLS` is for the whole process, and the suites after this one know nothing of the namespace. */
export function leaveNamespace(): void {
  Reflect.deleteProperty(Sequelize, '_cls')
}
