/** Constraints and indexes that come or go, seen alike: whose they are, what they read, which name they take. Pure. */
import { clip } from './names.ts'
import type { Operation } from './operation.ts'
import type { Constraint, Index } from './snapshot.ts'

type PartOperation = Extract<
  Operation,
  { kind: 'add constraint' | 'drop constraint' | 'create index' | 'drop index' }
>

export interface Part {
  readonly operation: PartOperation
  readonly isComing: boolean
  readonly table: string
  /** `index`, or the kind of the constraint. */
  readonly kind: Constraint['kind'] | 'index'
  readonly subject: Constraint | Index
  /** What a foreign key refers to. */
  readonly references: Constraint['references']
  /** Equal for two that cannot be there at once. */
  readonly name: string
}

export function partOf(operation: Operation): Part | undefined {
  switch (operation.kind) {
    case 'create index':
    case 'drop index': {
      const { table, index } = operation
      const isComing = operation.kind === 'create index'
      return { operation, isComing, table, kind: 'index', subject: index, references: null, name: index.name }
    }
    case 'add constraint':
    case 'drop constraint': {
      const { table, constraint } = operation
      const { kind, references } = constraint
      const isComing = operation.kind === 'add constraint'
      return { operation, isComing, table, kind, subject: constraint, references, name: nameOf(table, constraint) } // prettier-ignore
    }
    default:
      return undefined
  }
}

/** Names of indexes are the schema's, and a key has one; those of other constraints are the table's. */
function nameOf(table: string, { kind, name }: Constraint): string {
  return kind === 'foreign key' || kind === 'check' ? `${table}\0${name}` : name
}

/** The same under the name that it has while something else takes its own. */
export function aside({ operation }: Part): {
  readonly rename: Operation
  readonly operation: PartOperation
} {
  const { table } = operation
  if ('index' in operation) {
    const { name } = operation.index
    const to = before(name)
    return {
      rename: { kind: 'rename index', table, index: name, to },
      operation: { ...operation, index: { ...operation.index, name: to } },
    }
  }
  const { name } = operation.constraint
  const to = before(name)
  return {
    rename: { kind: 'rename constraint', table, constraint: name, to },
    operation: { ...operation, constraint: { ...operation.constraint, name: to } },
  }
}

function before(name: string): string {
  return `${clip(name, 55)}__before`
}

/** Whether `key` is what a foreign key to `references` stands on. */
export function isKeyOf({ table, kind, subject }: Part, references: Part['references']): boolean {
  if (references === null || references.schema !== null || references.table !== table) return false
  const mayBeKey = kind === 'primary key' || kind === 'unique' || ('isUnique' in subject && subject.isUnique)
  const columns = new Set(subject.columns)
  return (
    mayBeKey &&
    columns.size === references.columns.length &&
    references.columns.every((name) => columns.has(name))
  )
}

/** Whether it reads a column, on either of its ends. */
export function reads({ table, subject, references }: Part, column: string, of: string): boolean {
  const isTarget = references?.schema === null && references.table === of && references.columns.includes(column) // prettier-ignore
  return isTarget || (table === of && subject.dependsOn.includes(column))
}
