/**
 * `npm start`: migrates the shared schema, serves the application, gives the guided tour and goes on serving.
 * `npm start -- --once` ends after the tour. PORT chooses the port, DATABASE_URL the server.
 */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'

import { createTenancy } from 'umzug-tenants'

import config from '../umzug-tenants.config.ts'
import { createApp } from './app.ts'
import { openDatabase } from './database.ts'
import { tour } from './tour.ts'

console.log('Opening the database: the first time it takes some seconds.')
const models = await openDatabase()
const tenancy = createTenancy(config, { baseDir: fileURLToPath(new URL('..', import.meta.url)) })
const { applied } = await tenancy.up({ shared: true })
console.log(`The shared schema is at head; applied now: ${applied.join() || 'nothing'}.`)

const server = createServer(createApp(tenancy, models))
const port = await listen(server, Number(process.env['PORT'] ?? 3000))
console.log(`Serving on http://127.0.0.1:${port}`)

/** In this order: no new requests, no upgrade half way, no query, no server. */
async function stop(): Promise<void> {
  server.close()
  await tenancy.close()
  await models.sequelize.close()
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop())

try {
  await tour(tenancy, port)
  if (process.argv.includes('--once')) await stop()
  else console.log(invitation(port))
} catch (error) {
  console.error(error)
  process.exitCode = 1
  await stop()
}

/** Listens on `wanted`, or on a free port if that is taken; the answer is which. */
async function listen(http: Server, wanted: number): Promise<number> {
  try {
    await once(http.listen(wanted, '127.0.0.1'), 'listening')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    await once(http.listen(0, '127.0.0.1'), 'listening')
  }
  return (http.address() as AddressInfo).port // of a server on TCP
}

function invitation(on: number): string {
  const url = `http://127.0.0.1:${on}`
  return `
Still serving. Try:

  curl -H 'Host: a' ${url}/users
  curl -H 'Host: b' ${url}/users
  curl -H 'Host: a' ${url}/roles
  curl -H 'Host: a' -H 'Content-Type: application/json' -d '{"email":"bob@example.com","userRoleId":2}' ${url}/users

  curl '${url}/create?name=c&schema=c&host=c'   # a third tenant, its schema empty
  npx umzug-tenants status                                     # in another terminal: c is pending
  curl -H 'Host: c' ${url}/users                # upgraded by this request

More in example-app/README.md. Ctrl-C stops everything; the data stays in .postgres/ for the next time.`
}
