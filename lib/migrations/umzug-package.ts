/**
 * The package umzug, loaded when something is about to run: its own command line takes longer to load than all the rest
 * of a command that finds nothing to do.
 */
import { createRequire } from 'node:module'

import type * as UmzugPackage from 'umzug'

const require = createRequire(import.meta.url)

/** What `import 'umzug'` gives: the same classes, once in a process. */
export function loadUmzug(): typeof UmzugPackage {
  return require('umzug') as typeof UmzugPackage // untyped by nature; these are the package's own types
}

/** Whether Umzug says of `error` which migration it comes from. */
export function isMigrationError(error: unknown): error is UmzugPackage.MigrationError {
  return error instanceof loadUmzug().MigrationError
}
