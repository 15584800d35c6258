/**
 * The guided run: two tenants over real HTTP on a real PostgreSQL. Every line with a check mark was looked at, not
 * only printed; the first that does not hold ends the tour with an error.
 */
import { execFile } from 'node:child_process'
import { request } from 'node:http'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import type { Tenancy } from 'umzug-tenants'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const TENANTS = ['a', 'b'] as const

/** @throws Error if something is not as the tour says. */
export async function tour(tenancy: Tenancy, port: number): Promise<void> {
  const client = new Client(port)

  heading('Two tenants, each with a schema of its own')
  for (const name of TENANTS) await register(client, tenancy, name)

  heading('The first request of a tenant that is behind upgrades it')
  for (const name of TENANTS) await firstRequest(client, tenancy, name)

  heading('Default roles, once for each tenant')
  for (const name of TENANTS) await seed(client, name)

  heading('What a stores, b does not see')
  await compare(client)

  heading('The same from the command line')
  await statusByCommand()
}

async function register(client: Client, tenancy: Tenancy, name: string): Promise<void> {
  const { status, body } = await client.get(`/create?name=${name}&schema=${name}&host=${name}`)
  if (status === 200) return show(true, `tenant ${name} was there already`)
  show(status === 201, `tenant ${name} is registered`, body)
  const { executed } = await tenancy.status({ tenant: name })
  show(executed === 0, 'it has a schema, in which no migration has run yet')
}

async function firstRequest(client: Client, tenancy: Tenancy, name: string): Promise<void> {
  const { migrations: pending } = await tenancy.plan({ tenant: name })
  let applied: readonly string[] = []
  let upgradeMs = 0
  const stop = tenancy.on('tenant:migrated', ({ tenant, migrations, durationMs }) => {
    if (tenant === name) [applied, upgradeMs] = [migrations, durationMs]
  })
  const first = await client.get('/users', name)
  const second = await client.get('/users', name)
  stop()

  show(first.status === 200 && second.status === 200, `tenant ${name} is served`, first.body)
  show(
    applied.join() === pending.join(),
    pending.length === 0
      ? 'it was at head already: nothing was upgraded'
      : `its first request took ${first.durationMs} ms, ${upgradeMs} of them for ${applied.length} migrations:`,
  )
  for (const migration of applied) console.log(`      ${migration}`)
  console.log(`    its next request took ${second.durationMs} ms`)
}

async function seed(client: Client, name: string): Promise<void> {
  const { status, body } = await client.post(`/tenants/${name}/seed`, {})
  const { applied } = body as { applied?: readonly string[] } // what the route answers, if no error
  const what = applied?.length ? `applied ${applied.join()}` : 'had them already'
  show(status === 200, `tenant ${name} ${what}`, body)
  const roles = await client.items<{ roleName: string; permissions: readonly object[] }>('/roles', name)
  const shown = roles.map(({ roleName, permissions }) => `${roleName} (${permissions.length} permissions)`)
  show(roles.length >= 2, `its roles: ${shown.join(', ')}`)
}

async function compare(client: Client): Promise<void> {
  const email = `ada.${Date.now()}@example.com` // a new one in each run: the data is kept
  const before = await client.total('/users', 'b')
  const created = await client.post('/users', { email, firstName: 'Ada', lastName: 'Lovelace' }, 'a')
  show(created.status === 201, `created ${email} in a`, created.body)

  const again = await client.post('/users', { email }, 'a')
  show(again.status === 409, 'a refuses the same e-mail address a second time')
  show((await client.total('/users', 'b')) === before, `b still has ${before} users`)
  const users = await client.items<{ email: string }>('/users', 'b')
  show(!users.some((user) => user.email === email), 'and none of them is Ada')

  const stranger = await client.get('/users', 'nobody')
  show(stranger.status === 404, 'a host that belongs to no tenant is answered 404')
}

async function statusByCommand(): Promise<void> {
  console.log('  $ npx umzug-tenants status')
  const command = ['--yes', 'umzug-tenants', 'status'] // --yes: npx must not ask, nobody would answer
  const { stdout } = await promisify(execFile)('npx', command, { cwd: ROOT })
  console.log(stdout.trimEnd().replaceAll(/^/gm, '    '))
  for (const name of TENANTS) {
    const line = stdout.split('\n').find((each) => each.startsWith(`${name} `)) ?? ''
    show(/\bok\b/.test(line), `the command line sees ${name} at head`, stdout)
  }
}

function heading(text: string): void {
  console.log(`\n${text}`)
}

function show(holds: boolean, claim: string, seen?: unknown): void {
  if (!holds) throw new Error(`this should hold, and does not: ${claim}`, { cause: seen })
  console.log(`  ✔ ${claim}`)
}

interface Answer {
  readonly status: number
  readonly body: unknown
  readonly durationMs: number
}

/** A client that chooses the Host header, which fetch may not. */
class Client {
  readonly #port: number

  constructor(port: number) {
    this.#port = port
  }

  get(path: string, host?: string): Promise<Answer> {
    return this.#send('GET', path, host)
  }

  post(path: string, body: object, host?: string): Promise<Answer> {
    return this.#send('POST', path, host, JSON.stringify(body))
  }

  async items<Item>(path: string, host: string): Promise<readonly Item[]> {
    const { body } = await this.get(`${path}?pageSize=100`, host)
    return (body as { items: readonly Item[] }).items // the caller says what the route answers
  }

  async total(path: string, host: string): Promise<number> {
    const { body } = await this.get(path, host)
    return (body as { total: number }).total // every list has it
  }

  #send(method: string, path: string, host = `127.0.0.1:${this.#port}`, content?: string): Promise<Answer> {
    const startedAt = performance.now()
    const headers = { host, ...(content === undefined ? {} : { 'content-type': 'application/json' }) }
    return new Promise((resolve, reject) => {
      const outgoing = request({ host: '127.0.0.1', port: this.#port, method, path, headers }, (incoming) => {
        let text = ''
        incoming.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
        incoming.on('end', () => {
          const durationMs = Math.round(performance.now() - startedAt)
          resolve({ status: incoming.statusCode ?? 0, body: JSON.parse(text), durationMs })
        })
      })
      outgoing.on('error', reject).end(content)
    })
  }
}
