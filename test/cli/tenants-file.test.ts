import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { join } from 'node:path'

import * as assert from 'uvu/assert'

import type { Plan } from '../../lib/cli/report.ts'
import { parseTenantsFile, readTenantsFile } from '../../lib/cli/tenants-file.ts'
import type { ErrorDocument } from '../../lib/errors.ts'
import type { TenantStatus } from '../../lib/status.ts'
import { BUILT, jsonIn, projectsInThisProcess, tableMigration, type CliProject } from '../support/cli.ts'
import { testDatabase } from '../support/database.ts'
import { failure } from '../support/failure.ts'
import { temporaryFolders } from '../support/folder.ts'
import { suite } from '../support/suite.ts'

const test = suite('cli/tenants-file')
const database = testDatabase(test)
const newProject = projectsInThisProcess(test, database)
const makeFolder = temporaryFolders(test)

let project: CliProject

test.before(async () => {
  project = await newProject(tableMigration('001_users', 'users'))
  for (const id of ['a', 'b', 'c']) await project.cli(['tenants', 'create', id])
})

test('each line is an id; spaces, empty lines and comments do not count', () => {
  assert.equal(parseTenantsFile('\uFEFFa\r\n\n  b \t\n# all of them\nc # the third\rd'), ['a', 'b', 'c', 'd'])
})

test('a file that cannot be read, or names nobody, is refused', async () => {
  const folder = await makeFolder({ empty: '# nobody\n\n' })
  const missing = await failure('USAGE', () => readTenantsFile(join(folder, 'missing')))
  assert.match(missing.title, 'ENOENT')
  const empty = await failure('USAGE', () => readTenantsFile(join(folder, 'empty')))
  assert.match(empty.title, 'empty names no tenant.')
})

test('--tenants-file selects the tenants it names, and no others', async () => {
  await project.write({ 'some.txt': 'b\n# c\na\n' })
  const { code, document } = await jsonIn<{ tenants: Plan[] }>(project.folder, ['up', '--tenants-file', 'some.txt', '--dry-run']) // prettier-ignore
  assert.equal([code, document.tenants.map(({ id }) => id)], [0, ['b', 'a']])
})

test('--tenants-file - reads what another program prints', async () => {
  const child = spawn(process.execPath, [...BUILT, 'status', '--tenants-file', '-', '--json'], {
    cwd: project.folder,
    env: { ...process.env, DATABASE_URL: database.url },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const printed = text(child.stdout)
  setTimeout(() => child.stdin.end('c\n'), 300)
  await once(child, 'close')
  const { tenants } = JSON.parse(await printed) as { tenants: TenantStatus[] } // what status documents
  assert.equal(tenants.map(({ id }) => id), ['c']) // prettier-ignore
})

test('--skip leaves tenants out of a fleet', async () => {
  const { code, document } = await project.json<{ tenants: Plan[] }>(['up', '--all', '--skip', 'a,c', '--dry-run']) // prettier-ignore
  assert.equal([code, document.tenants.map(({ id }) => id)], [0, ['b']])
})

test('an id to skip that nobody has is refused, and nothing is run', async () => {
  const { code, document } = await project.json<{ error: ErrorDocument }>(['up', '--all', '--skip', 'aa'])
  assert.equal([code, document.error.code, document.error.tenant], [9, 'TENANT_UNKNOWN', 'aa'])
  assert.equal(await database.query("SELECT FROM pg_tables WHERE tablename = 'users'"), [])
})

test.run()
