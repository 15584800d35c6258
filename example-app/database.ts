/** The application's database: which server, the one Sequelize, and the namespace that carries its transactions. */
import { fileURLToPath } from 'node:url'

import { createNamespace } from 'cls-hooked'
import { Sequelize } from 'sequelize'
import { startPostgres } from 'umzug-tenants/testing'

import { defineModels, type Models } from './models.ts'

/** Where the embedded server keeps its data; git ignores the folder. */
const DATA_DIR = fileURLToPath(new URL('../.postgres', import.meta.url))

/** Gives every query inside `sequelize.transaction(fn)` its transaction, without passing it around. */
export const namespace = createNamespace('example-app')

/** The models on the server at `url`. */
export function connect(url: string): Models {
  Sequelize.useCLS(namespace)
  return defineModels(new Sequelize(url, { dialect: 'postgres', logging: false }))
}

let opened: Promise<Models> | undefined

/** The models on the server of `DATABASE_URL`, else on an embedded one, which is started if it is not running. */
export function openDatabase(): Promise<Models> {
  opened ??= connectToServer()
  return opened
}

async function connectToServer(): Promise<Models> {
  const server = await startPostgres({ dataDir: DATA_DIR })
  const models = connect(server.url)
  const closePool = models.sequelize.close.bind(models.sequelize)
  // The command line closes the Sequelize it was given and knows nothing of a server that was started for it.
  models.sequelize.close = async () => {
    await closePool()
    await server.stop()
  }
  return models
}
