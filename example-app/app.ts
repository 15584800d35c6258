/** The Express application, not listening yet: routes without a tenant, then routes in the tenant of the request. */
import express, { type Express } from 'express'
import { health, tenantMigrations, type Tenancy } from 'umzug-tenants'

import { answerErrors, Refusal } from './errors.ts'
import type { Models } from './models.ts'
import { permissionRoutes } from './routes/permissions.ts'
import { roleRoutes } from './routes/roles.ts'
import { sharedUserRoutes } from './routes/shared-users.ts'
import { tenantRoutes } from './routes/tenants.ts'
import { userRoutes } from './routes/users.ts'

export function createApp(
  tenancy: Tenancy,
  models: Models,
  log: (error: unknown) => void = console.error,
): Express {
  const app = express()
  app.use(express.json())

  app.get('/health', health(tenancy))
  app.use(tenantRoutes(tenancy, models))
  app.use('/shared-users', sharedUserRoutes(tenancy, models))

  // From here on the Host header names the tenant. One that is behind is upgraded by its first request.
  app.use(['/users', '/roles', '/permissions'], tenantMigrations(tenancy, { onMissing: 400 }))
  app.use('/users', userRoutes(models))
  app.use('/roles', roleRoutes(models))
  app.use('/permissions', permissionRoutes(models))

  app.use(() => {
    throw new Refusal(404, 'NOT_FOUND', 'There is nothing at this address.')
  })
  app.use(answerErrors(log))
  return app
}
