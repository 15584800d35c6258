/** The models of an application's Sequelize: those of tenants, those of shared schemas, and what stands against them. */
import type { Model, ModelStatic, Sequelize } from 'sequelize'

import { clip } from './names.ts'

/** An attribute as Sequelize keeps it; the members that matter here. */
export interface Attribute {
  readonly type: unknown
  readonly field?: string
  readonly autoIncrement?: boolean
  readonly defaultValue?: unknown
  readonly onDelete?: string
  readonly onUpdate?: string
  readonly references?: {
    readonly model?: string | { readonly tableName: string; readonly schema?: string }
    readonly key?: string
    readonly deferrable?: { toString(generator: unknown): string }
  }
}

export interface IndexOptions {
  readonly name?: string
  readonly concurrently?: boolean
}

/** A model with the members that Sequelize's types leave out. */
export interface KnownModel {
  readonly model: ModelStatic<Model>
  readonly name: string
  readonly table: string
  /** Set for a model of a shared schema. */
  readonly schema: string | undefined
  readonly attributes: Readonly<Record<string, Attribute>>
  readonly indexes: readonly IndexOptions[]
}

interface Untyped {
  readonly name: string
  readonly tableName: string
  readonly _schema?: string | null
  readonly tableAttributes: Readonly<Record<string, Attribute>>
  readonly _indexes: readonly IndexOptions[]
}

interface ModelManager {
  readonly models: readonly ModelStatic<Model>[]
  getModelsTopoSortedByForeignKey(): ModelStatic<Model>[] | null
}

/** All models, in the order in which `sync` makes their tables. */
export function modelsOf(sequelize: Sequelize): readonly KnownModel[] {
  const manager = sequelize.modelManager as unknown as ModelManager // typed with less than it has
  const sorted = manager.getModelsTopoSortedByForeignKey()?.toReversed() ?? manager.models
  // Of two models of one table the sorted list has the later one alone.
  const missing = manager.models.filter((model) => !sorted.includes(model))
  return [...sorted, ...missing].map(knownModel)
}

function knownModel(model: ModelStatic<Model>): KnownModel {
  const { name, tableName, _schema, tableAttributes, _indexes } = model as unknown as Untyped // typed with less
  const schema = _schema === undefined || _schema === null || _schema === '' ? undefined : _schema
  return { model, name, table: tableName, schema, attributes: tableAttributes, indexes: _indexes }
}

/** A model whose table cannot be made, and why. */
export interface ModelProblem {
  readonly model: string
  readonly table: string
  /** The server's words, or ours. */
  readonly message: string
}

/**
 * Models whose ENUM types have one name by accident: field `b_c` of table `a` and field `c` of table `a_b` both mean
 * `enum_a_b_c`, and long names are cut. Sequelize would merge the two types silently.
 */
export function enumCollisions(models: readonly KnownModel[]): readonly ModelProblem[] {
  const owners = new Map<string, { readonly place: string; readonly table: string }>()
  const problems: ModelProblem[] = []
  for (const { name: model, table, attributes } of models) {
    for (const [key, { field = key, type }] of Object.entries(attributes)) {
      if (!isEnum(type)) continue
      const place = `"${field}" of "${table}"`
      const name = clip(`enum_${table}_${field}`)
      const owner = owners.get(name)
      if (owner === undefined) owners.set(name, { place, table })
      else if (owner.place !== place) {
        const message = `its ENUM ${place} and ENUM ${owner.place} would both be the type "${name}": rename a field`
        problems.push({ model, table, message })
      }
    }
  }
  return problems
}

/** By its name: the application may have a copy of Sequelize of its own. */
function isEnum(type: unknown): boolean {
  const { key, type: inner } = (type ?? {}) as { key?: unknown; type?: unknown } // a data type, whatever it is
  return key === 'ENUM' || (key === 'ARRAY' && isEnum(inner))
}
