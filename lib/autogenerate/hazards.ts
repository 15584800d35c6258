/** What may go wrong in applying operations, told from the operations alone: PostgreSQL 12 and newer. */
import { conversionOf } from './conversions.ts'
import type { Assessed, Hazard, HazardKind, Operation } from './operation.ts'
import type { Column, Constraint, Index, OtherObject } from './snapshot.ts'

export interface HazardFacts {
  /** Rows of a table, in the tenant that has most of them. */
  readonly rows?: ReadonlyMap<string, number>
  /** Views and their like: they hold on to the columns they read. */
  readonly others?: readonly OtherObject[]
  /** Operations that are done outside a transaction, in a form that keeps nobody waiting while a table is read. */
  readonly outside?: ReadonlySet<Operation>
}

export function assess(operations: readonly Operation[], facts: HazardFacts = {}): readonly Assessed[] {
  const assessment = new Assessment(operations, facts)
  return operations.map((operation) => {
    const keepsNobody = facts.outside?.has(operation) === true
    const hazards = assessment.of(operation).filter(({ kind }) => !(keepsNobody && kind === 'long-lock'))
    return { operation, hazards }
  })
}

class Assessment {
  readonly #operations: readonly Operation[]
  readonly #facts: HazardFacts
  readonly #newTables: ReadonlySet<string>

  constructor(operations: readonly Operation[], facts: HazardFacts) {
    this.#operations = operations
    this.#facts = facts
    this.#newTables = new Set(
      operations.flatMap((each) => (each.kind === 'create table' ? [each.table.name] : [])),
    )
  }

  /** A table that is new has no rows, and nobody waits for it. */
  of(operation: Operation): readonly Hazard[] {
    switch (operation.kind) {
      case 'rename table':
        return [hazard('breaks-code', `Running code still says ${operation.table}.`)]
      case 'rename column':
        return [hazard('breaks-code', `Running code still says ${operation.table}.${operation.column}.`)]
      case 'rename enum':
        return [hazard('breaks-code', `Running code casts lists of labels to ${operation.enum}.`)]
      case 'replace enum':
        return this.#replaceEnum(operation)
      case 'drop sequence':
        return [hazard('data-loss', `How far ${operation.sequence.name} has counted is gone.`)]
      case 'drop table':
        return [
          hazard(
            'data-loss',
            `Every row of ${operation.table.name} is gone${this.#rows(operation.table.name)}.`,
          ),
          hazard('breaks-code', `Running code may still read ${operation.table.name}.`),
          ...this.#heldBy(operation.table.name, undefined, ['trigger', 'policy', 'rule', 'statistics']),
        ]
      case 'add column':
        return this.#newTables.has(operation.table) ? [] : this.#addColumn(operation.table, operation.column)
      case 'drop column':
        return this.#dropColumn(operation.table, operation.column)
      case 'alter column':
        return this.#alterColumn(operation)
      case 'add constraint':
        return this.#newTables.has(operation.table) ? [] : this.#addConstraint(operation)
      case 'validate constraint':
        return [hazard('may-fail', `A row of ${operation.table} may not obey ${operation.constraint.name}.`)]
      case 'create index':
        return this.#newTables.has(operation.table) ? [] : this.#createIndex(operation)
      default:
        return []
    }
  }

  #replaceEnum({ from, to, columns }: Extract<Operation, { kind: 'replace enum' }>): readonly Hazard[] {
    const gone = from.labels.filter((label) => !to.labels.includes(label)).map((label) => `'${label}'`)
    const held = columns.flatMap(({ table, column }) => this.#heldBy(table, column.name, ['statistics']))
    const tables = [...new Set(columns.map(({ table }) => table))]
    return [
      ...tables.map((table) => hazard('rewrite', `${table} is written anew${this.#rows(table)}.`)),
      ...(gone.length > 0 && columns.length > 0
        ? [
            hazard('may-fail', `A row may still hold ${gone.join(' or ')} of ${from.name}.`),
            hazard('breaks-code', `Running code may still write ${gone.join(' or ')} of ${from.name}.`),
          ]
        : []),
      ...held,
    ]
  }

  #addColumn(table: string, column: Column): readonly Hazard[] {
    const name = `${table}.${column.name}`
    const isFilled =
      column.default !== null ||
      column.serial !== null ||
      column.identity !== null ||
      column.generated !== null
    const isWritten = column.isVolatile || column.identity !== null || column.generated?.stored === true
    return [
      ...(column.notNull && !isFilled
        ? [
            hazard('may-fail', `${name} is NOT NULL without a default: it fails where ${table} has rows.`),
            hazard('breaks-code', `Running code does not fill ${name}.`),
          ]
        : []),
      ...(isWritten
        ? [hazard('rewrite', `${table} is written anew to fill ${name}${this.#rows(table)}.`)]
        : []),
      // Each value is computed, and must be one.
      ...(column.generated === null ? [] : [hazard('may-fail', `${name} may not be computable for a row.`)]),
    ]
  }

  #dropColumn(table: string, column: Column): readonly Hazard[] {
    const returns = this.#operations.some(
      (each) => each.kind === 'add column' && each.table === table && each.column.name === column.name,
    )
    const held = this.#heldBy(table, column.name, ['statistics'])
    if (returns && column.generated !== null) return held
    const name = `${table}.${column.name}`
    return [
      // What is computed can be computed again.
      ...(column.generated === null
        ? [hazard('data-loss', `Every value of ${name} is gone${this.#rows(table)}.`)]
        : []),
      ...(returns ? [] : [hazard('breaks-code', `Running code may still read ${name}.`)]),
      ...held,
    ]
  }

  #alterColumn({ table, from, to }: Extract<Operation, { kind: 'alter column' }>): readonly Hazard[] {
    const name = `${table}.${to.name}`
    const change = `${name} from ${from.type} to ${to.type}`
    const conversion = conversionOf(from, to)
    const isNumbered = (column: Column) => column.serial !== null || column.identity !== null
    const hazards: Hazard[] = []
    const add = (kind: HazardKind, message: string) => hazards.push(hazard(kind, message))
    if (conversion.losesValues) add('data-loss', `Values are rounded or cut: ${change}.`)
    if (conversion.mayFail) add('may-fail', `A value may not fit: ${change}.`)
    if (conversion.rewrites) add('rewrite', `${table} is written anew: ${change}${this.#rows(table)}.`)
    if (conversion.breaksCode) add('breaks-code', `Running code takes it for ${from.type}: ${change}.`)
    if (from.collation !== to.collation) add('long-lock', `Indexes of ${name} are sorted anew.`)
    if (to.notNull && !from.notNull) {
      add('may-fail', `A row may have no ${name}.`)
      add('long-lock', `${table} is read to see that every row has ${name}${this.#rows(table)}.`)
      add('breaks-code', `Running code may leave ${name} out.`)
    }
    if (isNumbered(to) && !isNumbered(from)) {
      add('long-lock', `${table} is read for the last number of ${name}${this.#rows(table)}.`)
    }
    if (isNumbered(from) && !isNumbered(to) && to.default === null) {
      add('breaks-code', `Running code leaves the number of ${name} to PostgreSQL.`)
    }
    if (from.type !== to.type) hazards.push(...this.#heldBy(table, to.name, ['statistics']))
    return hazards
  }

  #addConstraint({ table, constraint }: Extract<Operation, { kind: 'add constraint' }>): readonly Hazard[] {
    if (!constraint.isValid) return []
    const { name, kind, references } = constraint
    const isKey = kind === 'primary key' || kind === 'unique' || kind === 'exclude'
    const target = references?.schema === null ? references.table : undefined
    const tables = target === undefined || target === table ? table : `${table} and ${target}`
    const lock = isKey
      ? `Nobody reads or writes ${table} while the index of ${name} is made${this.#rows(table)}.`
      : `Nobody writes to ${tables} while ${table} is read for ${name}${this.#rows(table)}.`
    const obstacle = isKey ? 'Rows may be the same' : 'A row may not obey'
    return [
      ...(this.#isSameAsBefore(table, constraint)
        ? []
        : [hazard('may-fail', `${obstacle}: ${name} of ${table}.`)]),
      hazard('long-lock', lock),
    ]
  }

  #createIndex({ table, index }: Extract<Operation, { kind: 'create index' }>): readonly Hazard[] {
    const isNew = !this.#isSameAsBefore(table, index)
    return [
      ...(index.isUnique && isNew
        ? [hazard('may-fail', `Rows may be the same: ${index.name} of ${table}.`)]
        : []),
      // A value too large for an index, an expression that divides by zero.
      ...(!index.isUnique && !index.isPlain && isNew
        ? [hazard('may-fail', `Its expression may not be computable for a row: ${index.name} of ${table}.`)]
        : []),
      hazard('long-lock', `Nobody writes to ${table} while ${index.name} is made${this.#rows(table)}.`),
    ]
  }

  /** It went to make way, over rows that obeyed it, and returns over the same values. */
  #isSameAsBefore(table: string, part: Constraint | Index): boolean {
    const went = this.#operations.some((each) => {
      const before =
        each.kind === 'drop constraint'
          ? each.constraint
          : each.kind === 'drop index'
            ? each.index
            : undefined
      const isSame =
        before !== undefined && before.name === part.name && before.definition === part.definition
      return isSame && before.isValid && 'table' in each && each.table === table
    })
    const references = 'references' in part ? part.references : null
    const isChanged = this.#operations.some((each) => {
      const isRetyped = each.kind === 'alter column' && each.from.type !== each.to.type
      if (!isRetyped && each.kind !== 'add column') return false
      const name = each.kind === 'alter column' ? each.to.name : each.column.name
      const isTarget = references?.table === each.table && references.columns.includes(name)
      return isTarget || (each.table === table && part.dependsOn.includes(name))
    })
    return went && !isChanged
  }

  /** What PostgreSQL refuses to change a column, or to drop a table, for. */
  #heldBy(
    table: string,
    column: string | undefined,
    except: readonly OtherObject['kind'][],
  ): readonly Hazard[] {
    const holders = (this.#facts.others ?? []).filter(
      ({ kind, dependsOn }) =>
        !except.includes(kind) &&
        dependsOn.some((each) => each.table === table && (column === undefined || each.column === column)),
    )
    const what = column === undefined ? table : `${table}.${column}`
    return holders.map(({ kind, name }) =>
      hazard('may-fail', `PostgreSQL refuses it: ${kind} ${name} reads ${what}.`),
    )
  }

  #rows(table: string): string {
    const rows = this.#facts.rows?.get(table)
    return rows === undefined ? '' : ` (about ${rows} rows)`
  }
}

function hazard(kind: HazardKind, message: string): Hazard {
  return { kind, message }
}
