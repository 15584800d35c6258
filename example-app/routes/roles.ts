/** The roles of the current tenant, with their permissions. */
import { Router } from 'express'

import { Refusal } from '../errors.ts'
import { Input, listPage } from '../input.ts'
import type { Models } from '../models.ts'

export function roleRoutes({ sequelize, Permission, Role, RolePermission }: Models): Router {
  const router = Router()
  const withPermissions = {
    include: { model: Permission, as: 'permissions', through: { attributes: [] } },
  }

  /** Gives a role permissions; those it has already it keeps. */
  const grant = async (roleId: number, permissionIds: readonly number[]) => {
    const known = await Permission.count({ where: { id: [...permissionIds] } })
    if (known < permissionIds.length)
      throw new Refusal(422, 'PERMISSION_UNKNOWN', 'There is no permission with one of these ids.')
    await RolePermission.bulkCreate(
      permissionIds.map((permissionId) => ({ roleId, permissionId })),
      { ignoreDuplicates: true },
    )
  }

  router.get('/', async (request, response) => {
    response.json(await listPage(Role, request, withPermissions))
  })

  router.post('/', async (request, response) => {
    const input = new Input(request.body)
    const values = {
      roleName: input.text('roleName', 100),
      roleDescription: input.optionalText('roleDescription', 100),
    }
    const permissionIds = input.integers('permissionIds')
    // If a permission is unknown, the role that was inserted a moment ago is rolled back.
    const role = await sequelize.transaction(async () => {
      const { id } = await Role.create(values)
      await grant(id, permissionIds)
      return Role.findByPk(id, withPermissions)
    })
    response.status(201).json(role)
  })

  router.put('/:id/permissions/:permissionId', async (request, response) => {
    const path = new Input(request.params)
    const id = path.integer('id')
    const permissionId = path.integer('permissionId')
    const role = await sequelize.transaction(async () => {
      if ((await Role.findByPk(id)) === null)
        throw new Refusal(404, 'ROLE_UNKNOWN', 'There is no role with this id.')
      await grant(id, [permissionId])
      return Role.findByPk(id, withPermissions)
    })
    response.json(role)
  })
  return router
}
