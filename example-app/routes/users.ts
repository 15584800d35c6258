/** The users of the current tenant. Nothing here says which tenant that is. */
import { Router } from 'express'

import { Refusal } from '../errors.ts'
import { Input, listPage } from '../input.ts'
import type { Models } from '../models.ts'

export function userRoutes({ sequelize, Role, User }: Models): Router {
  const router = Router()

  router.get('/', async (request, response) => {
    response.json(await listPage(User, request))
  })

  router.post('/', async (request, response) => {
    const input = new Input(request.body)
    const values = {
      email: input.text('email', 256),
      firstName: input.optionalText('firstName', 100),
      lastName: input.optionalText('lastName', 100),
      userRoleId: input.optionalInteger('userRoleId'),
    }
    // Both queries are in the transaction without being told so: the namespace carries it to them.
    const user = await sequelize.transaction(async () => {
      if (values.userRoleId !== null && (await Role.findByPk(values.userRoleId)) === null)
        throw new Refusal(422, 'ROLE_UNKNOWN', 'There is no role with this id.')
      return User.create(values)
    })
    response.status(201).json(user)
  })
  return router
}
