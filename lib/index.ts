/** The front door: everything public, by name. */
export type { Namespace } from './context.ts'
export { loadConfig, type LoadedConfig } from './config.ts'
export { ERROR_CODES, isTenancyError, TenancyError, type ErrorCode, type ErrorDocument } from './errors.ts'
export type { EventName, Listener, TenancyEvents } from './events.ts'
export type { TableReport } from './contents.ts'
export type { HealthReport } from './health.ts'
export { health } from './middleware/health.ts'
export type { FleetPlanReport, PlanOptions, PlanReport } from './inspection.ts'
export type { Interruption } from './interruption.ts'
export {
  tenantMigrations,
  type TenantMiddleware,
  type TenantMigrationsOptions,
} from './middleware/express.ts'
export { byHeader, byHost, type HostOptions, type Resolver } from './middleware/resolve.ts'
export type { Migration, MigrationContext, MigrationExtras, MigrationParams } from './migrations/context.ts'
export type { CreateReport, CreateRequest } from './migrations/create.ts'
export type { Allowances } from './migrations/integrity.ts'
export type { TenantState, TransactionMode } from './migrations/plan.ts'
export type { MigrationFormat } from './migrations/template.ts'
export type { LazyConfig } from './lazy.ts'
export { defineConfig, type TenancyConfig } from './options.ts'
export type { TenantQuery, TenantSource } from './registry.ts'
export type { RepairReport, Settlement } from './repair.ts'
export type { FleetDownReport, FleetUpReport, TenantDownReport, TenantUpReport } from './reports.ts'
export type {
  DownOptions,
  FleetLimits,
  FleetUpOptions,
  ScriptOptions,
  SeedOptions,
  UpOptions,
} from './runs.ts'
export type { FleetSelection, OneSelection } from './selection.ts'
export type { Row, SqlRunner, SqlValue } from './sql.ts'
export type { TenantStatus } from './status.ts'
export { alembicVersion } from './storage/alembic-version.ts'
export { sequelizeMeta } from './storage/sequelize-meta.ts'
export type { StorageName, VersionPlace, VersionStorage } from './storage/storage.ts'
export { createTenancy, type ProvisionReport, type ProvisionRequest, type Tenancy } from './tenancy.ts'
export type { NameRule, Tenant, TenantInput } from './tenant.ts'
