/**
 * How what is in `public` becomes a tenant's: the application's own objects move to a schema of their own, one by one.
 * Extensions stay where they are. They belong to the database: with their types and operators in one tenant's schema no
 * other tenant could use them, and who is no superuser could not move them back. So `public` itself is not renamed.
 */
import { TenancyError } from './errors.ts'
import { quoteIdentifier, type SqlRunner } from './sql.ts'

export const PUBLIC = 'public'

/** What stands in `public`. */
export interface PublicSchema {
  /** Objects of no extension that do not follow another: a serial column's sequence goes with its table. */
  readonly objects: readonly PublicObject[]
  readonly extensions: readonly string[]
}

interface PublicObject {
  /** PostgreSQL's word for what it is, such as `table`. */
  readonly type: string
  /** Its name with everything that tells it apart, quoted where it must be. */
  readonly identity: string
}

/** PostgreSQL notes for every object which schema it depends on, unless it goes where another object goes. */
const OBJECTS = `
  SELECT o.type, o.identity
    FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_namespace n ON n.oid = d.refobjid,
         pg_catalog.pg_identify_object(d.classid, d.objid, 0) AS o
   WHERE d.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND d.deptype = 'n' AND n.nspname = $1
     AND d.classid <> 'pg_catalog.pg_extension'::pg_catalog.regclass
     AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend e
                      WHERE e.classid = d.classid AND e.objid = d.objid AND e.deptype = 'e')
     AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend s JOIN pg_catalog.pg_class c ON c.oid = s.objid
                      WHERE s.classid = d.classid AND s.objid = d.objid AND c.relkind = 'S'
                        AND s.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
                        AND s.refclassid = s.classid AND s.deptype IN ('a', 'i'))
   ORDER BY o.type COLLATE "C", o.identity COLLATE "C"`

const EXTENSIONS = `
  SELECT e.extname AS name
    FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
   WHERE n.nspname = $1 ORDER BY 1`

export async function readPublic(sql: SqlRunner): Promise<PublicSchema> {
  const extensions = await sql.query<{ name: string }>(EXTENSIONS, [PUBLIC])
  return {
    objects: await sql.query<{ type: string; identity: string }>(OBJECTS, [PUBLIC]),
    extensions: extensions.map(({ name }) => name),
  }
}

/**
 * @throws {@link TenancyError} CONFIG_INVALID if the extensions that stay would not be found: a bare `=` of two `citext`
 * values then means that of `text`, and nothing says so.
 */
export function assertFindable(
  { extensions }: PublicSchema,
  searchPath: readonly string[],
  id: string,
): void {
  if (extensions.length === 0 || searchPath.includes(PUBLIC)) return
  const names = extensions.map((name) => `"${name}"`).join(', ')
  const path = [...searchPath, PUBLIC].map((schema) => `'${schema}'`).join(', ')
  const title = `Extension${extensions.length === 1 ? '' : 's'} ${names} in "public" would not be found any more.`
  throw new TenancyError('CONFIG_INVALID', title, {
    tenant: id,
    schema: PUBLIC,
    detail: 'extensions stay in public, and searchPath does not name it',
    fix: [`name it in the configuration: searchPath: [${path}]`],
  })
}

/**
 * The statements that move all of `public` but its extensions to the new schema `to`, in order.
 *
 * @example
 * ```ts
 * const content = { objects: [{ type: 'table', identity: 'public.users' }], extensions: ['citext'] }
 * movingPublic(content, 'acme').join('; ') // 'CREATE SCHEMA "acme"; ALTER TABLE public.users SET SCHEMA "acme"'
 * ```
 */
export function movingPublic({ objects }: PublicSchema, to: string): readonly string[] {
  const schema = quoteIdentifier(to)
  return [
    `CREATE SCHEMA ${schema}`,
    ...objects.map(({ type, identity }) => `ALTER ${keywordOf(type)} ${identity} SET SCHEMA ${schema}`),
  ]
}

/** What ALTER calls it. */
function keywordOf(type: string): string {
  // One word for functions, procedures and aggregates, which are told apart by their arguments.
  if (['function', 'procedure', 'aggregate'].includes(type)) return 'ROUTINE'
  if (type === 'composite type') return 'TYPE'
  return type === 'statistics object' ? 'STATISTICS' : type.toUpperCase()
}
