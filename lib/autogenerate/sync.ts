/** What `sync` does for one model: sent, or only written down. */
import type { Model, ModelStatic, Sequelize, Transaction } from 'sequelize'

import type { Attribute, KnownModel } from './models.ts'

/** Makes the table of a model as its `sync` would, without the foreign keys. */
export async function syncModel(known: KnownModel, transaction?: Transaction): Promise<void> {
  const options = { transaction, logging: false as const, withoutForeignKeyConstraints: true }
  await copyOf(known).sync(options)
}

/**
 * Whether all that `sync` does is what Sequelize's own does in an empty schema. Hooks may ask for what was made, and an
 * application may have a `sync` of its own; of two models of one table the second finds a table.
 */
export function isPlain(
  { model, table }: KnownModel,
  models: readonly KnownModel[],
  sequelize: Sequelize,
): boolean {
  const { Model: Stock } = (sequelize as unknown as { Sequelize: { Model: ModelStatic<Model> } }).Sequelize // not typed upstream
  return (
    Reflect.get(model, 'sync') === Reflect.get(Stock, 'sync') &&
    !HOOKS.some((hook) => model.hasHook(hook) || sequelize.hasHook(hook)) &&
    models.find((other) => other.table === table)?.model === model
  )
}

const HOOKS = ['beforeSync', 'afterSync'] as const

/** A subclass, so that nothing of the application's own model changes. */
function copyOf(known: KnownModel): ModelStatic<Model> {
  const Copy = class extends known.model {}
  Object.defineProperties(Copy, {
    name: { value: known.name },
    tableAttributes: { value: withoutNullDefaults(known.attributes) },
    // A transaction is no place for it, and an empty table needs none.
    _indexes: { value: known.indexes.map((index) => ({ ...index, concurrently: false })) },
  })
  return Copy
}

/** PostgreSQL refuses SERIAL DEFAULT NULL. */
function withoutNullDefaults(attributes: Readonly<Record<string, Attribute>>): Record<string, Attribute> {
  return Object.fromEntries(
    Object.entries(attributes).map(([key, attribute]) => {
      if (attribute.autoIncrement !== true || attribute.defaultValue !== null) return [key, attribute]
      const { defaultValue: _, ...rest } = attribute
      return [key, rest]
    }),
  )
}
