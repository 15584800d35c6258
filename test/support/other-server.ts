/** What is proven on the tests' own server is proven on a second one, too: a PostgreSQL of another major version. */
import { testDatabase, type TestDatabase } from './database.ts'
import type { Suite } from './suite.ts'

/** Its tests on the server that UMZUG_TENANTS_OTHER_SERVER names, if it names one. */
export function onOtherServer(test: Suite, prove: (test: Suite, database: TestDatabase) => void): void {
  const url = process.env['UMZUG_TENANTS_OTHER_SERVER']
  if (url !== undefined) prove(test, testDatabase(test, url))
  else {
    test('is skipped: UMZUG_TENANTS_OTHER_SERVER names no second server', () => {
      console.log('    skipped: set UMZUG_TENANTS_OTHER_SERVER=postgres://… to a PostgreSQL 15')
    })
  }
}
