/**
 * Everything a schema holds, one line for each object, with names relative to the schema: two schemas of the same
 * making give the same lines. Read from pg_catalog, as pg_dump would print it.
 */
import pg from 'pg'

/** What a line may leave out or add. */
export interface CatalogOptions {
  /** Tables that are not looked at. */
  readonly except?: readonly string[]
  /** Adds what tells an object from one made anew, and a row from one written anew: oid, relfilenode, ctid, xmin. */
  readonly identity?: boolean
}

/** Objects of `schema` by kind; `$1` is its oid, names are printed as seen from inside it. */
const OBJECTS = `
  SELECT 'schema' AS kind, '' AS name, jsonb_build_object('comment', obj_description($1, 'pg_namespace')) AS facts, $1 AS oid
  UNION ALL
  SELECT 'relation', relname, jsonb_build_object('kind', relkind, 'persistence', relpersistence, 'options', reloptions,
           'partition', pg_get_expr(relpartbound, c.oid), 'partitioned', pg_get_partkeydef(c.oid),
           'security', ARRAY[relrowsecurity, relforcerowsecurity], 'identity', relreplident, 'grants', relacl,
           'inherits', (SELECT array_agg(inhparent::regclass::text) FROM pg_inherits WHERE inhrelid = c.oid),
           'owner', relowner::regrole, 'comment', obj_description(c.oid, 'pg_class')), c.oid
    FROM pg_class c WHERE relnamespace = $1 AND relkind <> 'i'
  UNION ALL
  SELECT 'column', format('%s %s', relname, row_number() OVER (PARTITION BY c.oid ORDER BY attnum)),
         jsonb_build_object('name', attname, 'type', format_type(atttypid, atttypmod), 'not null', attnotnull,
           'default', pg_get_expr(adbin, c.oid), 'identity', attidentity, 'generated', attgenerated,
           'collation', attcollation::regcollation, 'storage', attstorage, 'statistics', attstattarget,
           'inherited', attinhcount, 'grants', attacl, 'comment', col_description(c.oid, attnum)), c.oid
    FROM pg_class c JOIN pg_attribute a ON attrelid = c.oid AND attnum > 0 AND NOT attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = attnum
   WHERE relnamespace = $1 AND relkind NOT IN ('i', 'S')
  UNION ALL
  SELECT 'constraint', format('%s %s', coalesce(conrelid::regclass::text, contypid::regtype::text), conname),
         jsonb_build_object('definition', pg_get_constraintdef(k.oid, true), 'type', contype, 'valid', convalidated,
           'deferrable', condeferrable, 'deferred', condeferred, 'local', conislocal,
           'comment', obj_description(k.oid, 'pg_constraint')), k.oid
    FROM pg_constraint k WHERE connamespace = $1
  UNION ALL
  SELECT 'index', indexrelid::regclass::text,
         jsonb_build_object('definition', pg_get_indexdef(indexrelid, 0, true), 'valid', indisvalid, 'ready', indisready,
           'primary', indisprimary, 'unique', indisunique, 'clustered', indisclustered, 'options', reloptions,
           'immediate', indimmediate, 'comment', obj_description(indexrelid, 'pg_class')), indexrelid
    FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE relnamespace = $1
  UNION ALL
  SELECT 'type', typname, jsonb_build_object('type', typtype, 'base', nullif(format_type(typbasetype, typtypmod), '-'),
           'not null', typnotnull, 'default', typdefault, 'grants', typacl,
           'labels', (SELECT array_agg(enumlabel ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid),
           'comment', obj_description(t.oid, 'pg_type')), t.oid
    FROM pg_type t WHERE typnamespace = $1
  UNION ALL
  SELECT 'sequence', relname, jsonb_build_object('type', format_type(seqtypid, NULL), 'start', seqstart,
           'increment', seqincrement, 'max', seqmax, 'min', seqmin, 'cache', seqcache, 'cycle', seqcycle,
           'owner', (SELECT format('%s.%s', refobjid::regclass, attname) FROM pg_depend
                       JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid
                      WHERE classid = 'pg_class'::regclass AND objid = c.oid AND deptype IN ('a', 'i'))), c.oid
    FROM pg_sequence JOIN pg_class c ON c.oid = seqrelid WHERE relnamespace = $1
  UNION ALL
  SELECT 'function', format('%s(%s)', proname, pg_get_function_identity_arguments(p.oid)),
         jsonb_build_object('arguments', pg_get_function_arguments(p.oid), 'result', pg_get_function_result(p.oid),
           'body', prosrc, 'language', lanname, 'kind', prokind, 'volatile', provolatile, 'strict', proisstrict,
           'definer', prosecdef, 'config', proconfig, 'parallel', proparallel, 'cost', procost, 'grants', proacl,
           'comment', obj_description(p.oid, 'pg_proc')), p.oid
    FROM pg_proc p JOIN pg_language l ON l.oid = prolang WHERE pronamespace = $1
  UNION ALL
  SELECT 'trigger', format('%s %s', tgrelid::regclass, tgname), jsonb_build_object('definition', pg_get_triggerdef(t.oid, true),
           'enabled', tgenabled, 'comment', obj_description(t.oid, 'pg_trigger')), t.oid
    FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid WHERE relnamespace = $1 AND NOT tgisinternal
  UNION ALL
  SELECT 'view', relname, jsonb_build_object('definition', pg_get_viewdef(c.oid, true), 'filled', relispopulated), c.oid
    FROM pg_class c WHERE relnamespace = $1 AND relkind IN ('v', 'm')
  UNION ALL
  SELECT 'rule', format('%s %s', ev_class::regclass, rulename),
         jsonb_build_object('definition', pg_get_ruledef(r.oid, true), 'enabled', ev_enabled), r.oid
    FROM pg_rewrite r JOIN pg_class c ON c.oid = ev_class WHERE relnamespace = $1 AND rulename <> '_RETURN'
  UNION ALL
  SELECT 'policy', format('%s %s', polrelid::regclass, polname),
         jsonb_build_object('command', polcmd, 'permissive', polpermissive, 'using', pg_get_expr(polqual, polrelid),
           'check', pg_get_expr(polwithcheck, polrelid)), p.oid
    FROM pg_policy p JOIN pg_class c ON c.oid = polrelid WHERE relnamespace = $1
  UNION ALL
  SELECT 'statistics', stxname, jsonb_build_object('of', pg_get_statisticsobjdef_columns(s.oid), 'kinds', stxkind,
           'table', stxrelid::regclass), s.oid
    FROM pg_statistic_ext s WHERE stxnamespace = $1`

/** The lines of `schema`, sorted. */
export async function schemaCatalog(
  url: string,
  schema: string,
  { except = [], identity = false }: CatalogOptions = {},
): Promise<readonly string[]> {
  const client = new pg.Client({ connectionString: url, application_name: 'test' })
  await client.connect()
  try {
    // With nothing but the schema on the path, the server prints its names bare and all others with their schema.
    await client.query("SELECT set_config('search_path', quote_ident($1), false)", [schema])
    const found = await client.query<{ oid: string }>('SELECT oid FROM pg_namespace WHERE nspname = $1', [
      schema,
    ])
    const objects = await client.query<{ kind: string; name: string; facts: object; oid: string }>(OBJECTS, [found.rows[0]?.oid]) // prettier-ignore
    const own = objects.rows.filter((row) => !except.some((table) => belongsTo(row.name, table)))
    const lines = own.map(({ kind, name, facts, oid }) =>
      [kind, name, JSON.stringify(facts), ...(identity ? [oid] : [])].join(' '),
    )
    const relations = own.filter(({ kind, facts }) => kind === 'relation' && hasRows(facts))
    for (const { name, facts } of relations) lines.push(...(await rowsOf(client, name, facts, identity)))
    return lines.toSorted()
  } finally {
    await client.end()
  }
}

/** Objects of a table bear its name at their start, quoted or not. */
function belongsTo(name: string, table: string): boolean {
  return (
    [table, `_${table}`, `${table}[]`].includes(name) ||
    new RegExp(`^"?${table}(?:_pkey)?"?(?: |$)`).test(name)
  )
}

function hasRows(facts: object): boolean {
  return ['r', 'm', 'S'].includes((facts as { kind: string }).kind) // as OBJECTS makes it
}

async function rowsOf(client: pg.Client, table: string, facts: object, identity: boolean): Promise<string[]> {
  const isSequence = (facts as { kind: string }).kind === 'S' // as OBJECTS makes it
  const what = isSequence ? 'ARRAY[last_value::text, is_called::text]::text' : 'to_jsonb(t)::text'
  const address = identity && !isSequence ? `format('%s %s ', t.ctid, t.xmin) ||` : ''
  const text = `SELECT ${address} ${what} AS row FROM ${client.escapeIdentifier(table)} AS t`
  const { rows } = await client.query<{ row: string }>(text)
  return rows.map(({ row }) => `row ${table} ${identity ? row : masked(row)}`)
}

/** Two runs differ in the time of day and in random numbers; migrations with fixed ones keep them. */
function masked(row: string): string {
  return row
    .replaceAll(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:\+00:00|Z)?/g, (time) =>
      Date.parse(time) > Date.now() - 3_600_000 ? '<now>' : time,
    )
    .replaceAll(/\b[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\b/g, '<random>')
}
