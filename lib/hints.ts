/** Queries of the application that fail as they would if their tenant were not what this process takes it for. */
import type { Sequelize } from 'sequelize'

import { SQLSTATE, sqlStateOf } from './sql.ts'

const SUSPICIOUS: ReadonlySet<string | undefined> = new Set([
  SQLSTATE.undefinedTable,
  SQLSTATE.undefinedColumn,
  SQLSTATE.invalidSchemaName,
])

type QueryClass = new (...args: never[]) => { formatError(error: Error, stack: string): Error }

/** Calls `onHint` in the context of a query of `sequelize` that misses a table, a column or a schema. */
export function watchForHints(sequelize: Sequelize, onHint: () => void): void {
  const { dialect } = sequelize as unknown as { dialect: { Query: QueryClass } } // not typed upstream
  dialect.Query = class extends dialect.Query {
    override formatError(error: Error, stack: string): Error {
      if (SUSPICIOUS.has(sqlStateOf(error))) onHint()
      return super.formatError(error, stack)
    }
  }
}
