/**
 * A process that serves an Express application with nothing but `app.use(tenantMigrations())`, configured by the
 * file in its working directory. Prints its port, and ends when its standard input does.
 */
import express from 'express'
import { Sequelize } from 'sequelize'

import { tenantMigrations } from '../../lib/index.ts'

// The configuration file finds it here: one Sequelize for the application and the tenancy.
const sequelize = new Sequelize(process.env['DATABASE_URL'] ?? '', { logging: false })
Object.assign(globalThis, { applicationSequelize: sequelize })

const app = express()
app.use(tenantMigrations())
app.get('/owner', async (request, response) => {
  const [rows] = await sequelize.query('SELECT owner FROM marker')
  response.json({ tenant: request.tenant?.id, rows, pid: process.pid })
})

const server = app.listen(0, '127.0.0.1', () => {
  const address = server.address()
  console.log(typeof address === 'object' ? address?.port : address)
})
process.stdin.resume().on('end', () => process.exit())
