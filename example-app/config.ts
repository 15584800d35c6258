/** What the library has to know of this application. */
import { defineConfig, type TenancyConfig } from 'umzug-tenants'

import { namespace } from './database.ts'
import type { Models } from './models.ts'
import { tenantRegistry } from './registry.ts'

/** `open` is called when the database is needed, and answers the same models each time. */
export function tenancyConfig(open: () => Models | Promise<Models>): TenancyConfig {
  return defineConfig({
    sequelize: async () => (await open()).sequelize,
    namespace,
    tenants: tenantRegistry(open),
    sharedMigrations: 'migrations/shared/*',
    migrations: 'migrations/*',
    seeders: 'seeders/*',
  })
}
