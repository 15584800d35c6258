/** An operation in words, for people who read a list of them. Pure. */
import type { Operation } from './operation.ts'

export function describeOperation(operation: Operation): string {
  switch (operation.kind) {
    case 'rename table':
      return `rename table ${operation.table} to ${operation.to}`
    case 'rename column':
      return `rename column ${operation.table}.${operation.column} to ${operation.to}`
    case 'rename constraint':
      return `rename constraint ${operation.constraint} of ${operation.table} to ${operation.to}`
    case 'rename index':
      return `rename index ${operation.index} to ${operation.to}`
    case 'rename enum':
      return `rename type ${operation.enum} to ${operation.to}`
    case 'rename sequence':
      return `rename sequence ${operation.sequence} to ${operation.to}`
    case 'create enum':
    case 'drop enum':
      return `${verbOf(operation.kind)} type ${operation.enum.name} (${operation.enum.labels.join(', ')})`
    case 'add enum value':
      return `add value '${operation.value}' to type ${operation.enum}`
    case 'replace enum':
      return `replace type ${operation.to.name} (${operation.to.labels.join(', ')})`
    case 'create sequence':
    case 'drop sequence':
      return `${operation.kind} ${operation.sequence.name}`
    case 'create table':
    case 'drop table':
      return `${operation.kind} ${operation.table.name}`
    case 'add column':
    case 'drop column':
      return `${operation.kind} ${operation.table}.${operation.column.name}`
    case 'alter column':
      return `alter column ${operation.table}.${operation.to.name}: ${changesOf(operation).join(', ')}`
    case 'add constraint':
    case 'drop constraint':
    case 'validate constraint': {
      const { name, definition } = operation.constraint
      return `${operation.kind} ${name} of ${operation.table}: ${definition}`
    }
    case 'create index':
    case 'drop index':
      return `${operation.kind} ${operation.index.name}: ${operation.index.definition}`
    case 'comment':
      return `comment on ${subjectOf(operation.on)}: ${shown(operation.from)} → ${shown(operation.to)}`
    case 'other':
      return `${operation.what}: ${shown(operation.from)} → ${shown(operation.to)}`
  }
}

/** The table that an operation is about, under its name before; none for a type or a sequence. */
export function tableOf(operation: Operation): string | undefined {
  if ('table' in operation)
    return typeof operation.table === 'string' ? operation.table : operation.table.name
  return operation.kind === 'comment' && 'table' in operation.on ? operation.on.table : undefined
}

function verbOf(kind: 'create enum' | 'drop enum'): string {
  return kind === 'create enum' ? 'create' : 'drop'
}

function changesOf({ from, to }: Extract<Operation, { kind: 'alter column' }>): readonly string[] {
  const words = [
    from.type === to.type ? '' : `${from.type} → ${to.type}`,
    from.collation === to.collation ? '' : `collation ${shown(from.collation)} → ${shown(to.collation)}`,
    from.notNull === to.notNull ? '' : to.notNull ? 'NOT NULL' : 'NULL',
    from.default === to.default ? '' : `default ${shown(from.default)} → ${shown(to.default)}`,
    numberingOf(from) === numberingOf(to) ? '' : `${numberingOf(from)} → ${numberingOf(to)}`,
    (from.generated === null) === (to.generated === null) ? '' : 'no longer generated',
  ]
  return words.filter((word) => word !== '')
}

function numberingOf({ serial, identity }: Extract<Operation, { kind: 'add column' }>['column']): string {
  if (identity !== null) return identity.always ? 'identity always' : 'identity by default'
  return serial === null ? 'not counting' : 'serial'
}

function subjectOf(on: Extract<Operation, { kind: 'comment' }>['on']): string {
  if ('enum' in on) return `type ${on.enum}`
  if ('constraint' in on) return `constraint ${on.constraint} of ${on.table}`
  if ('index' in on) return `index ${on.index}`
  return on.column === undefined ? `table ${on.table}` : `column ${on.table}.${on.column}`
}

function shown(text: string | null): string {
  return text === null ? 'none' : text.replace(/\s+/g, ' ')
}
