/** Fixtures for the tests of applications: a server, and migrated tenants of one's own on it. */
export { createTestTenants, type TestTenants, type TestTenantsOptions } from './tenants.ts'
export { runningPostgres, startPostgres, type PostgresServer, type StartPostgresOptions } from './postgres.ts'
