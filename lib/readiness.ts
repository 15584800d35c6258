/**
 * Whether a tenant can be served by this process: a look at its ledger row, and at its version table where the ledger
 * does not know. What is looked for are the migrations that were on disk when the process looked first: a release
 * serves its own, whatever is being copied into the folder meanwhile.
 */
import { createHash } from 'node:crypto'

import { LRUCache } from 'lru-cache'

import { CACHE_BOUNDS } from './cache-bounds.ts'
import type { Events } from './events.ts'
import type { Folders } from './folders.ts'
import type { Look } from './gate.ts'
import { readMarks } from './marks.ts'
import { hashOf, loadMigration, type MigrationFile } from './migrations/files.ts'
import { readHistory } from './migrations/history.ts'
import { findUnfit } from './migrations/in-request.ts'
import type { History, TransactionMode } from './migrations/plan.ts'
import { identityOf, revisionOf } from './migrations/revision.ts'
import type { SqlRunner } from './sql.ts'
import { KnownHistories } from './status.ts'
import type { VersionStorage } from './storage/storage.ts'
import type { Tenant } from './tenant.ts'

export interface ReadinessOptions {
  readonly storage: VersionStorage
  readonly transaction: TransactionMode
  readonly events: Events
  /** Milliseconds for which the migrations of a tenant are remembered. */
  readonly rememberMs: number
}

interface Served {
  readonly files: readonly MigrationFile[]
  readonly known: KnownHistories
}

export class Readiness {
  readonly #options: ReadinessOptions
  readonly #sql: SqlRunner
  readonly #folders: Folders
  #served: Promise<Served> | undefined
  /** Migrations that a request has begun, and that have turned out to be none for it. */
  readonly #unfit = new Set<string>()
  /** The newer release's head that was told of, by schema. */
  readonly #ahead = new LRUCache<string, string>(CACHE_BOUNDS)
  /** Names that schemas record. */
  readonly #recorded: LRUCache<string, readonly string[], Tenant>

  constructor(options: ReadinessOptions, sql: SqlRunner, folders: Folders) {
    this.#options = options
    this.#sql = sql
    this.#folders = folders
    this.#recorded = new LRUCache({
      ...CACHE_BOUNDS,
      ttl: Math.max(1, options.rememberMs),
      ignoreFetchAbort: true,
      fetchMethod: async (_key, _stale, { context }) => this.#readRecorded(context),
    })
  }

  /** The migrations that this process serves. */
  async files(): Promise<readonly MigrationFile[]> {
    return (await this.#serve()).files
  }

  /** Looks at `tenant`: with `verify` at its version table, whatever the ledger says. */
  async look(tenant: Tenant, verify = false): Promise<Look> {
    const { files, known } = await this.#serve()
    const { schema } = tenant
    const mark = (await readMarks(this.#sql, [schema])).get(schema)
    if (mark === undefined) return { isCurrent: false, mark }
    if (!verify && mark.fingerprint === known.head) return { isCurrent: true, mark }
    const history = await readHistory(this.#sql, schema, files, this.#options.storage)
    if (history.pending.length > 0)
      return { isCurrent: false, unfit: await this.#unfitOf(history, files), mark }
    this.#tellAhead(tenant, history)
    // Without any migration the ledger is all that a run would write.
    return { isCurrent: files.length > 0 || mark.fingerprint === known.head, mark }
  }

  /** Notes that no request may run `migration`. */
  noteUnfit(migration: string): void {
    this.#unfit.add(migration)
  }

  /** Whether `tenant` has had the migration called so: by file name, with or without extension, or by revision id. */
  async hasMigration(tenant: Tenant, called: string): Promise<boolean> {
    const names = (await this.#recorded.fetch(tenant.schema, { context: tenant })) ?? []
    const isHeadOnly = this.#options.storage.headOnly === true
    return names.some(
      (name) =>
        identityOf(name) === identityOf(called) ||
        revisionOf(name) === called ||
        // A version table with a head alone knows a newer release's migration by its revision id.
        (isHeadOnly && name === revisionOf(called)),
    )
  }

  /** The migrations on disk now, in one word that another name or content changes. */
  async migrationSet(): Promise<string> {
    const hash = createHash('sha256')
    for (const file of await this.#folders.migrations()) hash.update(`${file.name} ${await hashOf(file)}\n`)
    return hash.digest('hex')
  }

  /** Forgets what is remembered of a tenant's migrations, or everything, files included. */
  invalidate(tenant?: Pick<Tenant, 'schema'>): void {
    if (tenant === undefined) {
      this.#served = undefined
      this.#unfit.clear()
      this.#recorded.clear()
    } else this.#recorded.delete(tenant.schema)
  }

  #serve(): Promise<Served> {
    this.#served ??= this.#folders.migrations().then(
      (files) => ({ files, known: new KnownHistories(files.map(({ name }) => name)) }),
      (error: unknown) => {
        this.#served = undefined
        throw error
      },
    )
    return this.#served
  }

  async #unfitOf({ pending }: History, files: readonly MigrationFile[]): Promise<string | undefined> {
    const learnt = pending.find((name) => this.#unfit.has(name))
    if (learnt !== undefined) return learnt
    const missing = files.filter(({ name }) => pending.includes(name))
    return findUnfit(await Promise.all(missing.map(loadMigration)), this.#options.transaction)
  }

  #tellAhead({ id, schema }: Tenant, { unknown }: History): void {
    const head = unknown.at(-1)
    if (head === undefined || this.#ahead.get(schema) === head) return
    this.#ahead.set(schema, head)
    this.#options.events.emit('tenant:ahead', { tenant: id, schema, head, unknown })
  }

  async #readRecorded({ schema }: Tenant): Promise<readonly string[]> {
    const { files } = await this.#serve()
    const { executed, unknown } = await readHistory(this.#sql, schema, files, this.#options.storage)
    return [...executed, ...unknown]
  }
}
