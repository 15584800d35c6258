/**
 * Operations divided in two: what is done in a transaction, and what is done after it and outside of one, in forms that
 * keep nobody waiting while a table is read (`sql-online`). Pure.
 *
 * What comes outside also goes outside on the way back, and the other way round, so that both ways are safe. What makes
 * way for a change in the transaction stays beside it.
 */
import { usesEnum } from './expressions.ts'
import type { Operation } from './operation.ts'
import { aside, isKeyOf, partOf, reads, type Part } from './parts.ts'
import type { Column } from './snapshot.ts'
import { sqlOf } from './sql.ts'
import { uniqueIndexOf } from './sql-online.ts'

export interface Division {
  readonly within: readonly Operation[]
  readonly outside: readonly Operation[]
}

/** @param partitioned Tables of which PostgreSQL makes no index concurrently, and no foreign key NOT VALID. */
export function divide(operations: readonly Operation[], partitioned: ReadonlySet<string>): Division {
  const { within, outside } = new Divider(operations, partitioned)
  return { within, outside: comingFirst(outside) }
}

/** What comes is there before what it replaces goes; else the order stays. */
export function comingFirst(operations: readonly Operation[]): readonly Operation[] {
  const isGoing = (each: Operation) => partOf(each)?.isComing === false
  return [...operations.filter((each) => !isGoing(each)), ...operations.filter(isGoing)]
}

class Divider {
  readonly within: Operation[] = []
  readonly outside: Operation[] = []
  readonly #operations: readonly Operation[]
  readonly #partitioned: ReadonlySet<string>
  readonly #newTables: ReadonlySet<string>
  readonly #parts: readonly Part[]
  /** Names of what goes in the transaction. */
  readonly #gone = new Set<string>()

  constructor(operations: readonly Operation[], partitioned: ReadonlySet<string>) {
    this.#operations = operations
    this.#partitioned = partitioned
    this.#newTables = new Set(operations.flatMap((each) => (each.kind === 'create table' ? [each.table.name] : []))) // prettier-ignore
    this.#parts = operations.map(partOf).filter((part) => part !== undefined)
    for (const operation of operations) {
      const part = partOf(operation)
      if (part === undefined) this.#place(operation)
      else if (part.isComing) this.#placeComing(part)
      else this.#placeGoing(part)
    }
  }

  #place(operation: Operation): void {
    if (operation.kind === 'alter column') this.#placeColumn(operation)
    else if (operation.kind === 'comment' && this.#isOnComing(operation)) this.outside.push(operation)
    else if (operation.kind === 'validate constraint') this.outside.push(operation)
    else this.within.push(operation)
  }

  #placeGoing(part: Part): void {
    const { operation, name } = part
    if (this.#isInTheWay(part)) {
      this.#gone.add(name)
      this.within.push(operation)
    } else if (this.#parts.some((each) => each.isComing && each.name === name)) {
      // It serves under another name until what replaces it is there.
      const { rename, operation: later } = aside(part)
      this.within.push(rename)
      this.outside.push(later)
    } else {
      this.outside.push(operation)
    }
  }

  #placeComing(part: Part): void {
    const { operation, name } = part
    if (this.#isPlain(part)) {
      this.within.push(operation)
    } else if (operation.kind === 'add constraint' && this.#gone.has(name) && this.#mayWait(part)) {
      // It was in force until now; for new rows it stays so.
      const { table, constraint } = operation
      this.within.push({ ...operation, constraint: { ...constraint, isValid: false } })
      this.outside.push({ kind: 'validate constraint', table, constraint })
    } else {
      this.outside.push(operation)
    }
  }

  /** Whether a column must be filled is a matter of its own, unless something in the transaction asks for it. */
  #placeColumn(operation: Extract<Operation, { kind: 'alter column' }>): void {
    const { table, from, to } = operation
    const isAsked =
      to.identity !== null || from.identity !== null || isRetyped(from, to) || this.#isOfKey(table, to.name)
    if (from.notNull === to.notNull || isAsked) {
      this.within.push(operation)
      return
    }
    const halfway: Column = { ...to, notNull: from.notNull }
    const first: Operation = { ...operation, to: halfway }
    if (sqlOf(first).length > 0) this.within.push(first)
    this.outside.push({ ...operation, from: halfway })
  }

  /** Whether it comes as ever: there are no rows to read, or there is no other way. */
  #isPlain(part: Part): boolean {
    const { table, kind, subject, operation } = part
    if (this.#partitioned.has(table)) return true
    if (this.#newTables.has(table)) return this.#standsWithin(part)
    if (kind === 'unique') return 'constraint' in operation && uniqueIndexOf(operation.constraint) === undefined // prettier-ignore
    return (kind !== 'index' && kind !== 'foreign key' && kind !== 'check') || !subject.isValid
  }

  /** Whether it can be NOT VALID, and what it stands on is there. */
  #mayWait(part: Part): boolean {
    return (part.kind === 'foreign key' || part.kind === 'check') && this.#standsWithin(part)
  }

  /** Whether no key that a foreign key needs comes outside. */
  #standsWithin({ references }: Part): boolean {
    return !this.#parts.some(
      (each) => each.isComing && isKeyOf(each, references) && !this.#isPlain({ ...each, references: null }),
    )
  }

  /** Whether what is done in the transaction needs it gone. */
  #isInTheWay(part: Part): boolean {
    const { table, kind, subject, references, name } = part
    if (this.#partitioned.has(table) || kind === 'primary key' || kind === 'exclude') return true
    const isInWayOf = (each: Part) =>
      each.isComing
        ? each.name === name && (this.#isPlain(each) || isSameKey(part, each))
        : isKeyOf(each, references)
    return this.#parts.some(isInWayOf) || this.#operations.some((each) => {
      switch (each.kind) {
        case 'create table':
          return each.table.constraints.some((constraint) => constraint.name === name)
        case 'drop table':
          return each.table.name === table || each.table.name === references?.table
        case 'drop column':
          return reads(part, each.column.name, each.table)
        case 'alter column':
          return isRetyped(each.from, each.to) && reads(part, each.to.name, each.table)
        case 'replace enum':
          return (
            usesEnum(subject.definition, each.from.name) ||
            each.columns.some(({ table: of, column }) => reads(part, column.name, of))
          )
        default:
          return false
      }
    }) // prettier-ignore
  }

  #isOfKey(table: string, column: string): boolean {
    return this.#parts.some(
      (each) => each.kind === 'primary key' && each.table === table && each.subject.dependsOn.includes(column), // prettier-ignore
    )
  }

  #isOnComing({ on }: Extract<Operation, { kind: 'comment' }>): boolean {
    return this.outside.some((each) => {
      if (each.kind === 'create index') return 'index' in on && each.index.name === on.index
      if (each.kind !== 'add constraint' || !('constraint' in on)) return false
      return each.table === on.table && each.constraint.name === on.constraint
    })
  }
}

/** A foreign key that was cut for the sake of another change, and returns as it was. */
function isSameKey({ kind, subject }: Part, other: Part): boolean {
  return kind === 'foreign key' && subject.definition === other.subject.definition
}

function isRetyped(from: Column, to: Column): boolean {
  return from.type !== to.type || from.collation !== to.collation || from.enum !== to.enum
}
