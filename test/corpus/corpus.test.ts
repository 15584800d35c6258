/**
 * The proof: migrations as an application writes them over the years give a tenant, object for object, what stock
 * Sequelize gives `public` of a fresh database, and change nothing outside the tenant's schema.
 */
import pg from 'pg'
import * as assert from 'uvu/assert'

import { createTenancy } from '../../lib/tenancy.ts'
import { findMigrations } from '../../lib/migrations/files.ts'
import { query, testDatabase, withDatabase } from '../support/database.ts'
import { suite, type Suite } from '../support/suite.ts'
import { collectNames, createDecoys, noNames } from './decoys.ts'
import { schemaCatalog } from './schema-catalog.ts'
import { CORPUS, GLOBS, runStock } from './stock.ts'

const VERSION_TABLE = 'SequelizeMeta'
const TENANTS = ['one', 'two'] as const

/** What tenants are compared with: the lines after all of `up`, and after all of `down`. */
interface Expected {
  readonly up: readonly string[]
  readonly down: readonly string[]
}

const test = suite('corpus')
prove(test, testDatabase(test))
test.run()

const other = suite('corpus on another server')
const OTHER_SERVER = process.env['UMZUG_TENANTS_OTHER_SERVER']
if (OTHER_SERVER === undefined) {
  other('is skipped: UMZUG_TENANTS_OTHER_SERVER names no second server', () => {
    console.log('    skipped: set UMZUG_TENANTS_OTHER_SERVER=postgres://… to a PostgreSQL 15')
  })
} else prove(other, databaseOn(other, OTHER_SERVER))
other.run()

function prove(of: Suite, database: { readonly url: string }): void {
  let expected: Expected | undefined
  const known = () => {
    if (expected === undefined) throw new Error('stock Sequelize did not come to its end')
    return expected
  }
  const tenancies = new Map(
    TENANTS.map((id) => [id, () => createTenancy({ url: database.url, migrations: GLOBS, searchPath: pathOf(id) }, { baseDir: CORPUS })]), // prettier-ignore
  )
  const withTenancy = async <T>(
    id: string,
    fn: (tenancy: ReturnType<typeof createTenancy>) => Promise<T>,
  ) => {
    const tenancy = tenancies.get(id as 'one')?.()
    if (tenancy === undefined) throw new Error(`no tenancy of ${id}`)
    try {
      return await fn(tenancy)
    } finally {
      await tenancy.close()
    }
  }

  of('the corpus has at least 60 migrations, in every form', async () => {
    const files = await findMigrations(GLOBS, CORPUS)
    assert.ok(files.length >= 60, `${files.length} files`)
    const extensions = new Set(files.map(({ name }) => name.slice(name.lastIndexOf('.'))))
    assert.equal([...extensions].toSorted(), ['.cjs', '.js', '.mjs', '.mts', '.sql', '.ts'])
  })

  of('stock Sequelize runs it up and down in public of a fresh database', async () => {
    const name = `${new URL(database.url).pathname.slice(1)}_stock`
    const names = noNames()
    await query(database.url, `CREATE DATABASE ${name}`)
    const url = withDatabase(database.url, name)
    const observer = new pg.Client({ connectionString: url, application_name: 'test' })
    await observer.connect()
    try {
      await runStock(url, 'up', () => collectNames(observer, names))
      const up = await schemaCatalog(url, 'public', { except: [VERSION_TABLE] })
      await runStock(url, 'down')
      const down = await schemaCatalog(url, 'public', { except: [VERSION_TABLE] })
      assert.ok(up.length > 500, `${up.length} lines`)
      expected = { up, down }
    } finally {
      await observer.end()
      await query(database.url, `DROP DATABASE ${name} WITH (FORCE)`)
    }
    await createDecoys(database.url, names)
    for (const id of TENANTS) await withTenancy(id, (tenancy) => tenancy.provision({ id, up: false }))
  })

  for (const id of TENANTS) {
    const rest = ['public', ...TENANTS.filter((tenant) => tenant !== id)]

    of(`tenant ${id} becomes the same, and nothing else changes`, async () => {
      const before = await snapshot(database.url, rest)
      await withTenancy(id, (tenancy) => tenancy.up({ tenant: id }))
      sameLines(await snapshot(database.url, rest), before)
      sameLines(await tenantCatalog(database.url, id), inPublic(known().up))
    })
  }

  for (const id of TENANTS) {
    const rest = ['public', ...TENANTS.filter((tenant) => tenant !== id)]

    of(`tenant ${id} reverts to an empty schema, and nothing else changes`, async () => {
      const before = await snapshot(database.url, rest)
      await withTenancy(id, (tenancy) => tenancy.down({ tenant: id, to: 0 }))
      sameLines(await snapshot(database.url, rest), before)
      const left = await tenantCatalog(database.url, id)
      sameLines(left, inPublic(known().down))
      assert.equal(
        left.filter((line) => !line.startsWith('schema ')),
        [],
      )
    })
  }
}

/** One tenant's bare names end at the shared schema; the other's go on to the decoys. */
function pathOf(id: string): string[] {
  return id === 'one' ? ['shared'] : ['shared', 'public']
}

/** The schemas as they are to the last row's address, and the list of all schemas. */
async function snapshot(url: string, schemas: readonly string[]): Promise<readonly string[]> {
  const parts = await Promise.all(schemas.map((schema) => schemaCatalog(url, schema, { identity: true })))
  const all = await query<{ nspname: string }>(
    url,
    "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' ORDER BY 1",
  )
  return [
    ...parts.flatMap((lines, i) => lines.map((line) => `${schemas[i]}: ${line}`)),
    ...all.map(({ nspname }) => nspname),
  ]
}

async function tenantCatalog(url: string, schema: string): Promise<readonly string[]> {
  return schemaCatalog(url, schema, { except: [VERSION_TABLE] })
}

/** `public` has a comment from the start. */
function inPublic(lines: readonly string[]): readonly string[] {
  return lines.map((line) => (line.startsWith('schema ') ? 'schema  {"comment":null}' : line))
}

/** Equal, or a failure that names the lines which only one of the two has. */
function sameLines(actual: readonly string[], wanted: readonly string[]): void {
  const [have, want] = [new Set(actual), new Set(wanted)]
  const missing = wanted.filter((line) => !have.has(line)).map((line) => `- ${line}`)
  const extra = actual.filter((line) => !want.has(line)).map((line) => `+ ${line}`)
  assert.is([...missing, ...extra].toSorted((a, b) => (a.slice(2) < b.slice(2) ? -1 : 1)).join('\n'), '')
  assert.is(actual.length, wanted.length)
}

/** A database on a server of one's own choice, for the time of the suite. */
function databaseOn(of: Suite, serverUrl: string): { readonly url: string } {
  const name = `umzug_test_corpus_${process.pid}`
  of.before(() => query(serverUrl, `CREATE DATABASE ${name}`))
  of.after(() => query(serverUrl, `DROP DATABASE ${name} WITH (FORCE)`))
  return { url: withDatabase(serverUrl, name) }
}
