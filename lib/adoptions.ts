/** Which schemas become tenants, and which of them failed to: adopting one, some, or those that match a pattern. */
import { adoptSchema, planAdoption, type AdoptOptions, type AdoptReport, type Candidate } from './adopt.ts'
import type { Database } from './database.ts'
import { explainingDatabaseErrors } from './database-errors.ts'
import type { Folders } from './folders.ts'
import { TenancyError } from './errors.ts'
import { runFleet } from './fleet.ts'
import type { Interruption } from './interruption.ts'
import type { MigrationSession } from './migrations/session.ts'
import type { StampTarget } from './migrations/stamp.ts'
import type { FleetLimits } from './on-each.ts'
import { checkConcurrency, checkMaxFailures, type ResolvedOptions } from './options.ts'
import { PUBLIC } from './public-schema.ts'
import { fleetReport, type FleetOf } from './reports.ts'
import { patternOf } from './selection.ts'
import type { SqlRunner } from './sql.ts'
import { createTenant, LEDGER_SCHEMA, type Tenant } from './tenant.ts'

interface AdoptBase extends Interruption {
  /** Where a schema without a version table stands: a migration, `'head'`, or 0. */
  readonly stamp?: StampTarget
  /**
   * Whether to say what would happen, and change nothing.
   * @defaultValue `false`
   */
  readonly dryRun?: boolean
}

/** One schema that is to become a tenant's. */
export interface AdoptRequest extends AdoptBase {
  readonly schema: string
  /** @defaultValue the schema's name */
  readonly id?: string
  readonly host?: string
  /** What the schema is to be called; `public` cannot keep its name. */
  readonly renameTo?: string
  /** The tenant's id: needed for `public`, whose tables move away. */
  readonly confirm?: string
}

/** Schemas that are to become tenants, each with its name as id: those named, or those that match `*` and `?`. */
export type AdoptManyRequest = AdoptBase &
  FleetLimits & {
    /** Schemas at once. @defaultValue the configuration's */
    readonly concurrency?: number
  } & ({ readonly schemas: readonly string[] } | { readonly match: string })

/** A schema that was not adopted. */
export interface AdoptFailure {
  readonly id: string
  readonly schema: string
  readonly from: string
  readonly adopted: false
}

/** What became of each of many schemas. */
export type FleetAdoptReport = FleetOf<AdoptReport | AdoptFailure>

/** What adopting needs of the tenancy. */
export interface AdoptionsOptions extends Omit<AdoptOptions, 'files' | 'stamp' | keyof Interruption> {
  readonly policy: ResolvedOptions['policy']
  readonly sharedSchema: string
  readonly database: Database
  readonly folders: Folders
  readonly concurrency: number
}

type Act = (session: MigrationSession, candidate: Candidate) => Promise<AdoptReport>

export class Adoptions {
  readonly #options: AdoptionsOptions

  constructor(options: AdoptionsOptions) {
    this.#options = options
  }

  async adopt(request: AdoptRequest | AdoptManyRequest): Promise<AdoptReport | FleetAdoptReport> {
    const { stamp, signal, cancelSignal } = request
    const files = await this.#options.folders.migrations()
    const options = { ...this.#options, files, stamp, signal, cancelSignal }
    const act = request.dryRun === true ? planAdoption : adoptSchema
    const { database } = this.#options
    return explainingDatabaseErrors<AdoptReport | FleetAdoptReport>(() =>
      'schema' in request
        ? database.withSession(async (session) => act(session, await this.#candidate(request), options))
        : this.#many(request, (session, candidate) => act(session, candidate, options)),
    )
  }

  /** The same engine as for every fleet; what is a tenant's afterwards is called by its schema until then. */
  async #many(request: AdoptManyRequest, act: Act): Promise<FleetAdoptReport> {
    const { database, concurrency, events } = this.#options
    const limits = {
      concurrency: checkConcurrency(request.concurrency, concurrency),
      maxFailures: checkMaxFailures(request),
    }
    const schemas =
      'match' in request
        ? await database.withSession((session) => this.#matching(session, request.match))
        : request.schemas
    const outcome = await runFleet<AdoptReport>(
      [...new Set(schemas)].map((schema) => ({ id: schema, schema })),
      {
        ...limits,
        signal: request.signal,
        cancelSignal: request.cancelSignal,
        withSession: (fn) => database.withSession(fn),
        run: async (session, { schema }) => act(session, await this.#candidate({ schema })),
        isUnchanged: ({ adopted }) => !adopted,
        onProgress: (counts) => events.emit('fleet:progress', counts),
      },
    )
    return fleetReport<AdoptReport | AdoptFailure>(outcome, ({ id, schema }) => ({
      id,
      schema,
      from: schema,
      adopted: false,
    }))
  }

  /** Schemas that can be a tenant's at all: PostgreSQL's own, `public` and the shared ones are never meant. */
  async #matching(sql: SqlRunner, match: string): Promise<readonly string[]> {
    const pattern = patternOf(match)
    const never = new Set(['information_schema', PUBLIC, LEDGER_SCHEMA, ...this.#options.policy.reserved])
    const rows = await sql.query<{ name: string }>(
      `SELECT nspname AS name FROM pg_catalog.pg_namespace WHERE nspname !~ '^pg_' ORDER BY nspname COLLATE "C"`,
    )
    const schemas = rows.map(({ name }) => name).filter((name) => !never.has(name) && pattern.test(name))
    if (schemas.length > 0) return schemas
    throw new TenancyError('USAGE', `No schema matches ${JSON.stringify(match)}.`, {
      fix: ["give a pattern over the names of schemas, such as 't_*'"],
    })
  }

  /** The tenant that the schema is to become; who has it already stays who it is. */
  async #candidate({ schema: from, id, host, renameTo, confirm, dryRun }: AdoptRequest): Promise<Candidate> {
    const { policy, registry } = this.#options
    const known =
      id === undefined && renameTo === undefined ? await registry.find({ schema: from }) : undefined
    if (known !== undefined) return { from, tenant: known }
    const schema = renameTo ?? from
    if (from === PUBLIC) this.#assertPublic(renameTo, id ?? schema)
    else createTenant({ id: id ?? schema, schema: from }, { ...policy, names: 'quoted' })
    const tenant = createTenant({ id: id ?? schema, schema, ...(host === undefined ? {} : { host }) }, policy)
    if (from === PUBLIC && dryRun !== true && confirm !== tenant.id) throw unconfirmed(tenant)
    return { from, tenant }
  }

  #assertPublic(renameTo: string | undefined, id: string): void {
    const facts = { tenant: id, schema: PUBLIC }
    if (this.#options.sharedSchema === PUBLIC) {
      throw new TenancyError('TENANT_NAME_RESERVED', 'Schema "public" is the shared schema here.', {
        ...facts,
        fix: ['give sharedSchema another name in the configuration, if public is the tables of one tenant'],
      })
    }
    if (renameTo !== undefined) return
    throw new TenancyError('TENANT_NAME_RESERVED', 'Schema "public" cannot be a tenant\'s under that name.', {
      ...facts,
      fix: ['give it another: umzug-tenants tenants adopt public --id acme --rename-to acme'],
    })
  }
}

function unconfirmed({ id }: Tenant): TenancyError {
  return new TenancyError('CONFIRMATION_REQUIRED', 'Moving what is in "public" was not confirmed.', {
    tenant: id,
    schema: PUBLIC,
    fix: [`pass confirm: '${id}'; on the command line --yes`],
  })
}
