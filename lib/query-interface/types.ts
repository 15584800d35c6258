/**
 * Which types of the database are ENUMs: Sequelize learns it when its first connection opens, and returns an array of
 * an ENUM that was made later as text, `{a,b}`. Tenants are made later.
 */
import type { Sequelize } from 'sequelize'

import { type HelperOptions, select, typesOf } from './sequelize.ts'

interface EnumOid {
  readonly oid: number
  readonly typarray: number
}

/**
 * Teaches `sequelize` the ENUM types of one schema, so that columns of arrays of them come back as arrays. It reads
 * those alone, on one connection or that of `options.transaction`, and may be called as often as one likes.
 */
export async function learnTypes(
  sequelize: Sequelize,
  schema: string,
  options: HelperOptions = {},
): Promise<void> {
  const { transaction } = options
  const rows = await select<EnumOid>(sequelize, enumsOf(sequelize.escape(schema)), {
    ...(transaction === undefined ? {} : { transaction }),
    logging: false,
  } as HelperOptions)
  teach(sequelize, rows)
}

/** Over the schema's dependents, which are indexed: pg_type has rows for each table of each tenant. */
function enumsOf(schema: string): string {
  return `
    SELECT t.oid, t.typarray
      FROM pg_catalog.pg_namespace n
      JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
       AND d.refobjid = n.oid AND d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass
      JOIN pg_catalog.pg_type t ON t.oid = d.objid AND t.typtype = 'e'
     WHERE n.nspname = ${schema}`
}

function teach(sequelize: Sequelize, rows: readonly EnumOid[]): void {
  const types = typesOf(sequelize)
  const known = new Set(types.enumOids.oids)
  const fresh = rows.filter(({ oid }) => !known.has(oid))
  if (fresh.length === 0) return
  types.enumOids.oids.push(...fresh.map(({ oid }) => oid))
  types.enumOids.arrayOids.push(...fresh.map(({ typarray }) => typarray).filter((oid) => oid !== 0))
  // The class of this instance's own copy of Sequelize, which its types leave out.
  const { DataTypes } = (sequelize as unknown as { Sequelize: { DataTypes: { postgres: { ENUM: object } } } })
    .Sequelize
  types.refreshTypeParser({ ENUM: DataTypes.postgres.ENUM })
}

/**
 * Keeps Sequelize from asking for all types of the database in the middle of a run: it would take a connection beside
 * the run's, and could not see what the run has not yet committed.
 */
export function learnTypesOfOneSchema(sequelize: Sequelize, schemaOf: () => string | undefined): void {
  const types = typesOf(sequelize)
  const stock = types._refreshDynamicOIDs.bind(types)
  types._refreshDynamicOIDs = async (connection) => {
    const schema = schemaOf()
    // With a connection it is the question of the first one that opens, before there is anything to learn from.
    if (connection !== undefined || schema === undefined) return stock(connection)
    await learnTypes(sequelize, schema)
  }
}
