/**
 * A process that serves an Express application with nothing but `app.use(tenantMigrations())`, configured by the
 * file in its working directory: arguments are the URL and that folder. It prints its port, and ends when its
 * standard input does. For `startChild`.
 */
export const TENANT_SERVER = `
  import express from 'express'
  import { Sequelize } from 'sequelize'
  import { tenantMigrations } from 'lib/index.js'

  const [, url, folder] = process.argv
  process.chdir(folder)
  // The configuration file finds it here: one Sequelize for the application and the tenancy.
  const sequelize = new Sequelize(url, { logging: false })
  Object.assign(globalThis, { applicationSequelize: sequelize })

  const app = express()
  app.use(tenantMigrations())
  app.get('/owner', async (request, response) => {
    const [rows] = await sequelize.query('SELECT owner FROM marker')
    response.json({ tenant: request.tenant?.id, rows, pid: process.pid })
  })

  const server = app.listen(0, '127.0.0.1', () => console.log(server.address().port))
  process.stdin.resume().on('end', () => process.exit())`
