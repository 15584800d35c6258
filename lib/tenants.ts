/** The tenants of a tenancy: found, selected, created and dropped. */
import type { Database } from './database.ts'
import { explainingDatabaseErrors } from './database-errors.ts'
import { TenancyError } from './errors.ts'
import type { Events } from './events.ts'
import type { Interruption } from './interruption.ts'
import { Lookup } from './lookup.ts'
import type { MigrationSession } from './migrations/session.ts'
import { subjectOf, type Subject } from './migrations/subject.ts'
import type { ResolvedOptions } from './options.ts'
import { dropSchema, provisionSchema, type ProvisionOptions } from './provision.ts'
import { unknownTenant, type Registry, type TenantQuery } from './registry.ts'
import { planRename, renameSchema, type RenameReport } from './rename.ts'
import { patternOf, without, type FleetSelection, type OneSelection } from './selection.ts'
import { checkId, createTenant, type Tenant } from './tenant.ts'

/** What the shared schema is called where a tenant has its id. */
const SHARED_ID = 'shared'

export class Tenants {
  readonly #options: ResolvedOptions
  readonly #database: Database
  readonly #registry: Registry
  readonly #events: Events
  readonly #lookup: Lookup

  constructor(options: ResolvedOptions, database: Database, registry: Registry, events: Events) {
    this.#options = options
    this.#database = database
    this.#registry = registry
    this.#events = events
    this.#lookup = new Lookup((query) => explainingDatabaseErrors(() => registry.find(query)))
  }

  /** The answer to an earlier {@link find}, if it is remembered. */
  remembered(query: TenantQuery): Tenant | undefined {
    return this.#lookup.remembered(query)
  }

  /** @throws {@link TenancyError} TENANT_UNKNOWN. */
  async find(query: TenantQuery): Promise<Tenant> {
    const tenant = this.#lookup.remembered(query) ?? (await this.#lookup.find(query))
    if (tenant === undefined) throw unknownTenant(query.id ?? query.schema ?? query.host ?? '')
    return tenant
  }

  /** All of them, by id. */
  async all(): Promise<readonly Tenant[]> {
    const tenants = await explainingDatabaseErrors(() => this.#registry.list())
    return tenants.toSorted((a, b) => (a.id < b.id ? -1 : 1))
  }

  /** @throws {@link TenancyError} TENANT_UNKNOWN for an id to take or to leave out. */
  async select(selection: FleetSelection): Promise<readonly Tenant[]> {
    const { skip = [] } = selection
    if ('tenants' in selection) {
      await this.#findAll(skip)
      return without(await this.#findAll(selection.tenants), skip)
    }
    const tenants = await this.all()
    const stranger = skip.find((skipped) => !tenants.some(({ id }) => id === skipped))
    if (stranger !== undefined) throw unknownTenant(stranger)
    return without(this.#matching(tenants, selection), skip)
  }

  #findAll(ids: readonly string[]): Promise<readonly Tenant[]> {
    return Promise.all([...new Set(ids)].map((id) => this.find({ id: checkId(id) })))
  }

  #matching(tenants: readonly Tenant[], selection: FleetSelection): readonly Tenant[] {
    if (!('match' in selection)) return tenants
    const pattern = patternOf(selection.match)
    return tenants.filter(({ id }) => pattern.test(id))
  }

  /** What a run on one tenant, or on the shared schema, is about. */
  async subject(selection: OneSelection): Promise<Subject> {
    if ('tenant' in selection) return subjectOf(await this.find({ id: checkId(selection.tenant) }))
    return { id: SHARED_ID, schema: this.#options.sharedSchema, tenant: undefined }
  }

  /** Registers `tenant` and creates its schema, then does `more` on the same connection. */
  async provision<T>(
    tenant: Tenant,
    more: (session: MigrationSession, created: boolean) => Promise<T>,
    interruption: Interruption = {},
  ): Promise<T> {
    return this.#change(tenant, async (session, options) =>
      more(session, await provisionSchema(session, tenant, { ...options, ...interruption })),
    )
  }

  /** @throws {@link TenancyError} CONFIRMATION_REQUIRED unless `confirm` is the tenant's id. */
  async drop(id: string, confirm: string): Promise<Tenant> {
    const tenant = await this.find({ id: checkId(id) })
    if (confirm !== tenant.id) {
      throw new TenancyError('CONFIRMATION_REQUIRED', `Dropping tenant "${tenant.id}" was not confirmed.`, {
        tenant: tenant.id,
        schema: tenant.schema,
        fix: [`pass confirm: '${tenant.id}'; on the command line --yes`],
      })
    }
    await this.#change(tenant, (session, options) => dropSchema(session, tenant, options))
    return tenant
  }

  /** Gives the tenant's schema another name; with `dryRun` it only says what that would break. */
  async rename(id: string, schema: string, dryRun: boolean): Promise<RenameReport> {
    this.invalidate()
    const tenant = await this.find({ id: checkId(id) })
    const renamed = createTenant({ ...tenant, schema }, this.#options.policy)
    return this.#change(tenant, (session, options) =>
      dryRun ? planRename(session, tenant, renamed) : renameSchema(session, tenant, renamed, options),
    )
  }

  /** Forgets the answers to look-ups. */
  invalidate(): void {
    this.#lookup.clear()
  }

  /** Forgets the answers that are tenants of these schemas. */
  forget(schemas: ReadonlySet<string>): void {
    this.#lookup.forget(schemas)
  }

  /** Runs `fn` on a session of its own; what is remembered of tenants is forgotten after it. */
  async #change<T>(
    { id }: Tenant,
    fn: (session: MigrationSession, options: ProvisionOptions) => Promise<T>,
  ): Promise<T> {
    const { lockWaitMs, roles } = this.#options
    const options = { registry: this.#registry, lockWaitMs, events: this.#events, roles }
    const result = await explainingDatabaseErrors(
      () => this.#database.withSession((session) => fn(session, options)),
      { tenant: id },
    )
    this.#lookup.clear()
    return result
  }
}
