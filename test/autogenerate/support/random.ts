/** Random models, as data that fast-check can shrink and print. */
import fc from 'fast-check'
import { DataTypes, Sequelize, type IndexesOptions, type ModelAttributeColumnOptions } from 'sequelize'

import type { Define } from './case.ts'

const { INTEGER, BIGINT, STRING, TEXT, DECIMAL, BOOLEAN, DATE, DATEONLY, UUID, JSONB, ARRAY, ENUM } =
  DataTypes

/** Types, each with a default that it may have. */
const TYPES: Readonly<Record<string, readonly [ModelAttributeColumnOptions['type'], unknown]>> = {
  integer: [INTEGER, 7],
  bigint: [BIGINT, 8],
  short: [STRING(20), "it's"],
  string: [STRING, 'x'],
  text: [TEXT, ''],
  decimal: [DECIMAL(8, 2), 1.5],
  boolean: [BOOLEAN, false],
  date: [DATE, Sequelize.literal('CURRENT_TIMESTAMP')],
  day: [DATEONLY, '2026-01-02'],
  uuid: [UUID, Sequelize.literal('gen_random_uuid()')],
  json: [JSONB, { a: [1] }],
  numbers: [ARRAY(INTEGER), [1, 2]],
  state: [ENUM('x', 'y', 'z'), 'x'],
  lessState: [ENUM('x', 'z'), 'z'],
  otherState: [ENUM('z', 'new', 'x', 'y'), 'new'],
  states: [ARRAY(ENUM('x', 'y')), undefined],
  moreStates: [ARRAY(ENUM('x', 'y', "q'z")), undefined],
}

const COLUMNS = ['a', 'b', 'camelCase', 'select', 'two words'] as const
const TABLES = ['items', 'Order Items', 'user'] as const
const ACTIONS = ['CASCADE', 'SET NULL', 'NO ACTION'] as const

interface RandomColumn {
  readonly name: string
  readonly type: string
  readonly notNull: boolean
  readonly hasDefault: boolean
  readonly unique: boolean
  readonly comment: string | undefined
}

export interface RandomTable {
  readonly name: string
  readonly key: 'serial' | 'identity' | 'bigserial' | 'uuid' | 'none'
  readonly columns: readonly RandomColumn[]
  readonly indexes: readonly { readonly at: readonly number[]; readonly kind: 'plain' | 'unique' | 'descending' | 'partial' }[] // prettier-ignore
  readonly refersTo: { readonly table: number; readonly onDelete: (typeof ACTIONS)[number] } | undefined
}

export type RandomModels = readonly RandomTable[]

const column = (name: string): fc.Arbitrary<RandomColumn> =>
  fc.record({
    name: fc.constant(name),
    type: fc.constantFrom(...Object.keys(TYPES)),
    notNull: fc.boolean(),
    hasDefault: fc.boolean(),
    unique: fc.boolean(),
    comment: fc.option(fc.constantFrom('one', "it's two"), { nil: undefined, freq: 4 }),
  })

const table = (name: string): fc.Arbitrary<RandomTable> =>
  fc.record({
    name: fc.constant(name),
    key: fc.constantFrom('serial', 'identity', 'bigserial', 'uuid', 'none'),
    columns: fc.subarray([...COLUMNS], { maxLength: 4 }).chain((names) => fc.tuple(...names.map(column))),
    indexes: fc.array(
      fc.record({
        at: fc.uniqueArray(fc.nat(4), { minLength: 1, maxLength: 2 }),
        kind: fc.constantFrom('plain', 'unique', 'descending', 'partial'),
      }),
      { maxLength: 2 },
    ),
    refersTo: fc.option(fc.record({ table: fc.nat(2), onDelete: fc.constantFrom(...ACTIONS) }), {
      nil: undefined,
    }),
  })

/** Small ones most of the time: what goes wrong goes wrong between two or three things. */
const randomModels: fc.Arbitrary<RandomModels> = fc
  .oneof(
    { arbitrary: fc.subarray([...TABLES], { minLength: 1, maxLength: 1 }), weight: 3 },
    { arbitrary: fc.subarray([...TABLES], { minLength: 2, maxLength: 2 }), weight: 2 },
    { arbitrary: fc.constant([...TABLES]), weight: 1 },
  )
  .chain((names) => fc.tuple(...names.map(table)))

export interface RandomPair {
  readonly before: RandomModels
  readonly after: RandomModels
}

/** What a table of the second models has from the first ones. */
const heritage = fc.record({
  columns: fc.array(fc.constantFrom('all', 'type', 'nothing'), { minLength: 4, maxLength: 4 }),
  key: fc.boolean(),
  indexes: fc.boolean(),
  refersTo: fc.boolean(),
})

type Heritage = typeof heritage extends fc.Arbitrary<infer T> ? T : never

/** Of most pairs the second shares tables and columns with the first, as releases do. */
export const randomPair: fc.Arbitrary<RandomPair> = fc
  .record({ before: randomModels, after: randomModels, kept: fc.option(heritage, { freq: 3 }) })
  .map(({ before, after, kept }) => ({ before, after: kept === null ? after : heirs(before, after, kept) }))

function heirs(before: RandomModels, after: RandomModels, kept: Heritage): RandomModels {
  return after.map((young) => {
    const old = before.find(({ name }) => name === young.name)
    if (old === undefined) return young
    const columns = young.columns.map((own, place) => {
      const same = old.columns.find(({ name }) => name === own.name)
      if (same === undefined || kept.columns[place] === 'nothing') return own
      return kept.columns[place] === 'all' ? same : { ...own, type: same.type }
    })
    const key = kept.key ? old.key : young.key
    const indexes = kept.indexes ? old.indexes : young.indexes
    return { ...young, columns, key, indexes, refersTo: kept.refersTo ? old.refersTo : young.refersTo }
  })
}

export function defineRandom(tables: RandomModels): Define {
  return (sequelize) => {
    const models = tables.map((each) => {
      const options = { tableName: each.name, timestamps: false, indexes: indexesOf(each) }
      const model = sequelize.define(each.name, attributesOf(each), options)
      if (each.key === 'none') model.removeAttribute('id')
      return { model, ...each }
    })
    for (const each of models) {
      const target = targetOf(each, models)
      if (each.refersTo === undefined || target === undefined) continue
      each.model.belongsTo(target.model, { foreignKey: 'owner', onDelete: each.refersTo.onDelete })
    }
  }
}

/** The table that the column `owner` of another one refers to. */
export function targetOf<T extends RandomTable>(
  { refersTo }: RandomTable,
  tables: readonly T[],
): T | undefined {
  const target = refersTo && tables[refersTo.table % tables.length]
  return target?.key === 'none' ? undefined : target
}

function attributesOf({ key, columns }: RandomTable): Record<string, ModelAttributeColumnOptions> {
  const keys: Readonly<Record<string, ModelAttributeColumnOptions>> = {
    serial: { type: INTEGER, primaryKey: true, autoIncrement: true },
    identity: { type: INTEGER, primaryKey: true, autoIncrement: true, autoIncrementIdentity: true },
    bigserial: { type: BIGINT, primaryKey: true, autoIncrement: true },
    uuid: { type: UUID, primaryKey: true },
  }
  const id = keys[key]
  const own = columns.map(({ name, type, notNull, hasDefault, unique, comment }) => {
    const [dataType, value] = TYPES[type] ?? [INTEGER, 1]
    const defaultValue = hasDefault && value !== undefined ? { defaultValue: value } : {}
    const options = {
      type: dataType,
      allowNull: !notNull,
      unique: unique && type !== 'json',
      ...defaultValue,
    }
    return [name, comment === undefined ? options : { ...options, comment }] as const
  })
  return { ...(id === undefined ? {} : { id }), ...Object.fromEntries(own) }
}

function indexesOf({ name: tableName, columns, indexes }: RandomTable): IndexesOptions[] {
  return indexes.flatMap(({ at, kind }, number): IndexesOptions[] => {
    const fields = at.flatMap((place) => {
      const found = columns[place]
      return found === undefined || found.type === 'json' ? [] : [found.name]
    })
    const [first] = fields
    if (first === undefined) return []
    // Names of indexes are the schema's: two tables must not choose the same.
    const name = `${tableName}_${number}`
    if (kind === 'descending')
      return [{ name, fields: fields.map((field) => ({ name: field, order: 'DESC' })) }]
    if (kind === 'partial') return [{ name, fields, where: { [first]: null } }]
    return [{ name, fields, unique: kind === 'unique' }]
  })
}
