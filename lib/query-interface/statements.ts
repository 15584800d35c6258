/**
 * Statements that change the schema, with the schema in them. Stock v6 writes `public` into some and leaves the
 * others to the search path, where a name that the tenant does not have means the shared schema's object.
 *
 * What stays bare: a table that is created (it goes to the first schema of the path), a table that is referenced (it
 * may well be a shared one), a trigger's function, and rows: INSERT, UPDATE and DELETE follow the search path.
 */
import { quoteIdentifier } from '../sql.ts'
import type { Binding, QueryGenerator, TableName } from './sequelize.ts'
import { own, ownUnlessDotted, qualified } from './tables.ts'

type Statements = Pick<
  QueryGenerator,
  | 'quoteIdentifier'
  | 'dropTableQuery'
  | 'renameTableQuery'
  | 'changeColumnQuery'
  | 'renameColumnQuery'
  | 'addIndexQuery'
  | 'removeIndexQuery'
  | 'addConstraintQuery'
  | 'removeConstraintQuery'
  | 'dropForeignKeyQuery'
  | 'createTrigger'
  | 'dropTrigger'
  | 'renameTrigger'
  | 'dropFunction'
  | 'renameFunction'
>

export function statements(binding: Binding): Statements {
  const { generator, schemaOf } = binding
  const stock = stockOf(generator)
  const ours = (table: TableName) => own(binding, table)
  return {
    // Upstream takes quotes off an identifier: a"b would be ab, which may be another tenant's schema.
    quoteIdentifier: (identifier, force) =>
      identifier === schemaOf() && !/^[a-z][a-z0-9_]*$/.test(identifier)
        ? quoteIdentifier(identifier)
        : stock.quoteIdentifier(identifier, force),

    dropTableQuery: (table, options) => stock.dropTable(ours(table), options),
    renameTableQuery: (before, after) =>
      stock.renameTable(ours(before), withoutOwnSchema(binding, before, after)),
    changeColumnQuery: (table, attributes) => stock.changeColumn(ours(table), attributes),
    renameColumnQuery: (table, before, attributes) => stock.renameColumn(ours(table), before, attributes),

    // The name that upstream gives an index or constraint is made from the table as the caller wrote it.
    addIndexQuery: (table, attributes, options, rawTable = table) =>
      stock.addIndex(ownUnlessDotted(binding, table), attributes, options, rawTable),
    addConstraintQuery: (table, options) => addConstraint(binding, stock.addConstraint, table, options),

    removeIndexQuery: (table, nameOrColumns, options) => removeIndex(binding, stock.removeIndex, table, nameOrColumns, options), // prettier-ignore
    removeConstraintQuery: (table, name) => stock.removeConstraint(ownUnlessDotted(binding, table), name),
    dropForeignKeyQuery: (table, name) => stock.dropForeignKey(ours(table), name),

    createTrigger: (table, ...rest) => stock.createTrigger(ours(table), ...rest),
    dropTrigger: (table, name) => stock.dropTrigger(ours(table), name),
    renameTrigger: (table, before, after) => stock.renameTrigger(ours(table), before, after),

    // CREATE FUNCTION writes to the first schema of the path; the other two look further.
    dropFunction: (name, parameters) => stock.dropFunction(ownFunction(binding, name), parameters),
    renameFunction: (before, parameters, after) => stock.renameFunction(ownFunction(binding, before), parameters, after), // prettier-ignore
  }
}

function stockOf(generator: QueryGenerator) {
  return {
    quoteIdentifier: generator.quoteIdentifier.bind(generator),
    dropTable: generator.dropTableQuery.bind(generator),
    renameTable: generator.renameTableQuery.bind(generator),
    changeColumn: generator.changeColumnQuery.bind(generator),
    renameColumn: generator.renameColumnQuery.bind(generator),
    addIndex: generator.addIndexQuery.bind(generator),
    removeIndex: generator.removeIndexQuery.bind(generator),
    addConstraint: generator.addConstraintQuery.bind(generator),
    removeConstraint: generator.removeConstraintQuery.bind(generator),
    dropForeignKey: generator.dropForeignKeyQuery.bind(generator),
    createTrigger: generator.createTrigger.bind(generator),
    dropTrigger: generator.dropTrigger.bind(generator),
    renameTrigger: generator.renameTrigger.bind(generator),
    dropFunction: generator.dropFunction.bind(generator),
    renameFunction: generator.renameFunction.bind(generator),
  }
}

/** RENAME TO takes a bare name; upstream writes the schema of `{ tableName, schema }` there, a syntax error. */
function withoutOwnSchema(binding: Binding, before: TableName, after: TableName): TableName {
  if (typeof after === 'string') return after
  const from = own(binding, before)
  const schema = typeof from === 'string' ? undefined : from.schema
  return after.schema === undefined || after.schema === schema ? after.tableName : after
}

/** Upstream's own text: a name it makes up begins with the table as quoted, so that must be bare while it is made. */
function addConstraint(
  binding: Binding,
  stock: QueryGenerator['addConstraintQuery'],
  table: TableName,
  options: object,
): string {
  const { generator } = binding
  const text = stock(table, options)
  const written = typeof table === 'string' ? generator.quoteIdentifiers(table) : generator.quoteTable(table)
  const start = `ALTER TABLE ${written} `
  if (!text.startsWith(start)) throw new Error(`addConstraint wrote an unexpected statement: ${text}`)
  const meant = ownUnlessDotted(binding, table)
  const target = typeof meant === 'string' ? written : generator.quoteTable(meant)
  return `ALTER TABLE ${target} ${text.slice(start.length)}`
}

/** An index is dropped by its own name: upstream forgets the table's schema, and makes `{ … }` into "[object Object]". */
function removeIndex(
  binding: Binding,
  stock: QueryGenerator['removeIndexQuery'],
  table: TableName,
  nameOrColumns: string | readonly string[],
  options: object | undefined,
): string {
  const tableName = typeof table === 'string' ? table : table.tableName
  // As addIndex makes a name: with dots of the table's as underscores.
  const text = stock(tableName.replaceAll('.', '_'), nameOrColumns, options)
  const isQualified = typeof nameOrColumns === 'string' && nameOrColumns.includes('.')
  if (isQualified) return text
  const meant = ownUnlessDotted(binding, table)
  const schema = typeof meant === 'string' ? schemaOfDotted(binding, meant) : meant.schema
  const [start = '', name = ''] = text.split(/(?<= IF EXISTS )/)
  return `${start}${qualified(binding, name, schema)}`
}

function schemaOfDotted({ schemaOf }: Binding, table: string): string | undefined {
  return table.includes('.') ? table.slice(0, table.indexOf('.')) : schemaOf()
}

/** Functions are named as they would be in SQL, with a schema or without. */
function ownFunction(binding: Binding, name: string): string {
  return /^(?:"(?:[^"]|"")*"|[^".]+)\s*\./.test(name) ? name : qualified(binding, name)
}
