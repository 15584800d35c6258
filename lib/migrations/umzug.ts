/** A schema's Umzug: its migrations, its version storage, its context. Umzug runs what the plan chose. */
import { AsyncLocalStorage } from 'node:async_hooks'

import type { RunnableMigration, Umzug, UmzugOptions } from 'umzug'

import { TenancyError } from '../errors.ts'
import type { SqlRunner } from '../sql.ts'
import type { VersionStorage } from '../storage/storage.ts'
import type { MigrationContext } from './context.ts'
import { loadMigration, type LoadedMigration, type MigrationFile } from './files.ts'
import { compareHistory } from './plan.ts'
import { identityOf } from './revision.ts'
import { loadUmzug } from './umzug-package.ts'

/** Where an Umzug works: on which connection, in which schema, with what its migrations are given. */
export interface UmzugPlace {
  readonly sql: SqlRunner
  readonly schema: string
  readonly context: MigrationContext
  /** Whether a transaction is open around the command: some migrations refuse one. */
  readonly inTransaction: boolean
  /** Runs one migration's side, and waits for statements it has started and not awaited. */
  watching<T>(migration: string, side: () => Promise<T>): Promise<T>
  /** Names in the order in which they were applied, where a command reverts: Umzug goes from the last on. */
  readonly inOrder?: ((names: readonly string[]) => readonly string[]) | undefined
}

/** A migration that has run. */
export interface Done {
  readonly name: string
  readonly durationMs: number
}

/** `place`, which adds what has run there to `done`. */
export function noting(done: Done[], place: UmzugPlace): UmzugPlace {
  return {
    ...place,
    async watching(name, side) {
      const startedAt = performance.now()
      const result = await place.watching(name, side)
      done.push({ name, durationMs: Math.round(performance.now() - startedAt) })
      return result
    },
  }
}

export interface UmzugParts {
  readonly files: readonly MigrationFile[] | (() => Promise<readonly MigrationFile[]>)
  readonly storage: VersionStorage
  /** The place of the command that is running. */
  readonly place: () => UmzugPlace
}

/** Umzug on one schema, for a run that has its place open already. */
export function schemaUmzug(parts: UmzugParts): Umzug<MigrationContext> {
  const { Umzug } = loadUmzug()
  return new Umzug(umzugOptions(parts))
}

function umzugOptions({ files, storage, place }: UmzugParts): UmzugOptions<MigrationContext> {
  const list = typeof files === 'function' ? files : () => Promise.resolve(files)
  const at = async () => {
    const { sql, schema } = place()
    return { sql, schema, history: (await list()).map(({ name }) => name) }
  }
  /** Names in the storage may have another extension than the file has now. */
  const recordedName = async (name: string): Promise<string> => {
    const recorded = await storage.executed(await at())
    return recorded.find((candidate) => identityOf(candidate) === identityOf(name)) ?? name
  }
  return {
    logger: undefined,
    context: () => place().context,
    migrations: async () => sorted(await list(), place().inOrder).map((file) => runnable(file, place)),
    storage: {
      async executed() {
        const here = await at()
        return [...compareHistory(here.history, await storage.executed(here)).executed]
      },
      logMigration: async ({ name }) => storage.record(await at(), name),
      unlogMigration: async ({ name }) => storage.forget(await at(), await recordedName(name)),
    },
  }
}

/** Opens a place around each command: `up` and `down` hold the schema's lock and a transaction. */
export type OpenPlace = <T>(command: string, fn: (place: UmzugPlace) => Promise<T>) => Promise<T>

/** A real Umzug for one tenant, usable by itself: `up`, `down`, `pending`, `executed`, `runAsCLI`. */
export function tenantUmzug(parts: Omit<UmzugParts, 'place'>, open: OpenPlace): Umzug<MigrationContext> {
  const places = new AsyncLocalStorage<UmzugPlace>()
  const place = () => {
    const current = places.getStore()
    if (current === undefined) throw new TypeError('no command of this Umzug is running')
    return current
  }
  class TenantUmzug extends loadUmzug().Umzug<MigrationContext> {
    protected override async runCommand<T>(
      command: string,
      run: (params: { context: MigrationContext }) => Promise<T>,
    ): Promise<T> {
      return open(command, (opened) => places.run(opened, () => super.runCommand(command, run)))
    }
  }
  return new TenantUmzug(umzugOptions({ ...parts, place }))
}

function sorted(files: readonly MigrationFile[], inOrder: UmzugPlace['inOrder']): readonly MigrationFile[] {
  if (inOrder === undefined) return files
  const names = inOrder(files.map(({ name }) => name))
  return names.flatMap((name) => files.filter((file) => file.name === name))
}

function runnable(file: MigrationFile, place: () => UmzugPlace): RunnableMigration<MigrationContext> {
  const run = async (side: (migration: LoadedMigration) => Promise<unknown>) => {
    const migration = await loadMigration(file)
    if (place().inTransaction && !migration.transaction) throw refusesTransaction(file.name)
    return place().watching(file.name, () => side(migration))
  }
  return {
    name: file.name,
    path: file.path,
    up: ({ context }) => run(({ up }) => up(context, place().inTransaction)),
    down: ({ context }) =>
      run(({ down }) => {
        if (down === undefined) throw irreversible(file.name)
        return down(context, place().inTransaction)
      }),
  }
}

/** One command of a tenant's Umzug is one transaction; `tenancy.up` divides its run where it must. */
function refusesTransaction(migration: string): TenancyError {
  const title = `Migration "${migration}" runs outside a transaction, and a command of this Umzug is one.`
  return new TenancyError('MIGRATION_INVALID', title, {
    migration,
    fix: ['run it with tenancy.up, or umzug-tenants up'],
  })
}

export function irreversible(migration: string): TenancyError {
  return new TenancyError('MIGRATION_IRREVERSIBLE', `Migration "${migration}" has no down.`, {
    migration,
    direction: 'down',
    fix: ['give it a down (for NAME.sql a NAME.down.sql), or write a new migration that undoes it'],
  })
}
