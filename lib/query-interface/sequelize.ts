/** Members of Sequelize v6 that the binding replaces or calls and that its types leave out. */
import { QueryTypes, type QueryInterface, type QueryOptions, type Sequelize } from 'sequelize'

/** A table as Sequelize's helpers take it; `getTableName()` of a model is one of the two. */
export type TableName = string | { readonly tableName: string; readonly schema?: string | undefined }

/** A table whose schema is known. */
export interface Table {
  readonly tableName: string
  readonly schema: string
}

/** Options of a helper, which go with each of its queries. */
export interface HelperOptions {
  readonly schema?: string | undefined
  readonly transaction?: unknown
}

/** PostgresQueryGenerator. */
export interface QueryGenerator {
  options: object
  escape(value: string): string
  extractTableDetails(table: TableName | null | undefined, options?: HelperOptions): Table
  quoteIdentifier(identifier: string, force?: boolean): string
  quoteIdentifiers(identifiers: string): string
  quoteTable(table: TableName): string
  pgEscapeAndQuote(name: string): string

  // What asks the catalog.
  showTablesQuery(): string
  tableExistsQuery(table: TableName): string
  describeTableQuery(table: string, schema?: string | null): string
  showIndexesQuery(table: TableName): string
  showConstraintsQuery(table: TableName): string
  getForeignKeysQuery(table: TableName): string
  getForeignKeyReferencesQuery(table: string, catalog?: string, schema?: string): string
  getForeignKeyReferenceQuery(table: TableName, column: string): string
  pgListEnums(table?: TableName | null, attribute?: string | null, options?: HelperOptions): string

  // What changes the schema.
  dropTableQuery(table: TableName, options?: object): string
  renameTableQuery(before: TableName, after: TableName): string
  changeColumnQuery(table: TableName, attributes: object): string
  renameColumnQuery(table: TableName, before: string, attributes: object): string
  addIndexQuery(table: TableName, attributes: unknown, options?: unknown, rawTable?: TableName): string
  removeIndexQuery(table: TableName, nameOrColumns: string | readonly string[], options?: object): string
  addConstraintQuery(table: TableName, options: object): string
  removeConstraintQuery(table: TableName, name: string): string
  dropForeignKeyQuery(table: TableName, name: string): string
  createTrigger(table: TableName, ...rest: readonly unknown[]): string
  dropTrigger(table: TableName, name: string): string
  renameTrigger(table: TableName, before: string, after: string): string
  dropFunction(name: string, parameters: readonly unknown[]): string
  renameFunction(before: string, parameters: readonly unknown[], after: string): string
  pgEnum(table: TableName, column: string, type: EnumType, options?: HelperOptions): string
  pgEnumAdd(table: TableName, column: string, label: string, options: object): string
  pgEnumDrop(table: TableName | null, column: string | null, quotedName?: string): string
}

/** An instance of DataTypes.ENUM. */
export interface EnumType {
  readonly values: readonly string[]
}

/** PostgresQueryInterface. */
export interface Helpers {
  readonly queryGenerator: QueryGenerator
  ensureEnums(
    table: TableName,
    attributes: Readonly<Record<string, { readonly type: unknown; readonly field?: string }>>,
    options?: HelperOptions,
    model?: unknown,
  ): Promise<unknown>
  dropTable(table: TableName, options?: object): Promise<void>
  dropAllTables(options?: HelperOptions & { readonly skip?: readonly string[] }): Promise<void>
  showAllTables(options?: object): Promise<string[]>
  getForeignKeysForTables(tables: readonly string[], options?: object): Promise<Record<string, string[]>>
  pgListEnums(table?: TableName | null, options?: HelperOptions): Promise<{ enum_name: string }[]>
  dropEnum(name: string, options?: HelperOptions): Promise<unknown>
  dropAllEnums(options?: HelperOptions): Promise<unknown>
  createSchema(schema: string, options?: HelperOptions): Promise<unknown>
  dropSchema(schema: string, options?: HelperOptions): Promise<unknown>
  showAllSchemas(options?: HelperOptions): Promise<string[]>
  dropAllSchemas(options?: HelperOptions): Promise<unknown>
}

/** The connection manager of the dialect: what it knows of the database's types. */
export interface TypeManager {
  nameOidMap: Record<string, object>
  enumOids: { oids: number[]; arrayOids: number[] }
  refreshTypeParser(types: object): void
  _refreshDynamicOIDs(connection?: { query(text: string): Promise<{ rows: object[] }> }): Promise<void>
}

/** What both sides of the binding are about. */
export interface Binding {
  readonly sequelize: Sequelize
  readonly generator: QueryGenerator
  /** The schema that bare names mean now; none outside a tenant. */
  readonly schemaOf: () => string | undefined
}

export function helpersOf(sequelize: Sequelize): Helpers & QueryInterface {
  return sequelize.getQueryInterface() as unknown as Helpers & QueryInterface // typed with less than it has
}

export function typesOf(sequelize: Sequelize): TypeManager {
  return sequelize.connectionManager as unknown as TypeManager // typed with less than it has
}

/** Sends a text with the options of the helper it belongs to, so that it joins the caller's transaction. */
export function send(sequelize: Sequelize, text: string, options: HelperOptions = {}): Promise<unknown> {
  return sequelize.query(text, { ...(options as QueryOptions), raw: true }) // what a helper takes is what a query takes
}

/** Rows of a text; otherwise as {@link send}. */
export function select<R extends object>(
  sequelize: Sequelize,
  text: string,
  options: HelperOptions = {},
): Promise<R[]> {
  const asked = { ...(options as QueryOptions), raw: true, plain: false } // as in send
  return sequelize.query<R>(text, { ...asked, type: QueryTypes.SELECT })
}
