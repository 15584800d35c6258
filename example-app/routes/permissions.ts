/** The permissions of the current tenant. */
import { Router } from 'express'

import { Input, listPage } from '../input.ts'
import type { Models } from '../models.ts'

export function permissionRoutes({ Permission }: Models): Router {
  const router = Router()

  router.get('/', async (request, response) => {
    response.json(await listPage(Permission, request))
  })

  router.post('/', async (request, response) => {
    const input = new Input(request.body)
    const permission = await Permission.create({
      name: input.text('name', 100),
      title: input.optionalText('title', 100),
      description: input.optionalText('description', 100),
      accountId: input.optionalInteger('accountId'),
    })
    response.status(201).json(permission)
  })
  return router
}
