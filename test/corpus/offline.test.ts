/** The corpus written as a script and fed to psql makes the tenant that running it makes. */
import { spawnSync } from 'node:child_process'

import * as assert from 'uvu/assert'

import { createTenancy } from '../../lib/tenancy.ts'
import { testDatabase } from '../support/database.ts'
import { suite } from '../support/suite.ts'
import { schemaCatalog } from './schema-catalog.ts'
import { CORPUS, GLOBS } from './stock.ts'

const test = suite('corpus offline')
const database = testDatabase(test)

const hasPsql = spawnSync('psql', ['--version']).status === 0

function psql(script: string): void {
  const { status, stderr } = spawnSync('psql', ['-X', '-q', '-d', database.url], {
    input: script,
    encoding: 'utf8',
  })
  assert.is(status, 0, stderr)
}

/**
 * Catalog, versions and rows of a schema, with its own name left out, and where its sequences stand: a statement that
 * fails and is caught draws a number, and is not in the script.
 */
async function everythingIn(schema: string): Promise<readonly string[]> {
  const catalog = await schemaCatalog(database.url, schema)
  const lines = catalog.filter((line) => !/^row \S+_seq /.test(line))
  const tables = await database.query<{ name: string }>(
    `SELECT quote_ident(relname) AS name FROM pg_class WHERE relnamespace = $1::regnamespace AND relkind IN ('r', 'p') ORDER BY 1`,
    [schema],
  )
  const counts = tables.map(
    ({ name }) => `SELECT '${name}' AS name, count(*) AS rows FROM "${schema}".${name}`,
  )
  if (counts.length === 0) return lines
  const counted = await database.query<{ name: string; rows: string }>(counts.join(' UNION ALL '))
  for (const { name, rows } of counted) lines.push(`${name}: ${rows} rows`)
  return lines
}

if (!hasPsql) {
  test('is skipped: there is no psql to feed scripts to', () => {
    console.log('    skipped: install the client of PostgreSQL (Debian: postgresql-client)')
  })
} else {
  test('the script of the whole corpus gives what the run gives, and only it writes', async () => {
    const tenancy = createTenancy({ url: database.url, migrations: GLOBS }, { baseDir: CORPUS })
    const reading: string[] = []
    tenancy.on('migration:reads', ({ migration }) => reading.push(migration))
    try {
      for (const id of ['online', 'offline']) await tenancy.provision({ id, up: false })
      const empty = await everythingIn('offline')
      const script = await tenancy.sql({ tenant: 'offline' })
      assert.equal(await everythingIn('offline'), empty)
      await tenancy.up({ tenant: 'online' })
      psql(script)
      const [online, offline] = [await everythingIn('online'), await everythingIn('offline')]
      assert.equal(
        {
          missing: online.filter((line) => !offline.includes(line)),
          more: offline.filter((line) => !online.includes(line)),
        },
        { missing: [], more: [] },
      )
      for (const verify of [true, false]) {
        const states = await tenancy.status({ tenants: ['online', 'offline'], verify })
        assert.equal(
          states.map(({ state }) => state),
          ['ok', 'ok'],
        )
      }
      assert.ok(reading.length > 0 && reading.length < 30, reading.join())
      psql(await tenancy.sql({ tenant: 'offline', direction: 'down', to: 0 }))
      await tenancy.down({ tenant: 'online', to: 0 })
      assert.equal(await everythingIn('offline'), await everythingIn('online'))
    } finally {
      await tenancy.close()
    }
  })
}

test.run()
