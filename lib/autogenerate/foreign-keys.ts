/** Foreign keys of models, as `sync` writes them behind a column, but apart and last: no order of the tables is needed. */
import type { Sequelize } from 'sequelize'

import { qualify, quoteIdentifier } from '../sql.ts'
import type { KnownModel } from './models.ts'

/** A foreign key, and the model that has it. */
export interface KnownForeignKey {
  readonly known: KnownModel
  readonly text: string
}

/** Those of the tables `made` in `schema`; `all` are the models that a name may mean. */
export function foreignKeysOf(
  schema: string,
  made: readonly KnownModel[],
  all: readonly KnownModel[],
  sequelize: Sequelize,
): readonly KnownForeignKey[] {
  return firstOfEachTable(made).flatMap((known) =>
    textsOf(known, schema, made, all, sequelize).map((text) => ({ known, text })),
  )
}

/** `sync` makes a table, and its foreign keys, for the first model that has it. */
function firstOfEachTable(models: readonly KnownModel[]): readonly KnownModel[] {
  return models.filter(({ table }, index) => models.findIndex((other) => other.table === table) === index)
}

function textsOf(
  { table, attributes }: KnownModel,
  schema: string,
  made: readonly KnownModel[],
  all: readonly KnownModel[],
  sequelize: Sequelize,
): readonly string[] {
  return Object.entries(attributes).flatMap(([key, { field = key, references, onDelete, onUpdate }]) => {
    if (references?.model === undefined) return []
    const target = typeof references.model === 'string' ? { tableName: references.model } : references.model
    const { queryGenerator } = sequelize.getQueryInterface() as unknown as { queryGenerator: unknown } // not typed upstream
    const words = [
      `ALTER TABLE ${qualify(schema, table)} ADD FOREIGN KEY (${quoteIdentifier(field)})`,
      `REFERENCES ${targetText(target, schema, made, all)} (${quoteIdentifier(references.key ?? 'id')})`,
      ...(onDelete ? [`ON DELETE ${action(onDelete)}`] : []),
      ...(onUpdate ? [`ON UPDATE ${action(onUpdate)}`] : []),
      ...(references.deferrable ? [references.deferrable.toString(queryGenerator)] : []),
    ]
    return [words.join(' ')]
  })
}

/** Sequelize passes on whatever it is given. */
function action(text: string): string {
  const words = text.toUpperCase().trim()
  if (/^[A-Z]+(?: [A-Z]+)?$/.test(words)) return words
  throw new RangeError(`"${text}" is no action of a foreign key`)
}

/** A bare name means the tenant's table, else that of a model with a schema, else what the search path finds. */
function targetText(
  { tableName, schema: named }: { readonly tableName: string; readonly schema?: string },
  schema: string,
  made: readonly KnownModel[],
  all: readonly KnownModel[],
): string {
  if (named !== undefined && named !== '') return qualify(named, tableName)
  if (made.some(({ table }) => table === tableName)) return qualify(schema, tableName)
  const shared = all.find((model) => model.table === tableName && model.schema !== undefined)?.schema
  return shared === undefined ? quoteIdentifier(tableName) : qualify(shared, tableName)
}
