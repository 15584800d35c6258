/** A case: the models of one release and those of the next, and what must come of it. */
import type { ModelAttributes, ModelOptions, QueryInterface, Sequelize } from 'sequelize'

import type { RenameHints } from '../../../lib/autogenerate/hints.ts'
import type { SelectRules } from '../../../lib/autogenerate/select.ts'

export type Define = (sequelize: Sequelize) => void

/** What is made beside models, or in their place. */
export interface Beside {
  /** Statements for the tenant's schema, such as what models cannot say. */
  readonly sql?: string | undefined
  /** The same, as a migration of the application's says it. */
  readonly migrate?: ((queryInterface: QueryInterface) => Promise<void>) | undefined
}

export interface Case extends Beside {
  readonly name: string
  readonly before: Define
  readonly after: Define
  readonly rules?: Partial<SelectRules>
  readonly renames?: RenameHints | false
  /** What the text of the migration must have in it, and what it must not. */
  readonly has?: readonly (string | RegExp)[]
  readonly hasNot?: readonly (string | RegExp)[]
  /** No migration must come of it. */
  readonly same?: true
}

/** One list of cases: all under one heading. */
export type Cases = readonly Case[]

/** One model, of table `items`, with these attributes and an id. */
export function items(attributes: ModelAttributes, options: ModelOptions = {}): Define {
  return (sequelize) => void sequelize.define('item', attributes, { timestamps: false, ...options })
}

const nothing: Define = () => undefined

/** Statements that mean what the models mean, in words of their own: no migration must come of it. */
export function equal(name: string, sql: string, models: Define, more: Partial<Case> = {}): Case {
  return { name, before: nothing, sql, after: models, same: true, ...more }
}

/** A column of table `items`, in SQL and as an attribute; `more` is for statements after the table's. */
export function equalColumn(
  name: string,
  column: string,
  attribute: ModelAttributes[string],
  more = '',
): Case {
  return equal(name, `${itemsWith(column)} ${more}`, items({ a: attribute }))
}

/** Table `items` with an id, written by hand. */
export function itemsWith(columns: string): string {
  return `CREATE TABLE items (id serial PRIMARY KEY, ${columns});`
}

/** A migration that somebody wrote and that means what the models mean. */
export function migrated(name: string, migrate: Case['migrate'], models: Define): Case {
  return { name, before: nothing, migrate, after: models, same: true }
}

/** The same models in both releases: no migration must come of it. */
export function unchanged(name: string, models: Define, more: Partial<Case> = {}): Case {
  return { name, before: models, after: models, same: true, ...more }
}
