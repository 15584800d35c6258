/**
 * Operations → questions to a tenant's rows: how many would break what is asked of them. Each question has bare names,
 * for whatever schema it is asked of. Pure.
 */
import { qualify, quoteIdentifier, type SqlValue } from '../sql.ts'
import { conversionOf } from './conversions.ts'
import { conversionCondition, conversionTrial } from './measure-conversions.ts'
import { indexKeys, uniqueKeys, type Keys } from './measure-keys.ts'
import type { Operation } from './operation.ts'
import { partOf, type Part } from './parts.ts'
import type { Column, Snapshot } from './snapshot.ts'
import { isRetyped } from './types.ts'

export type MeasureKind = 'null' | 'duplicate' | 'orphan' | 'violation' | 'conversion'

/** One question. */
export interface Measure {
  readonly kind: MeasureKind
  readonly table: string
  /** What the rows are that it counts, such as `users.email is NULL`. */
  readonly what: string
  /** Columns that must be there for it to be asked; only the table if there are none. */
  readonly needs: readonly { readonly table: string; readonly columns: readonly string[] }[]
  /** Statements in order; the last answers with one row that has `rows`. */
  readonly statements: readonly { readonly text: string; readonly values: readonly SqlValue[] }[]
}

export interface Measures {
  readonly measures: readonly Measure[]
  /** Operations that may fail because of rows in a way that cannot be counted beforehand. */
  readonly unmeasured: readonly Operation[]
}

/** @param models What the operations lead to. */
export function measuresOf(operations: readonly Operation[], models: Snapshot): Measures {
  const maker = new Maker(operations, models)
  for (const operation of operations) maker.add(operation)
  return maker
}

class Maker implements Measures {
  readonly measures: Measure[] = []
  readonly unmeasured: Operation[] = []
  readonly #operations: readonly Operation[]
  readonly #models: Snapshot
  readonly #newTables: ReadonlySet<string>

  constructor(operations: readonly Operation[], models: Snapshot) {
    this.#operations = operations
    this.#models = models
    this.#newTables = new Set(operations.flatMap((each) => (each.kind === 'create table' ? [each.table.name] : []))) // prettier-ignore
  }

  /** A table that is new has no rows. */
  add(operation: Operation): void {
    if ('table' in operation && typeof operation.table === 'string' && this.#newTables.has(operation.table)) return // prettier-ignore
    const part = partOf(operation)
    if (part !== undefined) {
      if (part.isComing && part.subject.isValid && !this.#returns(part)) this.#addPart(part)
      return
    }
    switch (operation.kind) {
      case 'add column':
        return this.#addColumn(operation.table, operation.column, operation)
      case 'alter column':
        return this.#alterColumn(operation)
      case 'replace enum': {
        const labels = operation.to.labels
        if (operation.from.labels.every((label) => labels.includes(label))) return
        for (const { table, column } of operation.columns) this.#addLabels(table, column, labels)
      }
    }
  }

  #addColumn(table: string, column: Column, operation: Operation): void {
    if (column.generated !== null) this.unmeasured.push(operation)
    if (!column.notNull || isFilled(column)) return
    this.#push('null', table, [], `${table}.${column.name} would be NULL`, 'true')
  }

  #alterColumn(operation: Extract<Operation, { kind: 'alter column' }>): void {
    const { table, from, to } = operation
    const { name } = to
    if (to.notNull && !from.notNull)
      this.#push('null', table, [name], `${table}.${name} is NULL`, `r.${quoteIdentifier(name)} IS NULL`)
    if (!conversionOf(from, to).mayFail) return
    const own = this.#models.enums.find((each) => each.name === to.enum)
    if (own !== undefined && from.isArray === to.isArray) return this.#addLabels(table, to, own.labels)
    if (own !== undefined || from.generated !== null) return void this.unmeasured.push(operation)
    const what = `${table}.${name} does not become ${to.type}`
    const condition = conversionCondition(from, to)
    if (condition !== undefined) return this.#push('conversion', table, [name], what, condition)
    const statements = conversionTrial(table, from, to).map((text) => ({ text, values: [] }))
    this.measures.push({ kind: 'conversion', table, what, needs: [{ table, columns: [name] }], statements })
  }

  #addLabels(table: string, { name, type, isArray }: Column, labels: readonly string[]): void {
    const column = `r.${quoteIdentifier(name)}`
    const condition = isArray
      ? `EXISTS (SELECT FROM unnest(${column}) AS e WHERE e::text <> ALL ($1::text[]))`
      : `${column}::text <> ALL ($1::text[])`
    const what = `${table}.${name} is none of ${type}: ${labels.join(', ')}`
    this.#push('conversion', table, [name], what, condition, [labels])
  }

  #addPart(part: Part): void {
    const { operation, kind, subject } = part
    const isUnique =
      kind === 'unique' || kind === 'primary key' || ('isUnique' in subject && subject.isUnique)
    const mayFail = isUnique || kind !== 'index' || ('isPlain' in subject && !subject.isPlain)
    if (!mayFail) return
    const isKnown = !this.#readsChanged(part)
    if (isKnown && kind === 'foreign key') return this.#addForeignKey(part)
    if (isKnown && kind === 'check') return this.#addCheck(part)
    const keys = kind === 'index' ? indexKeys(subject.definition) : uniqueKeys(subject.definition)
    if (isKnown && isUnique && keys !== undefined) return this.#addKey(part, keys)
    // Of a column that comes empty every value is NULL.
    const isEmpty = this.#readsEmpty(part) && kind !== 'check' && !(keys?.areNullsEqual ?? false)
    if (!isEmpty) this.unmeasured.push(operation)
  }

  #addKey({ table, subject }: Part, { expressions, condition, areNullsEqual }: Keys): void {
    const list = expressions.join(', ')
    const present = areNullsEqual ? [] : expressions.map((expression) => `(${expression}) IS NOT NULL`)
    const filters = [...present, ...(condition === undefined ? [] : [`(${condition})`])]
    const where = filters.length === 0 ? '' : ` WHERE ${filters.join(' AND ')}`
    const groups = `SELECT count(*) AS n FROM ${quoteIdentifier(table)}${where} GROUP BY ${list} HAVING count(*) > 1`
    const text = `SELECT coalesce(sum(n), 0)::bigint AS rows FROM (${groups}) AS g`
    this.measures.push({
      kind: 'duplicate',
      table,
      what: `the same ${list} as another of ${table}: ${subject.name}`,
      needs: [{ table, columns: subject.dependsOn }],
      statements: [{ text, values: [] }],
    })
  }

  #addForeignKey({ table, subject, references }: Part): void {
    if (references === null) return
    const own = subject.columns.map((column) => `r.${quoteIdentifier(column ?? '')}`)
    const target = references.schema === null ? quoteIdentifier(references.table) : qualify(references.schema, references.table) // prettier-ignore
    const pairs = references.columns.map((column, index) => `k.${quoteIdentifier(column)} = ${own[index] ?? ''}`) // prettier-ignore
    const isNew = references.schema === null && this.#newTables.has(references.table)
    const isMissing = isNew ? 'true' : `NOT EXISTS (SELECT FROM ${target} AS k WHERE ${pairs.join(' AND ')})`
    const filled = own.map((column) => `${column} IS NOT NULL`)
    const condition = / MATCH FULL\b/.test(subject.definition)
      ? `(${filled.join(' OR ')}) AND NOT (${filled.join(' AND ')} AND NOT (${isMissing}))`
      : `${filled.join(' AND ')} AND ${isMissing}`
    const what = `${table} (${subject.columns.join(', ')}) refers to nothing in ${references.table}: ${subject.name}` // prettier-ignore
    const needs = isNew || references.schema !== null ? [] : [{ table: references.table, columns: references.columns }] // prettier-ignore
    this.#push('orphan', table, subject.dependsOn, what, condition, [], needs)
  }

  #addCheck({ table, subject }: Part): void {
    const expression = /^CHECK (\(.*\))(?: NO INHERIT)?(?: NOT ENFORCED)?$/s.exec(subject.definition)?.[1]
    if (expression === undefined) return
    this.#push('violation', table, subject.dependsOn, `${table} breaks ${subject.name}`, `NOT ${expression}`)
  }

  #push(
    kind: MeasureKind,
    table: string,
    columns: readonly string[],
    what: string,
    condition: string,
    values: readonly SqlValue[] = [],
    more: Measure['needs'] = [],
  ): void {
    const text = `SELECT count(*) AS rows FROM ${quoteIdentifier(table)} AS r WHERE ${condition}`
    this.measures.push({
      kind,
      table,
      what,
      needs: [{ table, columns }, ...more],
      statements: [{ text, values }],
    })
  }

  /** It went to make way for something else, over rows that obeyed it. */
  #returns({ table, subject }: Part): boolean {
    return this.#operations.map(partOf).some(
      (each) => each !== undefined && !each.isComing && each.table === table && each.subject.isValid && each.subject.name === subject.name && each.subject.definition === subject.definition, // prettier-ignore
    )
  }

  /** Whether it reads columns that are not there yet, or whose values will be others. */
  #readsChanged({ table, subject, references }: Part): boolean {
    return this.#operations.some((each) => {
      if (each.kind !== 'add column' && each.kind !== 'alter column') return false
      if (each.kind === 'alter column' && !isRetyped(each.from, each.to)) return false
      const name = each.kind === 'add column' ? each.column.name : each.to.name
      const isTarget = references?.schema === null && references.table === each.table && references.columns.includes(name) // prettier-ignore
      return isTarget || (each.table === table && subject.dependsOn.includes(name))
    })
  }

  /** Whether one of its columns comes without any value. */
  #readsEmpty({ table, subject }: Part): boolean {
    const columns: readonly (string | null)[] = subject.columns
    return this.#operations.some(
      (each) =>
        each.kind === 'add column' &&
        each.table === table &&
        columns.includes(each.column.name) &&
        !each.column.notNull &&
        !isFilled(each.column),
    )
  }
}

function isFilled(column: Column): boolean {
  return [column.default, column.serial, column.identity, column.generated].some((each) => each !== null)
}
