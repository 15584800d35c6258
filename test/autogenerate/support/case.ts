/** A case: the models of one release and those of the next, and what must come of it. */
import type { ModelAttributes, ModelOptions, Sequelize } from 'sequelize'

import type { RenameHints } from '../../../lib/autogenerate/hints.ts'

export type Define = (sequelize: Sequelize) => void

export interface Case {
  readonly name: string
  readonly before: Define
  readonly after: Define
  /** Statements for the tenant's schema after the first release, such as what models cannot say. */
  readonly sql?: string
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

/** The same models in both releases: no migration must come of it. */
export function unchanged(name: string, models: Define, more: Partial<Case> = {}): Case {
  return { name, before: models, after: models, same: true, ...more }
}
