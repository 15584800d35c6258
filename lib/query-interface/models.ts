/**
 * Keeps apart the models that migrations define. One session serves tenant after tenant, and Sequelize keeps every
 * model for its life: `sync()` in an early migration of the second tenant would create what a late one of the first
 * defined. Within a tenant's run models stay, as they do in a process that runs migrations for `public`.
 */
import type { Model, ModelStatic, Sequelize } from 'sequelize'

interface Models {
  list: readonly ModelStatic<Model>[]
  byName: Record<string, ModelStatic<Model>>
}

/** Runs under way at once are far fewer; models of the others are of no use to anybody. */
const MAX_SCHEMAS = 100

/** Gives each schema that `schemaOf` names models of its own in `sequelize`. */
export function keepModelsApart(sequelize: Sequelize, schemaOf: () => string | undefined): void {
  const kept = new Map<string, Models>()
  let last = ''

  const current = (): Models => {
    last = schemaOf() ?? last
    const models = kept.get(last) ?? { list: [], byName: {} }
    // Used last stands last: what is dropped is what was not used for longest.
    kept.delete(last)
    kept.set(last, models)
    for (const [oldest] of kept) {
      if (kept.size <= MAX_SCHEMAS) break
      kept.delete(oldest)
    }
    return models
  }

  Object.defineProperty(sequelize.modelManager, 'models', {
    get: () => current().list,
    set(list: Models['list']) {
      current().list = list
    },
  })
  Object.defineProperty(sequelize, 'models', {
    get: () => current().byName,
    set(byName: Models['byName']) {
      current().byName = byName
    },
  })
}
