/** ENUM types, made, extended and dropped where their table is. */
import type { Sequelize } from 'sequelize'

import { type Binding, type EnumType, type HelperOptions, type Helpers, select, send, type TableName } from './sequelize.ts' // prettier-ignore
import { qualified } from './tables.ts'
import { learnTypes } from './types.ts'

type EnumHelpers = Pick<Helpers, 'ensureEnums' | 'dropEnum' | 'dropAllEnums' | 'dropTable'>

export function enumHelpers(binding: Binding, helpers: Helpers): EnumHelpers {
  const { sequelize, generator } = binding
  const dropTable = helpers.dropTable.bind(helpers)
  const drop = (name: string, options: HelperOptions = {}) => {
    const quotedName = qualified(
      binding,
      generator.pgEscapeAndQuote(name),
      options.schema ?? binding.schemaOf(),
    )
    return send(sequelize, generator.pgEnumDrop(null, null, quotedName), options)
  }
  return {
    ensureEnums: (table, attributes, options, model) =>
      new EnsuredEnums(binding, table, options ?? {}).ensure(
        enumColumns(sequelize, attributes),
        model !== undefined && model !== null,
      ),
    dropEnum: drop,
    // As upstream, one that a table still uses does not keep the others; unlike there, all have been tried by then.
    async dropAllEnums(options) {
      const enums = await helpers.pgListEnums(null, options)
      const outcomes = await Promise.allSettled(enums.map(({ enum_name: name }) => drop(name, options)))
      return outcomes.map((outcome) => {
        if (outcome.status === 'rejected') throw outcome.reason
        return outcome.value
      })
    },
    // Upstream writes to its options when a model with an ENUM has this table, whether there are any or not.
    dropTable: (table, options) => dropTable(table, { ...options }),
  }
}

interface EnumColumn {
  readonly field: string
  readonly type: EnumType
  readonly isArray: boolean
}

function enumColumns(
  sequelize: Sequelize,
  attributes: Parameters<Helpers['ensureEnums']>[1],
): readonly EnumColumn[] {
  // The classes of this instance's own copy of Sequelize; neither is typed on it.
  const { ENUM, ARRAY } = (
    sequelize as unknown as { Sequelize: { DataTypes: Record<'ENUM' | 'ARRAY', Function> } }
  ).Sequelize.DataTypes
  return Object.entries(attributes).flatMap(([key, { type, field = key }]) => {
    const isArray = type instanceof ARRAY
    const inner = isArray ? (type as { type?: unknown }).type : type
    return inner instanceof ENUM ? [{ field, type: inner as EnumType, isArray }] : []
  })
}

/**
 * What createTable and `sync` do about their ENUM columns. Upstream sends its questions all at once on what may be one
 * connection, compares a column's labels with those of another one when only some of the types exist (`enumIdx`), and
 * ends with a scan of the whole database's types on a further connection: with a pool of one it waits for ever.
 */
class EnsuredEnums {
  readonly #binding: Binding
  readonly #table: TableName
  readonly #options: HelperOptions

  constructor(binding: Binding, table: TableName, options: HelperOptions) {
    this.#binding = binding
    this.#table = table
    this.#options = options
  }

  async ensure(columns: readonly EnumColumn[], hasModel: boolean): Promise<unknown> {
    const existing = await this.#labels(columns)
    let result: unknown
    for (const [index, { field, type }] of columns.entries()) {
      const labels = existing[index]
      if (labels === undefined) result = await this.#create(field, type)
      else if (hasModel) result = await this.#extend(field, labels, type.values)
    }
    if (columns.some(({ isArray }, index) => isArray && existing[index] === undefined)) await this.#learn()
    return result
  }

  /** Labels of each column's type, in order; `undefined` where there is none. */
  async #labels(columns: readonly EnumColumn[]): Promise<readonly (readonly string[] | undefined)[]> {
    if (columns.length === 0) return []
    const { sequelize, generator } = this.#binding
    const { tableName, schema } = this.#details
    const names = columns.map(
      ({ field }, i) => `(${i}, ${generator.escape(`enum_${tableName}_${field}`)}::name)`,
    )
    const rows = await select<{ index: number; labels: string[] }>(
      sequelize,
      `SELECT asked.index, json_agg(e.enumlabel ORDER BY e.enumsortorder) AS labels
         FROM (VALUES ${names.join(', ')}) AS asked (index, name)
         JOIN pg_catalog.pg_type t ON t.typname = asked.name
         JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace AND n.nspname = ${generator.escape(schema)}
         JOIN pg_catalog.pg_enum e ON e.enumtypid = t.oid
        GROUP BY 1`,
      this.#options,
    )
    return columns.map((_, i) => rows.find(({ index }) => index === i)?.labels)
  }

  #create(field: string, type: EnumType): Promise<unknown> {
    const { sequelize, generator } = this.#binding
    return send(sequelize, generator.pgEnum(this.#table, field, type, this.#options), this.#options)
  }

  async #extend(field: string, labels: readonly string[], wanted: readonly string[]): Promise<unknown> {
    const { sequelize, generator } = this.#binding
    let result: unknown
    for (const { label, ...place } of missingLabels(labels, wanted)) {
      const options = { ...this.#options, before: null, after: null, ...place }
      result = await send(sequelize, generator.pgEnumAdd(this.#table, field, label, options), options)
    }
    return result
  }

  async #learn(): Promise<void> {
    await learnTypes(this.#binding.sequelize, this.#details.schema, this.#options)
  }

  get #details(): { tableName: string; schema: string } {
    return this.#binding.generator.extractTableDetails(this.#table, this.#options)
  }
}

interface NewLabel {
  readonly label: string
  readonly before?: string
  readonly after?: string
}

/** The labels to add, each with its place, in the order and with the places that upstream gives them. */
export function missingLabels(labels: readonly string[], wanted: readonly string[]): readonly NewLabel[] {
  const added: NewLabel[] = []
  let rightmost = -1
  for (const old of labels) {
    const at = wanted.indexOf(old)
    if (at === -1) continue
    const before = wanted.slice(0, at)
    const known = before.findLastIndex((label) => labels.includes(label))
    added.push(...before.slice(known + 1).map((label) => ({ label, before: old })))
    rightmost = Math.max(rightmost, at)
  }
  const last = labels.at(-1)
  const behind = last === undefined ? [] : wanted.slice(rightmost + 1)
  return [...added, ...behind.toReversed().map((label) => ({ label, after: last ?? '' }))]
}
