import * as assert from 'uvu/assert'

import type { ExecReport } from '../../lib/exec/exec.ts'
import type { OutputLine } from '../../lib/exec/program.ts'
import { testDatabase } from '../support/database.ts'
import { failure } from '../support/failure.ts'
import { suite } from '../support/suite.ts'
import { newId, testTenancies } from '../support/tenancies.ts'

const test = suite('exec')
const database = testDatabase(test)
const makeTenancy = testTenancies(test, database)

async function tenants(count: number) {
  const tenancy = await makeTenancy()
  const ids = Array.from({ length: count }, newId)
  for (const id of ids) await tenancy.provision({ id, schema: `s_${id}` })
  return { tenancy, ids }
}

const node = (code: string) => [process.execPath, '-e', code]

/** A function that collects lines, and what it has collected. */
function collector() {
  const lines: string[] = []
  const output = ({ id }: { readonly id: string }, { stream, text }: OutputLine) =>
    void lines.push(`${id} ${stream} ${text}`)
  return { lines, output }
}

test('each tenant has a run of its own, which knows its tenant', async () => {
  const { tenancy, ids } = await tenants(3)
  const { lines, output } = collector()
  const command = node('console.log(process.env.UMZUG_TENANT, process.env.UMZUG_TENANT_SCHEMA)')
  const report = await tenancy.exec({ tenants: ids, command, output })
  assert.equal([report.succeeded, report.failed, report.notRun], [3, 0, 0])
  assert.equal(lines.toSorted(), ids.map((id) => `${id} stdout ${id} s_${id}`).toSorted())
  assert.ok(report.tenants.every(({ durationMs }) => durationMs > 0))
})

test('an exit code and a signal are in the report, and stop no other tenant', async () => {
  const { tenancy, ids } = await tenants(3)
  const [first = '', second = ''] = ids
  const command = node(`
    if (process.env.UMZUG_TENANT === '${first}') process.exit(7)
    if (process.env.UMZUG_TENANT === '${second}') process.kill(process.pid, 'SIGKILL')`)
  const { output } = collector()
  const { tenants: reports, ...counts } = await tenancy.exec({ tenants: ids, command, output })
  assert.equal(counts, { succeeded: 1, failed: 2, notRun: 0 })
  assert.equal(
    reports.map(({ code, signal }) => signal ?? code),
    [7, 'SIGKILL', 0],
  )
})

test('lines are handed over whole, the last one without an end too, each from its stream', async () => {
  const { tenancy, ids } = await tenants(1)
  const { lines, output } = collector()
  const command = node(
    `process.stdout.write('a'); setTimeout(() => { process.stdout.write('b\\n\\nc'); console.error('d') }, 50)`,
  )
  await tenancy.exec({ tenants: ids, command, output })
  assert.equal(lines.toSorted(), [
    `${ids[0]} stderr d`,
    `${ids[0]} stdout `,
    `${ids[0]} stdout ab`,
    `${ids[0]} stdout c`,
  ])
})

test('no more programs run at once than concurrency says', async () => {
  const { tenancy, ids } = await tenants(4)
  const { lines, output } = collector()
  const command = node(`console.log('begin'); setTimeout(() => console.log('end'), 100)`)
  await tenancy.exec({ tenants: ids, command, output, concurrency: 2 })
  let running = 0
  let most = 0
  for (const line of lines) {
    running += line.endsWith('begin') ? 1 : -1
    most = Math.max(most, running)
  }
  assert.is(most, 2)
})

test('a program that cannot be started is told by name, and no other is tried', async () => {
  const { tenancy, ids } = await tenants(2)
  const missing = await failure('PROGRAM_NOT_STARTED', () =>
    tenancy.exec({ tenants: ids, command: ['no-such-program-here', '--help'] }),
  )
  assert.is(missing.title, '"no-such-program-here" cannot be started.')
  assert.is(missing.detail, 'there is no program of this name')
  assert.match(missing.fix.join('\n'), 'write the program and its arguments after --')
  const forbidden = await failure('PROGRAM_NOT_STARTED', () =>
    tenancy.exec({ tenants: ids, command: ['/etc/passwd'] }),
  )
  assert.match(forbidden.detail ?? '', 'EACCES')
  await failure('USAGE', () => tenancy.exec({ tenants: ids, command: [] }))
})

test('a tenant without its schema has no program run: a bare name would mean a shared table', async () => {
  const { tenancy, ids } = await tenants(2)
  await database.query(`DROP SCHEMA s_${ids[0]} CASCADE`)
  const { lines, output } = collector()
  const report: ExecReport = await tenancy.exec({ tenants: ids, command: node('console.log(1)'), output })
  assert.equal(lines, [`${ids[1]} stdout 1`])
  assert.equal([report.succeeded, report.failed], [1, 1])
  assert.equal([report.tenants[0]?.code, report.tenants[0]?.error?.code], [null, 'SCHEMA_MISSING'])
})

test('signal ends what runs, and the rest is not begun', async () => {
  const { tenancy, ids } = await tenants(3)
  const controller = new AbortController()
  const command = node(`console.log('begin'); setTimeout(() => {}, 60_000)`)
  const { tenants: reports, ...counts } = await tenancy.exec({
    tenants: ids,
    command,
    concurrency: 1,
    signal: controller.signal,
    output: () => controller.abort(),
  })
  assert.equal(counts, { succeeded: 0, failed: 1, notRun: 2, remaining: ids.slice(1) })
  assert.equal(
    reports.map((report) => report.signal),
    ['SIGTERM'],
  )
})

test('a tenant that nobody knows is refused before anything runs', async () => {
  const { tenancy, ids } = await tenants(1)
  const { lines, output } = collector()
  await failure('TENANT_UNKNOWN', () =>
    tenancy.exec({ tenants: [...ids, 'nobody'], command: node('console.log(1)'), output }),
  )
  assert.equal(lines, [])
})

test.run()
