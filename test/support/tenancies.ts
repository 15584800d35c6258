/** Tenancies on a suite's database, each with migrations of its own in a temporary folder; closed after the suite. */
import type { TenancyConfig } from '../../lib/options.ts'
import { createTenancy, type Tenancy } from '../../lib/tenancy.ts'
import type { TestDatabase } from './database.ts'
import { temporaryFolders, type Files } from './folder.ts'
import type { Suite } from './suite.ts'

/** `files` are written to `migrations/`; a name with a folder is taken as it is. */
export type MakeTenancy = (files?: Files, config?: TenancyConfig) => Promise<Tenancy>

export function testTenancies(test: Suite, database: TestDatabase): MakeTenancy {
  const folder = temporaryFolders(test)
  const open: Tenancy[] = []
  test.after(() => Promise.all(open.map((tenancy) => tenancy.close())))
  return async (files = {}, config = {}) => {
    const entries = Object.entries(files).map(([name, text]) => [
      name.includes('/') ? name : `migrations/${name}`,
      text,
    ])
    const baseDir = await folder(Object.fromEntries(entries) as Files)
    const tenancy = createTenancy({ url: database.url, ...config }, { baseDir })
    open.push(tenancy)
    return tenancy
  }
}

let count = 0

/** An id, and schema name, that no other test of the run has. */
export function newId(): string {
  count++
  return `t${count}`
}

/** A migration in SQL that creates `table`, with its way back. */
export function createTable(name: string, table: string): Files {
  return {
    [`${name}.sql`]: `CREATE TABLE ${table} (id integer PRIMARY KEY)`,
    [`${name}.down.sql`]: `DROP TABLE ${table}`,
  }
}
