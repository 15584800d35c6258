/** What a migration is given: the query interface of its tenant's schema, and everything else beside it. */
import type { DataTypes, QueryInterface, Sequelize } from 'sequelize'

import type { Row, SqlValue } from '../sql.ts'
import type { Tenant } from '../tenant.ts'

/** The members of a migration's context that are not the query interface's own. */
export interface MigrationExtras {
  /** Every helper works in the tenant's schema, on the run's connection and in its transaction. */
  readonly queryInterface: QueryInterface
  /** A Sequelize whose every query goes to the run's connection. */
  readonly sequelize: Sequelize
  /** The class, for its data types. */
  readonly Sequelize: typeof Sequelize
  /** The tenant being migrated; `undefined` for the shared schema. */
  readonly tenant: Tenant | undefined
  readonly schema: string
  /** Runs a text of one or many statements, or one statement with values `$1`, `$2` … */
  sql<R extends object = Row>(text: string, values?: readonly SqlValue[]): Promise<R[]>
  /** What `-x key=value` on the command line, or `x` in the library, said. */
  readonly x: Readonly<Record<string, string>>
}

/**
 * `context` of a migration. It is itself the query interface too, so that migrations written for Umzug's usual
 * `context: sequelize.getQueryInterface()` run as they are.
 */
export type MigrationContext = QueryInterface &
  MigrationExtras & {
    /** Sequelize's own typing of the class leaves its data types out. */
    readonly Sequelize: { readonly DataTypes: typeof DataTypes }
  }

/** What an `up` or `down` in Umzug's form receives. */
export interface MigrationParams {
  readonly name: string
  readonly path: string
  readonly context: MigrationContext
}

/**
 * The type of `up` and `down` in Umzug's form.
 *
 * @example
 * ```ts
 * import type { Migration } from 'umzug-tenants'
 *
 * export const up: Migration = async ({ context }) => {
 *   await context.sql('CREATE TABLE notes (id integer PRIMARY KEY)')
 * }
 * ```
 */
export type Migration = (params: MigrationParams) => Promise<unknown>

export function createMigrationContext(extras: MigrationExtras): MigrationContext {
  // The prototype is the query interface: its methods find their own state through it.
  return Object.assign(Object.create(extras.queryInterface) as MigrationContext, extras)
}
