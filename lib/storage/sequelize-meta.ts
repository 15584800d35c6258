/**
 * Versions as rows of `SequelizeMeta`, one for each executed migration, in the form that sequelize-cli and
 * Umzug read and write.
 */
import { qualify } from '../sql.ts'
import { tableExists, type VersionStorage } from './storage.ts'

/** Where a schema records its seed files: the table that sequelize-cli keeps with `seederStorage: 'sequelize'`. */
export function seedStorage(): VersionStorage {
  return sequelizeMeta('SequelizeData')
}

/** @param table another name for the table, as in Umzug's `modelName`; seeders use `SequelizeData`. */
export function sequelizeMeta(table = 'SequelizeMeta'): VersionStorage {
  return {
    table,

    async executed({ sql, schema }) {
      if (!(await tableExists(sql, schema, table))) return []
      // By code point, as sequelize-cli sorts them; the database's own collation could differ by machine.
      const rows = await sql.query<{ name: string }>(
        `SELECT name FROM ${qualify(schema, table)} ORDER BY name COLLATE "C"`,
      )
      return rows.map(({ name }) => name)
    },

    async record({ sql, schema }, name) {
      await sql.query(
        `CREATE TABLE IF NOT EXISTS ${qualify(schema, table)} (name varchar(255) NOT NULL PRIMARY KEY)`,
      )
      await sql.query(`INSERT INTO ${qualify(schema, table)} (name) VALUES ($1)`, [name])
    },

    async forget({ sql, schema }, name) {
      await sql.query(`DELETE FROM ${qualify(schema, table)} WHERE name = $1`, [name])
    },
  }
}
