/** Twenty processes that come at once to the same database: each succeeds, and what is to happen once does. */
import { once } from 'node:events'

import * as assert from 'uvu/assert'

import { startChild, type Child } from './support/child.ts'
import { testDatabase } from './support/database.ts'
import { EARLIER_LEDGER } from './support/earlier-ledger.ts'
import { temporaryFolders } from './support/folder.ts'
import { suite } from './support/suite.ts'

const test = suite('twenty processes')
const database = testDatabase(test)
const folder = temporaryFolders(test)

/**
 * Does what each line tells, when it comes, so that all processes really meet; with a tenancy of its own each time,
 * which knows nothing from before.
 */
const WORKER = `
  import { createInterface } from 'node:readline'
  import { createTenancy } from 'lib/tenancy.js'
  const [, url, baseDir] = process.argv
  console.log('ready')
  for await (const line of createInterface(process.stdin)) {
    const [method, request] = JSON.parse(line)
    const tenancy = createTenancy({ url }, { baseDir })
    const report = await tenancy[method](request)
    await tenancy.close()
    console.log(JSON.stringify(report))
  }`

const children: Child[] = []

test.before(async () => {
  const baseDir = await folder({
    'migrations/1_a.sql': 'CREATE TABLE a (id integer); SELECT pg_sleep(0.1)',
    'migrations/2_b.sql': 'CREATE TABLE b (id integer)',
  })
  for (let index = 0; index < 20; index++) children.push(await startChild(WORKER, database.url, baseDir))
  await Promise.all(children.map(lineOf))
})
test.before.each(() => database.query('DROP SCHEMA IF EXISTS umzug_tenants, one CASCADE'))
test.after(async () => {
  for (const { process: child } of children) child.stdin?.end()
  for (const { outcome } of children)
    assert.equal([(await outcome).exitCode, (await outcome).stderr], [0, ''])
})

async function lineOf({ process: child, outcome }: Child): Promise<string> {
  const ended = outcome.then(({ stderr }) => Promise.reject(new Error(stderr)))
  const [line] = (await Promise.race([
    child.stdout === null ? ended : once(child.stdout, 'data'),
    ended,
  ])) as [unknown]
  return String(line)
}

interface Report {
  readonly created?: boolean
  readonly applied: readonly string[]
}

async function atOnce(calls: readonly (readonly [method: string, request: object])[]): Promise<Report[]> {
  const answers = children.map(lineOf)
  for (const [index, { process: child }] of children.entries())
    child.stdin?.write(`${JSON.stringify(calls[index])}\n`)
  return (await Promise.all(answers)).map((line) => JSON.parse(line) as Report)
}

const twenty = <T>(make: (index: number) => T) => Array.from({ length: 20 }, (_, index) => make(index))

test('that provision one tenant on an empty database all succeed, one creates it, and each migration runs once', async () => {
  const reports = await atOnce(twenty(() => ['provision', { id: 'one' }]))
  assert.is(reports.filter(({ created }) => created).length, 1)
  assert.equal(reports.flatMap(({ applied }) => applied).toSorted(), ['1_a.sql', '2_b.sql'])
  assert.is((await database.query('SELECT FROM umzug_tenants.run')).length, 2)
  assert.is((await database.query('SELECT FROM umzug_tenants.tenant')).length, 1)
})

test('that provision twenty tenants on an empty database all succeed, and each tenant is its own', async () => {
  const reports = await atOnce(twenty((index) => ['provision', { id: `tenant_${index}` }]))
  assert.ok(reports.every(({ created, applied }) => created && applied.length === 2))
  const tables = await database.query("SELECT FROM pg_tables WHERE schemaname LIKE 'tenant\\_%'")
  assert.is(tables.length, 20 * 3)
  assert.is((await database.query("SELECT FROM umzug_tenants.tenant WHERE state = 'migrated'")).length, 20)
})

test('that find the ledger of an earlier build upgrade it once, and each runs its migrations', async () => {
  const ids = twenty((index) => `earlier_${index}`)
  const tenants = ids.map(
    (id) => `CREATE SCHEMA ${id}; INSERT INTO umzug_tenants.tenant (id, schema) VALUES ('${id}', '${id}')`,
  )
  await database.query([EARLIER_LEDGER, ...tenants].join(';'))
  const reports = await atOnce(ids.map((tenant) => ['up', { tenant }]))
  assert.equal(
    reports.map(({ applied }) => applied),
    twenty(() => ['1_a.sql', '2_b.sql']),
  )
  assert.is((await database.query('SELECT FROM umzug_tenants.run WHERE hash IS NOT NULL')).length, 40)
})

test.run()
