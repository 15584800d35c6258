/** Which table a name means: the one in the schema it names, else the one in the current schema. */
import { quoteIdentifier } from '../sql.ts'
import type { Binding, Table, TableName } from './sequelize.ts'

/** The table with its schema; without a current one it is `public`, as upstream. */
export function locate({ schemaOf }: Binding, table: TableName): Table {
  const { tableName, schema } = parts(table)
  return { tableName, schema: schema ?? schemaOf() ?? 'public' }
}

/**
 * The table as a statement that changes it must name it. A bare name would be found along the search path: where the
 * tenant has no such table, DROP TABLE IF EXISTS would drop the shared one. Outside a tenant it stays as it is.
 */
export function own({ schemaOf }: Binding, table: TableName): TableName {
  const { tableName, schema = schemaOf() } = parts(table)
  return schema === undefined ? table : { tableName, schema }
}

/** As {@link own}, for the statements in which upstream reads `a.b` as a schema and its table. */
export function ownUnlessDotted(binding: Binding, table: TableName): TableName {
  return typeof table === 'string' && table.includes('.') ? table : own(binding, table)
}

/** `name` as an identifier qualified with the current schema, or as it is outside a tenant. */
export function qualified({ schemaOf }: Binding, quotedName: string, schema = schemaOf()): string {
  return schema === undefined ? quotedName : `${quoteIdentifier(schema)}.${quotedName}`
}

function parts(table: TableName): { tableName: string; schema: string | undefined } {
  if (typeof table === 'string') return { tableName: table, schema: undefined }
  const { tableName, schema } = table
  return { tableName, schema: schema === '' ? undefined : schema }
}
