/** People before it is known which tenant they belong to: rows of the shared schema, so no tenant is entered. */
import { Router } from 'express'
import type { Tenancy } from 'umzug-tenants'

import { Refusal } from '../errors.ts'
import { Input, listPage } from '../input.ts'
import type { Models } from '../models.ts'

export function sharedUserRoutes(tenancy: Tenancy, { sequelize, SharedUser, TenantRecord }: Models): Router {
  const router = Router()

  router.get('/', async (request, response) => {
    response.json(await tenancy.runShared(() => listPage(SharedUser, request)))
  })

  router.post('/', async (request, response) => {
    const input = new Input(request.body)
    const email = input.text('email', 256)
    const name = input.text('tenant')
    const user = await tenancy.runShared(() =>
      sequelize.transaction(async () => {
        const tenant = await TenantRecord.findByPk(name)
        if (tenant === null) throw new Refusal(422, 'TENANT_UNKNOWN', 'There is no tenant of this name.')
        return SharedUser.create({ email, tenantId: tenant.id })
      }),
    )
    response.status(201).json(user)
  })
  return router
}
