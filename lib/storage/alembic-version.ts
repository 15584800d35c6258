/**
 * The version as Alembic keeps it: one row of `alembic_version` with the head's revision id, no row at base.
 * What is executed follows from it: every migration on disk up to that revision.
 */
import { TenancyError } from '../errors.ts'
import { revisionOf } from '../migrations/revision.ts'
import { qualify } from '../sql.ts'
import { tableExists, type VersionPlace, type VersionStorage } from './storage.ts'

const TABLE = 'alembic_version'

/** Alembic's column is varchar(32). */
const MAX_REVISION_LENGTH = 32

export function alembicVersion(): VersionStorage {
  return {
    table: TABLE,
    headOnly: true,

    async executed(place) {
      assertDistinct(place.history)
      const head = await readHead(place)
      if (head === undefined) return []
      const at = place.history.findIndex((name) => revisionOf(name) === head)
      // A revision that no file has: another program, or a newer release, brought the schema there. Which of the
      // files led to it cannot be told, and running one a second time would be worse than leaving one out.
      return at === -1 ? [...place.history, head] : place.history.slice(0, at + 1)
    },

    async record(place, name) {
      const { sql, schema } = place
      const revision = revisionOf(name)
      if (revision.length > MAX_REVISION_LENGTH) throw tooLong(name, revision)
      await sql.query(
        `CREATE TABLE IF NOT EXISTS ${qualify(schema, TABLE)} (
           version_num varchar(${MAX_REVISION_LENGTH}) NOT NULL,
           CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))`,
      )
      await writeHead(place, revision)
    },

    async forget(place, name) {
      const head = await readHead(place)
      // A head that no file has is its own name.
      if (head !== undefined && head !== name && head !== revisionOf(name)) throw notThere(place, head)
      const previous = place.history[place.history.indexOf(name) - 1]
      await writeHead(place, previous === undefined ? undefined : revisionOf(previous))
    },
  }
}

async function readHead({ sql, schema }: VersionPlace): Promise<string | undefined> {
  if (!(await tableExists(sql, schema, TABLE))) return undefined
  const rows = await sql.query<{ version_num: string }>(`SELECT version_num FROM ${qualify(schema, TABLE)}`)
  if (rows.length > 1) {
    throw new TenancyError('MIGRATION_INVALID', `${TABLE} of schema "${schema}" has ${rows.length} heads.`, {
      schema,
      fix: ['merge the branches with Alembic first: a schema here has one head'],
    })
  }
  return rows[0]?.version_num
}

/** Leaves exactly one row with `head`, or none at base. */
async function writeHead({ sql, schema }: VersionPlace, head: string | undefined): Promise<void> {
  await sql.query(`DELETE FROM ${qualify(schema, TABLE)}`)
  if (head !== undefined) {
    await sql.query(`INSERT INTO ${qualify(schema, TABLE)} (version_num) VALUES ($1)`, [head])
  }
}

/** One row cannot tell apart what has one revision: it would run again and again. */
function assertDistinct(history: readonly string[]): void {
  const names = new Map<string, string>()
  for (const name of history) {
    const twin = names.get(revisionOf(name))
    if (twin !== undefined) {
      const title = `Two migrations have the revision id "${revisionOf(name)}".`
      throw new TenancyError('MIGRATION_DUPLICATE', title, {
        migration: name,
        detail: `${twin} and ${name}`,
        fix: [
          'begin each file name with an id of its own, ended by _, - or . (20261121093000_add_avatar.ts)',
        ],
      })
    }
    names.set(revisionOf(name), name)
  }
}

function notThere({ schema }: VersionPlace, head: string): TenancyError {
  const title = `Schema "${schema}" is at revision "${head}", which no migration to revert has.`
  return new TenancyError('MIGRATION_UNKNOWN', title, {
    schema,
    fix: ['revert with the release that has it, or put its file back'],
  })
}

function tooLong(name: string, revision: string): TenancyError {
  return new TenancyError(
    'MIGRATION_INVALID',
    `Revision id "${revision}" has ${revision.length} characters; ${TABLE} holds ${MAX_REVISION_LENGTH}.`,
    {
      migration: name,
      fix: ['begin the file name with a shorter id, ended by _, - or . (20261121093000_add_avatar.ts)'],
    },
  )
}
