/**
 * Registering and upgrading tenants. Whoever runs an application like this puts the authentication of its
 * administrators before these routes.
 */
import { Router, type Response } from 'express'
import type { Tenancy, Tenant } from 'umzug-tenants'

import { Input, listPage } from '../input.ts'
import type { Models } from '../models.ts'

export function tenantRoutes(tenancy: Tenancy, { TenantRecord }: Models): Router {
  const router = Router()

  /** Registers a tenant and creates its schema, empty; the same again changes nothing. */
  const register = async (input: Input, response: Response) => {
    const id = input.text('name')
    const { created, ...tenant } = await tenancy.provision({
      id,
      schema: input.optionalText('schema') ?? id,
      host: input.optionalText('host'),
      up: false,
    })
    response.status(created ? 201 : 200).json({ tenant: documentOf(tenant) })
  }
  const upgrade = async (tenant: Tenant, response: Response) => {
    const { applied } = await tenancy.up({ tenant: tenant.id })
    response.json({ applied })
  }

  router.get('/tenants', async (request, response) => {
    const page = await tenancy.runShared(() => listPage(TenantRecord, request))
    const items = page.items.map(({ name, schema, host }) => documentOf({ id: name, schema, host }))
    response.json({ ...page, items })
  })
  router.post('/tenants', (request, response) => register(new Input(request.body), response))
  router.post('/tenants/:id/upgrade', async (request, response) =>
    upgrade(await tenancy.find({ id: request.params.id }), response),
  )
  router.post('/tenants/:id/seed', async (request, response) => {
    const { applied } = await tenancy.seed({ tenant: request.params.id })
    response.json({ applied })
  })

  // The same for the address bar of a browser. A GET that changes something is for trying out only.
  router.get('/create', (request, response) => register(new Input(request.query), response))
  router.get('/upgrade', async (request, response) =>
    upgrade(await tenancy.find({ schema: new Input(request.query).text('schema') }), response),
  )
  return router
}

function documentOf({
  id,
  schema,
  host = null,
}: {
  readonly id: string
  readonly schema: string
  readonly host?: string | null
}) {
  return { id, schema, host }
}
